import { frameFilter, ruleText } from '../report/evidence-text.ts'
import type { ExplainedPart } from '../report/explained-parts.ts'
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatSeconds,
  printable,
  UNKNOWN,
} from '../report/format.ts'
import type {
  Boundary,
  DowntimeReport,
  EchoReport,
  InstantReport,
  Marker,
  MigrationReport,
  PhaseReport,
  RoundReport,
  SubPhaseReport,
} from '../report/model.ts'
import {
  at,
  DOWNTIME_COLOUR,
  ORDER_COLOUR,
  PHASE_COLOURS,
  POST_COPY_COLOURS,
  ROUND_COLOURS,
  STORAGE_COLOUR,
} from './palette.ts'

/** What a timeline shows of a migration, row by row. Times are seconds after the capture's first packet. */

/** A stretch of time. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly colour: string
  /** Within it, where there is room. */
  readonly inside: string | null
  /** Beside it. */
  readonly beside: string | null
  /** What it is and what proves it, in lines. */
  readonly evidence: string
}

/** An instant. */
export interface Instant {
  readonly at: number
  readonly kind: 'marker' | 'announcement' | 'reply' | 'open'
  readonly evidence: string
}

export interface Lane {
  readonly label: string
  readonly spans: readonly Span[]
  readonly instants: readonly Instant[]
  /** Where an instant may lie, drawn as thin lines. */
  readonly bounds: readonly { readonly from: number; readonly to: number }[]
}

/** Rounds that are drawn; of more, neighbours cannot be told apart. */
const ROUNDS_MAX = 400

export function lanesOf(migration: MigrationReport): Lane[] {
  const { phases, order, storage, transfer, downtime, openstack } = migration
  const lanes: (Lane | null)[] = [
    order === null
      ? null
      : stretchLane('Order of the client', 'order', order, ORDER_COLOUR, formatDuration(order.duration_s)),
    ...phases.map(phaseLane),
    storage === null
      ? null
      : stretchLane(
          'Storage copy',
          'storage',
          storage,
          STORAGE_COLOUR,
          `${formatDuration(storage.duration_s)}, ${formatBytes(storage.payload_bytes)}`,
        ),
    roundLane(transfer.rounds ?? []),
    postCopyLane(transfer.post_copy?.parts ?? []),
    downtimeLane(downtime),
    pingLane(downtime.icmp),
    openstack === null || openstack.markers.length === 0
      ? null
      : lane('Nova and Neutron', {
          instants: openstack.markers.map((marker) => markerInstant(null, marker)),
        }),
  ]
  return lanes.filter((each) => each !== null)
}

function lane(label: string, parts: Partial<Omit<Lane, 'label'>>): Lane {
  return { label, spans: [], instants: [], bounds: [], ...parts }
}

function phaseLane(phase: PhaseReport): Lane {
  const { id, label, markers } = phase
  const made = stretchLane(label, id, phase, PHASE_COLOURS[id], formatDuration(phase.duration_s))
  return { ...made, instants: [...made.instants, ...markers.map((marker) => markerInstant(id, marker))] }
}

/** What begins and ends with packets; of what has one of them only, that one. */
function stretchLane(
  label: string,
  id: ExplainedPart,
  {
    start,
    end,
    duration_s,
    reason = null,
  }: Pick<PhaseReport, 'start' | 'end' | 'duration_s'> & {
    readonly reason?: string | null
  },
  colour: string,
  beside: string,
): Lane {
  const evidence = [
    `${label}: ${formatSeconds(duration_s)} s`,
    `starts ${boundaryText('start', id, start)}`,
    `ends ${boundaryText('end', id, end)}`,
    ...(reason === null ? [] : [`missing: ${printable(reason)}`]),
    ...filterLine([start, end]),
  ].join('\n')
  const [from, to] = [start.time_s, end.time_s]
  if (from !== null && to !== null)
    return lane(label, { spans: [{ from, to, colour, inside: null, beside, evidence }] })
  const known = from ?? to
  return lane(label, { instants: known === null ? [] : [{ at: known, kind: 'open', evidence }] })
}

function boundaryText(edge: 'start' | 'end', id: ExplainedPart, boundary: Boundary): string {
  if (boundary.rule === null) return UNKNOWN
  return `${placeOf(boundary)} (${boundary.kind}), ${ruleText(edge, id, boundary.rule)}`
}

function placeOf({ packet, file, time_s }: Pick<Boundary, 'packet' | 'file' | 'time_s'>): string {
  const where = file === null ? '' : ` of ${printable(file)}`
  return `${formatSeconds(time_s)} s, packet ${packet ?? UNKNOWN}${where}`
}

/** A line for Wireshark; none where packets are those of several captures, whose numbers mean different ones. */
function filterLine(points: readonly Pick<Boundary, 'packet' | 'file'>[]): string[] {
  const files = new Set(points.filter(({ packet }) => packet !== null).map(({ file }) => file))
  const filter = frameFilter(points.map(({ packet }) => packet))
  return filter === null || files.size > 1 ? [] : [`Wireshark: ${filter}`]
}

function markerInstant(id: ExplainedPart | null, marker: Marker): Instant {
  const rule = ruleText('marker', id ?? 'init', marker.id)
  return {
    at: marker.time_s,
    kind: 'marker',
    evidence: [rule, placeOf(marker), ...filterLine([marker])].join('\n'),
  }
}

function roundLane(rounds: readonly RoundReport[]): Lane | null {
  if (rounds.length === 0) return null
  const spans = rounds.slice(0, ROUNDS_MAX).map((round, place) => ({
    from: round.start_s,
    to: round.end_s,
    colour: at(ROUND_COLOURS, place),
    inside: `${round.index + 1}`,
    beside: null,
    evidence: [
      `Round ${round.index + 1}: ${formatDuration(round.end_s - round.start_s)}`,
      `${formatCount(round.normal_pages + round.xbzrle_pages + round.compressed_pages)} pages, ${formatCount(round.zero_pages)} zero pages, ${formatBytes(round.bytes)}`,
      `sent ${formatBitRate(round.throughput_bps)}, dirtied ${formatBitRate(round.dirty_rate_bps)}`,
    ].join('\n'),
  }))
  const label = rounds.length > ROUNDS_MAX ? `First ${ROUNDS_MAX} rounds` : 'Rounds of pre-copy'
  return lane(label, { spans })
}

const PART_LABELS = { pre_copy: 'pre-copy', switch: 'switch', recovery: 'recovery', post_copy: 'post-copy' }

function postCopyLane(parts: readonly SubPhaseReport[]): Lane | null {
  const spans = parts.flatMap(({ id, start, end, duration_s }, place) => {
    if (start === null || end === null) return []
    const evidence = [
      `${PART_LABELS[id]}: ${formatDuration(duration_s)}`,
      `from ${placeOf(start)}`,
      `to ${placeOf(end)}`,
      ...filterLine([start, end]),
    ].join('\n')
    const colour = at(POST_COPY_COLOURS, place)
    return [{ from: start.time_s, to: end.time_s, colour, inside: PART_LABELS[id], beside: null, evidence }]
  })
  return spans.length === 0 ? null : lane('Parts of post-copy', { spans })
}

function downtimeLane({ stream, best_s, lower_s, upper_s }: DowntimeReport): Lane | null {
  const { start, end } = stream
  if (start === null && end === null) return null
  const evidence = [
    `Downtime: ${formatDuration(best_s)} (${formatDuration(lower_s)} … ${formatDuration(upper_s)})`,
    ...(start === null ? [] : [`guest stopped ${instantText(start)}`]),
    ...(end === null ? [] : [`guest runs ${instantText(end)}`]),
    ...filterLine([start, end].filter((each) => each !== null)),
  ].join('\n')
  const span =
    start === null || end === null || stream.duration_s === null
      ? []
      : [
          {
            from: start.time_s,
            to: end.time_s,
            colour: DOWNTIME_COLOUR,
            inside: null,
            beside: formatDuration(stream.duration_s),
            evidence,
          },
        ]
  const bounds = [start, end].flatMap((each) =>
    each === null ? [] : [{ from: each.lower_s, to: each.upper_s }],
  )
  return lane('Downtime', { spans: span, instants: announcement(end), bounds })
}

/** What a client that pings the guest had of it, where its replies on both sides were seen. */
function pingLane(icmp: EchoReport | null): Lane | null {
  if (icmp === null || icmp.gap_start_s == null || icmp.gap_end_s == null) return null
  const { target, sent, lost, gap_s, gap_start_s: from, gap_end_s: to, lower_s, upper_s } = icmp
  const evidence = [
    `Ping of ${printable(target)}: gap ${formatDuration(gap_s)} (${formatDuration(lower_s)} … ${formatDuration(upper_s)})`,
    `${formatCount(lost)} lost of ${formatCount(sent)}`,
  ]
  const reply = (at: number, which: string): Instant => ({
    at,
    kind: 'reply',
    evidence: [`${which} at ${formatSeconds(at)} s`, ...evidence].join('\n'),
  })
  return lane('Gap of ping', {
    spans: [
      {
        from,
        to,
        colour: 'none',
        inside: null,
        beside: formatDuration(gap_s),
        evidence: evidence.join('\n'),
      },
    ],
    instants: [reply(from, 'Last reply before the gap'), reply(to, 'First reply after the gap')],
  })
}

function instantText({ time_s, lower_s, upper_s, packet, file, rule }: InstantReport): string {
  const bounds = `${formatSeconds(lower_s)} … ${formatSeconds(upper_s)}`
  return `at ${placeOf({ packet, file, time_s })} (${bounds} s), ${rule}`
}

/** The guest's own announcement, where that is what tells of its resume. */
function announcement(end: InstantReport | null): Instant[] {
  if (end === null || end.rule !== 'rarp.first') return []
  const evidence = ['RARP: the guest announces itself', instantText(end), ...filterLine([end])].join('\n')
  return [{ at: end.time_s, kind: 'announcement', evidence }]
}
