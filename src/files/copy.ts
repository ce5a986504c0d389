import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { InputError } from '../core/input-error.ts'
import { openSource } from './source.ts'

/** What makes a copy of a capture out of the bytes of its file. */
export interface Copier {
  push(bytes: Uint8Array): void
  end(): void
}

/** Sees to it that a capture can be read twice, and that its copy does not overwrite it.
 *  @throws InputError when that is not so */
export async function checkFiles(path: string, output: string): Promise<void> {
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

/** Copies a capture, compressed or not, into a file.
 *  @param make given the sink of the copy, what makes it
 *  @throws InputError when the capture cannot be read or the file not be written */
export async function copyCapture<C extends Copier>(
  path: string,
  output: string,
  make: (sink: (bytes: Uint8Array) => void) => C,
): Promise<C> {
  const file = await openOutput(output)
  try {
    const buffer = new Buffered()
    const copier = make((bytes) => buffer.add(bytes))
    await pass(path, copier, () => writeAll(file, buffer.take(), output))
    return copier
  } finally {
    await file.close()
  }
}

/** The same through a file beside it, which takes its name when it is whole: on failure there is no copy, and what there was
 *  stays. */
export async function replaceByCopy<C extends Copier>(
  path: string,
  output: string,
  make: (sink: (bytes: Uint8Array) => void) => C,
): Promise<C> {
  const before = await statOrNull(output)
  // A device or a pipe is no file that could be replaced.
  if (before !== null && !before.isFile()) return await copyCapture(path, output, make)
  const part = `${output}.part`
  try {
    const copier = await copyCapture(path, part, make)
    await rename(part, output)
    return copier
  } catch (error) {
    await rm(part, { force: true })
    throw error instanceof InputError || !(error instanceof Error) ? error : outputError(error, output)
  }
}

/** Gives a capture to something that reads it.
 *  @param after called for each block and at the end */
export async function pass(path: string, copier: Copier, after: () => Promise<void> | void): Promise<void> {
  const source = await openSource(path)
  for await (const block of source.blocks) {
    copier.push(new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
    await after()
  }
  copier.end()
  await after()
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
