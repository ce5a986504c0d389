import type { Passed } from './capture.ts'

/** An instant of a story that is put elsewhere. */
export interface Anchor {
  readonly fromNs: number
  readonly toNs: number
}

/** Moves instants: anchors to where they belong, what lies between two of them in proportion, what lies outside along with the
 *  nearest one. */
export function timeMap(anchors: readonly Anchor[]): (timeNs: number) => number {
  const sorted = [...anchors].sort((a, b) => a.fromNs - b.fromNs)
  return (timeNs) => {
    const next = sorted.findIndex(({ fromNs }) => fromNs >= timeNs)
    const after = sorted[next]
    const before = sorted[next < 0 ? sorted.length - 1 : next - 1]
    if (after === undefined || before === undefined) {
      const nearest = after ?? before
      return nearest === undefined ? timeNs : timeNs - nearest.fromNs + nearest.toNs
    }
    const share = (timeNs - before.fromNs) / (after.fromNs - before.fromNs)
    return before.toNs + share * (after.toNs - before.toNs)
  }
}

/** The same packets at other times, in the order of these. */
export function retimed(passed: readonly Passed[], move: (packet: Passed) => number): Passed[] {
  const moved = passed.map((packet) => ({ ...packet, timeNs: Math.round(move(packet)) }))
  const start = Math.min(...moved.map(({ timeNs }) => timeNs))
  return moved
    .map((packet) => ({ ...packet, timeNs: packet.timeNs - start }))
    .sort((a, b) => a.timeNs - b.timeNs)
}
