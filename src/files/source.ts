import { closeSync, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs'
import { isTold, MAGIC_SIZE, sniff } from '../capture/magic.ts'
import { InputError } from '../core/input-error.ts'
import { MemoryWatch } from './memory.ts'
import { turn } from './turn.ts'

/** Bytes of a file that are read at once, by the thread that parses them: they stay in its processor's cache, where those that
 *  another thread read have to be fetched from memory, at some 150 ns a packet. The kernel reads ahead. */
const BLOCK_SIZE = 512 * 1024

/** Where blocks begin in their buffer: the allocator puts large buffers 16 bytes behind the start of a page, and the kernel copies to
 *  multiples of 64 in nine tenths of the time. */
const BLOCK_START = 48

/** Blocks until timers, signals and messages get their turn: some 2 ms, which is how long a thread that is done waits for its next capture. */
const BLOCKS_PER_TURN = 32

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

/** The bytes of an input as they are. */
interface Raw {
  readonly start: Uint8Array
  readonly size: number | null
  /** All of them, those of the start included. */
  readonly blocks: AsyncGenerator<Uint8Array>
  readonly taken: () => number
}

export interface Decompressor {
  /** What was wrong with the data although its start could be read; null until then. */
  readonly damage: string | null
  readonly blocks: () => AsyncIterable<Uint8Array>
}

/** Opens a file, or standard input for `-`, and looks through gzip, zstd and lz4.
 *  @throws InputError when it cannot be opened or read */
export async function openSource(path: string): Promise<Source> {
  if (path === '-') return sourceOf(await openStream(process.stdin), false)
  const found = statOf(path)
  if (found.isDirectory()) throw new InputError('is a directory')
  // What comes from a pipe or a device keeps its reader waiting, and has no length.
  return found.isFile()
    ? sourceOf(openFile(path, found.size), true)
    : sourceOf(await openStream(createReadStream(path)), false)
}

async function sourceOf(raw: Raw, again: boolean): Promise<Source> {
  const { size, taken } = raw
  const kind = sniff(raw.start)
  if (kind.kind !== 'compressed')
    return { compression: null, size, again, blocks: raw.blocks, taken, damage: () => null }
  const { compression } = kind
  const decompressor = await decompressorOf(compression, raw.blocks)
  if (decompressor === null) {
    await raw.blocks.return(undefined)
    throw new InputError(
      `is compressed with ${compression}, which is not read: decompress it into a pipe (${compression} -dc FILE | mig-phases -)`,
    )
  }
  return {
    compression,
    size,
    again,
    blocks: keptSmall(decompressor.blocks()),
    taken,
    damage: () => decompressor.damage,
  }
}

/** Of all inputs that this thread reads: whoever reads a capture makes garbage of it. */
const memory = new MemoryWatch()

async function* keptSmall(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    yield block
    if (memory.isLarge) await memory.collect()
  }
}

/** What decompresses, which captures that are not compressed do not load; null for a compression that is known and not read. */
async function decompressorOf(
  compression: string,
  raw: AsyncIterable<Uint8Array>,
): Promise<Decompressor | null> {
  switch (compression) {
    case 'gzip': {
      const { Gunzip } = await import('./gunzip.ts')
      return new Gunzip(raw)
    }
    case 'zstd': {
      const { openZstd } = await import('./zstd.ts')
      return await openZstd(raw)
    }
    case 'lz4': {
      const { Unlz4 } = await import('./unlz4.ts')
      return new Unlz4(raw)
    }
    default:
      return null
  }
}

function statOf(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw inputError(error)
  }
}

/** The file is opened once more when somebody wants its blocks. */
function openFile(path: string, size: number): Raw {
  let taken = 0
  const blocks = readFile(path, (bytes) => {
    taken += bytes
  })
  return { start: startOf(path), size, blocks, taken: () => taken }
}

/** Enough to tell what a file is.
 *  @throws InputError when it cannot be read */
export function startOf(path: string): Uint8Array {
  const start = new Uint8Array(MAGIC_SIZE)
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    return start.subarray(0, readSync(file, start, 0, MAGIC_SIZE, null))
  } catch (error) {
    throw inputError(error)
  } finally {
    if (file !== null) closeSync(file)
  }
}

/** What the last file was read into: to touch so much new memory takes as long as to read 25 MB. */
let spareBlock: Uint8Array | null = null

/** One generator and one array for all blocks: to hand on each takes 1 µs, and 6 when there are four and a new array. */
async function* readFile(path: string, onTaken: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const block = spareBlock ?? new Uint8Array(BLOCK_START + BLOCK_SIZE).subarray(BLOCK_START)
  spareBlock = null
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    for (let number = 1; ; number++) {
      const size = readSync(file, block, 0, BLOCK_SIZE, null)
      if (size === 0) return
      onTaken(size)
      yield size === BLOCK_SIZE ? block : block.subarray(0, size)
      if (memory.isLarge) await memory.collect()
      if (number % BLOCKS_PER_TURN === 0) await turn()
    }
  } catch (error) {
    throw inputError(error)
  } finally {
    spareBlock = block
    if (file !== null) closeSync(file)
  }
}

/** Waits for the first bytes. */
async function openStream(stream: AsyncIterable<Uint8Array>): Promise<Raw> {
  let taken = 0
  const counted = (async function* () {
    for await (const block of stream) {
      taken += block.length
      yield block
    }
  })()
  const { start, rest } = await peek(counted)
  return { start, size: null, blocks: keptSmall(rest), taken: () => taken }
}

/** The first bytes, and all bytes including them. */
async function peek(
  blocks: AsyncGenerator<Uint8Array>,
): Promise<{ start: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  let start: Uint8Array = new Uint8Array(0)
  let ended = false
  try {
    while (!isTold(start) && !ended) {
      const next = await blocks.next()
      if (next.done === true) ended = true
      else start = start.length === 0 ? next.value : concatenate(start, next.value)
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
