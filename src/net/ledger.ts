import type { Totals } from '../events/connection.ts'

/** Packet number and the four totals after it. */
const ROW = 5

/** What had passed on a connection by each of its last packets, for the question how much of it belongs to a message. Only
 *  packets with payload get a row: a bare acknowledgement counts with the one after it. */
export class Ledger {
  /** Grows with the packets: most connections have few. */
  readonly #rows: number[] = []
  readonly #size: number
  #count = 0

  /** @param size packets that are remembered */
  constructor(size: number) {
    this.#size = size
  }

  add(packet: number, low: Totals['toServer'], high: Totals['toServer']): void {
    const at = (this.#count % this.#size) * ROW
    const rows = this.#rows
    rows[at] = packet
    rows[at + 1] = low.wireBytes
    rows[at + 2] = low.payloadBytes
    rows[at + 3] = high.wireBytes
    rows[at + 4] = high.payloadBytes
    this.#count++
  }

  /** What had passed up to and including this packet; where that is too long ago, up to the oldest one remembered. */
  upTo(packet: number): { low: Totals['toServer']; high: Totals['toServer'] } {
    const oldest = Math.max(0, this.#count - this.#size)
    let index = this.#count - 1
    while (index > oldest && (this.#rows[(index % this.#size) * ROW] as number) > packet) index--
    const at = (index % this.#size) * ROW
    const known = index >= 0 && (oldest > 0 || (this.#rows[at] as number) <= packet)
    const value = (field: number): number => (known ? (this.#rows[at + field] as number) : 0)
    return {
      low: { wireBytes: value(1), payloadBytes: value(2) },
      high: { wireBytes: value(3), payloadBytes: value(4) },
    }
  }
}
