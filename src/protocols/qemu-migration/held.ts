/** The few bytes of an element that began in an earlier packet, each with the packet that carried it.
 *  Nothing else of the stream is ever kept. */

/** Larger than any element that must be seen whole: a footer and a named header after it take 282 bytes. */
const CAPACITY = 512

export class HeldBytes {
  readonly bytes = new Uint8Array(CAPACITY)
  readonly packets = new Float64Array(CAPACITY)
  readonly times = new Float64Array(CAPACITY)
  length = 0

  /** Appends as much of `bytes[start … end)` as fits; returns how much that was. */
  append(bytes: Uint8Array, start: number, end: number, packet: number, timeNs: number): number {
    const at = this.length
    const size = Math.min(end - start, CAPACITY - at)
    for (let i = 0; i < size; i++) {
      this.bytes[at + i] = bytes[start + i] as number
      this.packets[at + i] = packet
      this.times[at + i] = timeNs
    }
    this.length = at + size
    return size
  }

  /** Forgets the first `size` bytes. */
  drop(size: number): void {
    this.bytes.copyWithin(0, size, this.length)
    this.packets.copyWithin(0, size, this.length)
    this.times.copyWithin(0, size, this.length)
    this.length -= size
  }
}
