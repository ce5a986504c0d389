import { COMPARISON_WARNINGS, type Comparison } from '../stats/compare.ts'
import type { MetricId } from '../stats/metrics.ts'
import { figure, metricLabel } from './metric-text.ts'
import { type Cell, column, type Sheet, textCell, UNKNOWN_CELL } from './sheet.ts'

/** A row for each metric: both means, what lies between them, and whether that is more than chance. */
export function comparisonSheet(
  comparisons: readonly Comparison[],
  baseline: string,
  candidate: string,
): Sheet {
  return {
    title: `${candidate} against ${baseline}`,
    columns: [
      column('label', 'Metric', false),
      column('mean_baseline', baseline),
      column('mean_candidate', candidate),
      column('difference', 'Difference'),
      column('ci95', '95% CI of it'),
      column('percent', '%'),
      column('ratio', 'Ratio'),
      column('p_holm', 'p (Holm)'),
      column('p_ranks', 'p (ranks)'),
      column('verdict', '', false),
      column('n', 'n'),
    ],
    rows: comparisons.map(rowOf),
    notes: notesOf(comparisons),
  }
}

function rowOf(comparison: Comparison): Cell[] {
  const id = comparison.id as MetricId
  const { welch, mann_whitney: ranks, verdict, percent, ratio } = comparison
  const interval =
    welch === null
      ? UNKNOWN_CELL
      : textCell(`${figure(id, welch.ci95_low).text} … ${figure(id, welch.ci95_high).text}`)
  return [
    textCell(metricLabel(id)),
    figure(id, comparison.mean_baseline),
    figure(id, comparison.mean_candidate),
    figure(id, comparison.difference),
    interval,
    percent === null
      ? UNKNOWN_CELL
      : { value: percent, text: `${percent > 0 ? '+' : ''}${percent.toFixed(1)}` },
    ratio === null ? UNKNOWN_CELL : { value: ratio, text: ratio.toFixed(2) },
    pCell(comparison.p_holm),
    pCell(ranks?.p ?? null),
    textCell(verdict === null ? '' : verdict),
    textCell(`${comparison.n_baseline}, ${comparison.n_candidate}`),
  ]
}

function pCell(p: number | null): Cell {
  return p === null ? UNKNOWN_CELL : { value: p, text: p < 0.001 ? '< 0.001' : p.toFixed(3) }
}

function notesOf(comparisons: readonly Comparison[]): string[] {
  const notes = ['~: no difference was shown, which does not say that there is none.']
  const kinds = Object.entries(COMPARISON_WARNINGS)
  for (const [kind, sentence] of kinds) {
    const concerned = comparisons.filter(({ warnings }) => warnings.some((warning) => warning === kind))
    if (concerned.length === 0) continue
    const labels = concerned.map(({ id }) => metricLabel(id as MetricId)).join(', ')
    notes.push(`${concerned.length === comparisons.length ? 'All metrics' : labels}: ${sentence}`)
  }
  return notes
}
