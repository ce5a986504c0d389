import type { CiMethod } from '../stats/describe.ts'
import { type Group, groupRuns, type Run } from '../stats/group.ts'
import type { GroupReport } from './model.ts'

/** Factors that only number repetitions: runs that differ in nothing else belong together. */
const REPETITIONS: ReadonlySet<string> = new Set(['n', 'run', 'rep', 'repetition', 'iteration', 'file'])

/** Factors to group by when nobody says: all but those that number repetitions.
 *  @param names of all factors that any run has */
export function defaultGrouping(names: readonly string[]): string[] {
  return names.filter((name) => !REPETITIONS.has(name.toLowerCase()))
}

/** Groups with their figures, for the report. */
export function describeGroups(runs: readonly Run[], names: readonly string[], ci: CiMethod): GroupReport[] {
  return groupRuns(runs, names, ci).map(reportGroup)
}

function reportGroup({ key, migrations, failed, metrics }: Group): GroupReport {
  return {
    key,
    migrations,
    failed,
    metrics: metrics.map(({ outliers, share_of_total, ...metric }) => ({
      ...metric,
      share_of_total,
      outliers,
    })),
  }
}
