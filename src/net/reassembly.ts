import { BodyBudget } from '../core/body-budget.ts'
import { type Evidence, keep } from '../core/evidence.ts'
import { FLOAT_ZERO } from '../core/float-zero.ts'
import {
  HOLE_PATIENCE_NS,
  HOLE_PATIENCE_PACKETS,
  RATES_TOTAL_MAX,
  REASSEMBLY_BYTES_MAX,
  REASSEMBLY_SEGMENTS_MAX,
  REASSEMBLY_TOTAL_BYTES_MAX,
  SEGMENT_OVERHEAD,
  SEQUENCE_JUMP_MAX,
} from '../core/limits.ts'
import { RateSeries } from '../core/rate.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { DirectionCounts } from '../events/connection.ts'
import { type Kept, NOTHING_KEPT, Slots } from './slots.ts'

/** What all directions of a capture share: the memory they may hold, and which of them wait for a missing segment. */
export class ReassemblyPool {
  heldBytes = 0
  readonly slots = new Slots()
  /** For payload over time. */
  readonly rates = new BodyBudget(RATES_TOTAL_MAX)
  readonly waiting = new Set<HalfStream>()

  /** The first packet of the oldest hole; Infinity when nothing is missing. What later packets say is only in
   *  order up to here. */
  oldestHole(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const half of this.waiting) if (half.decoder !== null) oldest = Math.min(oldest, half.holeSince)
    return oldest
  }

  /** Gives up holes that nothing will fill any more. */
  expire(at: Evidence): void {
    for (const half of this.waiting) half.expire(at)
  }
}

/** A segment that came too early. Offsets count payload bytes of this direction. */
interface Segment {
  readonly offset: number
  /** Bytes on the wire; `kept` may be fewer (snap length), or none where nobody reads them. */
  readonly size: number
  readonly kept: Kept
  readonly at: Evidence
}

/** One direction of a TCP connection: puts the payload in order and passes each byte on once, as first seen.
 *  In-order segments pass uncopied. Bytes that the capture does not hold are passed on as gaps. */
export class HalfStream implements DirectionCounts {
  packets = 0
  wireBytes = FLOAT_ZERO
  payloadBytes = FLOAT_ZERO
  retransmittedBytes = FLOAT_ZERO
  missingBytes = FLOAT_ZERO
  /** Of those, bytes whose packets the capture does not hold at all; of the others a part was cut. */
  lostBytes = FLOAT_ZERO
  /** Payload over time; null before the first. */
  rates: RateSeries | null = null
  /** Reads this direction; null when nobody does, and then nothing is kept either. */
  decoder: StreamDecoder | null = null
  /** The packet at which the oldest missing byte was noticed; 0 when nothing is missing. */
  holeSince = 0
  readonly #pool: ReassemblyPool
  /** False until a sequence number was seen. */
  #started = false
  /** A signed word, like all sequence numbers here: unsigned ones beyond 2^31 would be no machine integers. */
  #nextSequence = 0
  /** Payload bytes passed on or given up, 64-bit safe. */
  #nextOffset = FLOAT_ZERO
  /** Early segments by offset, without overlap. Empty in the ordinary case. */
  #early: Segment[] = []
  #earlyBytes = 0
  /** Highest offset that the peer acknowledged, and the packet that showed it covers the hole. */
  #ackedOffset = FLOAT_ZERO
  #coveredSince = 0
  #holeTimeNs = FLOAT_ZERO
  #finOffset = Number.NEGATIVE_INFINITY
  /** The end of the last segment, and the last acknowledgement, that lay too far ahead to be believed alone. */
  #strayEnd = Number.NEGATIVE_INFINITY
  #strayAck = Number.NEGATIVE_INFINITY
  #ended = false

  constructor(pool: ReassemblyPool) {
    this.#pool = pool
  }

  get started(): boolean {
    return this.#started
  }

  /** The stream begins behind this SYN. */
  syn(sequence: number): void {
    if (this.#started) return
    this.#started = true
    this.#nextSequence = (sequence + 1) | 0
  }

  /** Whether a SYN with this sequence number belongs to another, later connection between the same ports. */
  isOtherSyn(sequence: number): boolean {
    return this.#started && ((sequence + 1) | 0) !== ((this.#nextSequence - this.#nextOffset) | 0)
  }

  /** Where in the stream a sequence number is, next to the bytes that are expected next; meaningless before the first. */
  offsetOf(sequence: number): number {
    return this.#nextOffset + ((sequence - this.#nextSequence) | 0)
  }

  /** Payload `bytes[start … end)` of a segment that had `size` bytes on the wire. */
  segment(sequence: number, bytes: Uint8Array, start: number, end: number, size: number, at: Evidence): void {
    if (!this.#started) {
      this.#started = true
      this.#nextSequence = sequence | 0
    }
    const ahead = (sequence - this.#nextSequence) | 0
    if (ahead === 0 && this.#early.length === 0) {
      this.#nextSequence = (sequence + size) | 0
      this.#nextOffset += size
      this.#countPayload(size, end - start, at)
      this.#deliver(bytes, start, end, size, at)
      if (this.#finOffset >= 0) this.#finish(at)
    } else {
      this.#place(this.#nextOffset + ahead, bytes, start, end, size, at)
    }
  }

  /** The sender's stream ends before this sequence number. */
  fin(sequence: number, at: Evidence): void {
    if (!this.#started) {
      this.#started = true
      this.#nextSequence = sequence | 0
    }
    const offset = this.#nextOffset + ((sequence - this.#nextSequence) | 0)
    if (this.#finOffset < 0 && offset >= this.#nextOffset && !this.#isFar(offset)) this.#finOffset = offset
    this.#finish(at)
  }

  /** The peer has received all before this sequence number. */
  acknowledged(sequence: number, at: Evidence): void {
    if (!this.#started) return
    const offset = this.#nextOffset + ((sequence - this.#nextSequence) | 0)
    if (offset <= this.#ackedOffset) return
    if (offset > this.#nextOffset && this.#isFar(offset)) {
      const follows = offset > this.#strayAck && offset - this.#strayAck <= SEQUENCE_JUMP_MAX
      this.#strayAck = offset
      if (!follows) return
    }
    this.#ackedOffset = offset
    if (this.holeSince > 0) this.#checkCovered(at)
  }

  /** No more bytes will come: what is missing before the early segments is given up. */
  close(at: Evidence): void {
    if (this.#ended) return
    this.#drainAll(at)
    // The FIN, or else the peer's acknowledgement, shows bytes that the capture lost at the very end. A lost FIN
    // counts as one byte in the acknowledgement.
    const known = this.#finOffset >= 0 ? this.#finOffset : this.#ackedOffset - 1
    if (known > this.#nextOffset) this.#giveUp(known - this.#nextOffset, at)
    this.#end(at)
  }

  expire(at: Evidence): void {
    const covered = this.#coveredSince > 0 && at.packet - this.#coveredSince >= HOLE_PATIENCE_PACKETS
    if (!covered && at.timeNs - this.#holeTimeNs <= HOLE_PATIENCE_NS) return
    if (!covered && this.#ackedOffset > 0 && this.#ackedOffset === this.#nextOffset) this.#forgetEarly()
    else this.#giveUpFirstHole(at)
  }

  /** Whether a RST with this number is one that the receiver believes, more or less. */
  isNear(sequence: number): boolean {
    return !this.#started || Math.abs((sequence - this.#nextSequence) | 0) <= SEQUENCE_JUMP_MAX
  }

  /** Further ahead of all that was passed on or acknowledged than a sender may be. */
  #isFar(offset: number): boolean {
    return offset - Math.max(this.#nextOffset, this.#ackedOffset) > SEQUENCE_JUMP_MAX
  }

  /** Drops segments that the peer, who has all before them, never acknowledged: they were not of this stream. */
  #forgetEarly(): void {
    for (const { kept } of this.#early) this.#pool.slots.release(kept)
    this.#early = []
    this.#hold(-this.#earlyBytes)
    this.holeSince = 0
    this.#pool.waiting.delete(this)
  }

  /** Payload that was not seen before; `captured` bytes of it are there. */
  #countPayload(size: number, captured: number, at: Evidence): void {
    this.payloadBytes += size
    this.missingBytes += size - captured
    if (this.rates === null) this.rates = new RateSeries(this.#pool.rates)
    this.rates.add(at.timeNs, size)
  }

  #deliver(bytes: Uint8Array, start: number, end: number, size: number, at: Evidence): void {
    const missing = size - (end - start)
    const decoder = this.decoder
    if (decoder === null || this.#ended) return
    if (end > start) decoder.push(bytes, start, end, at)
    // A decoder may hand over to another one during the call.
    if (missing > 0) this.decoder?.gap(missing, at)
  }

  /** A segment that is not the next one: old, overlapping, or early. */
  #place(offset: number, bytes: Uint8Array, start: number, end: number, size: number, at: Evidence): void {
    const old = Math.min(size, Math.max(0, this.#nextOffset - offset))
    this.retransmittedBytes += old
    const rest = size - old
    if (rest === 0) return
    if (this.#isFar(offset)) {
      const follows = offset === this.#strayEnd
      this.#strayEnd = offset + size
      if (!follows) return
    }
    const from = Math.min(start + old, end)
    if (offset + old > this.#nextOffset || this.#early.length > 0) {
      const before = this.#nextOffset
      this.#keepEarly(offset + old, bytes, from, end, rest, at)
      this.#drain(at)
      // As long as the stream goes on, nothing is missing yet.
      if (this.#nextOffset > before) this.#holeTimeNs = at.timeNs
      this.#limit(at)
      return
    }
    this.#advance(rest)
    this.#countPayload(rest, end - from, at)
    this.#deliver(bytes, from, end, rest, at)
    this.#finish(at)
  }

  /** Stores the parts of a segment that no earlier segment holds: the first bytes seen count. */
  #keepEarly(
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    size: number,
    at: Evidence,
  ): void {
    const early = this.#early
    let index = this.#indexOf(offset)
    let position = offset
    const stop = offset + size
    while (position < stop) {
      const before = early[index - 1]
      if (before !== undefined && before.offset + before.size > position) {
        const skip = Math.min(stop, before.offset + before.size) - position
        this.retransmittedBytes += skip
        position += skip
        continue
      }
      const next = early[index]
      const limit = next === undefined ? stop : Math.min(stop, next.offset)
      if (limit > position) {
        const first = Math.min(start + (position - offset), end)
        const last = Math.min(start + (limit - offset), end)
        this.#insert(index, position, limit - position, bytes, first, last, at)
      }
      index++
      position = limit
    }
  }

  #insert(
    index: number,
    offset: number,
    size: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    at: Evidence,
  ): void {
    const kept = this.decoder === null ? NOTHING_KEPT : this.#pool.slots.keep(bytes, start, end)
    const segment = { offset, size, kept, at: keep(at) }
    if (index === this.#early.length) this.#early.push(segment)
    else this.#early.splice(index, 0, segment)
    this.#countPayload(size, end - start, at)
    this.#hold(costOf(segment))
    if (this.holeSince === 0) {
      this.holeSince = at.packet
      this.#holeTimeNs = at.timeNs
      this.#coveredSince = 0
      this.#pool.waiting.add(this)
      this.#checkCovered(at)
    }
  }

  /** The first early segment that starts behind `offset`. Most come in order: looked for from the back. */
  #indexOf(offset: number): number {
    const early = this.#early
    const last = early[early.length - 1]
    if (last === undefined || last.offset <= offset) return early.length
    let low = 0
    let high = early.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((early[middle] as Segment).offset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Passes on what has become the next. */
  #drain(at: Evidence): void {
    const early = this.#early
    let done = 0
    for (; done < early.length; done++) {
      const segment = early[done] as Segment
      if (segment.offset !== this.#nextOffset) break
      this.#hold(-costOf(segment))
      this.#advance(segment.size)
      const { kept } = segment
      this.#deliver(kept.bytes, kept.start, kept.end, segment.size, segment.at)
      this.#pool.slots.release(kept)
    }
    if (done === 0) return
    // V8 takes the first element off in no time, and the first few by moving all others.
    if (done === 1) early.shift()
    else early.splice(0, done)
    this.#holeChanged(at)
    this.#finish(at)
  }

  #holeChanged(at: Evidence): void {
    const first = this.#early[0]
    if (first === undefined) {
      this.holeSince = 0
      this.#pool.waiting.delete(this)
      return
    }
    this.holeSince = first.at.packet
    this.#holeTimeNs = first.at.timeNs
    this.#coveredSince = 0
    this.#checkCovered(at)
  }

  #checkCovered(at: Evidence): void {
    const first = this.#early[0]
    if (first !== undefined && this.#coveredSince === 0 && this.#ackedOffset >= first.offset)
      this.#coveredSince = at.packet
  }

  /** Gives up holes until the memory limits are met. */
  #limit(at: Evidence): void {
    while (
      this.#early.length > 0 &&
      (this.#earlyBytes > REASSEMBLY_BYTES_MAX ||
        this.#early.length > REASSEMBLY_SEGMENTS_MAX ||
        this.#pool.heldBytes > REASSEMBLY_TOTAL_BYTES_MAX)
    )
      this.#giveUpFirstHole(at)
  }

  #giveUpFirstHole(at: Evidence): void {
    const first = this.#early[0]
    if (first === undefined) return
    this.#giveUp(first.offset - this.#nextOffset, first.at)
    this.#drain(at)
  }

  #giveUp(size: number, at: Evidence): void {
    this.missingBytes += size
    this.lostBytes += size
    this.#advance(size)
    if (!this.#ended) this.decoder?.gap(size, at)
  }

  #drainAll(at: Evidence): void {
    while (this.#early.length > 0) this.#giveUpFirstHole(at)
  }

  #advance(size: number): void {
    this.#nextSequence = (this.#nextSequence + size) | 0
    this.#nextOffset += size
  }

  #hold(bytes: number): void {
    this.#earlyBytes += bytes
    this.#pool.heldBytes += bytes
  }

  /** Ends the stream when all before its FIN has been passed on. */
  #finish(at: Evidence): void {
    if (this.#finOffset === this.#nextOffset && this.#early.length === 0) this.#end(at)
  }

  #end(at: Evidence): void {
    if (this.#ended) return
    this.#ended = true
    this.decoder?.end(at)
    this.decoder = null
  }
}

/** Bytes that an early segment takes. */
function costOf({ kept }: Segment): number {
  return SEGMENT_OVERHEAD + kept.end - kept.start
}
