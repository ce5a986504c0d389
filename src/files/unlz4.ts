import { u32le } from '../core/bytes.ts'
import { InputError } from '../core/input-error.ts'
import { Intake } from './intake.ts'
import { decodeLz4Block, type Lz4Content } from './lz4-block.ts'
import { Xxh32, xxh32 } from './xxh32.ts'

const MAGIC = 0x184d2204
/** Of frames as lz4 wrote them before 2013, and Linux kernels still do: blocks and nothing else. */
const LEGACY_MAGIC = 0x184c2102
/** Magic of frames that carry no data; the lowest four bits may be anything. */
const SKIPPABLE_MAGIC = 0x184d2a50
const WORD = 4
const SKIPPABLE_HEADER_SIZE = 2 * WORD
/** Magic, flags, and the byte that tells the size of blocks; behind them stand optional fields and a byte of checksum. */
const FRAME_START_SIZE = 6
const CONTENT_SIZE_SIZE = 8
const VERSION = 1
/** By their number in the frame header, which begins with 4. */
const BLOCK_SIZES = [64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024] as const
const LEGACY_BLOCK_SIZE = 8 * 1024 * 1024
/** What a block that does not compress may have become. */
const LEGACY_COMPRESSED_MAX = LEGACY_BLOCK_SIZE + Math.floor(LEGACY_BLOCK_SIZE / 255) + 16
/** Set in the size of a block that is as it was. */
const STORED = 0x80000000
/** How far back a block may refer. */
const HISTORY_SIZE = 64 * 1024

interface Frame {
  readonly legacy: boolean
  /** Bytes of content of a block at most. */
  readonly blockSize: number
  /** Whether blocks refer to those before them. */
  readonly linked: boolean
  readonly blockChecksums: boolean
  readonly contentChecksum: boolean
}

const LEGACY: Frame = {
  legacy: true,
  blockSize: LEGACY_BLOCK_SIZE,
  linked: false,
  blockChecksums: false,
  contentChecksum: false,
}

/** Decompresses lz4, frames one after another, block by block, so that what comes before damage, or before the end of a file
 *  that was cut, is kept.
 *  @see lz4 doc/lz4_Frame_format.md, version 1.6 */
export class Unlz4 {
  damage: string | null = null
  readonly #input: Intake
  /** The content of the block at hand, behind that of those before it as far as it may be referred to. */
  #output = new Uint8Array(0)

  constructor(raw: AsyncIterable<Uint8Array>) {
    this.#input = new Intake(raw)
  }

  /** Each block is only valid until the next is asked for.
   *  @throws InputError for a frame that takes a dictionary */
  async *blocks(): AsyncGenerator<Uint8Array> {
    try {
      for (let frame = await this.#openFrame(); frame !== null; frame = await this.#openFrame())
        yield* this.#content(frame)
    } catch (error) {
      if (error instanceof InputError) throw error
      this.#damaged(error instanceof Error ? error.message : String(error))
    } finally {
      await this.#input.close()
    }
  }

  /** The next frame that carries data, read up to its first block; null at the end, and at damage. */
  async #openFrame(): Promise<Frame | null> {
    const input = this.#input
    while (this.damage === null && (await input.has(1))) {
      if (!(await input.has(WORD))) return this.#cut()
      const magic = u32le(input.bytes, input.at)
      if (magic === MAGIC) return await this.#takeHeader()
      if (magic === LEGACY_MAGIC) {
        input.take(WORD)
        return LEGACY
      }
      if ((magic & 0xfffffff0) !== SKIPPABLE_MAGIC) return this.#damaged('no frame begins where one should')
      if (!(await input.has(SKIPPABLE_HEADER_SIZE))) return this.#cut()
      if (!(await input.skip(SKIPPABLE_HEADER_SIZE + u32le(input.bytes, input.at + WORD)))) return this.#cut()
    }
    return null
  }

  async #takeHeader(): Promise<Frame | null> {
    const input = this.#input
    if (!(await input.has(FRAME_START_SIZE))) return this.#cut()
    const flags = input.bytes[input.at + WORD] as number
    const hasDictionary = (flags & 1) !== 0
    const size =
      FRAME_START_SIZE + ((flags & 8) !== 0 ? CONTENT_SIZE_SIZE : 0) + (hasDictionary ? WORD : 0) + 1
    if (!(await input.has(size))) return this.#cut()
    const header = input.take(size)
    const blockSize = BLOCK_SIZES[(((header[WORD + 1] as number) >>> 4) & 7) - 4]
    const checksum = (xxh32(header.subarray(WORD, size - 1)) >>> 8) & 255
    if (flags >>> 6 !== VERSION || blockSize === undefined || checksum !== header[size - 1])
      return this.#damaged('the header of a frame makes no sense')
    if (hasDictionary)
      throw new InputError(
        'is compressed with lz4 and a dictionary: decompress it first, with that dictionary (lz4 -d -D DICTIONARY FILE)',
      )
    return {
      legacy: false,
      blockSize,
      linked: (flags & 0x20) === 0,
      blockChecksums: (flags & 0x10) !== 0,
      contentChecksum: (flags & 4) !== 0,
    }
  }

  /** The content of a frame, block by block. Ends early at damage. */
  async *#content(frame: Frame): AsyncGenerator<Uint8Array> {
    const input = this.#input
    const hash = frame.contentChecksum ? new Xxh32() : null
    let from = 0
    for (;;) {
      if (frame.legacy && (await this.#legacyEnds())) return
      if (!(await input.has(WORD))) return this.#cut()
      const word = u32le(input.take(WORD), 0)
      if (word === 0 && !frame.legacy) break
      const block = await this.#takeBlock(frame, word)
      if (block === null) return
      const isStored = !frame.legacy && word >= STORED
      const { end, whole } = this.#decode(frame, block, from, isStored)
      const content = this.#output.subarray(from, end)
      hash?.update(content)
      if (content.length > 0) yield content
      if (this.damage !== null) return
      if (!whole) return this.#damaged('a block makes no sense')
      from = frame.linked ? this.#keepHistory(end) : 0
    }
    if (hash === null) return
    if (!(await input.has(WORD))) return this.#cut()
    if (u32le(input.take(WORD), 0) !== hash.digest()) return this.#damaged('its checksum is another one')
  }

  /** A frame of the old kind ends with the file, or where another one begins: no block is as large as a magic number. */
  async #legacyEnds(): Promise<boolean> {
    if (!(await this.#input.has(1))) return true
    return (await this.#input.has(WORD)) && u32le(this.#input.bytes, this.#input.at) > LEGACY_COMPRESSED_MAX
  }

  /** A block as it was compressed, without its checksum; as much of it as there is where the file was cut. Null at damage. */
  async #takeBlock(frame: Frame, word: number): Promise<Uint8Array | null> {
    const size = frame.legacy ? word : word % STORED
    if (size > (frame.legacy ? LEGACY_COMPRESSED_MAX : frame.blockSize))
      return this.#damaged('a block is too large')
    const checksumSize = frame.blockChecksums ? WORD : 0
    if (!(await this.#input.has(size + checksumSize))) {
      this.#cut()
      return this.#input.takeRest(size)
    }
    const block = this.#input.take(size)
    if (frame.blockChecksums && u32le(this.#input.take(WORD), 0) !== xxh32(block))
      return this.#damaged('the checksum of a block is another one')
    return block
  }

  /** Puts the content of a block behind the `from` bytes before it. */
  #decode(frame: Frame, block: Uint8Array, from: number, isStored: boolean): Lz4Content {
    const size = (frame.linked ? HISTORY_SIZE : 0) + frame.blockSize
    if (this.#output.length < size) {
      const larger = new Uint8Array(size)
      larger.set(this.#output.subarray(0, from))
      this.#output = larger
    }
    if (!isStored) return decodeLz4Block(block, this.#output.subarray(0, from + frame.blockSize), from)
    this.#output.set(block, from)
    return { end: from + block.length, whole: true }
  }

  /** Moves what later blocks may refer to to the front. Returns how much it is. */
  #keepHistory(to: number): number {
    const kept = Math.min(to, HISTORY_SIZE)
    this.#output.copyWithin(0, to - kept, to)
    return kept
  }

  #cut(): null {
    this.damage = 'the lz4 data is cut short'
    return null
  }

  #damaged(reason: string): null {
    this.damage = `the lz4 data is damaged (${reason})`
    return null
  }
}
