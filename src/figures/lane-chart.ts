import { barX, dot, type Markish, ruleY, text } from '@observablehq/plot'
import type { Instant, Lane, Span } from './lanes.ts'
import { DARK_COLOURS, DOWNTIME_COLOUR } from './palette.ts'
import { chart, shortened, textWidth } from './svg.ts'
import {
  axisMarks,
  clipped,
  common,
  type Domain,
  type Frame,
  type Stretch,
  secondWidth,
  within,
} from './time-frame.ts'

const ROW = 22

/** Symbols of instants. */
export const SYMBOLS = {
  marker: 'circle',
  announcement: 'triangle',
  reply: 'diamond',
  open: 'times',
} as const

/** A row with nothing in it is left out. */
export function isShown({ spans, instants }: Lane, domain: Domain): boolean {
  return (
    spans.some(within(domain)) ||
    instants.some((instant) => within(domain)({ from: instant.at, to: instant.at }))
  )
}

/** Rows of bars and marks over time. */
export function laneChart(frame: Frame, lanes: readonly Lane[], withAxis: boolean): SVGSVGElement {
  return chart(frame.canvas, {
    ...common(frame, withAxis),
    height: lanes.length * ROW + 14 + (withAxis ? 34 : 0),
    y: {
      domain: lanes.map((_, row) => row),
      label: null,
      tickSize: 0,
      padding: 0.25,
      tickFormat: (row: number) => shortened(lanes[row]?.label ?? '', frame.marginLeft - 8),
    },
    marks: [...axisMarks(frame, withAxis), ...spanMarks(frame, lanes), ...instantMarks(frame, lanes)],
    symbol: { type: 'identity' },
    r: { type: 'identity' },
  })
}

type InRow<T> = T & { readonly row: number }

function inRows<T>(lanes: readonly Lane[], pick: (lane: Lane) => readonly T[]): InRow<T>[] {
  return lanes.flatMap((lane, row) => pick(lane).map((each) => ({ ...each, row })))
}

function shownOf<T extends Stretch>(stretches: readonly T[], domain: Domain): T[] {
  return stretches.filter(within(domain)).map(clipped(domain))
}

/** Bars, with the texts in and beside them. */
function spanMarks(frame: Frame, lanes: readonly Lane[]): Markish[] {
  const { domain } = frame
  const perSecond = secondWidth(frame)
  const spans = shownOf(
    inRows(lanes, (lane) => lane.spans),
    domain,
  )
  const inside = spans.filter(
    (span) => span.inside !== null && (span.to - span.from) * perSecond > textWidth(span.inside) + 4,
  )
  const beside = spans.map((span) => besideOf(span, domain, perSecond))
  return [
    barX(spans, {
      y: 'row',
      x1: 'from',
      x2: 'to',
      fill: 'colour',
      stroke: 'currentColor',
      strokeWidth: 0.5,
      // The shortest is still seen.
      insetRight: -1,
      title: 'evidence',
    }),
    text(inside, {
      y: 'row',
      x: ({ from, to }: Span) => (from + to) / 2,
      text: 'inside',
      fill: ({ colour }: Span) => onColour(colour),
      pointerEvents: 'none',
    }),
    ...(['start', 'middle', 'end'] as const).map((anchor) =>
      text(
        beside.filter((each) => each.anchor === anchor),
        { y: 'row', x: 'x', text: 'text', fill: 'fill', textAnchor: anchor, dx: BESIDE[anchor] },
      ),
    ),
  ]
}

/** Pixels between a span and its text. */
const BESIDE = { start: 6, middle: 0, end: -6 } as const

/** Where the text beside a span goes: to the right, else to the left, else into it. */
function besideOf(span: InRow<Span>, [start, end]: Domain, perSecond: number) {
  const { row, from, to, colour } = span
  const label = span.beside ?? ''
  const needs = (textWidth(label) + 8) / perSecond
  const place = { row, text: label, fill: 'currentColor' }
  if (to + needs <= end) return { ...place, x: to, anchor: 'start' as const }
  if (from - needs >= start) return { ...place, x: from, anchor: 'end' as const }
  return { ...place, x: (from + to) / 2, anchor: 'middle' as const, fill: onColour(colour) }
}

/** Black or white, whichever is read better on a colour. */
function onColour(colour: string): string {
  if (colour === DOWNTIME_COLOUR) return 'var(--page, #fff)'
  return DARK_COLOURS.includes(colour) ? '#fff' : '#000'
}

/** Marks, and the lines where an instant may lie. */
function instantMarks({ domain }: Frame, lanes: readonly Lane[]): Markish[] {
  const instants = inRows(lanes, (lane) => lane.instants).filter(
    ({ at }) => at >= domain[0] && at <= domain[1],
  )
  const bounds = shownOf(
    inRows(lanes, (lane) => lane.bounds),
    domain,
  )
  const open = instants.filter(({ kind }) => kind === 'open')
  const closed = instants.filter(({ kind }) => kind !== 'open')
  return [
    ruleY(bounds, { y: 'row', x1: 'from', x2: 'to', strokeWidth: 1.5, dy: 10 }),
    dot(closed, {
      y: 'row',
      x: 'at',
      r: ({ kind }: Instant) => (kind === 'marker' ? 2.5 : 4),
      symbol: ({ kind }: Instant) => SYMBOLS[kind],
      fill: 'currentColor',
      stroke: 'var(--page, #fff)',
      strokeWidth: 1,
      title: 'evidence',
    }),
    dot(open, { y: 'row', x: 'at', r: 4, symbol: SYMBOLS.open, stroke: 'currentColor', title: 'evidence' }),
  ]
}
