import type { Evidence } from '../core/evidence.ts'
import type { IntervalId } from './phase.ts'

/** An instant with its proof. `inferred`: read from something that stands for it. */
export interface Mark {
  readonly rule: string
  readonly at: Evidence
  readonly kind: 'observed' | 'inferred'
}

/** A stretch of time with evidence at both ends. An end that was not seen is null, not zero. */
export interface Interval {
  start: Mark | null
  end: Mark | null
  /** Inner instants, by rule. */
  readonly markers: Map<string, Mark>
}

export type Intervals = Map<IntervalId, Interval>

export function intervalOf(intervals: Intervals, id: IntervalId): Interval {
  let interval = intervals.get(id)
  if (interval === undefined) {
    interval = { start: null, end: null, markers: new Map() }
    intervals.set(id, interval)
  }
  return interval
}
