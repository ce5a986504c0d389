/** What reads whole records (packets with their headers, blocks) out of a byte stream. */
export interface RecordParser {
  /** Reads the whole records in `bytes[start … end)`. Returns where the first incomplete one starts, or an
   *  offset past `end` when the bytes up to there are of no interest and need not be held. */
  parse(bytes: Uint8Array, start: number, end: number): number
  /** After `parse`: how many bytes the incomplete record needs at least, counted from its start. */
  readonly wanted: number
  /** No more bytes will come: reads what can be read of the incomplete record, which `bytes[0 … end)` begins with.
   *  Returns false when it was cut off. */
  finish(bytes: Uint8Array, end: number): boolean
}

/** Feeds a parser from pieces of any size. Whole records inside a piece are read in place; only a record that
 *  straddles two pieces is copied together, so memory is bounded by the largest record. */
export class RecordStream {
  readonly #parser: RecordParser
  #carry = new Uint8Array(64 * 1024)
  #held = 0
  #skip = 0

  constructor(parser: RecordParser) {
    this.#parser = parser
  }

  push(bytes: Uint8Array): void {
    const end = bytes.length
    let offset = Math.min(this.#skip, end)
    this.#skip -= offset
    while (this.#held > 0 && offset < end) offset = this.#completeCarry(bytes, offset)
    if (offset >= end) return
    const stopped = this.#parser.parse(bytes, offset, end)
    if (stopped >= end) this.#skip = stopped - end
    else this.#hold(bytes, stopped, end)
  }

  /** No more bytes. Returns false when the last record was cut off. */
  end(): boolean {
    if (this.#skip > 0) return false
    return this.#held === 0 || this.#parser.finish(this.#carry, this.#held)
  }

  /** Adds to the carried record what it wants and reads it when it is whole. Returns the offset in `bytes`
   *  up to which they were taken. */
  #completeCarry(bytes: Uint8Array, offset: number): number {
    // At least as much again as is held: a search that gives up one small record after the other stays linear.
    const useful = Math.max(this.#parser.wanted - this.#held, this.#held)
    const take = Math.min(useful, bytes.length - offset)
    if (take > 0) {
      this.#hold(bytes, offset, offset + take)
      offset += take
      if (this.#held < this.#parser.wanted) return offset
    }
    const consumed = this.#parser.parse(this.#carry, 0, this.#held)
    if (consumed >= this.#held) {
      const past = consumed - this.#held
      this.#held = 0
      const skipped = Math.min(past, bytes.length - offset)
      this.#skip = past - skipped
      return offset + skipped
    }
    this.#carry.copyWithin(0, consumed, this.#held)
    this.#held -= consumed
    // What is left came with this piece: it is read in place, without copies.
    if (this.#held > offset) return offset
    offset -= this.#held
    this.#held = 0
    return offset
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const size = this.#held + end - start
    if (size > this.#carry.length) {
      const larger = new Uint8Array(Math.max(size, this.#carry.length * 2))
      larger.set(this.#carry.subarray(0, this.#held))
      this.#carry = larger
    }
    this.#carry.set(bytes.subarray(start, end), this.#held)
    this.#held = size
  }
}
