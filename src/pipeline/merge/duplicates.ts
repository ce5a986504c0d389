import type { Packet } from '../../capture/packet.ts'
import { MERGE_REMEMBERED_MAX } from '../../core/limits.ts'
import { identify } from '../../net/identity.ts'

/** How far apart two points may see the same packet: more than any path and clock error, less than TCP takes to send the
 *  same bytes with the same identification again. */
const WINDOW_NS = 1e9

interface Seen {
  readonly identity: number
  readonly timeNs: number
  /** Bit by point. */
  points: number
}

/** Tells whether a packet was seen before at another capture point. The first sighting counts. */
export class Duplicates {
  readonly #byIdentity = new Map<number, Seen[]>()
  /** By time; those before `#oldest` are forgotten. */
  #order: Seen[] = []
  #oldest = 0

  /** @param point of at most 31 */
  seenElsewhere(packet: Packet, point: number): boolean {
    const identity = identify(packet)
    if (identity === null) return false
    this.#forget(packet.timeNs)
    const bit = 1 << point
    const known = this.#byIdentity.get(identity)
    // A packet that is repeated (a RARP announcement) matches its own repetition: the first that this point lacks.
    const match = known?.find((seen) => (seen.points & bit) === 0)
    if (match !== undefined) {
      match.points |= bit
      return true
    }
    const seen = { identity, timeNs: packet.timeNs, points: bit }
    if (known === undefined) this.#byIdentity.set(identity, [seen])
    else known.push(seen)
    this.#order.push(seen)
    return false
  }

  #forget(nowNs: number): void {
    for (;;) {
      const oldest = this.#order[this.#oldest]
      const full = this.#order.length - this.#oldest > MERGE_REMEMBERED_MAX
      if (oldest === undefined || (!full && nowNs - oldest.timeNs <= WINDOW_NS)) break
      const known = this.#byIdentity.get(oldest.identity)
      known?.splice(known.indexOf(oldest), 1)
      if (known?.length === 0) this.#byIdentity.delete(oldest.identity)
      this.#oldest++
    }
    if (this.#oldest > 65_536 && this.#oldest * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#oldest)
      this.#oldest = 0
    }
  }
}
