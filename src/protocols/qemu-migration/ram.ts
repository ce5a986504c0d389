import { BlockView } from '../../core/block-view.ts'
import { u16be, u32be } from '../../core/bytes.ts'
import { CHUNK_PAGES, NO_WORDS, type PageMap } from '../../core/page-map.ts'
import type { PageCounts } from '../../events/qemu.ts'
import { RamBlocks } from './ram-blocks.ts'
import { RAM } from './stream-format.ts'

/** Of x86, and of every stream that does not say. */
const PAGE_BITS = 12
/** Flags take the low ten bits; the largest pages of any target are far below 1 GiB. */
const PAGE_BITS_RANGE = { min: 10, max: 30 } as const

const PAGE_CONTINUE = RAM.page | RAM.continue
const ZERO_CONTINUE = RAM.zero | RAM.continue

/** Of a page in the block at hand: the be64 and the fill byte. */
const ZERO_RECORD_SIZE = 9

const XBZRLE_ENCODING = 0x01

/** Records of section "ram": a be64 of page-aligned offset and flags, then by flag a block name, a fill byte,
 *  lengths and contents. Contents are never looked at.
 *  @see protocols.md D.2
 *  @see QEMU migration/ram.c */
export class RamReader {
  readonly blocks = new RamBlocks()
  pageSize = 1 << PAGE_BITS
  /** Contents of the last record read that lie behind the bytes given. The caller resets it. */
  skip = 0
  /** The last record read ended the section. The caller resets it. */
  ended = false
  /** Bytes of the last record that `readOne` read, without what its page holds. */
  headSize = 0
  /** The pages of the round at hand; null while rounds are not told apart. */
  map: PageMap | null = null
  /** The last record read is the first of a new round. The caller resets it. */
  turned = false
  /** When `turned`: what had passed before that record. */
  countsBefore: PageCounts | null = null
  /** When `turned`: pages of the round before that had passed in no earlier one. */
  freshBefore = 0

  #normal = 0
  #zero = 0
  #xbzrle = 0
  #compressed = 0

  #shift = PAGE_BITS
  #mask = (1 << PAGE_BITS) - 1
  /** Pages in 4 GiB. */
  #pagesPerHigh = 2 ** (32 - PAGE_BITS)
  readonly #view = new BlockView()
  /** Pages of the block that records with CONTINUE belong to. */
  #limit = Number.POSITIVE_INFINITY
  /** The chunk of the map at hand: its words, its first page as the two words of a record have it, and how many pages follow
   *  that may be used. */
  #words: Int32Array = NO_WORDS
  #high = 0
  #first = 0
  #pages = 0
  /** What that was worked out from. */
  #chunkFirst = Number.NaN
  #chunkLimit = Number.NaN

  constructor() {
    this.forgetBlock()
  }

  /** False when no target has such pages. */
  setPageBits(bits: number): boolean {
    if (bits < PAGE_BITS_RANGE.min || bits > PAGE_BITS_RANGE.max) return false
    this.pageSize = 2 ** bits
    this.#shift = bits
    this.#mask = this.pageSize - 1
    this.#pagesPerHigh = 2 ** (32 - bits)
    this.forgetBlock()
    return true
  }

  /** After a loss the block of records with CONTINUE is unknown: the largest bounds them. */
  forgetBlock(): void {
    this.#limit = this.blocks.largest / this.pageSize
  }

  /** Bits of the be64 that hold flags. */
  get flagMask(): number {
    return this.#mask
  }

  counts(): PageCounts {
    return {
      normal: this.#normal,
      zero: this.#zero,
      xbzrle: this.#xbzrle,
      compressed: this.#compressed,
    }
  }

  /** Reads as many records as lie in `bytes[start … end)`: bytes used, 0 when the first is no record, minus the
   *  bytes that the first one needs. Pages and zero pages of the block at hand come by the thousand and have
   *  their own loop: PageMap.add by hand for pages of the chunk at hand, in numbers that fit a machine word. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#view.of(bytes)
    const mask = this.#mask
    const shift = this.#shift
    const pagesPerHigh = this.#pagesPerHigh
    const limit = this.#limit
    const map = this.map
    const recordSize = 8 + this.pageSize
    if (map !== null) this.#enterChunk(map, limit)
    let words = this.#words
    let high = this.#high
    let first = this.#first
    let pages = map === null ? 0 : this.#pages
    let normal = 0
    let zero = 0
    let o = start
    while (end - o >= ZERO_RECORD_SIZE) {
      const low = view.getUint32(o + 4)
      const flags = low & mask
      if (flags !== PAGE_CONTINUE && flags !== ZERO_CONTINUE) break
      let index = (low >>> shift) - first
      if (view.getInt32(o) === high && index >= 0 && index < pages) {
        const word = words[index >>> 5] as number
        const bit = 1 << (index & 31)
        if ((word & bit) !== 0) break
        words[index >>> 5] = word | bit
      } else {
        const page = view.getUint32(o) * pagesPerHigh + (low >>> shift)
        if (page >= limit) break
        index = pages
        if (map !== null) {
          if (!map.add(page)) break
          this.#enterChunk(map, limit)
          words = this.#words
          high = this.#high
          first = this.#first
          pages = this.#pages
          index = view.getInt32(o) === high ? (low >>> shift) - first : pages
        }
      }
      if (flags === ZERO_CONTINUE) {
        zero++
        o += ZERO_RECORD_SIZE
        if (index < pages) {
          const most = Math.min(pages - index, pagesPerHigh - (low >>> shift)) - 1
          const run = claim(words, index + 1, this.#zeroRun(view, o, end, low, high, most))
          zero += run
          o += run * ZERO_RECORD_SIZE
        }
      } else {
        normal++
        o += recordSize
      }
    }
    this.#normal += normal
    this.#zero += zero
    if (o > end) {
      this.skip = o - end
      return end - start
    }
    return o > start ? o - start : this.readOne(bytes, start, end)
  }

  /** To work it out takes as long as to read a page, so that it is done once a chunk. */
  #enterChunk({ words, first }: PageMap, limit: number): void {
    if (first === this.#chunkFirst && words === this.#words && limit === this.#chunkLimit) return
    this.#words = words
    this.#chunkFirst = first
    this.#chunkLimit = limit
    const inside = first < limit
    this.#high = inside ? (first / this.#pagesPerHigh) | 0 : 0
    this.#first = inside ? (first % this.#pagesPerHigh) | 0 : 0
    this.#pages = inside ? Math.ceil(Math.min(CHUNK_PAGES, limit - first)) | 0 : 0
  }

  /** How many records at `start` are zero pages that follow one another, and one with these words, without a gap: most do, and
   *  so take 3 ns each instead of 6.
   *  @param most pages that may follow */
  #zeroRun(view: DataView, start: number, end: number, low: number, high: number, most: number): number {
    const { pageSize } = this
    let expected = (low + pageSize) >>> 0
    let o = start
    const stop = Math.min(end, start + most * ZERO_RECORD_SIZE) - ZERO_RECORD_SIZE
    while (o <= stop && view.getUint32(o + 4) === expected && view.getInt32(o) === high) {
      expected = (expected + pageSize) >>> 0
      o += ZERO_RECORD_SIZE
    }
    return (o - start) / ZERO_RECORD_SIZE
  }

  /** Reads one record of any kind; the result is that of `read`. */
  readOne(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 8) return -8
    const high = u32be(bytes, start)
    const low = u32be(bytes, start + 4)
    const flags = low & this.#mask
    if (flags === RAM.eos || flags === RAM.multifdFlush || flags === RAM.hook) {
      if (high !== 0 || low !== flags) return 0
      this.ended = flags === RAM.eos
      this.headSize = 8
      return 8
    }
    const kind = flags & ~RAM.continue
    if (kind !== RAM.page && kind !== RAM.zero && kind !== RAM.xbzrle && kind !== RAM.compressPage) return 0
    const page = high * this.#pagesPerHigh + (low >>> this.#shift)
    if ((flags & RAM.continue) !== 0)
      return this.#readBody(bytes, start, start + 8, end, kind, page, this.#limit)

    if (end - start < 9) return -9
    const bodyAt = start + 9 + (bytes[start + 8] as number)
    if (end < bodyAt) return start - bodyAt
    const block = this.blocks.find(bytes, start + 9, bodyAt)
    if (block === -1) return 0
    if (this.map !== null) {
      if (block >= 0) this.map.select(block)
      else this.map.blind = true
    }
    const size = block >= 0 ? (this.blocks.sizes[block] as number) : this.blocks.largest
    return this.#readBody(bytes, start, bodyAt, end, kind, page, size / this.pageSize)
  }

  /** What follows the block name. The state changes only once the record's header is there as a whole. */
  #readBody(
    bytes: Uint8Array,
    start: number,
    bodyAt: number,
    end: number,
    kind: number,
    page: number,
    limit: number,
  ): number {
    if (page >= limit) return 0
    let contentsAt = bodyAt
    let size = 0
    if (kind === RAM.page) {
      size = this.pageSize
    } else if (kind === RAM.zero) {
      // One fill byte: 0 since QEMU 1.5, any repeated byte before.
      contentsAt += 1
      if (end < contentsAt) return start - contentsAt
    } else if (kind === RAM.xbzrle) {
      contentsAt += 3
      if (end < contentsAt) return start - contentsAt
      size = u16be(bytes, bodyAt + 1)
      if (bytes[bodyAt] !== XBZRLE_ENCODING || size > this.pageSize) return 0
    } else {
      contentsAt += 4
      if (end < contentsAt) return start - contentsAt
      size = u32be(bytes, bodyAt)
      // zlib's compressBound is the page plus a few bytes.
      if (size === 0 || size > 2 * this.pageSize) return 0
    }
    this.#limit = limit
    if (this.map !== null && !this.map.add(page)) this.#turn(this.map, page)
    this.#account(kind)
    // The fill byte of a page is what the page holds.
    this.headSize = (kind === RAM.zero ? bodyAt : contentsAt) - start
    const next = contentsAt + size
    if (next <= end) return next - start
    this.skip = next - end
    return end - start
  }

  /** A page repeats: a round is over. */
  #turn(map: PageMap, page: number): void {
    this.turned = true
    this.countsBefore = this.counts()
    this.freshBefore = map.turn()
    map.add(page)
  }

  /** Every page record passes here, but for those of the loop in `read`. */
  #account(kind: number): void {
    if (kind === RAM.page) this.#normal++
    else if (kind === RAM.zero) this.#zero++
    else if (kind === RAM.xbzrle) this.#xbzrle++
    else this.#compressed++
  }
}

/** Sets the bits of `count` pages from `first` on, up to the first that is set already. Returns how many were not. */
function claim(words: Int32Array, first: number, count: number): number {
  const stop = first + count
  let at = first
  while (at < stop) {
    const bit = at & 31
    const size = Math.min(32 - bit, stop - at)
    const mask = (-1 >>> (32 - size)) << bit
    const word = words[at >>> 5] as number
    const taken = word & mask
    if (taken !== 0) {
      const fresh = 31 - Math.clz32(taken & -taken) - bit
      words[at >>> 5] = word | (((1 << fresh) - 1) << bit)
      return at - first + fresh
    }
    words[at >>> 5] = word | mask
    at += size
  }
  return count
}
