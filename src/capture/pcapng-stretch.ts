import { Stretch } from './stretch.ts'

/** Fields of an enhanced packet block, and what is behind the frame.
 *  @see draft-ietf-opsawg-pcapng, "Enhanced Packet Block" */
const FIELD = {
  type: 0,
  size: 4,
  interface: 8,
  high: 12,
  low: 16,
  captured: 20,
  original: 24,
  frame: 28,
} as const
const TRAILER_SIZE = 4
const ENHANCED_PACKET = 6

/** A stamp of an interface, as two words, and when that was: later ones count from there, so that they stay exact in a double. */
export interface TimeBase {
  readonly high: number
  readonly low: number
  /** After the first packet of the capture. */
  readonly timeNs: number
  readonly nsPerTick: number
}

/** Nanoseconds after the first packet of the capture. */
export function timeSince(base: TimeBase, high: number, low: number): number {
  return base.timeNs + ((high - base.high) * 4294967296 + (low - base.low)) * base.nsPerTick
}

/** Blocks of a pcapng file: enhanced packet blocks without options, all of one interface that has had a packet before. */
export class PcapngStretch extends Stretch {
  littleEndian = true
  /** Number of the interface in its section. */
  #interface = 0
  #base: TimeBase | null = null

  /** Takes packets of this interface from now on; of none for null. */
  follow(index: number, base: TimeBase | null): void {
    this.#interface = index
    this.#base = base
  }

  get follows(): boolean {
    return this.#base !== null
  }

  override look(view: DataView): number {
    const { offset, end, littleEndian } = this
    const base = this.#base
    if (base === null || end - offset < FIELD.frame + TRAILER_SIZE) return Number.NaN
    const size = view.getUint32(offset + FIELD.captured, littleEndian)
    if (size > end - offset || size !== view.getUint32(offset + FIELD.original, littleEndian))
      return Number.NaN
    const blockSize = FIELD.frame + ((size + 3) & ~3) + TRAILER_SIZE
    const next = offset + blockSize
    if (
      next > end ||
      view.getUint32(offset + FIELD.type, littleEndian) !== ENHANCED_PACKET ||
      view.getUint32(offset + FIELD.size, littleEndian) !== blockSize ||
      view.getUint32(next - TRAILER_SIZE, littleEndian) !== blockSize ||
      view.getUint32(offset + FIELD.interface, littleEndian) !== this.#interface
    )
      return Number.NaN
    this.start = offset + FIELD.frame
    this.size = size
    this.next = next
    const high = view.getUint32(offset + FIELD.high, littleEndian)
    return timeSince(base, high, view.getUint32(offset + FIELD.low, littleEndian))
  }
}
