import { dot, gridX, type Markish, type PlotOptions, ruleX, ruleY } from '@observablehq/plot'
import { metricLabel } from '../report/metric-text.ts'
import { runOf } from '../report/metrics-of.ts'
import type { GroupReport, MigrationReport } from '../report/model.ts'
import type { MetricId } from '../stats/metrics.ts'
import { dataSheet } from './by-factor.ts'
import { type Canvas, type Figure, fileStem } from './figure.ts'
import { levelsText, metricOf } from './groups.ts'
import { type LegendItem, legend } from './legend.ts'
import { DIRTY_COLOUR, RATE_COLOUR } from './palette.ts'
import { factorLabel, labelMargin } from './phase-bars.ts'
import { axisUnit } from './scale.ts'
import { belowAxis, chart, shortened, stacked } from './svg.ts'

interface Value {
  readonly group: number
  readonly value: number
  readonly outlier: boolean
  /** Where it is drawn across its row, −½ … ½, so that equal values do not hide each other. */
  readonly across: number
  readonly title: string
}

/** All values of a metric, group by group, with the median, the mean and its 95 % interval.
 *  @returns null where the metric is unknown */
export function distribution(
  groups: readonly GroupReport[],
  migrations: readonly MigrationReport[],
  metric: MetricId,
): Figure | null {
  if (groups.every((group) => metricOf(group, metric) === null)) return null
  const figure: Figure = {
    id: `${fileStem(metric)}-distribution`,
    title: `${metricLabel(metric)}: all values`,
    description:
      'A row for each group: a dot for each completed migration, the median as a stroke, the mean with its 95 % confidence interval below. Hollow dots are flagged as outliers and count like all others.',
    data: dataSheet(groups, metric),
    draw: (canvas) => draw(canvas, figure, groups, migrations, metric),
  }
  return figure
}

/** The migrations of a group that count, with the values that its figures are made of. */
function valuesOf(
  group: GroupReport,
  index: number,
  migrations: readonly MigrationReport[],
  metric: MetricId,
  scale: number,
): Value[] {
  const outliers = new Set(metricOf(group, metric)?.outliers ?? [])
  return migrations.flatMap((migration, place) => {
    const value = runOf(migration).metrics[metric] ?? null
    if (value === null || migration.outcome !== 'completed' || !isIn(migration, group)) return []
    return [
      {
        group: index,
        value: value * scale,
        outlier: outliers.has(place),
        across: spread(place),
        title: `migration ${place + 1}: ${(value * scale).toPrecision(5)}`,
      },
    ]
  })
}

function isIn({ factors }: MigrationReport, { key }: GroupReport): boolean {
  return Object.entries(key).every(
    ([name, level]) => (Object.hasOwn(factors, name) ? (factors[name] ?? null) : null) === level,
  )
}

/** A sequence that fills an interval evenly, however much of it is taken. @see van der Corput 1935 */
function spread(index: number): number {
  let [rest, weight, sum] = [index + 1, 0.5, 0]
  while (rest > 0) {
    sum += (rest % 2) * weight
    rest = Math.floor(rest / 2)
    weight /= 2
  }
  return sum - 0.5
}

const ROW = 40

function draw(
  canvas: Canvas,
  figure: Figure,
  groups: readonly GroupReport[],
  migrations: readonly MigrationReport[],
  metric: MetricId,
): SVGSVGElement {
  const largest = Math.max(...groups.map((group) => metricOf(group, metric)?.max ?? 0))
  const { factor: scale, unit } = axisUnit(metric, metric === 'wire_bytes' ? 'B' : 's', largest)
  const values = groups.flatMap((group, index) => valuesOf(group, index, migrations, metric, scale))
  const summaries = groups.flatMap((group, index) => summaryOf(group, index, metric, scale))
  const marginLeft = labelMargin(canvas, groups)
  const options: PlotOptions = {
    width: canvas.width,
    height: groups.length * ROW + 66,
    marginLeft,
    marginRight: 20,
    marginTop: 20,
    marginBottom: 42,
    x: {
      nice: true,
      ...belowAxis(`${metricLabel(metric).replace(/ \((?:ms|B)\)$/, '')} (${unit})`),
    },
    y: {
      domain: [groups.length - 0.5, -0.5],
      ...factorLabel(groups, marginLeft),
      tickSize: 0,
      ticks: groups.map((_, index) => index),
      tickFormat: (index: number) => shortened(levelsText(groups[index]?.key ?? {}), marginLeft - 10),
    },
    marks: [gridX(), valueDots(values), ...summaryMarks(summaries)],
  }
  return stacked(canvas, figure, [legend(canvas, LEGEND, marginLeft), chart(canvas, options)])
}

interface Summary {
  readonly group: number
  readonly median: number | null
  readonly mean: number | null
  readonly low: number | null
  readonly high: number | null
}

function summaryOf(group: GroupReport, index: number, metric: MetricId, scale: number): Summary[] {
  const found = metricOf(group, metric)
  if (found === null) return []
  const scaled = (value: number | null) => (value === null ? null : value * scale)
  const [median, mean] = [scaled(found.median), scaled(found.mean)]
  return [{ group: index, median, mean, low: scaled(found.ci95_low), high: scaled(found.ci95_high) }]
}

/** Dots fill the upper part of a row, what sums them up is below. */
function valueDots(values: readonly Value[]): Markish {
  return dot(values, {
    x: 'value',
    y: ({ group, across }: Value) => group - 0.12 + across * 0.5,
    r: 2.5,
    fill: ({ outlier }: Value) => (outlier ? 'none' : RATE_COLOUR),
    stroke: RATE_COLOUR,
    fillOpacity: 0.5,
    strokeOpacity: 0.8,
    title: 'title',
  })
}

function summaryMarks(summaries: readonly Summary[]): Markish[] {
  const bounded = summaries.filter(({ low }) => low !== null)
  const below = ({ group }: Summary): number => group + 0.3
  return [
    ruleY(bounded, { x1: 'low', x2: 'high', y: below, stroke: DIRTY_COLOUR, strokeWidth: 2 }),
    dot(summaries, { x: 'mean', y: below, symbol: 'diamond', fill: DIRTY_COLOUR, r: 4 }),
    ruleX(summaries, {
      x: 'median',
      y1: ({ group }: Summary) => group - 0.4,
      y2: ({ group }: Summary) => group + 0.16,
      strokeWidth: 2,
    }),
  ]
}

const LEGEND: readonly LegendItem[] = [
  { label: 'one migration', colour: RATE_COLOUR, symbol: 'circle' },
  { label: 'median', colour: 'currentColor', symbol: 'line' },
  { label: 'mean and 95 % interval', colour: DIRTY_COLOUR, symbol: 'diamond' },
]
