import { type CiMethod, type Description, describe, finite } from './describe.ts'
import { METRICS, type MetricId } from './metrics.ts'
import { naturalOrder } from './natural-order.ts'

/** One migration, as far as statistics need it. */
export interface Run {
  /** Name to level, such as `flavor` to `m1.small`. */
  readonly factors: Readonly<Record<string, string>>
  readonly outcome: string
  /** In the metric's unit; null or absent when unknown. */
  readonly metrics: Readonly<Partial<Record<MetricId, number | null>>>
}

/** Level of each factor that groups are made by; null for runs that do not have the factor. */
export type GroupKey = Readonly<Record<string, string | null>>

/** The runs of one combination of levels. */
export interface RunGroup {
  readonly key: GroupKey
  /** All runs, whatever their outcome. */
  readonly migrations: number
  /** Runs that did not complete: failed, aborted, or cut off by the end of the capture. */
  readonly failed: number
  readonly completed: readonly CompletedRun[]
}

export interface CompletedRun {
  /** 0-based place in the list of runs. */
  readonly index: number
  readonly metrics: Run['metrics']
}

/** A metric of a group, as the output contract has it. */
export interface MetricSummary extends Description {
  readonly id: MetricId
  readonly label: string
  readonly unit: string
  /** Share of the total migration time, a fraction, over the runs that have both; null for what is no part of it. */
  readonly share_of_total: number | null
  /** Places (0-based) in the list of runs. */
  readonly outliers: readonly number[]
}

export interface Group {
  readonly key: GroupKey
  readonly migrations: number
  readonly failed: number
  /** All metrics, in the order of `METRICS`; n is 0 where no run has one. */
  readonly metrics: readonly MetricSummary[]
}

/** Names of all factors that any run has, in the order in which they first appear. */
export function factorNames(runs: readonly Run[]): string[] {
  return [...new Set(runs.flatMap(({ factors }) => Object.keys(factors)))]
}

/** Groups with their figures, in natural order of the levels, the first factor first.
 *  @param names factors that tell groups apart; runs that differ in others only are put together */
export function groupRuns(
  runs: readonly Run[],
  names: readonly string[] = factorNames(runs),
  ci: CiMethod = 't',
): Group[] {
  return partitionRuns(runs, names).map((group) => summarize(group, ci))
}

/** The runs of each group, for comparisons and analyses that need the single values. */
export function partitionRuns(runs: readonly Run[], names: readonly string[]): RunGroup[] {
  const groups = new Map<string, { levels: readonly (string | null)[]; members: number[] }>()
  runs.forEach(({ factors }, index) => {
    const levels = names.map((name) => levelOf(factors, name))
    const id = JSON.stringify(levels)
    const group = groups.get(id) ?? { levels, members: [] }
    groups.set(id, group)
    group.members.push(index)
  })
  return [...groups.values()]
    .sort((one, other) => byLevels(one.levels, other.levels))
    .map(({ levels, members }) => {
      const completed = members.flatMap((index) => {
        const run = runs[index]
        return run?.outcome === 'completed' ? [{ index, metrics: run.metrics }] : []
      })
      return {
        key: Object.fromEntries(names.map((name, place) => [name, levels[place] ?? null])),
        migrations: members.length,
        failed: members.length - completed.length,
        completed,
      }
    })
}

function levelOf(factors: Run['factors'], name: string): string | null {
  return Object.hasOwn(factors, name) ? (factors[name] ?? null) : null
}

function byLevels(left: readonly (string | null)[], right: readonly (string | null)[]): number {
  for (const [place, level] of left.entries()) {
    const order = naturalOrder(level, right[place] ?? null)
    if (order !== 0) return order
  }
  return 0
}

/** The known values of a metric, with the place of each in the list of runs. */
export function sampleOf(
  { completed }: RunGroup,
  metric: MetricId,
): { readonly values: number[]; readonly indices: number[] } {
  const known = completed.flatMap(({ index, metrics }) => {
    const value = metrics[metric] ?? null
    return value === null ? [] : [{ index, value }]
  })
  return { values: known.map(({ value }) => value), indices: known.map(({ index }) => index) }
}

function summarize(group: RunGroup, ci: CiMethod): Group {
  return {
    key: group.key,
    migrations: group.migrations,
    failed: group.failed,
    metrics: METRICS.map(({ id, label, unit, part }) => {
      const { values, indices } = sampleOf(group, id)
      const description = describe(values, ci)
      return {
        id,
        label,
        unit,
        ...description,
        share_of_total: part ? shareOfTotal(group, id) : null,
        outliers: description.outliers.flatMap((place) => indices[place] ?? []),
      }
    }),
  }
}

/** Ratio of the sums over the runs that have both, so that a run without the part does not count in the whole. */
function shareOfTotal({ completed }: RunGroup, id: MetricId): number | null {
  let part = 0
  let whole = 0
  for (const { metrics } of completed) {
    const value = metrics[id] ?? null
    const total = metrics.total_migration_time ?? null
    if (value === null || total === null) continue
    part += value
    whole += total
  }
  return whole > 0 ? finite(part / whole) : null
}
