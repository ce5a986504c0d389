/** The few bytes of an element that began in an earlier packet, each with the packet that carried it.
 *  Nothing else of the stream is ever kept. */

/** Larger than any element that must be seen whole: a footer and a named header after it take 282 bytes. */
const CAPACITY = 512
/** What there is room for at first: most streams hold a few bytes, and there may be very many of them. */
const FIRST_CAPACITY = 32

export class HeldBytes {
  bytes = new Uint8Array(FIRST_CAPACITY)
  packets = new Float64Array(FIRST_CAPACITY)
  times = new Float64Array(FIRST_CAPACITY)
  length = 0

  /** Appends as much of `bytes[start … end)` as fits; returns how much that was. */
  append(bytes: Uint8Array, start: number, end: number, packet: number, timeNs: number): number {
    const at = this.length
    const size = Math.min(end - start, CAPACITY - at)
    if (at + size > this.bytes.length) this.#grow()
    for (let i = 0; i < size; i++) {
      this.bytes[at + i] = bytes[start + i] as number
      this.packets[at + i] = packet
      this.times[at + i] = timeNs
    }
    this.length = at + size
    return size
  }

  #grow(): void {
    const { bytes, packets, times } = this
    this.bytes = new Uint8Array(CAPACITY)
    this.packets = new Float64Array(CAPACITY)
    this.times = new Float64Array(CAPACITY)
    this.bytes.set(bytes)
    this.packets.set(packets)
    this.times.set(times)
  }

  /** Forgets the first `size` bytes. */
  drop(size: number): void {
    this.bytes.copyWithin(0, size, this.length)
    this.packets.copyWithin(0, size, this.length)
    this.times.copyWithin(0, size, this.length)
    this.length -= size
  }
}
