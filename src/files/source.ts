import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { isTold, sniff } from '../capture/magic.ts'
import { InputError } from '../core/input-error.ts'
import { MemoryWatch } from './memory.ts'

/** Bytes of a file that are read at once, by the thread that parses them: they stay in its processor's cache, where those that
 *  another thread read have to be fetched from memory, at some 150 ns a packet. The kernel reads ahead. */
const BLOCK_SIZE = 512 * 1024

/** Blocks until timers, signals and messages get their turn: some 10 ms. */
const BLOCKS_PER_TURN = 128

/** Bytes that are decompressed at once, and those that come of it at most before they are handed on. */
const PIECE_SIZE = 16 * 1024
const CHUNK_SIZE = 256 * 1024

/** An open input: its bytes, decompressed. */
export interface Source {
  /** Null when the bytes came as they are. */
  readonly compression: string | null
  /** Bytes of the input itself; null for a pipe. */
  readonly size: number | null
  /** Whether it can be opened again and has the same bytes then: a file, no pipe. */
  readonly again: boolean
  /** Each block is only valid until the next is asked for. */
  readonly blocks: AsyncIterable<Uint8Array>
  /** Bytes of the input taken until now. */
  readonly taken: () => number
  /** What was wrong with the input although its start could be read; null until then. */
  readonly damage: () => string | null
}

/** Opens a file, or standard input for `-`, and looks through gzip, zstd and lz4.
 *  @throws InputError when it cannot be opened or read */
export async function openSource(path: string): Promise<Source> {
  if (path === '-') return sourceOf(process.stdin, null, false)
  const { file, isRegular, size } = await openFile(path)
  // What comes from a pipe or a device keeps its reader waiting, and has no length.
  return isRegular ? sourceOf(readFile(file), size, true) : sourceOf(file.createReadStream(), null, false)
}

async function openFile(path: string): Promise<{ file: FileHandle; isRegular: boolean; size: number }> {
  let file: FileHandle | null = null
  try {
    file = await open(path, 'r')
    const found = await file.stat()
    if (found.isDirectory()) throw new InputError('is a directory')
    return { file, isRegular: found.isFile(), size: found.size }
  } catch (error) {
    await file?.close()
    throw inputError(error)
  }
}

async function sourceOf(
  raw: AsyncIterable<Uint8Array>,
  size: number | null,
  again: boolean,
): Promise<Source> {
  let taken = 0
  const counted = (async function* () {
    for await (const block of raw) {
      taken += block.length
      yield block
    }
  })()
  const { start, rest } = await peek(counted)
  const kind = sniff(start)
  if (kind.kind !== 'compressed')
    return { compression: null, size, again, blocks: keptSmall(rest), taken: () => taken, damage: () => null }
  const { compression } = kind
  const decompressor = await decompressorOf(compression, rest)
  if (decompressor === null) {
    await counted.return()
    throw new InputError(
      `is compressed with ${compression}, which is not read: decompress it into a pipe (${compression} -dc FILE | mig-phases -)`,
    )
  }
  return {
    compression,
    size,
    again,
    blocks: keptSmall(decompressor.blocks()),
    taken: () => taken,
    damage: () => decompressor.damage,
  }
}

/** Of all inputs that this thread reads. */
const memory = new MemoryWatch()

/** Whoever reads a capture makes garbage of it. */
async function* keptSmall(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    yield block
    if (memory.isLarge) await memory.collect()
  }
}

/** What decompresses; null for a compression that is known and not read. */
async function decompressorOf(
  compression: string,
  raw: AsyncIterable<Uint8Array>,
): Promise<Decompressor | null> {
  if (compression === 'gzip') return new Gunzip(raw)
  if (compression === 'zstd') {
    const { openZstd } = await import('./zstd.ts')
    return await openZstd(raw)
  }
  if (compression !== 'lz4') return null
  const { Unlz4 } = await import('./unlz4.ts')
  return new Unlz4(raw)
}

/** The first bytes, and all bytes including them. */
async function peek(
  blocks: AsyncGenerator<Uint8Array>,
): Promise<{ start: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  let start = new Uint8Array(0)
  let ended = false
  try {
    while (!isTold(start) && !ended) {
      const next = await blocks.next()
      if (next.done === true) ended = true
      else start = concatenate(start, next.value)
    }
  } catch (error) {
    throw inputError(error)
  }
  const rest = (async function* () {
    try {
      if (start.length > 0) yield start
      if (!ended) yield* blocks
    } finally {
      // Whoever stops at the first piece has not entered `blocks`.
      await blocks.return(undefined)
    }
  })()
  return { start, rest }
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

async function* readFile(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(BLOCK_SIZE)
  try {
    for (let block = 1; ; block++) {
      const size = readSync(file.fd, buffer, 0, BLOCK_SIZE, null)
      if (size === 0) return
      yield buffer.subarray(0, size)
      if (block % BLOCKS_PER_TURN === 0) await turn()
    }
  } catch (error) {
    throw inputError(error)
  } finally {
    await file.close()
  }
}

interface Decompressor {
  /** What was wrong with the data although its start could be read; null until then. */
  readonly damage: string | null
  readonly blocks: () => AsyncIterable<Uint8Array>
}

/** Decompresses gzip, members one after another. What comes before damage, or before the end of a file that was cut, is
 *  kept. */
class Gunzip implements Decompressor {
  damage: string | null = null
  readonly #raw: AsyncIterable<Uint8Array>

  constructor(raw: AsyncIterable<Uint8Array>) {
    this.#raw = raw
  }

  /** One piece after the other, as a stream that fails loses what it has not handed on. */
  async *blocks(): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: CHUNK_SIZE })
    const output: Uint8Array[] = []
    let size = 0
    gunzip.on('data', (chunk: Uint8Array) => output.push(chunk))
    const over = finished(gunzip).catch((error: Error) => this.#damaged(error.message, size))
    try {
      for await (const piece of this.#pieces()) {
        if (gunzip.destroyed || gunzip.readableEnded) break
        await Promise.race([over, new Promise((resolve) => gunzip.write(piece, resolve))])
        for (const chunk of output.splice(0)) {
          size += chunk.length
          yield chunk
        }
      }
      if (!gunzip.destroyed) gunzip.end()
      await over
      yield* output
    } finally {
      gunzip.destroy()
    }
  }

  #damaged(reason: string, size: number): void {
    this.damage =
      reason === NO_MEMBER && size > 0
        ? 'what follows the gzip data is something else, which was left out'
        : `the gzip data is cut short or damaged (${reason})`
  }

  /** Damage costs the piece it is in. Most is at the end, where the pieces become smaller and smaller. */
  async *#pieces(): AsyncGenerator<Uint8Array> {
    let last = new Uint8Array(0)
    for await (const block of this.#raw)
      for (let at = 0; at < block.length; at += PIECE_SIZE) {
        if (last.length > 0) yield last
        last = block.slice(at, at + PIECE_SIZE)
      }
    for (let at = 0; at < last.length; ) {
      const size = Math.ceil((last.length - at) / 2)
      yield last.subarray(at, at + size)
      at += size
    }
  }
}

/** What zlib says where no member begins. */
const NO_MEMBER = 'incorrect header check'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist: check the path',
  EACCES: 'cannot be read: permission denied (captures are often owned by root)',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a directory',
  EMFILE: 'cannot be opened: too many open files',
  EIO: 'cannot be read: input/output error',
}

function inputError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof InputError || !('code' in error)) return error
  const code = String(error.code)
  return new InputError(REASONS[code] ?? `cannot be read (${code})`)
}
