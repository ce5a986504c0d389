import { type Effect, kruskalWallis, oneWayAnova, twoWayAnova } from '../stats/anova.ts'
import { partitionRuns, type Run, sampleOf } from '../stats/group.ts'
import type { MetricId } from '../stats/metrics.ts'
import { metricLabel } from './metric-text.ts'
import { column, numberCell, type Sheet, textCell, UNKNOWN_CELL } from './sheet.ts'

/** Below this p a factor is said to matter. */
const ALPHA = 0.05

/** Which metrics depend on which factors: analyses of variance, one-way for one factor, two-way with interaction for two.
 *  @see docs/statistics.md */
export function anovaSheets(
  runs: readonly Run[],
  names: readonly string[],
  metrics: readonly MetricId[],
): Sheet[] {
  const [first, second] = names
  if (first === undefined) return []
  return metrics.map((metric) =>
    second === undefined || names.length > 2
      ? oneWaySheet(runs, names, metric)
      : twoWaySheet(runs, first, second, metric),
  )
}

interface Finding {
  readonly source: string
  readonly effect: Effect | null
}

function sheet(metric: MetricId, findings: readonly Finding[], notes: readonly string[]): Sheet {
  return {
    title: `${metricLabel(metric)}: analysis of variance`,
    columns: [
      column('source', 'Factor', false),
      column('f', 'F'),
      column('df', 'df'),
      column('p', 'p'),
      column('eta_squared', 'η²'),
    ],
    rows: findings.map(({ source, effect }) => [
      textCell(source),
      numberCell(effect?.f ?? null, 2),
      numberCell(effect?.df ?? null, 0),
      pCell(effect?.p ?? null),
      numberCell(effect?.eta_squared ?? null, 2),
    ]),
    notes: [sentence(metric, findings), ...notes],
  }
}

function pCell(p: number | null) {
  return p === null ? UNKNOWN_CELL : { value: p, text: pText(p) }
}

function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}

/** Such as "Transfer depends on flavor (p < 0.001, η² 0.93), not on load (p 0.412)." */
function sentence(metric: MetricId, findings: readonly Finding[]): string {
  const told = findings.filter(({ effect }) => effect?.p != null)
  const text = ({ source, effect }: Finding): string => {
    const p = effect?.p ?? 1
    return `${source} (p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}, η² ${(effect?.eta_squared ?? 0).toFixed(2)})`
  }
  const yes = told.filter(({ effect }) => (effect?.p ?? 1) < ALPHA).map(text)
  const no = told.filter(({ effect }) => (effect?.p ?? 1) >= ALPHA).map(text)
  const label = metricLabel(metric)
  if (told.length === 0) return `${label}: nothing can be told; every group needs runs that differ.`
  if (yes.length === 0) return `${label} was not shown to depend on ${no.join(' or ')}.`
  return `${label} depends on ${yes.join(' and ')}${no.length === 0 ? '' : `, not shown for ${no.join(' or ')}`}.`
}

function oneWaySheet(runs: readonly Run[], names: readonly string[], metric: MetricId): Sheet {
  const samples = partitionRuns(runs, names).map((group) => sampleOf(group, metric).values)
  const analysis = oneWayAnova(samples)
  const ranks = kruskalWallis(samples)
  const notes = ranks === null ? [] : [`Kruskal–Wallis, by ranks: p ${pText(ranks.p)}.`]
  return sheet(metric, [{ source: names.join(' × '), effect: analysis?.between ?? null }], notes)
}

function twoWaySheet(runs: readonly Run[], a: string, b: string, metric: MetricId): Sheet {
  const groups = partitionRuns(runs, [a, b])
  const analysis = twoWayAnova(
    groups.flatMap((group) =>
      sampleOf(group, metric).values.map((value) => ({
        a: group.key[a] ?? '',
        b: group.key[b] ?? '',
        value,
      })),
    ),
  )
  if (analysis === null) return oneWaySheet(runs, [a, b], metric)
  const notes = [
    analysis.balanced
      ? 'Balanced: every combination has the same number of runs.'
      : `Not balanced: sums of squares of type II${analysis.empty_cells === 0 ? '' : `; ${analysis.empty_cells} combinations have no run`}.`,
  ]
  const ranks = kruskalWallis(groups.map((group) => sampleOf(group, metric).values))
  if (ranks !== null) notes.push(`Kruskal–Wallis over all combinations, by ranks: p ${pText(ranks.p)}.`)
  return sheet(
    metric,
    [
      { source: a, effect: analysis.a },
      { source: b, effect: analysis.b },
      { source: `${a} × ${b}`, effect: analysis.interaction },
    ],
    notes,
  )
}
