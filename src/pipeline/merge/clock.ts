import type { Packet } from '../../capture/packet.ts'
import { SIGHTINGS_MAX } from '../../core/limits.ts'
import { directionOf, identify } from '../../net/identity.ts'

interface Sighting {
  readonly timeNs: number
  readonly direction: number
}

/** The times at which a capture point saw packets: a sample that other points can be held against. */
export class Sightings {
  readonly #seen = new Map<number, Sighting | null>()
  #share = 1

  /** @param timeNs of the packet, after the first one of this point */
  add(packet: Packet, timeNs: number): void {
    const identity = identify(packet)
    if (identity === null || identity % this.#share !== 0) return
    // What is seen twice cannot be matched.
    const known = this.#seen.has(identity)
    this.#seen.set(identity, known ? null : { timeNs, direction: directionOf(packet) })
    if (this.#seen.size > SIGHTINGS_MAX) this.#thin()
  }

  get(identity: number): Sighting | null {
    return this.#seen.get(identity) ?? null
  }

  *entries(): IterableIterator<[number, Sighting]> {
    for (const [identity, sighting] of this.#seen) if (sighting !== null) yield [identity, sighting]
  }

  #thin(): void {
    this.#share *= 2
    for (const identity of this.#seen.keys()) if (identity % this.#share !== 0) this.#seen.delete(identity)
  }
}

/** How far the clock of a capture point is off. */
export interface ClockOffset {
  /** To be added to the point's stamps, seconds. */
  readonly offset_s: number
  /** Half the difference that remains between the two directions: the offset is known to within this. Null when packets
   *  in one direction only were seen at both points: the way's delay is in the offset then. */
  readonly spread_s: number | null
  /** Packets that both points saw. */
  readonly matched: number
}

/** Compares two points by the packets that both saw. A packet takes time from one point to the other, but in opposite
 *  directions on the way there and back: the middle between the two is the difference of the clocks. Of each direction the
 *  packets count that waited least on their way. Null when the points have no packet in common.
 *  @param laterNs how much later, by its own clock, the other point's first packet came
 *  @see RFC 5905 (NTP), section 8 and the clock filter of section 10 */
export function compareClocks(reference: Sightings, other: Sightings, laterNs = 0): ClockOffset | null {
  const up: number[] = []
  const down: number[] = []
  for (const [identity, sighting] of other.entries()) {
    const same = reference.get(identity)
    if (same === null) continue
    const difference = same.timeNs - (sighting.timeNs + laterNs)
    if (sighting.direction >= 0) up.push(difference)
    if (sighting.direction <= 0) down.push(difference)
  }
  const matched = up.length + down.length
  if (matched === 0) return null
  if (up.length === 0 || down.length === 0) {
    const only = quantile(up.length > 0 ? up : down, 0.5)
    return { offset_s: only / 1e9, spread_s: null, matched }
  }
  // On the way to the other point the delay is subtracted, on the way back it is added.
  const [there, back] = quantile(up, 0.5) < quantile(down, 0.5) ? [up, down] : [down, up]
  const first = quantile(there, 1 - LEAST_DELAYED)
  const second = quantile(back, LEAST_DELAYED)
  return { offset_s: (first + second) / 2e9, spread_s: Math.abs(second - first) / 2e9, matched }
}

/** The share of packets that counts as having waited least; not the very least, which may be a stamp out of order. */
const LEAST_DELAYED = 0.01

function quantile(values: number[], share: number): number {
  const sorted = values.sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * share)] ?? 0
}
