import { FLOAT_ZERO } from '../core/float-zero.ts'
import { Stretch } from './stretch.ts'

/** Words of the header of a record. */
export const RECORD = { seconds: 0, fraction: 4, captured: 8, original: 12 } as const
export const RECORD_HEADER_SIZE = 16

/** Records of a pcap file, of the usual form. */
export class PcapStretch extends Stretch {
  littleEndian = true
  nsPerFraction = 1000
  #startSeconds = FLOAT_ZERO
  #startFraction = FLOAT_ZERO

  /** The stamp of the first packet, which is time zero. */
  startAt(seconds: number, fraction: number): void {
    this.#startSeconds = seconds
    this.#startFraction = fraction
  }

  /** Nanoseconds after the first packet, of the record at `offset`. */
  timeAt(view: DataView, offset: number): number {
    return (
      (view.getUint32(offset + RECORD.seconds, this.littleEndian) - this.#startSeconds) * 1e9 +
      (view.getUint32(offset + RECORD.fraction, this.littleEndian) - this.#startFraction) * this.nsPerFraction
    )
  }

  override look(view: DataView): number {
    const { offset, end, littleEndian } = this
    const start = offset + RECORD_HEADER_SIZE
    if (start > end) return Number.NaN
    const size = view.getUint32(offset + RECORD.captured, littleEndian)
    if (size > end - start || size !== view.getUint32(offset + RECORD.original, littleEndian))
      return Number.NaN
    this.start = start
    this.size = size
    this.next = start + size
    return this.timeAt(view, offset)
  }
}
