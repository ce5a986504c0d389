import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import { InputError } from '../core/input-error.ts'

const FILE_COLUMN = 'file'

/** Levels of factors by capture, from a CSV file: a column `file` with paths (as seen from the manifest's folder), and a
 *  column for each factor.
 *  @returns levels by absolute path, in the order of the lines
 *  @throws InputError when it cannot be read or has no such columns */
export async function readManifest(path: string): Promise<Map<string, Record<string, string>>> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) throw new InputError('cannot be read', path)
  const levels = new Map<string, Record<string, string>>()
  for (const { [FILE_COLUMN]: file, ...factors } of records(text, path)) {
    if (file === undefined || file === '') continue
    levels.set(resolve(dirname(path), file), factors)
  }
  if (levels.size === 0)
    throw new InputError("names no captures: it needs a first line such as 'file,flavor,load'", path)
  return levels
}

function records(text: string, path: string): Record<string, string>[] {
  try {
    const rows: Record<string, string>[] = parse(text, {
      bom: true,
      columns: (names: string[]) => names.map((name) => name.trim()),
      skip_empty_lines: true,
      trim: true,
    })
    return rows
  } catch (error) {
    throw new InputError(`is no proper CSV: ${error instanceof Error ? error.message : String(error)}`, path)
  }
}
