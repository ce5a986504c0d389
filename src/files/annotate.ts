import { type FileHandle, open, stat } from 'node:fs/promises'
import { AnnotatedCopy } from '../capture/annotated-copy.ts'
import { InputError } from '../core/input-error.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { marksOf, withNumbers } from '../report/marks.ts'
import { analyzeFile } from './analyze.ts'
import { openSource } from './source.ts'

export interface AnnotateOptions {
  /** Leaves all packets without a comment out. */
  readonly onlyMarkers: boolean
}

export interface Annotation {
  readonly analysis: Analysis
  /** Packets that prove something. */
  readonly marks: number
  /** Those that got their comments: fewer when the capture was changed meanwhile, or is damaged there. */
  readonly marked: number
}

/** Reads a capture, compressed or not, and writes it as pcapng with comments on the packets that prove its phases. Without a
 *  migration nothing is written.
 *  @throws InputError when it cannot be read twice, is no capture or the file to be written itself, or that cannot be written */
export async function annotateFile(
  path: string,
  output: string,
  { onlyMarkers }: AnnotateOptions,
): Promise<Annotation> {
  await checkFiles(path, output)
  const analysis = await analyzeFile(path)
  const marks = marksOf(analysis.migrations)
  const comments = onlyMarkers ? withNumbers(marks) : marks
  const none = analysis.migrations.length === 0
  const marked = none ? 0 : await copyFile(path, output, { comments, onlyMarked: onlyMarkers })
  return { analysis, marks: marks.size, marked }
}

async function checkFiles(path: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([statOrNull(path), statOrNull(output)])
  // What does not exist, or is a folder, is said where it is opened.
  if (path === '-' || (from !== null && !from.isFile() && !from.isDirectory()))
    throw new InputError('is a pipe or device, which cannot be read twice: save it to a file first', path)
  if (from !== null && to !== null && from.dev === to.dev && from.ino === to.ino)
    throw new InputError('is the capture itself, and is not overwritten: give --output another name', output)
}

async function statOrNull(path: string) {
  try {
    return await stat(path, { bigint: true })
  } catch {
    return null
  }
}

/** @returns the number of packets that got comments */
async function copyFile(
  path: string,
  output: string,
  options: ConstructorParameters<typeof AnnotatedCopy>[0],
): Promise<number> {
  const file = await openOutput(output)
  try {
    const source = await openSource(path)
    const buffer = new Buffered()
    const copy = new AnnotatedCopy(options, (bytes) => buffer.add(bytes))
    for await (const block of source.blocks) {
      copy.push(new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
      await writeAll(file, buffer.take(), output)
    }
    copy.end()
    await writeAll(file, buffer.take(), output)
    return copy.marked
  } finally {
    await file.close()
  }
}

/** What one block of input becomes. The memory is used again for the next one. */
class Buffered {
  #bytes = new Uint8Array(2 * 1024 * 1024)
  #used = 0

  add(bytes: Uint8Array): void {
    const size = this.#used + bytes.length
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#used)
    this.#used = size
  }

  /** All that was added, valid until more is. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#used)
    this.#used = 0
    return taken
  }
}

async function openOutput(output: string): Promise<FileHandle> {
  try {
    return await open(output, 'w')
  } catch (error) {
    throw outputError(error, output)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, output: string): Promise<void> {
  try {
    await file.writeFile(bytes)
  } catch (error) {
    throw outputError(error, output)
  }
}

function outputError(error: unknown, output: string): InputError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new InputError(
    `cannot be written (${code}): is there such a folder, is it yours, is it full?`,
    output,
  )
}
