import type { Intervals } from '../phases/interval.ts'
import type { Gap, PhaseReport } from './model.ts'

/** A phase whose both ends are known, in seconds. */
interface Stretch {
  readonly phase: PhaseReport
  readonly start: number
  readonly end: number
}

export interface Span {
  readonly total_migration_time_s: number | null
  readonly unattributed_s: number | null
  readonly gaps: readonly Gap[]
}

/** The whole of a migration: from the start of its first phase to the end of the last one seen, and what of it belongs
 *  to no phase. @see the output contract, section 1 */
export function describeSpan(phases: readonly PhaseReport[], intervals: Intervals): Span {
  const starts = phases.map((phase) => phase.start.time_s).filter((time) => time !== null)
  const ends = phases.map((phase) => phase.end.time_s).filter((time) => time !== null)
  if (starts.length === 0 || ends.length === 0)
    return { total_migration_time_s: null, unattributed_s: null, gaps: [] }
  const total = Math.max(...ends) - Math.min(...starts)
  const gaps = gapsBetween(stretches(phases), intervals)
  const attributed = unionLength(stretches(phases))
  return { total_migration_time_s: total, unattributed_s: Math.max(0, total - attributed), gaps }
}

/** Known phases by start. Phases may overlap. */
function stretches(phases: readonly PhaseReport[]): Stretch[] {
  const known: Stretch[] = []
  for (const phase of phases) {
    const start = phase.start.time_s
    const end = phase.end.time_s
    if (start !== null && end !== null) known.push({ phase, start, end })
  }
  return known.sort((a, b) => a.start - b.start)
}

function unionLength(sorted: readonly Stretch[]): number {
  let length = 0
  let covered = Number.NEGATIVE_INFINITY
  for (const { start, end } of sorted) {
    if (end <= covered) continue
    length += end - Math.max(start, covered)
    covered = end
  }
  return length
}

function gapsBetween(sorted: readonly Stretch[], intervals: Intervals): Gap[] {
  const gaps: Gap[] = []
  let last: Stretch | null = null
  for (const stretch of sorted) {
    if (last !== null && stretch.start > last.end) {
      gaps.push({
        after: last.phase.id,
        before: stretch.phase.id,
        duration_s: stretch.start - last.end,
        what: whatHappened(last.end, stretch.start, intervals),
      })
    }
    if (last === null || stretch.end > last.end) last = stretch
  }
  return gaps
}

/** Inner instants that explain a gap, in the order of their weight. */
const EXPLANATIONS = [
  { marker: 'amqp.network_vif_plugged', what: 'waiting for network-vif-plugged' },
  { marker: 'http.port_binding_activate.request', what: 'port binding activation' },
] as const

function whatHappened(from: number, to: number, intervals: Intervals): string | null {
  const storage = intervals.get('storage')
  if (storage?.start) {
    const end = storage.end?.at.timeNs ?? Number.POSITIVE_INFINITY
    if (storage.start.at.timeNs / 1e9 < to && end / 1e9 > from) return 'storage copy'
  }
  const markers = intervals.get('nova')?.markers
  for (const { marker, what } of EXPLANATIONS) {
    const time = markers?.get(marker)?.at.timeNs
    if (time !== undefined && time / 1e9 > from && time / 1e9 < to) return what
  }
  return null
}
