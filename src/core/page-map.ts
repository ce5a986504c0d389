import type { BodyBudget } from './body-budget.ts'

/** 64 MiB of a guest with pages of 4 KiB. */
export const CHUNK_PAGES = 16_384
const CHUNK_WORDS = CHUNK_PAGES / 32
/** Two bits a page: sent in this round, sent in any round before. Behind them, whether this round touched the chunk. */
const CHUNK_LENGTH = 2 * CHUNK_WORDS + 1
const TOUCHED = 2 * CHUNK_WORDS
export const CHUNK_BYTES = CHUNK_LENGTH * 4
/** More than the chunks of any block: 2^46 bytes in pages of 1 KiB. */
const CHUNKS_PER_BLOCK = 2 ** 22

/** Where there is no chunk. */
export const NO_WORDS = new Int32Array(CHUNK_LENGTH)

/** Which pages passed since a round began. Memory is taken a chunk at a time, where pages are really seen: never by a size
 *  that only the wire claims. */
export class PageMap {
  /** What `add` says is not true any more: there was no more room, or a page is of a block that is not listed or lies beyond
   *  the end of any. */
  blind = false
  readonly #budget: BodyBudget
  readonly #chunks = new Map<number, Int32Array>()
  /** Chunks with pages of this round. */
  readonly #touched: Int32Array[] = []
  #block = 0
  /** The chunk at hand, and its first page; Infinity without one. */
  words: Int32Array = NO_WORDS
  first = Number.POSITIVE_INFINITY

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  /** The pages that follow belong to this block. */
  select(block: number): void {
    this.#block = block
    this.first = Number.POSITIVE_INFINITY
  }

  /** False when the page passed in this round before. Runs for every page. */
  add(page: number): boolean {
    let index = page - this.first
    if (index < 0 || index >= CHUNK_PAGES) {
      if (!this.#enter(page)) return true
      index = page - this.first
    }
    const words = this.words
    const at = index >>> 5
    const word = words[at] as number
    const bit = 1 << (index & 31)
    if ((word & bit) !== 0) return false
    words[at] = word | bit
    return true
  }

  /** A round is over: forgets its pages, and tells how many of them had passed in no round before. */
  turn(): number {
    let fresh = 0
    for (const words of this.#touched) {
      for (let at = 0; at < CHUNK_WORDS; at++) {
        const now = words[at] as number
        const ever = words[at + CHUNK_WORDS] as number
        fresh += bitCount(now & ~ever)
        words[at + CHUNK_WORDS] = ever | now
        words[at] = 0
      }
      words[TOUCHED] = 0
    }
    this.#touched.length = 0
    this.first = Number.POSITIVE_INFINITY
    return fresh
  }

  /** Gives the memory back. */
  free(): void {
    this.#budget.give(this.#chunks.size * CHUNK_BYTES)
    this.#chunks.clear()
    this.#touched.length = 0
    this.first = Number.POSITIVE_INFINITY
  }

  #enter(page: number): boolean {
    const number = Math.floor(page / CHUNK_PAGES)
    const key = this.#block * CHUNKS_PER_BLOCK + number
    let words = this.#chunks.get(key)
    if (words === undefined) {
      if (this.blind || number >= CHUNKS_PER_BLOCK || !this.#budget.take(CHUNK_BYTES)) {
        this.blind = true
        return false
      }
      words = new Int32Array(CHUNK_LENGTH)
      this.#chunks.set(key, words)
    }
    if (words[TOUCHED] === 0) this.#touched.push(words)
    words[TOUCHED] = 1
    this.words = words
    this.first = number * CHUNK_PAGES
    return true
  }
}

/** @see Hacker's Delight, section 5-1 */
function bitCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
