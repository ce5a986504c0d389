import { FLOAT_ZERO } from '../core/float-zero.ts'
import type { Packet } from './packet.ts'
import type { CaptureSummary } from './summary.ts'

/** Packets that go one by one until many are tried again, at the most. */
const WAIT_MAX = 63

/** Records of a file one behind the other, for somebody who takes many packets at once: on the way of each by itself, calls take more
 *  time than what is done with it. Each format has its own; one object is reused. */
export abstract class Stretch {
  /** The packet before the first one; the last one that was taken afterwards. Its read block has the records in `[offset, end)`. */
  readonly packet: Packet
  /** Where the first record is that was not taken. */
  offset = 0
  end = 0
  /** The frame in the record at `offset`, when `look` has found it. */
  start = 0
  size = 0
  /** Behind that record. */
  next = 0
  /** Something that a packet brought is to be seen to before the next one. */
  interrupted = false
  /** Of the packets that were taken: bytes on the wire, all of which were captured. */
  wireBytes = FLOAT_ZERO

  constructor(packet: Packet) {
    this.packet = packet
  }

  /** Looks at the record at `offset`.
   *  @param view of the read block
   *  @returns nanoseconds after the first packet of the capture; NaN when it is not there as a whole, or not that of a whole frame */
  abstract look(view: DataView): number

  /** The frame that `look` has found becomes the packet at hand. */
  take(timeNs: number): void {
    const { packet, size } = this
    packet.packet++
    packet.timeNs = timeNs
    packet.start = this.start
    packet.end = this.start + size
    packet.originalLength = size
    this.wireBytes += size
    this.offset = this.next
  }
}

/** Takes ordinary packets from the start of a stretch, up to the first one that it is not sure of. */
export type StretchSink = (stretch: Stretch) => void

/** Has packets taken many at once. Those of a bulk transfer come by the thousand without anything else between them; where they do not,
 *  that is not tried for each. */
export class ManyAtOnce {
  readonly #stretch: Stretch
  readonly #sink: StretchSink
  readonly #summary: CaptureSummary
  /** Packets that go one by one until it is tried again, and as many as that were the last time. */
  #wait = 0
  #lastWait = 0

  constructor(stretch: Stretch, sink: StretchSink, summary: CaptureSummary) {
    this.#stretch = stretch
    this.#sink = sink
    this.#summary = summary
  }

  /** @returns where in `[offset, end)` of the read block the first record is that was not taken */
  take(offset: number, end: number): number {
    if (this.#wait > 0) {
      this.#wait--
      return offset
    }
    const stretch = this.#stretch
    stretch.offset = offset
    stretch.end = end
    stretch.wireBytes = FLOAT_ZERO
    const before = stretch.packet.packet
    this.#sink(stretch)
    const taken = stretch.packet.packet - before
    this.#lastWait = taken > 0 ? 0 : Math.min(2 * this.#lastWait + 1, WAIT_MAX)
    this.#wait = this.#lastWait
    if (taken > 0) this.#summary.countMany(taken, stretch.wireBytes, stretch.packet)
    return stretch.offset
  }
}
