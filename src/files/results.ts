import { createReadStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { InputError } from '../core/input-error.ts'
import type { InputStamp, MigrationReport } from '../report/model.ts'

const NEWLINE = 10

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
): AsyncGenerator<MigrationReport> {
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

function parseLine(text: string): MigrationReport | null {
  try {
    const line = JSON.parse(text) as Partial<MigrationReport> | null
    const whole =
      typeof line?.capture === 'string' && Array.isArray(line.phases) && line.transfer !== undefined
    return whole ? (line as MigrationReport) : null
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
 *  since. A file that does not exist yet is made.
 *  @throws InputError when it is no results file or cannot be written */
export async function resumeResults(path: string): Promise<Resumable> {
  const file = await open(path, 'a').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`cannot be written (${error.code ?? 'unknown error'})`, path)
  })
  await file.close()
  const held = await surveyResults(path)
  const done = new Map<string, InputStamp>()
  for (const [capture, { stamp, lines }] of held.captures) {
    const now = await stampOf(capture, stamp.migrations)
    const same = now?.size_bytes === stamp.size_bytes && now.modified_epoch_ns === stamp.modified_epoch_ns
    if (same && lines === stamp.migrations) done.set(capture, stamp)
  }
  if (held.torn || done.size < held.captures.size) await keepOnly(path, done)
  return { done }
}

interface Survey {
  /** Lines by capture. */
  readonly captures: ReadonlyMap<string, { readonly stamp: InputStamp; readonly lines: number }>
  /** The last line was not written to its end. */
  readonly torn: boolean
}

async function surveyResults(path: string): Promise<Survey> {
  const captures = new Map<string, { stamp: InputStamp; lines: number }>()
  let torn = false
  const damage = (line: number, last: boolean): void => {
    if (!last)
      throw new InputError(`is no file of results (line ${line}): give another one to --resume`, path)
    torn = true
  }
  for await (const { capture, input } of readResults(path, damage)) {
    if (input == null)
      throw new InputError(
        'was not written by --resume or --format ndjson: give another one to --resume',
        path,
      )
    const known = captures.get(capture)
    captures.set(capture, { stamp: input, lines: (known?.lines ?? 0) + 1 })
  }
  return { captures, torn: torn || !(await endsWithNewline(path)) }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) return true
    const { buffer } = await file.read(new Uint8Array(1), 0, 1, size - 1)
    return buffer[0] === NEWLINE
  } finally {
    await file.close()
  }
}

/** All at once, so that nothing is lost when this is interrupted. */
async function keepOnly(path: string, done: ReadonlyMap<string, InputStamp>): Promise<void> {
  const temporary = `${path}.part`
  const file = await open(temporary, 'w')
  try {
    for await (const line of readResults(path, () => {}))
      if (done.has(line.capture)) await file.writeFile(`${JSON.stringify(line)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
