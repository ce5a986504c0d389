import {
  barX,
  gridX,
  type Markish,
  type PlotOptions,
  ruleX,
  type ScaleOptions,
  text,
  tickX,
} from '@observablehq/plot'
import { PHASES } from '../phases/phase.ts'
import { formatShare, printable } from '../report/format.ts'
import { groupName } from '../report/group-name.ts'
import { figure as metricCell } from '../report/metric-text.ts'
import type { GroupReport } from '../report/model.ts'
import { column, type Sheet, textCell, UNKNOWN_CELL } from '../report/sheet.ts'
import type { Canvas, Figure } from './figure.ts'
import { factorsOf, levelsText, metricOf } from './groups.ts'
import { type LegendItem, legend } from './legend.ts'
import { DARK_COLOURS, PHASE_COLOURS, UNATTRIBUTED_COLOUR } from './palette.ts'
import { axisUnit } from './scale.ts'
import { belowAxis, chart, shortened, stacked, textWidth } from './svg.ts'

/** What the total migration time is made of, in order. */
const PARTS = [
  ...PHASES.map(({ id, label }) => ({ id: id as string, label: label as string, colour: PHASE_COLOURS[id] })),
  { id: 'unattributed', label: 'Unattributed', colour: UNATTRIBUTED_COLOUR },
]
type Part = (typeof PARTS)[number]

const ROW = 26
const LABEL_MAX = 240

interface Segment extends Part {
  readonly group: number
  readonly from: number
  readonly to: number
}

/** Share of each phase in the total migration time, a bar a group. */
export function phaseShares(groups: readonly GroupReport[]): Figure {
  const shareOf = (group: GroupReport, id: string) => metricOf(group, id)?.share_of_total ?? null
  const parts = partsOf(groups, shareOf)
  const figure: Figure = {
    id: 'phases-share',
    title: 'Phases as shares of the total migration time',
    description:
      'A bar for each group, made of the share of each phase in the total migration time, in the order of the phases. Where phases overlap, a bar is longer than 100 %.',
    data: dataSheet('Share of the total migration time (%)', groups, parts, (group, id) => {
      const share = shareOf(group, id)
      return share === null ? UNKNOWN_CELL : { value: share, text: (100 * share).toFixed(2) }
    }),
    draw: (canvas) =>
      bars(
        canvas,
        figure,
        { groups, parts, read: shareOf },
        {
          label: 'Share of the total migration time (%)',
          factor: 100,
          textOf: (share) => formatShare(share, 1),
          total: () => null,
          whole: 100,
        },
      ),
  }
  return figure
}

/** Mean of each phase, a bar a group. */
export function phaseDurations(groups: readonly GroupReport[]): Figure {
  const meanOf = (group: GroupReport, id: string) => metricOf(group, id)?.mean ?? null
  const parts = partsOf(groups, meanOf)
  const totalOf = (group: GroupReport) => meanOf(group, 'total_migration_time')
  const largest = Math.max(0, ...groups.map((group) => totalOf(group) ?? 0))
  const { factor, unit } = axisUnit('total_migration_time', 's', largest)
  const figure: Figure = {
    id: 'phases-duration',
    title: 'Mean duration of the phases',
    description:
      'A bar for each group, made of the mean of each phase, in the order of the phases. A thick stroke marks the mean of the total migration time: a bar goes beyond it where phases overlap.',
    data: dataSheet('Mean duration (s)', groups, [...parts, TOTAL], (group, id) =>
      metricCell(id, meanOf(group, id)),
    ),
    draw: (canvas) =>
      bars(
        canvas,
        figure,
        { groups, parts, read: meanOf },
        {
          label: `Mean duration (${unit})`,
          factor,
          textOf: (value) => `${(value * factor).toPrecision(3)} ${unit}`,
          total: totalOf,
          whole: null,
        },
      ),
  }
  return figure
}

const TOTAL: Part = { id: 'total_migration_time', label: 'Total migration time', colour: 'none' }

type Read = (group: GroupReport, id: string) => number | null

/** Parts that any group has. */
function partsOf(groups: readonly GroupReport[], read: Read): Part[] {
  return PARTS.filter(({ id }) => groups.some((group) => read(group, id) !== null))
}

function dataSheet(
  title: string,
  groups: readonly GroupReport[],
  parts: readonly Part[],
  cellOf: (group: GroupReport, id: string) => Sheet['rows'][number][number],
): Sheet {
  return {
    title,
    columns: [column('group', 'Group', false), ...parts.map(({ id, label }) => column(id, label))],
    rows: groups.map((group) => [
      textCell(groupName(group.key)),
      ...parts.map(({ id }) => cellOf(group, id)),
    ]),
    notes: [],
  }
}

interface Look {
  readonly label: string
  readonly factor: number
  readonly textOf: (value: number) => string
  /** Where a stroke marks the whole; null: nowhere. */
  readonly total: (group: GroupReport) => number | null
  /** Where all bars would end if no phases overlapped; null: nowhere in particular. */
  readonly whole: number | null
}

interface Content {
  readonly groups: readonly GroupReport[]
  readonly parts: readonly Part[]
  readonly read: Read
}

const RIGHT = 20

function bars(canvas: Canvas, figure: Figure, content: Content, look: Look): SVGSVGElement {
  const { groups, parts, read } = content
  const segments = groups.flatMap((group, index) => segmentsOf(group, index, parts, read, look.factor))
  const marginLeft = labelMargin(canvas, groups)
  const right = Math.max(0, ...segments.map(({ to }) => to)) || 1
  const perPixel = right / Math.max(1, canvas.width - marginLeft - RIGHT)
  const options: PlotOptions = {
    width: canvas.width,
    height: groups.length * ROW + 64,
    marginLeft,
    marginRight: RIGHT,
    marginTop: 20,
    marginBottom: 42,
    x: { domain: [0, right], ...belowAxis(look.label) },
    y: {
      domain: groups.map((_, index) => index),
      ...factorLabel(groups, marginLeft),
      tickSize: 0,
      padding: 0.2,
      tickFormat: (index: number) => axisLabel(groups, index),
    },
    marks: [gridX(), ...segmentMarks(segments, groups, look, perPixel), ...wholeMarks(groups, look)],
  }
  return stacked(canvas, figure, [legend(canvas, parts.map(legendItem), marginLeft), chart(canvas, options)])
}

/** Segments, with their values where there is room. */
function segmentMarks(
  segments: readonly Segment[],
  groups: readonly GroupReport[],
  { factor, textOf }: Look,
  perPixel: number,
): Markish[] {
  const labelled = segments
    .map((segment) => ({ ...segment, text: textOf((segment.to - segment.from) / factor) }))
    .filter(({ from, to, text: label }) => (to - from) / perPixel > textWidth(label) + 6)
  return [
    barX(segments, {
      y: 'group',
      x1: 'from',
      x2: 'to',
      fill: ({ colour }: Segment) => colour,
      stroke: 'currentColor',
      strokeWidth: 0.5,
      title: ({ group, label, from, to }: Segment) =>
        `${axisLabel(groups, group)}\n${label}: ${textOf((to - from) / factor)}`,
    }),
    text(labelled, {
      y: 'group',
      x: ({ from, to }: Segment) => (from + to) / 2,
      text: 'text',
      fill: ({ colour }: Segment) =>
        colour === UNATTRIBUTED_COLOUR ? 'currentColor' : DARK_COLOURS.includes(colour) ? '#fff' : '#000',
      pointerEvents: 'none',
    }),
  ]
}

/** Where bars begin, and where they would end if phases did not overlap. */
function wholeMarks(groups: readonly GroupReport[], look: Look): Markish[] {
  const totals = groups.flatMap((group, index) => {
    const total = look.total(group)
    return total === null ? [] : [{ group: index, at: total * look.factor }]
  })
  return [
    ruleX([0]),
    ruleX(look.whole === null ? [] : [look.whole], { strokeDasharray: '3 2' }),
    tickX(totals, { x: 'at', y: 'group', strokeWidth: 3, inset: -2 }),
  ]
}

function legendItem({ label, colour }: Part): LegendItem {
  return { label, colour, symbol: 'box' }
}

function segmentsOf(
  group: GroupReport,
  index: number,
  parts: readonly Part[],
  read: Read,
  factor: number,
): Segment[] {
  let from = 0
  return parts.flatMap((part) => {
    const value = read(group, part.id)
    if (value === null) return []
    const to = from + value * factor
    const segment = { ...part, group: index, from, to }
    from = to
    return [segment]
  })
}

function axisLabel(groups: readonly GroupReport[], index: number): string {
  const group = groups[index]
  return group === undefined ? '' : shortened(levelsText(group.key), LABEL_MAX)
}

/** Says above the names of groups what they are levels of. */
export function factorLabel(groups: readonly GroupReport[], marginLeft: number): ScaleOptions {
  const names = factorsOf(groups).map((name) => printable(name))
  const label = names.length === 0 ? null : shortened(names.join(' · '), 2 * marginLeft)
  return { label, labelAnchor: 'top', labelArrow: 'none', labelOffset: marginLeft }
}

/** Room for the names of groups: as much as they need, and no more than a third of the width. */
export function labelMargin({ width }: Canvas, groups: readonly GroupReport[]): number {
  const longest = Math.max(40, ...groups.map(({ key }) => textWidth(levelsText(key))))
  return Math.ceil(Math.min(longest + 12, LABEL_MAX, width / 3))
}
