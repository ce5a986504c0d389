import { defaultGrouping, describeGroups } from '../report/groups.ts'
import type { GroupReport } from '../report/model.ts'
import { factorNames, type Run } from '../stats/group.ts'
import type { Grouping } from './args/shared.ts'
import { UsageError } from './args/usage-error.ts'

/** The groups that were asked for, with their figures.
 *  @throws UsageError as `namesOf` */
export function groupsOf(runs: readonly Run[], grouping: Grouping): GroupReport[] {
  return describeGroups(runs, namesOf(runs, grouping), grouping.ci)
}

/** The factors by which groups are made.
 *  @throws UsageError when a factor is named that no run has */
export function namesOf(runs: readonly Run[], { groupBy }: Grouping): readonly string[] {
  const known = factorNames(runs)
  const unknown = groupBy?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(
      `--group-by ${unknown}: no run has such a factor${known.length === 0 ? '; --factors or --manifest tell factors' : `, only ${known.join(', ')}`}`,
    )
  return groupBy ?? defaultGrouping(known)
}
