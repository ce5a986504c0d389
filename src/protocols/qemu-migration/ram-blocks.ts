import { u64be } from '../../core/bytes.ts'
import { RAM_BLOCKS_MAX } from '../../core/limits.ts'
import { printable, RAM } from './stream-format.ts'

/** No guest has a larger block; a larger offset in a record is taken for nonsense. */
const BLOCK_SIZE_MAX = 2 ** 46

/** Sizes are multiples of the page size, and no target has smaller pages. */
const BLOCK_ALIGNMENT = 1024

/** Page size (post-copy) and guest address (x-ignore-shared) may follow a block's size, unannounced. */
const EXTRAS_MAX = 2

/** The list of RAM blocks in the START of section "ram": MEM_SIZE record, then name and size of each block
 *  until the sizes add up. Kept, because every later record is checked against it.
 *  @see protocols.md D.2
 *  @see QEMU migration/ram.c, ram_save_setup */
export class RamBlocks {
  totalBytes = 0
  /** `totalBytes` is known. */
  begun = false
  /** The list was read to its end. */
  known = false
  /** More blocks than are kept: records of the others are believed without a check of their length. */
  truncated = false
  /** Bytes of the largest block; of the largest believable one while the list is unknown. */
  largest = BLOCK_SIZE_MAX
  readonly names: string[] = []
  readonly sizes: number[] = []

  #listed = 0
  #extras = 0
  readonly #bytes: Uint8Array[] = []
  readonly #byHash = new Map<number, number>()
  readonly #sameHash: number[] = []

  /** A START of section "ram" begins. */
  begin(): void {
    this.totalBytes = 0
    this.known = false
    this.truncated = false
    this.largest = BLOCK_SIZE_MAX
    this.begun = false
    this.#listed = 0
    this.#extras = 0
    this.names.length = 0
    this.sizes.length = 0
    this.#bytes.length = 0
    this.#sameHash.length = 0
    this.#byHash.clear()
  }

  /** Reads one element of the list: bytes used, 0 when it is none, minus the bytes that are needed.
   *  After the last one `known` is true, which takes a look at the eight bytes behind it. */
  read(bytes: Uint8Array, start: number, end: number, pageSize: number): number {
    if (!this.begun) return this.#readTotal(bytes, start, end, pageSize)
    const first = bytes[start] as number
    // A name is never empty, and neither a page size nor an address reaches 2^56.
    if (first !== 0) return this.#readBlock(bytes, start, end, first)
    if (end - start < 8) return -8
    if (this.#listed === this.totalBytes && endsList(u64be(bytes, start))) {
      this.#finish()
      return 0
    }
    if (this.sizes.length === 0 || this.#extras === EXTRAS_MAX) return 0
    this.#extras++
    return 8
  }

  /** Index of the block with this name; −1 when there is none. Any printable name gives the largest block
   *  (−2) as long as the list is unknown. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let index = this.#byHash.get(hash(bytes, start, end)) ?? -1
    while (index >= 0 && !equal(this.#bytes[index] as Uint8Array, bytes, start, end)) {
      index = this.#sameHash[index] as number
    }
    if (index >= 0 || (this.known && !this.truncated)) return index
    return end > start && printable(bytes, start, end) ? -2 : -1
  }

  #readTotal(bytes: Uint8Array, start: number, end: number, pageSize: number): number {
    if (end - start < 8) return -8
    const value = u64be(bytes, start)
    if (value % pageSize !== RAM.memSize) return 0
    this.totalBytes = value - RAM.memSize
    this.begun = true
    return 8
  }

  #readBlock(bytes: Uint8Array, start: number, end: number, nameSize: number): number {
    const nameEnd = start + 1 + nameSize
    if (!printable(bytes, start + 1, Math.min(end, nameEnd))) return 0
    const size = 1 + nameSize + 8
    if (end - start < size) return -size
    const blockSize = u64be(bytes, nameEnd)
    if (blockSize % BLOCK_ALIGNMENT !== 0 || this.#listed + blockSize > this.totalBytes) return 0
    this.#listed += blockSize
    this.#extras = 0
    if (this.sizes.length < RAM_BLOCKS_MAX) this.#keep(bytes.slice(start + 1, nameEnd), blockSize)
    else this.truncated = true
    return size
  }

  #keep(name: Uint8Array, size: number): void {
    const index = this.sizes.length
    const key = hash(name, 0, name.length)
    this.#sameHash.push(this.#byHash.get(key) ?? -1)
    this.#byHash.set(key, index)
    this.#bytes.push(name)
    this.names.push(String.fromCharCode(...name))
    this.sizes.push(size)
  }

  #finish(): void {
    this.known = true
    if (this.truncated) return
    this.largest = 0
    for (const size of this.sizes) this.largest = Math.max(this.largest, size)
  }
}

/** The records that may follow the list. */
function endsList(value: number): boolean {
  return value === RAM.eos || value === RAM.multifdFlush || value === RAM.hook
}

/** FNV-1a. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5
  for (let o = start; o < end; o++) h = Math.imul(h ^ (bytes[o] as number), 0x01000193)
  return h
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}
