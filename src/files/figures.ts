import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../core/input-error.ts'
import type { Report } from '../report/model.ts'

/** Writes each figure of a report as a file. The folder is made; files of the same names are replaced.
 *  @throws InputError when they cannot be written */
export async function writeFigures(
  folder: string,
  report: Report,
  metrics: readonly string[],
): Promise<void> {
  const { figureFiles } = await import('../figures/files.ts')
  try {
    await mkdir(folder, { recursive: true })
    for (const { name, text } of figureFiles(report, metrics)) await writeFile(join(folder, name), text)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new InputError(
      `cannot be written (${String(error.code)}): give --svg a folder that is yours`,
      folder,
    )
  }
}
