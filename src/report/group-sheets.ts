import type { CiMethod } from '../stats/describe.ts'
import { partitionRuns, type Run, sampleOf } from '../stats/group.ts'
import { METRICS, type MetricId } from '../stats/metrics.ts'
import { factorTable, shareTable } from '../stats/tables.ts'
import { variability } from '../stats/variability.ts'
import { groupName } from './group-name.ts'
import { figure, labelOf, metricLabel } from './metric-text.ts'
import type { GroupReport, MetricReport } from './model.ts'
import { type Cell, column, numberCell, type Sheet, textCell, UNKNOWN_CELL } from './sheet.ts'

/** Rows of the published layout, in its order. */
const PUBLISHED: readonly MetricId[] = METRICS.map(({ id }) => id).filter(
  (id) => id !== 'wire_bytes' && id !== 'unattributed',
)

/** The published layout: a row for each phase and total, with mean, standard deviation, 95 % interval and variation.
 *  Values that machines read stay in the metric's own unit. */
export function groupSheet({ key, migrations, failed, metrics }: GroupReport): Sheet {
  const rows = PUBLISHED.flatMap((id) => metrics.find((metric) => metric.id === id && metric.n > 0) ?? [])
  const left = failed === 0 ? '' : `, ${failed} of them not completed and left out`
  return {
    title: `${groupName(key)}: ${migrations} migration${migrations === 1 ? '' : 's'}${left}`,
    columns: [
      column('label', 'Phase', false),
      column('mean', 'Mean'),
      column('sd', 'Standard deviation'),
      column('ci95_half_width', '95% CI'),
      column('cov', 'CoV (%)'),
      column('n', 'n'),
    ],
    rows: rows.map((metric) => [
      textCell(labelOf(metric.id, metric.label)),
      figure(metric.id, metric.mean),
      figure(metric.id, metric.sd),
      figure(metric.id, metric.ci95_half_width),
      percent(metric.cov),
      numberCell(metric.n, 0),
    ]),
    notes: outlierNotes(rows),
  }
}

function percent(fraction: number | null): Cell {
  return fraction === null ? UNKNOWN_CELL : { value: fraction, text: (100 * fraction).toFixed(2) }
}

function outlierNotes(metrics: readonly MetricReport[]): string[] {
  const flagged = metrics.filter(({ outliers }) => outliers.length > 0)
  if (flagged.length === 0) return []
  const list = flagged.map(({ label, outliers }) => `${label} ${outliers.length}`).join(', ')
  return [`Outliers (beyond 1.5 interquartile ranges; counted in all figures): ${list}.`]
}

/** Share of the total that each phase takes, a column a group: the studies' stacked bars as numbers. */
export function sharesSheet(groups: readonly GroupReport[]): Sheet {
  const table = shareTable(groups)
  return {
    title: 'Share of the total migration time (%)',
    columns: [
      column('label', 'Phase', false),
      ...table.columns.map((key, index) => column(`group_${index + 1}`, groupName(key))),
    ],
    rows: table.rows
      .filter(({ shares }) => shares.some((share) => share !== null))
      .map(({ label, shares }) => [textCell(label), ...shares.map(percent)]),
    notes: [],
  }
}

/** One metric by two factors: mean and 95 % interval in each cell. */
export function factorSheet(
  runs: readonly Run[],
  [rowFactor, columnFactor]: readonly [string, string],
  metric: MetricId,
  ci: CiMethod,
): Sheet {
  const table = factorTable(runs, rowFactor, columnFactor, metric, ci)
  return {
    title: `${metricLabel(metric)} by ${rowFactor} (rows) and ${columnFactor} (columns): mean ± 95% CI`,
    columns: [
      column(rowFactor, rowFactor, false),
      ...table.columns.map((level) => column(`${columnFactor}_${level ?? ''}`, level ?? '–')),
    ],
    rows: table.rows.map((level, row) => [
      textCell(level ?? '–'),
      ...(table.cells[row] ?? []).map(({ mean, ci95_half_width }) => {
        const text = `${figure(metric, mean).text} ± ${figure(metric, ci95_half_width).text}`
        return mean === null ? UNKNOWN_CELL : { value: mean, text }
      }),
    ]),
    notes: [],
  }
}

/** How much each metric depends on what is varied, and how much on chance.
 *  @see Salfner, Tröger & Polze 2011, table II */
export function variabilitySheet(
  runs: readonly Run[],
  names: readonly string[],
  metrics: readonly MetricId[],
): Sheet {
  const groups = partitionRuns(runs, names)
  return {
    title: `Variability over ${groups.length} treatments (${names.join(' × ')})`,
    columns: [
      column('label', 'Metric', false),
      column('mean', 'Mean'),
      column('max_min_ratio_of_treatment_means', 'Max:min of means'),
      column('max_min_ratio_overall', 'Max:min overall'),
      column('treatment_max_sd', 'Largest treatment SD'),
      column('overall_sd', 'Overall SD'),
      column('n', 'n'),
    ],
    rows: metrics.map((id) => {
      const of = variability(groups.map((group) => sampleOf(group, id).values))
      return [
        textCell(metricLabel(id)),
        figure(id, of.mean),
        numberCell(of.max_min_ratio_of_treatment_means, 2),
        numberCell(of.max_min_ratio_overall, 2),
        figure(id, of.treatment_max_sd),
        figure(id, of.overall_sd),
        numberCell(of.n, 0),
      ]
    }),
    notes: [],
  }
}
