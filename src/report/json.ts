import type { Report } from './model.ts'

/** The whole document, indented. Full precision; the same report gives the same bytes. */
export function renderJson(report: Report): string {
  return [...jsonPieces(report)].join('')
}

/** The same in pieces, one for each migration: the document of thousands has a hundred megabytes. */
export function* jsonPieces(report: Report): Generator<string> {
  let before = '{\n'
  for (const [key, value] of Object.entries(report)) {
    yield `${before}  ${JSON.stringify(key)}: `
    if (Array.isArray(value) && value.length > 0) yield* elements(value)
    else yield indented(value, '  ')
    before = ',\n'
  }
  yield '\n}\n'
}

function* elements(values: readonly unknown[]): Generator<string> {
  for (const [index, value] of values.entries())
    yield `${index === 0 ? '[' : ','}\n    ${indented(value, '    ')}`
  yield '\n  ]'
}

/** Strings in JSON hold no line ends as such. */
function indented(value: unknown, by: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`)
}

/** One migration a line. */
export function renderNdjson(report: Report): string {
  return report.migrations.map((migration) => `${JSON.stringify(migration)}\n`).join('')
}
