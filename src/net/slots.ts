/** Bytes of one slot: a segment of Ethernet's usual 1500 bytes fits. */
const SLOT_SIZE = 2048
/** Fewer bytes take an array of their own: in a slot, memory would be many times what is counted. */
const SLOT_USE_MIN = SLOT_SIZE / 2
const SLAB_SIZE = 64 * SLOT_SIZE

/** A copy that outlives the packet: `bytes[start … end)`. */
export interface Kept {
  readonly bytes: Uint8Array
  readonly start: number
  /** Changes when the slot is used again. */
  end: number
  /** Whether it is a slot, and not an array of its own. */
  readonly isSlot: boolean
}

export const NOTHING_KEPT: Kept = { bytes: new Uint8Array(0), start: 0, end: 0, isSlot: false }

/** Room for copies of segments, used again and again. With an array for each, a capture with losses took 1.4 times as long, most
 *  of it in making the arrays and in collecting them. Never more than twice the bytes that were kept at once. */
export class Slots {
  readonly #free: Kept[] = []

  keep(bytes: Uint8Array, start: number, end: number): Kept {
    const size = end - start
    if (size <= 0) return NOTHING_KEPT
    if (size < SLOT_USE_MIN || size > SLOT_SIZE)
      return { bytes: bytes.slice(start, end), start: 0, end: size, isSlot: false }
    if (this.#free.length === 0) this.#grow()
    const slot = this.#free.pop() as Kept
    slot.bytes.set(bytes.subarray(start, end), slot.start)
    slot.end = slot.start + size
    return slot
  }

  /** What was kept is not needed any more. */
  release(kept: Kept): void {
    if (kept.isSlot) this.#free.push(kept)
  }

  #grow(): void {
    const bytes = new Uint8Array(SLAB_SIZE)
    for (let start = 0; start < SLAB_SIZE; start += SLOT_SIZE)
      this.#free.push({ bytes, start, end: start, isSlot: true })
  }
}
