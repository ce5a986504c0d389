import { printable } from './format.ts'
import type { Sheet } from './sheet.ts'
import { type Palette, textTable, wrap } from './terminal.ts'

/** A table for a terminal. */
export function renderSheet(sheet: Sheet, palette: Palette): string {
  const columns = sheet.columns.map(({ label, numeric }) => ({
    label: printable(label),
    align: numeric ? ('right' as const) : ('left' as const),
  }))
  const rows = sheet.rows.map((row) => row.map(({ text }) => printable(text)))
  const notes = sheet.notes.flatMap((note) => wrap(printable(note), ''))
  const table = rows.length === 0 ? [] : [textTable(columns, rows, palette)]
  return [palette.bold(printable(sheet.title)), ...table, ...notes].join('\n')
}

/** A table of GitHub's Markdown. */
export function renderMarkdown({ title, columns, rows, notes }: Sheet): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`
  return [
    `### ${escapeMarkdown(title)}`,
    '',
    line(columns.map(({ label }) => label)),
    `| ${columns.map(({ numeric }) => (numeric ? '---:' : '---')).join(' | ')} |`,
    ...rows.map((row) => line(row.map(({ text }) => text))),
    ...notes.flatMap((note) => ['', escapeMarkdown(note)]),
  ].join('\n')
}

/** What was taken from the wire stays text: nothing of it becomes markup. */
function escapeMarkdown(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|#&]/g, '\\$&')
}
