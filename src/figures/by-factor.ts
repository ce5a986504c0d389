import { dot, gridY, line, type Markish, type PlotOptions, ruleX } from '@observablehq/plot'
import { printable } from '../report/format.ts'
import { groupName } from '../report/group-name.ts'
import { figure as metricCell, metricLabel } from '../report/metric-text.ts'
import type { GroupReport } from '../report/model.ts'
import { column, numberCell, type Sheet, textCell } from '../report/sheet.ts'
import type { MetricId } from '../stats/metrics.ts'
import { naturalOrder } from '../stats/natural-order.ts'
import { type Canvas, type Figure, fileStem } from './figure.ts'
import { factorsOf, levelsText, levelText, metricOf } from './groups.ts'
import { legend } from './legend.ts'
import { type SeriesStyle, seriesStyle } from './palette.ts'
import { axisUnit } from './scale.ts'
import { belowAxis, chart, shortened, stacked, textWidth } from './svg.ts'

/** More lines than this in a picture nobody tells apart. */
const SERIES_MAX = 24

interface Point {
  readonly level: string
  readonly mean: number
  /** Of the 95 % interval; null with fewer than two values. */
  readonly low: number | null
  readonly high: number | null
  readonly n: number
}

interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

/** A metric against a factor: mean and 95 % interval at each level, a line for each level of the other factors.
 *  @returns null where the metric is unknown, the factor has one level, or there would be too many lines */
export function metricByFactor(
  groups: readonly GroupReport[],
  metric: MetricId,
  factor: string,
): Figure | null {
  const levels = [...new Set(groups.map(({ key }) => key[factor] ?? null))].sort(naturalOrder).map(levelText)
  const series = seriesOf(groups, metric, factor)
  if (levels.length < 2 || series.length === 0 || series.length > SERIES_MAX) return null
  const others = factorsOf(groups).filter((name) => name !== factor)
  const figure: Figure = {
    id: `${fileStem(metric)}-by-${fileStem(factor)}`,
    title: printable(`${labelWithoutUnit(metric)} by ${factor}`),
    description: printable(
      `Mean and 95 % confidence interval at each level of ${factor}${others.length === 0 ? '' : `, a line for each ${others.join(' and ')}`}. The vertical axis need not begin at 0.`,
    ),
    data: dataSheet(groups, metric),
    draw: (canvas) => draw(canvas, figure, { metric, factor, levels, series, others }),
  }
  return figure
}

function labelWithoutUnit(metric: MetricId): string {
  return metricLabel(metric).replace(/ \([^()]*\)$/, (unit) => (unit === ' (libvirt)' ? unit : ''))
}

function seriesOf(groups: readonly GroupReport[], metric: MetricId, factor: string): Series[] {
  const series = new Map<string, Point[]>()
  for (const group of groups) {
    const found = metricOf(group, metric)
    if (found === null || found.mean === null) continue
    const { [factor]: level = null, ...rest } = group.key
    const name = Object.keys(rest).length === 0 ? '' : levelsText(rest)
    const points = series.get(name) ?? []
    series.set(name, points)
    const { mean, n, ci95_low: low, ci95_high: high } = found
    points.push({ level: levelText(level), mean, low, high, n })
  }
  return [...series].map(([name, points]) => ({ name, points }))
}

/** The groups with the metric's figures. */
export function dataSheet(groups: readonly GroupReport[], metric: MetricId): Sheet {
  return {
    title: metricLabel(metric),
    columns: [
      column('group', 'Group', false),
      column('n', 'n'),
      column('mean', 'Mean'),
      column('ci95_low', '95% CI from'),
      column('ci95_high', 'to'),
      column('median', 'Median'),
      column('min', 'Least'),
      column('max', 'Largest'),
    ],
    rows: groups.flatMap((group) => {
      const found = metricOf(group, metric)
      if (found === null) return []
      return [
        [
          textCell(groupName(group.key)),
          numberCell(found.n, 0),
          ...([found.mean, found.ci95_low, found.ci95_high, found.median, found.min, found.max] as const).map(
            (value) => metricCell(metric, value),
          ),
        ],
      ]
    }),
    notes: [],
  }
}

interface Content {
  readonly metric: MetricId
  readonly factor: string
  readonly levels: readonly string[]
  readonly series: readonly Series[]
  readonly others: readonly string[]
}

/** Pixels between the bars of series at the same level. */
const APART = 7

function draw(canvas: Canvas, figure: Figure, content: Content): SVGSVGElement {
  const { metric, factor, levels, series, others } = content
  const values = series.flatMap(({ points }) => points.flatMap(({ mean, low, high }) => [mean, low, high]))
  const known = values.filter((value) => value !== null)
  const unitOf = metric === 'wire_bytes' ? 'B' : 's'
  const { factor: scale, unit } = axisUnit(metric, unitOf, Math.max(...known))
  const band = (canvas.width - 90) / levels.length
  const apart = Math.min(APART, (0.6 * band) / Math.max(1, series.length))
  const options: PlotOptions = {
    width: canvas.width,
    height: 280,
    marginLeft: LEFT,
    marginRight: 24,
    marginTop: 26,
    marginBottom: 42,
    x: {
      type: 'point',
      domain: levels,
      padding: 0.5,
      ...belowAxis(shortened(printable(factor), canvas.width - 90)),
      tickFormat: (level: string) => shortened(level, band - 4),
    },
    y: {
      domain: rangeOf(known.map((value) => value * scale)),
      nice: true,
      label: `${shortened(labelWithoutUnit(metric), canvas.width - 120)} (${unit})`,
      labelArrow: 'none',
      ticks: 6,
    },
    marks: [
      gridY(),
      ...series.flatMap((one, index) =>
        seriesMarks(one, metric, {
          ...seriesStyle(index),
          scale,
          dx: (index - (series.length - 1) / 2) * apart,
          capWidth: Math.min(8, Math.max(4, apart)),
        }),
      ),
    ],
  }
  return stacked(canvas, figure, [...seriesLegend(canvas, series, others), chart(canvas, options)])
}

/** Pixels, for the labels of the vertical axis. */
const LEFT = 66

/** None for a single line. */
function seriesLegend(canvas: Canvas, series: readonly Series[], others: readonly string[]): SVGSVGElement[] {
  if (series.length < 2) return []
  const items = series.map(({ name }, index) => ({ label: name, ...seriesStyle(index) }))
  return [
    legend(
      canvas,
      items.map((item, index) => (index === 0 ? named(item, others) : item)),
      LEFT,
    ),
  ]
}

/** The first entry of the legend says what the entries are. */
function named<T extends { readonly label: string }>(item: T, others: readonly string[]): T {
  const name = printable(others.join(' · '))
  return textWidth(name) > 160 ? item : { ...item, label: `${name} ${item.label}` }
}

/** As the tables print it, with the unit in the label of the figure. */
function pointText(metric: MetricId, { mean, low, high }: Point): string {
  const text = (value: number) => metricCell(metric, value).text
  return low === null || high === null ? text(mean) : `${text(mean)} (${text(low)} … ${text(high)})`
}

/** A little more than the values take; something around a single one. */
function rangeOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const room = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 1
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room]
}

interface SeriesLook extends SeriesStyle {
  /** From the metric's unit to that of the axis. */
  readonly scale: number
  /** Pixels beside the level's place. */
  readonly dx: number
  /** Pixels. */
  readonly capWidth: number
}

function seriesMarks({ name, points }: Series, metric: MetricId, look: SeriesLook): Markish[] {
  const { colour, symbol, scale, dx, capWidth } = look
  const scaled = points.map((point) => ({
    level: point.level,
    mean: point.mean * scale,
    low: point.low === null ? null : point.low * scale,
    high: point.high === null ? null : point.high * scale,
    title: `${name === '' ? '' : `${name}, `}${point.level}: ${pointText(metric, point)}, n = ${point.n}`,
  }))
  const bounded = scaled.filter(({ low }) => low !== null)
  const bar = { x: 'level', stroke: colour, strokeWidth: 1.5, dx }
  return [
    line(scaled, { x: 'level', y: 'mean', stroke: colour, strokeOpacity: 0.5, dx }),
    ruleX(bounded, { ...bar, y1: 'low', y2: 'high' }),
    // A point scale has no bands: ticks would be as wide as nothing.
    dot(bounded, { ...bar, y: 'low', symbol: CAP, r: capWidth / 2 }),
    dot(bounded, { ...bar, y: 'high', symbol: CAP, r: capWidth / 2 }),
    dot(scaled, { x: 'level', y: 'mean', fill: colour, symbol, r: 3.5, dx, title: 'title' }),
  ]
}

/** End of an interval's bar. @param size area of the symbol */
const CAP = {
  draw(context: { moveTo(x: number, y: number): void; lineTo(x: number, y: number): void }, size: number) {
    const half = Math.sqrt(size / Math.PI)
    context.moveTo(-half, 0)
    context.lineTo(half, 0)
  },
}
