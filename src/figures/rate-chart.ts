import { areaY, gridY, line, type Markish, ruleY, text } from '@observablehq/plot'
import { formatBitRate } from '../report/format.ts'
import type { MigrationReport, ThroughputReport } from '../report/model.ts'
import { DIRTY_COLOUR, RATE_COLOUR, STORAGE_COLOUR } from './palette.ts'
import { axisUnit } from './scale.ts'
import { chart } from './svg.ts'
import { axisMarks, clipped, common, type Domain, type Frame, type Stretch, within } from './time-frame.ts'

/** Payload over time. */
export interface Rate {
  readonly label: string
  readonly binS: number
  readonly colour: string
  readonly points: readonly { readonly at: number; readonly bps: number }[]
}

/** How fast the guest dirtied memory, in one round. */
export interface DirtyRate extends Stretch {
  readonly bps: number
}

/** More bins than this in a picture nobody sees: neighbours are drawn as their mean. */
const BINS_MAX = 600

export function ratesOf({ transfer, storage }: MigrationReport): Rate[] {
  const [memory, disks] = [transfer.throughput, storage?.throughput ?? null]
  const rates = [
    disks === null ? null : rateOf('storage', STORAGE_COLOUR, disks),
    memory === null ? null : rateOf('memory to the destination', RATE_COLOUR, memory),
  ]
  return rates.filter((rate) => rate !== null)
}

/** The level from each bin's start on, to the end of the last one. */
function rateOf(
  label: string,
  colour: string,
  { start_s, bin_s, to_destination_bps: bins }: ThroughputReport,
): Rate {
  const together = Math.ceil(bins.length / BINS_MAX)
  const binS = together * bin_s
  const points: { at: number; bps: number }[] = []
  for (let first = 0; first < bins.length; first += together) {
    const some = bins.slice(first, first + together)
    points.push({ at: start_s + first * bin_s, bps: some.reduce((sum, bps) => sum + bps, 0) / some.length })
  }
  points.push({ at: start_s + bins.length * bin_s, bps: points.at(-1)?.bps ?? 0 })
  return { label, colour, binS, points }
}

/** The widest, where there are several. */
function binOf(rates: readonly Rate[]): number {
  return Math.max(...rates.map(({ binS }) => binS))
}

export function dirtyRatesOf({ transfer: { rounds } }: MigrationReport): DirtyRate[] {
  return (rounds ?? []).flatMap(({ start_s, end_s, dirty_rate_bps }) =>
    dirty_rate_bps === null ? [] : [{ from: start_s, to: end_s, bps: dirty_rate_bps }],
  )
}

/** Dirty rates beyond that many times the highest rate of the payload are written at the top, not drawn. */
const ABOVE_PEAK_MAX = 2

/** Payload over time as areas, dirty rates as strokes over their rounds. */
export function rateChart(frame: Frame, rates: readonly Rate[], dirty: readonly DirtyRate[]): SVGSVGElement {
  const peak = largestOf(rates.flatMap(({ points }) => points))
  const dirtied = dirty.filter(within(frame.domain)).map(clipped(frame.domain))
  // One short round may be far above all else, which would then lie flat.
  const shown = dirtied.filter(({ bps }) => bps <= ABOVE_PEAK_MAX * peak)
  const above = dirtied.filter(({ bps }) => bps > ABOVE_PEAK_MAX * peak)
  const top = Math.max(peak, largestOf(shown)) * (above.length > 0 ? 1.15 : 1)
  const { factor, unit } = axisUnit('rate', 'bit/s', top)
  return chart(frame.canvas, {
    ...common(frame, true),
    height: 150,
    marginTop: 22,
    y: {
      domain: [0, top * factor || 1],
      nice: true,
      ticks: 4,
      label: `Payload (${unit}), means over ${binOf(rates)} s`,
      labelArrow: 'none',
    },
    marks: [
      ...axisMarks(frame, true),
      gridY({ ticks: 4 }),
      ...rates.flatMap((rate) => areaMarks(rate, frame.domain, factor)),
      ...dirtyMarks(shown, above, top, factor),
      ruleY([0]),
    ],
  })
}

function largestOf(rates: readonly { readonly bps: number }[]): number {
  return rates.reduce((largest, { bps }) => Math.max(largest, bps), 0)
}

function areaMarks({ points, colour }: Rate, domain: Domain, factor: number): Markish[] {
  const scaled = clippedSteps(points, domain).map(({ at, bps }) => ({ at, rate: bps * factor }))
  return [
    areaY(scaled, { x: 'at', y: 'rate', fill: colour, fillOpacity: 0.35, curve: 'step-after' }),
    line(scaled, { x: 'at', y: 'rate', stroke: colour, strokeWidth: 1.5, curve: 'step-after' }),
  ]
}

function dirtyMarks(
  shown: readonly DirtyRate[],
  above: readonly DirtyRate[],
  top: number,
  factor: number,
): Markish[] {
  return [
    ruleY(shown, {
      x1: 'from',
      x2: 'to',
      y: ({ bps }: DirtyRate) => bps * factor,
      stroke: DIRTY_COLOUR,
      strokeWidth: 2,
      strokeDasharray: '4 2',
    }),
    text(above, {
      x: ({ from, to }: DirtyRate) => (from + to) / 2,
      y: top * factor,
      text: ({ bps }: DirtyRate) => `↑ ${formatBitRate(bps)}`,
      fill: 'currentColor',
      dy: 5,
    }),
  ]
}

/** The part of a line of steps that lies in the domain, with the level at its edges. */
function clippedSteps(points: Rate['points'], [start, end]: Domain): Rate['points'] {
  const inside = points.filter(({ at }) => at > start && at < end)
  const before = points.findLast(({ at }) => at <= start)
  const goesOn = points.some(({ at }) => at >= end)
  const levels = before === undefined ? inside : [{ at: start, bps: before.bps }, ...inside]
  const last = levels.at(-1)
  if (last === undefined || levels.length + (goesOn ? 1 : 0) < 2) return []
  return goesOn ? [...levels, { at: end, bps: last.bps }] : levels
}
