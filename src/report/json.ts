import type { Report } from './model.ts'

/** The whole document, indented. Full precision; the same report gives the same bytes. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`
}

/** One migration a line. */
export function renderNdjson(report: Report): string {
  return report.migrations.map((migration) => `${JSON.stringify(migration)}\n`).join('')
}
