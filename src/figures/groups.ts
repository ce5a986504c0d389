import { printable } from '../report/format.ts'
import type { GroupReport, MetricReport } from '../report/model.ts'

/** Groups as figures need them: their names for axes, and their metrics. */

/** Names of the factors that groups are made by. */
export function factorsOf(groups: readonly GroupReport[]): string[] {
  return Object.keys(groups[0]?.key ?? {})
}

/** A group's levels, short enough for an axis: `m1.small · 25`. */
export function levelsText(key: GroupReport['key']): string {
  const levels = Object.values(key).map(levelText)
  return levels.length === 0 ? 'all migrations' : levels.join(' · ')
}

export function levelText(level: string | null): string {
  return level === null ? '–' : printable(level)
}

export function metricOf({ metrics }: GroupReport, id: string): MetricReport | null {
  const metric = metrics.find((each) => each.id === id)
  return metric === undefined || metric.n === 0 ? null : metric
}
