import { writeFile } from 'node:fs/promises'
import { stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { renderJson, renderNdjson } from '../report/json.ts'
import type { Report } from '../report/model.ts'
import type { Palette } from '../report/table.ts'
import type { Format } from './args.ts'

/** The report as text. Colours only for a table that a person looks at. */
export async function render(report: Report, format: Format, toTerminal: boolean): Promise<string> {
  switch (format) {
    case 'json':
      return renderJson(report)
    case 'ndjson':
      return renderNdjson(report)
    case 'table': {
      const { renderTable } = await import('../report/table.ts')
      return renderTable(report, await palette(toTerminal))
    }
  }
}

async function palette(toTerminal: boolean): Promise<Palette> {
  const { default: colours } = await import('picocolors')
  const { bold, dim, green, red, yellow } = colours.createColors(toTerminal && colours.isColorSupported)
  return { bold, dim, good: green, bad: red, warn: yellow }
}

/** Writes to a file, or to standard output for null.
 *  @throws InputError when the file cannot be written */
export async function write(text: string, output: string | null): Promise<void> {
  if (output === null) {
    await new Promise<void>((resolve) => stdout.write(text, () => resolve()))
    return
  }
  try {
    await writeFile(output, text)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new InputError(
      `cannot be written (${code}): give --output a file in a folder that exists and is yours`,
    )
  }
}
