import { u32le } from '../core/bytes.ts'
import { InputError } from '../core/input-error.ts'
import { Intake } from './intake.ts'

const MAGIC = 0xfd2fb528
/** Magic of frames that carry no data; the lowest four bits may be anything. */
const SKIPPABLE_MAGIC = 0x184d2a50
const FRAME_START_SIZE = 5
const SKIPPABLE_HEADER_SIZE = 8
const BLOCK_HEADER_SIZE = 3
const BLOCK_SIZE_MAX = 128 * 1024
const CHECKSUM_SIZE = 4
/** Type of a block that is one byte, many times. */
const RUN = 1
const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const

/** Decompresses one frame, which comes as its header and its blocks, one after another.
 *  @param windowSize bytes of memory that it asks for
 *  @throws when it is damaged */
export type DecodeFrame = (units: AsyncIterable<Uint8Array>, windowSize: number) => AsyncIterable<Uint8Array>

/** Decompresses zstd, frames one after another. It follows the frames and blocks itself and leaves what is in them to a
 *  decoder: so a block that was cut off, and what is no frame, is noticed, and what comes before is kept.
 *  @see RFC 8878, section 3.1 */
export class Unzstd {
  damage: string | null = null
  readonly #input: Intake
  readonly #decode: DecodeFrame
  readonly #windowMax: number

  /** @param windowMax bytes of memory that a frame may ask for */
  constructor(raw: AsyncIterable<Uint8Array>, decode: DecodeFrame, windowMax: number) {
    this.#input = new Intake(raw)
    this.#decode = decode
    this.#windowMax = windowMax
  }

  /** @throws InputError for a frame that takes too much memory, or a dictionary */
  async *blocks(): AsyncGenerator<Uint8Array> {
    try {
      for (let header = await this.#openFrame(); header !== null; header = await this.#openFrame())
        yield* this.#decode(this.#units(header), frameHeader(header).windowSize)
    } catch (error) {
      if (error instanceof InputError) throw error
      this.damage ??= `the zstd data is damaged (${error instanceof Error ? error.message : String(error)})`
    } finally {
      await this.#input.close()
    }
  }

  /** The header of the next frame that carries data; null at the end, and at damage. */
  async #openFrame(): Promise<Uint8Array | null> {
    const input = this.#input
    while (this.damage === null && (await input.has(1))) {
      if (!(await input.has(FRAME_START_SIZE))) return this.#cut()
      const magic = u32le(input.bytes, input.at)
      if (magic === MAGIC) return await this.#takeHeader()
      if ((magic & 0xfffffff0) !== SKIPPABLE_MAGIC) return this.#damaged('no frame begins where one should')
      if (!(await input.has(SKIPPABLE_HEADER_SIZE))) return this.#cut()
      if (!(await input.skip(SKIPPABLE_HEADER_SIZE + u32le(input.bytes, input.at + 4)))) return this.#cut()
    }
    return null
  }

  async #takeHeader(): Promise<Uint8Array | null> {
    const input = this.#input
    const size = frameHeaderSize(input.bytes, input.at)
    if (!(await input.has(size))) return this.#cut()
    const header = input.take(size)
    const { windowSize, dictionary } = frameHeader(header)
    if (windowSize > this.#windowMax)
      throw new InputError(
        `is compressed with zstd so that it takes ${Math.ceil(windowSize / 2 ** 20)} MiB of memory to read: decompress it into a pipe (zstd -dc --long=31 FILE | mig-phases -)`,
      )
    if (dictionary)
      throw new InputError(
        'is compressed with zstd and a dictionary: decompress it first, with that dictionary',
      )
    return header
  }

  /** A frame: its header, then each block, the last with the checksum. Ends early at damage. */
  async *#units(header: Uint8Array): AsyncGenerator<Uint8Array> {
    const input = this.#input
    yield header
    const checksumSize = descriptor(header).checksum ? CHECKSUM_SIZE : 0
    for (let ended = false; !ended; ) {
      if (!(await input.has(BLOCK_HEADER_SIZE))) return this.#cut()
      const { last, type, size } = blockHeader(input.bytes, input.at)
      if (size > BLOCK_SIZE_MAX) return this.#damaged('a block is too large')
      const unit = BLOCK_HEADER_SIZE + (type === RUN ? 1 : size) + (last ? checksumSize : 0)
      if (!(await input.has(unit))) return this.#cut()
      yield input.take(unit)
      ended = last
    }
  }

  #cut(): null {
    this.damage = 'the zstd data is cut short'
    return null
  }

  #damaged(reason: string): null {
    this.damage = `the zstd data is damaged (${reason})`
    return null
  }
}

/** At least the descriptor is there. */
function frameHeaderSize(bytes: Uint8Array, at: number): number {
  const { singleSegment, dictionaryIdSize, contentSizeSize } = descriptor(bytes.subarray(at))
  return FRAME_START_SIZE + (singleSegment ? 0 : 1) + dictionaryIdSize + contentSizeSize
}

/** The byte that tells which fields the header of a frame has. */
function descriptor(bytes: Uint8Array) {
  const flags = bytes[4] as number
  const singleSegment = (flags & 0x20) !== 0
  const sizeFlag = flags >>> 6
  return {
    singleSegment,
    checksum: (flags & 4) !== 0,
    dictionaryIdSize: DICTIONARY_ID_SIZES[flags & 3] ?? 0,
    contentSizeSize: sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag,
  }
}

/** What a whole frame header says. A frame of a single segment is its own window. */
function frameHeader(bytes: Uint8Array): { windowSize: number; dictionary: boolean } {
  const { singleSegment, dictionaryIdSize, contentSizeSize } = descriptor(bytes)
  const dictionaryAt = FRAME_START_SIZE + (singleSegment ? 0 : 1)
  const dictionary = littleEndian(bytes, dictionaryAt, dictionaryIdSize) > 0
  const contentSize = littleEndian(bytes, dictionaryAt + dictionaryIdSize, contentSizeSize)
  const window = bytes[FRAME_START_SIZE] as number
  const base = 2 ** (10 + (window >>> 3))
  const windowSize = singleSegment ? contentSize : base + (base / 8) * (window & 7)
  return { windowSize, dictionary }
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number)
  return value
}

function blockHeader(bytes: Uint8Array, at: number): { last: boolean; type: number; size: number } {
  const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
  return { last: (word & 1) === 1, type: (word >>> 1) & 3, size: word >>> 3 }
}
