import { stringify } from 'csv-stringify/sync'
import type { Cell, Sheet } from './sheet.ts'

/** A table's values, under the keys of its columns. */
export function sheetCsv({ columns, rows }: Sheet): string {
  return renderCsv(
    columns.map(({ id }) => id),
    rows.map((row) => row.map(({ value }) => value)),
  )
}

/** Lines of CSV, with a header. Full precision; unknown is empty. */
export function renderCsv(header: readonly string[], rows: readonly (readonly Cell['value'][])[]): string {
  return stringify([header.map(inert), ...rows.map((row) => row.map((value) => inert(value)))])
}

/** Spreadsheets take text with such a start for a formula. */
function inert(value: Cell['value']): string | number {
  if (value === null) return ''
  return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}
