import { createReadStream } from 'node:fs'
import { open, rename, stat, truncate } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { InputError } from '../core/input-error.ts'
import type { MigrationReport } from '../report/model.ts'

/** A line of a results file: a migration, and the capture as it was when it was analysed. */
export interface ResultLine extends MigrationReport {
  readonly input: InputStamp | null
}

/** Tells whether a capture is still the one that was analysed, and whether all lines of it are there. */
export interface InputStamp {
  readonly size_bytes: number
  /** Time of last modification, nanoseconds since 1970. */
  readonly modified_epoch_ns: string
  /** Migrations in the capture: a line each. */
  readonly migrations: number
}

/** What stands in the file system. Null for a pipe and for what is gone. */
export async function stampOf(path: string, migrations: number): Promise<InputStamp | null> {
  const found = path === '-' ? null : await stat(path, { bigint: true }).catch(() => null)
  if (found === null) return null
  return { size_bytes: Number(found.size), modified_epoch_ns: `${found.mtimeNs}`, migrations }
}

/** The lines of one capture, as text. */
export function resultLines(migrations: readonly MigrationReport[], input: InputStamp | null): string {
  return migrations.map((migration) => `${JSON.stringify({ ...migration, input })}\n`).join('')
}

/** Reads the migrations in a results file, one after the other. A last line that was not written to its end is left out.
 *  @param onDamage told of lines that are none: the number of the line, from 1, and whether it is the last one
 *  @throws InputError when the file cannot be read */
export async function* readResults(
  path: string,
  onDamage: (line: number, last: boolean) => void,
): AsyncGenerator<ResultLine> {
  await stat(path).catch(() => {
    throw new InputError('cannot be read', path)
  })
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
  let number = 0
  let damaged = 0
  for await (const text of lines) {
    number++
    if (damaged > 0) onDamage(damaged, false)
    damaged = 0
    if (text === '') continue
    const line = parseLine(text)
    if (line === null) damaged = number
    else yield line
  }
  if (damaged > 0) onDamage(damaged, true)
}

function parseLine(text: string): ResultLine | null {
  try {
    const line = JSON.parse(text) as Partial<ResultLine> | null
    const whole =
      typeof line?.capture === 'string' && Array.isArray(line.phases) && line.transfer !== undefined
    return whole ? (line as ResultLine) : null
  } catch {
    return null
  }
}

/** What a results file already holds. */
export interface Resumable {
  /** Stamps of captures whose lines are all there, by path. */
  readonly done: ReadonlyMap<string, InputStamp>
}

/** Repairs a results file that a killed run left behind, and tells what is in it. Lines of a capture are written at once and in
 *  order, so that only the last capture's can be incomplete: they are taken out, as are those of captures that have changed
 *  since.
 *  @throws InputError when it is no results file or cannot be written */
export async function resumeResults(path: string): Promise<Resumable> {
  const text = await readWhole(path)
  const lines = text.split('\n').filter((line) => line !== '')
  const parsed = lines.map(parseLine)
  const foreign = parsed.findIndex((line, index) => line === null && index < parsed.length - 1)
  if (foreign >= 0)
    throw new InputError(`is no file of results (line ${foreign + 1}): give another one to --resume`, path)
  const stamps = new Map<string, InputStamp>()
  const counts = new Map<string, number>()
  for (const line of parsed) {
    if (line?.input == null) continue
    stamps.set(line.capture, line.input)
    counts.set(line.capture, (counts.get(line.capture) ?? 0) + 1)
  }
  const done = new Map<string, InputStamp>()
  for (const [capture, stamp] of stamps) {
    const now = await stampOf(capture, stamp.migrations)
    const same = now?.size_bytes === stamp.size_bytes && now.modified_epoch_ns === stamp.modified_epoch_ns
    if (same && counts.get(capture) === stamp.migrations) done.set(capture, stamp)
  }
  const kept = lines.filter((_, index) => done.has(parsed[index]?.capture ?? ''))
  if (kept.length < lines.length || !text.endsWith('\n')) await replace(path, kept)
  return { done }
}

async function readWhole(path: string): Promise<string> {
  const file = await open(path, 'a+').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`cannot be written (${error.code ?? 'unknown error'})`, path)
  })
  try {
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** All at once, so that nothing is lost when this is interrupted. */
async function replace(path: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) {
    await truncate(path)
    return
  }
  const temporary = `${path}.part`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(lines.map((line) => `${line}\n`).join(''))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
