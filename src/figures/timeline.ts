import { formatSeconds, printable } from '../report/format.ts'
import type { MigrationReport } from '../report/model.ts'
import { column, numberCell, type Sheet, textCell } from '../report/sheet.ts'
import { guestOf, wayOf } from '../report/title.ts'
import { type Canvas, type Figure, fileStem } from './figure.ts'
import { isShown, laneChart, SYMBOLS } from './lane-chart.ts'
import { type Instant, type Lane, lanesOf } from './lanes.ts'
import { type LegendItem, legend } from './legend.ts'
import { DIRTY_COLOUR, DOWNTIME_COLOUR } from './palette.ts'
import { dirtyRatesOf, type Rate, rateChart, ratesOf } from './rate-chart.ts'
import { stacked, textWidth } from './svg.ts'
import type { Domain, Frame } from './time-frame.ts'

/** The part of a migration that a timeline shows. */
export type TimelineView = 'whole' | 'transfer' | 'downtime'

const VIEW_NAMES: Readonly<Record<TimelineView, string>> = {
  whole: '',
  transfer: 'Transfer of ',
  downtime: 'Downtime of ',
}

/** One migration on one axis of time: phases with their inner instants, rounds, downtime, and throughput.
 *  @param number of the migration in the report, from 1
 *  @returns null where there is nothing to show, or nothing more than the whole does */
export function timeline(
  migration: MigrationReport,
  number: number,
  view: TimelineView = 'whole',
): Figure | null {
  const lanes = lanesOf(migration)
  const domain = domainOf(migration, lanes, view)
  if (domain === null) return null
  const suffix = view === 'whole' ? '' : `-${view}`
  const figure: Figure = {
    id: `timeline-${fileStem(guestOf(migration))}-${number}${suffix}`,
    title: printable(
      `${VIEW_NAMES[view]}${guestOf(migration)}${view === 'whole' ? `, ${wayOf(migration)}` : ''}`,
    ),
    description:
      'A row for each phase, with the instants inside it as dots; rows for rounds and downtime where they are known; below, payload over time. The axis counts seconds after the first packet of the capture.',
    data: dataSheet(lanes),
    draw: (canvas) => draw(canvas, figure, migration, lanes, domain),
  }
  return figure
}

function domainOf(migration: MigrationReport, lanes: readonly Lane[], view: TimelineView): Domain | null {
  const whole = wholeOf(lanes)
  if (whole === null || view === 'whole') return whole === null ? null : widened(whole, 0.02)
  const { stream } = migration.downtime
  const transfer = migration.phases.find(({ id }) => id === 'transfer')
  const [from, to] =
    view === 'transfer'
      ? [transfer?.start.time_s ?? null, transfer?.end.time_s ?? null]
      : [stream.start?.lower_s ?? null, stream.end?.upper_s ?? null]
  if (from === null || to === null || to <= from) return null
  // A part that is most of the whole needs no picture of its own.
  return to - from > 0.5 * (whole[1] - whole[0])
    ? null
    : widened([from, to], view === 'transfer' ? 0.08 : 0.4)
}

function wholeOf(lanes: readonly Lane[]): Domain | null {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { spans, instants } of lanes) {
    for (const span of spans) [from, to] = [Math.min(from, span.from), Math.max(to, span.to)]
    for (const instant of instants) [from, to] = [Math.min(from, instant.at), Math.max(to, instant.at)]
  }
  return from <= to ? [from, to] : null
}

function widened([from, to]: Domain, part: number): Domain {
  const room = (to - from) * part || 0.01
  return [from - room, to + room]
}

function dataSheet(lanes: readonly Lane[]): Sheet {
  return {
    title: 'What the timeline shows',
    columns: [
      column('row', 'Row', false),
      column('from_s', 'From (s)'),
      column('to_s', 'To (s)'),
      column('evidence', 'Evidence', false),
    ],
    rows: lanes.flatMap(({ label, spans, instants }) => [
      ...spans.map((span) => [
        textCell(label),
        secondsCell(span.from),
        secondsCell(span.to),
        textCell(inline(span.evidence)),
      ]),
      ...instants.map((instant) => [
        textCell(label),
        secondsCell(instant.at),
        secondsCell(instant.at),
        textCell(inline(instant.evidence)),
      ]),
    ]),
    notes: [],
  }
}

function secondsCell(value: number) {
  return { ...numberCell(value, 6), text: formatSeconds(value) }
}

function inline(lines: string): string {
  return lines.replaceAll('\n', '; ')
}

function draw(
  canvas: Canvas,
  figure: Figure,
  migration: MigrationReport,
  all: readonly Lane[],
  domain: Domain,
): SVGSVGElement {
  const longest = Math.max(...all.map(({ label }) => textWidth(label)))
  const marginLeft = Math.ceil(Math.min(Math.max(66, longest + 12), canvas.width / 3))
  const frame: Frame = { canvas, domain, marginLeft, downtime: downtimeOf(migration) }
  const rates = ratesOf(migration)
  const dirty = dirtyRatesOf(migration)
  const lanes = all.filter((lane) => isShown(lane, domain))
  const parts = [legend(canvas, legendOf(lanes, rates, dirty.length > 0, frame), marginLeft)]
  parts.push(laneChart(frame, lanes, rates.length === 0))
  if (rates.length > 0) parts.push(rateChart(frame, rates, dirty))
  return stacked(canvas, figure, parts)
}

function downtimeOf({ downtime: { stream } }: MigrationReport): Frame['downtime'] {
  const { start, end, duration_s } = stream
  return start === null || end === null || duration_s === null ? [] : [{ from: start.time_s, to: end.time_s }]
}

function legendOf(
  lanes: readonly Lane[],
  rates: readonly Rate[],
  dirty: boolean,
  { downtime }: Frame,
): LegendItem[] {
  const has = (kind: Instant['kind']) =>
    lanes.some(({ instants }) => instants.some((one) => one.kind === kind))
  const items: (LegendItem | null)[] = [
    has('marker') ? { label: 'instant inside', colour: 'currentColor', symbol: SYMBOLS.marker } : null,
    has('open')
      ? { label: 'the other end was not seen', colour: 'currentColor', symbol: SYMBOLS.open }
      : null,
    has('announcement')
      ? { label: 'RARP of the guest', colour: 'currentColor', symbol: SYMBOLS.announcement }
      : null,
    has('reply')
      ? { label: 'ping replies around the gap', colour: 'currentColor', symbol: SYMBOLS.reply }
      : null,
    downtime.length > 0 ? { label: 'downtime', colour: DOWNTIME_COLOUR, symbol: 'box' } : null,
    ...rates.map(({ label, colour }): LegendItem => ({ label, colour, symbol: 'box' })),
    dirty ? { label: 'dirtied by the guest', colour: DIRTY_COLOUR, symbol: 'dashed' } : null,
  ]
  return items.filter((item) => item !== null)
}
