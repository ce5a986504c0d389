import type { Diagnostics } from '../core/diagnostic.ts'
import { PACKET_SIZE_MAX } from '../core/limits.ts'
import { Packet } from './packet.ts'
import type { RecordParser } from './records.ts'

/** How far a stamp may lie from the last good one to be believed while searching for the next record. */
export const RESYNC_SECONDS = 86_400

/** A record surely starts here. */
export const FOUND = 0
/** No record starts here. */
export const NOT_HERE = -1

/** Reads records one after another. Where one has a length that cannot be, it searches for the next place where a record
 *  starts, so that damage costs the records it is in and no more. */
export abstract class ResyncingReader implements RecordParser {
  abstract wanted: number
  /** No more bytes will come, so that a record may end with them. */
  protected ending = false
  #lost = false

  /** Reads whole records. Returns where it stopped: at an incomplete record, or, having called `lose`, at a damaged
   *  one. May return an offset past `end`, as `parse` does. */
  protected abstract read(bytes: Uint8Array, start: number, end: number): number

  /** FOUND, NOT_HERE, or how many bytes it takes from `offset` on to tell. */
  protected abstract recordAt(bytes: Uint8Array, offset: number, end: number): number

  /** Whether the header of the file has been read. */
  protected abstract get opened(): boolean

  /** Reports that the record at `offset` claims more bytes than the file has, while whole records are behind its start. */
  protected abstract reportOverrun(bytes: Uint8Array, offset: number): void

  /** The record at hand is damaged. */
  protected lose(): void {
    this.#lost = true
  }

  parse(bytes: Uint8Array, start: number, end: number): number {
    let offset = start
    while (offset < end) {
      if (this.#lost) offset = this.#search(bytes, offset, end)
      if (this.#lost) return offset
      offset = this.read(bytes, offset, end)
      if (!this.#lost) return offset
      offset++
    }
    return offset
  }

  finish(bytes: Uint8Array, end: number): boolean {
    if (!this.opened) return false
    this.ending = true
    let offset = 0
    while (offset < end) {
      const cut = this.#lost ? null : offset
      this.#lost = true
      offset = this.#search(bytes, cut === null ? offset : cut + 1, end)
      if (this.#lost) return cut === null
      if (cut !== null) this.reportOverrun(bytes, cut)
      offset = this.read(bytes, offset, end)
      if (this.#lost) offset++
    }
    return offset === end
  }

  /** Leaves `#lost` set, and returns where to go on, when more bytes are needed. */
  #search(bytes: Uint8Array, start: number, end: number): number {
    for (let offset = start; offset < end; offset++) {
      const needed = this.recordAt(bytes, offset, end)
      if (needed === FOUND) {
        this.#lost = false
        return offset
      }
      if (needed > end - offset && !this.ending) {
        this.wanted = needed
        return offset
      }
    }
    return end
  }
}

/** Records of a header of fixed size and as many bytes as it says. One header that can be believed says little, another
 *  one right behind the record says enough. */
export abstract class CountedRecordReader extends ResyncingReader {
  protected readonly packet = new Packet()
  readonly #diagnostics: Diagnostics

  constructor(diagnostics: Diagnostics) {
    super()
    this.#diagnostics = diagnostics
  }

  protected abstract readonly headerSize: number

  protected abstract capturedLength(bytes: Uint8Array, offset: number): number

  /** Hands on the packet whose header is at `offset`. */
  protected abstract deliver(bytes: Uint8Array, offset: number, captured: number): void

  /** Hands on many records at once, from `offset` on. Returns where the first is that was not. */
  protected deliverMany(_bytes: Uint8Array, offset: number, _end: number): number {
    return offset
  }

  /** Whether a header may start here; all of it is there. */
  protected abstract believable(bytes: Uint8Array, offset: number): boolean

  /** Delivers whole records; stops at an incomplete or a damaged one. */
  protected readRecords(bytes: Uint8Array, start: number, end: number): number {
    const headerSize = this.headerSize
    this.packet.bytes = bytes
    let offset = start
    while (end - offset >= headerSize) {
      offset = this.deliverMany(bytes, offset, end)
      if (end - offset < headerSize) break
      const captured = this.capturedLength(bytes, offset)
      if (captured > PACKET_SIZE_MAX) {
        this.#reportLength(captured, `more than any capture tool keeps (${PACKET_SIZE_MAX})`)
        this.lose()
        return offset
      }
      const next = offset + headerSize + captured
      if (next > end) {
        this.wanted = headerSize + captured
        return offset
      }
      this.deliver(bytes, offset, captured)
      offset = next
    }
    this.wanted = headerSize
    return offset
  }

  protected override recordAt(bytes: Uint8Array, offset: number, end: number): number {
    const size = this.headerSize
    if (end - offset < size) return size
    if (!this.believable(bytes, offset)) return NOT_HERE
    const next = offset + size + this.capturedLength(bytes, offset)
    if (this.ending && next === end) return FOUND
    if (end - next < size) return next + size - offset
    return this.believable(bytes, next) ? FOUND : NOT_HERE
  }

  protected override reportOverrun(bytes: Uint8Array, offset: number): void {
    this.#reportLength(this.capturedLength(bytes, offset), 'more than are left')
  }

  #reportLength(captured: number, reason: string): void {
    const after = this.packet.packet
    this.#diagnostics.report(
      'capture.record-length',
      'error',
      { packet: after + 1, timeNs: 0 },
      () =>
        `after packet ${after} a record claims ${captured} captured bytes, ${reason}: the file is damaged there; reading goes on at the next record that makes sense`,
    )
  }
}
