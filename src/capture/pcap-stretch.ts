import { FLOAT_ZERO } from '../core/float-zero.ts'
import { Stretch } from './stretch.ts'

/** Words of the header of a record. */
export const RECORD = { seconds: 0, fraction: 4, captured: 8, original: 12 } as const
export const RECORD_HEADER_SIZE = 16

/** Records of a pcap file, of the usual form. */
export class PcapStretch extends Stretch {
  #startSeconds = FLOAT_ZERO
  #startFraction = FLOAT_ZERO
  readonly #littleEndian: boolean
  readonly #nsPerFraction: number

  constructor(littleEndian: boolean, nsPerFraction: number) {
    super()
    this.#littleEndian = littleEndian
    this.#nsPerFraction = nsPerFraction
  }

  /** The stamp of the first packet, which is time zero. */
  startAt(seconds: number, fraction: number): void {
    this.#startSeconds = seconds
    this.#startFraction = fraction
  }

  override look(view: DataView): number {
    const { offset, end } = this
    const littleEndian = this.#littleEndian
    const start = offset + RECORD_HEADER_SIZE
    if (start > end) return Number.NaN
    const size = view.getUint32(offset + RECORD.captured, littleEndian)
    if (size > end - start || size !== view.getUint32(offset + RECORD.original, littleEndian))
      return Number.NaN
    this.start = start
    this.size = size
    this.next = start + size
    return (
      (view.getUint32(offset + RECORD.seconds, littleEndian) - this.#startSeconds) * 1e9 +
      (view.getUint32(offset + RECORD.fraction, littleEndian) - this.#startFraction) * this.#nsPerFraction
    )
  }
}
