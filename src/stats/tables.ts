import { type CiMethod, type Description, describe } from './describe.ts'
import { type GroupKey, partitionRuns, type Run, sampleOf } from './group.ts'
import { METRICS, type MetricId } from './metrics.ts'
import { naturalOrder } from './natural-order.ts'

/** Which part of the total migration time each phase takes: a row a part, a column a group. */
export interface ShareTable {
  readonly columns: readonly GroupKey[]
  readonly rows: readonly {
    readonly id: MetricId
    readonly label: string
    /** Fractions, in the order of the columns; null when unknown. */
    readonly shares: readonly (number | null)[]
  }[]
}

/** What a group's column needs. */
export interface GroupShares {
  readonly key: GroupKey
  readonly metrics: readonly { readonly id: string; readonly share_of_total: number | null }[]
}

/** The phases and what belongs to none. A column adds up to 1 when the phases do not overlap. */
export function shareTable(groups: readonly GroupShares[]): ShareTable {
  const parts = METRICS.filter(({ part }) => part)
  return {
    columns: groups.map(({ key }) => key),
    rows: parts.map(({ id, label }) => ({
      id,
      label,
      shares: groups.map(({ metrics }) => metrics.find((metric) => metric.id === id)?.share_of_total ?? null),
    })),
  }
}

/** One metric by two factors. */
export interface FactorTable {
  readonly metric: MetricId
  /** Levels of the row factor, in natural order; null stands for runs without the factor. */
  readonly rows: readonly (string | null)[]
  /** Levels of the column factor, likewise. */
  readonly columns: readonly (string | null)[]
  /** By row, then column; n is 0 where no run has both levels. `outliers` are places in the cell's sample. */
  readonly cells: readonly (readonly Description[])[]
}

/** @param runs those that differ in other factors only are put together */
export function factorTable(
  runs: readonly Run[],
  rowFactor: string,
  columnFactor: string,
  metric: MetricId,
  ci: CiMethod = 't',
): FactorTable {
  const groups = partitionRuns(runs, [rowFactor, columnFactor])
  const levels = (factor: string) =>
    [...new Set(groups.map(({ key }) => key[factor] ?? null))].sort(naturalOrder)
  const rows = levels(rowFactor)
  const columns = levels(columnFactor)
  const cells = rows.map((row) =>
    columns.map((column) => {
      const group = groups.find(({ key }) => key[rowFactor] === row && key[columnFactor] === column)
      return describe(group === undefined ? [] : sampleOf(group, metric).values, ci)
    }),
  )
  return { metric, rows, columns, cells }
}
