import type { MigrationReport, Report } from '../report/model.ts'
import { METRICS, type MetricId } from '../stats/metrics.ts'
import { metricByFactor } from './by-factor.ts'
import { distribution } from './distribution.ts'
import type { Figure } from './figure.ts'
import { factorsOf } from './groups.ts'
import { phaseDurations, phaseShares } from './phase-bars.ts'
import { timeline } from './timeline.ts'

export type { Canvas, Figure } from './figure.ts'
export { fileStem } from './figure.ts'
export { type TimelineView, timeline } from './timeline.ts'

/** The figures of a study: what its groups have in common, and how metrics depend on factors. */
export interface GroupFigures {
  readonly phases: readonly Figure[]
  readonly byFactor: readonly Figure[]
  readonly distributions: readonly Figure[]
}

/** @param metrics of which there are figures */
export function groupFigures(
  { groups = [], migrations }: Pick<Report, 'groups' | 'migrations'>,
  metrics: readonly MetricId[] = METRICS.map(({ id }) => id),
): GroupFigures {
  const drawn = groups.filter(({ migrations: all, failed }) => all > failed)
  if (drawn.length === 0) return { phases: [], byFactor: [], distributions: [] }
  return {
    phases: [phaseShares(drawn), phaseDurations(drawn)],
    byFactor: metrics.flatMap((metric) =>
      factorsOf(drawn).flatMap((factor) => metricByFactor(drawn, metric, factor) ?? []),
    ),
    distributions: metrics.flatMap((metric) => distribution(drawn, migrations, metric) ?? []),
  }
}

/** Timelines of a migration: of the whole, and closer ones of its transfer and its downtime where the whole shows little of them.
 *  @param number of the migration in the report, from 1 */
export function timelines(migration: MigrationReport, number: number): Figure[] {
  return (['whole', 'transfer', 'downtime'] as const).flatMap(
    (view) => timeline(migration, number, view) ?? [],
  )
}
