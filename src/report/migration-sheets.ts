import { frameFilter, ruleText } from './evidence-text.ts'
import type { ExplainedPart } from './explained-parts.ts'
import { formatBitRate, formatBytes, formatCount, formatSeconds, formatShare, UNKNOWN } from './format.ts'
import type { Boundary, CaptureReport, MigrationReport } from './model.ts'
import { type Cell, column, numberCell, type Sheet, textCell, UNKNOWN_CELL } from './sheet.ts'
import { totals } from './totals.ts'

/** The tables of one migration, and of captures. Values are those of the JSON report. */

/** The phases with their packets, and the totals. */
export function phaseSheet({ phases, total_migration_time_s: total, ...migration }: MigrationReport): Sheet {
  const share = (value: number | null): Cell => ({
    value: value === null || total === null || total <= 0 ? null : value / total,
    text: formatShare(value, total),
  })
  const rows = phases.map(({ label, start, end, duration_s }) => [
    textCell(label),
    seconds(start.time_s),
    seconds(end.time_s),
    seconds(duration_s),
    share(duration_s),
    packet(start),
    packet(end),
  ])
  const sums = totals({ ...migration, phases, total_migration_time_s: total }).map(([label, value]) => [
    textCell(label),
    ...[EMPTY, EMPTY],
    seconds(value),
    share(value),
    ...[EMPTY, EMPTY],
  ])
  return {
    title: 'Phases',
    columns: [
      column('label', 'Phase', false),
      column('start_s', 'Start (s)'),
      column('end_s', 'End (s)'),
      column('duration_s', 'Duration (s)'),
      column('share_of_total', 'Share'),
      column('start_packet', 'First packet'),
      column('end_packet', 'Last packet'),
    ],
    rows: [...rows, ...sums],
    notes: [],
  }
}

/** Every boundary and inner instant: its packet, the rule that took it, and what to type into Wireshark. */
export function evidenceSheet({ phases, order, storage, openstack, downtime }: MigrationReport): Sheet {
  const { start, end } = downtime.stream
  const rows = [
    ...(order === null ? [] : stretchRows('Order of the client', 'order', order)),
    ...phases.flatMap((phase) => [
      ...stretchRows(phase.label, phase.id, phase),
      ...phase.markers.map((marker) => instantRow(phase.label, 'marker', phase.id, marker.id, marker)),
    ]),
    ...(storage === null ? [] : stretchRows('Storage copy', 'storage', storage)),
    ...(openstack?.markers ?? []).map((marker) =>
      instantRow('Nova and Neutron', 'marker', 'init', marker.id, marker),
    ),
    ...(start === null ? [] : [row('Downtime', 'guest stopped', start, 'estimated', start.rule)]),
    ...(end === null ? [] : [row('Downtime', 'guest runs', end, 'estimated', end.rule)]),
  ]
  const columns = [
    column('part', 'Part', false),
    column('what', 'What', false),
    column('time_s', 'Time (s)'),
    column('packet', 'Packet'),
    column('file', 'File', false),
    column('kind', 'Kind', false),
    column('rule', 'Rule', false),
    column('filter', 'Wireshark filter', false),
  ]
  const merged = rows.some((cells) => cells[FILE] !== UNKNOWN_CELL)
  const needed = <T>(cells: readonly T[]) => cells.filter((_, place) => merged || place !== FILE)
  return { title: 'Evidence', columns: needed(columns), rows: rows.map(needed), notes: [] }
}

/** Place of the column that only merged captures need. */
const FILE = 4

function stretchRows(
  label: string,
  id: ExplainedPart,
  { start, end }: { readonly start: Boundary; readonly end: Boundary },
): Cell[][] {
  return [instantRow(label, 'start', id, start.rule, start), instantRow(label, 'end', id, end.rule, end)]
}

type Place = Pick<Boundary, 'packet' | 'file' | 'time_s'> & { readonly kind?: Boundary['kind'] }

function instantRow(
  label: string,
  edge: 'start' | 'end' | 'marker',
  id: ExplainedPart,
  rule: string | null,
  place: Place,
): Cell[] {
  const what = edge === 'marker' ? 'inside' : `${edge}s`
  return row(label, what, place, place.kind ?? 'observed', rule === null ? null : ruleText(edge, id, rule))
}

function row(label: string, what: string, place: Place, kind: string, rule: string | null): Cell[] {
  const filter = frameFilter([place.packet])
  return [
    textCell(label),
    textCell(what),
    seconds(place.time_s),
    place.packet === null ? UNKNOWN_CELL : { value: place.packet, text: `${place.packet}` },
    place.file === null ? UNKNOWN_CELL : textCell(place.file),
    textCell(kind),
    rule === null ? UNKNOWN_CELL : textCell(rule),
    filter === null ? UNKNOWN_CELL : textCell(filter),
  ]
}

/** The rounds of pre-copy; null where they are not known. */
export function roundSheet({ transfer: { rounds } }: MigrationReport): Sheet | null {
  if (rounds === null || rounds.length === 0) return null
  return {
    title: 'Rounds of pre-copy',
    columns: [
      column('round', 'Round'),
      column('start_s', 'Start (s)'),
      column('duration_s', 'Duration (s)'),
      column('pages', 'Pages'),
      column('zero_pages', 'Zero pages'),
      column('bytes', 'Data'),
      column('throughput_bps', 'Sent'),
      column('dirty_rate_bps', 'Dirtied'),
    ],
    rows: rounds.map((round) => {
      const pages = round.normal_pages + round.xbzrle_pages + round.compressed_pages
      return [
        numberCell(round.index + 1, 0),
        seconds(round.start_s),
        seconds(round.end_s - round.start_s),
        { value: pages, text: formatCount(pages) },
        { value: round.zero_pages, text: formatCount(round.zero_pages) },
        { value: round.bytes, text: formatBytes(round.bytes) },
        { value: round.throughput_bps, text: formatBitRate(round.throughput_bps) },
        { value: round.dirty_rate_bps, text: formatBitRate(round.dirty_rate_bps) },
      ]
    }),
    notes: [],
  }
}

/** What passed in each phase; null where nothing was counted. */
export function trafficSheet({ traffic, phases }: MigrationReport): Sheet | null {
  if (traffic.length === 0) return null
  const labelOf = (id: string | null) =>
    id === null
      ? 'between the phases'
      : id === 'storage'
        ? 'Storage copy'
        : (phases.find((phase) => phase.id === id)?.label ?? id)
  return {
    title: 'Traffic by phase',
    columns: [
      column('phase', 'Phase', false),
      column('protocol', 'Protocol', false),
      column('direction', 'Direction', false),
      column('wire_bytes', 'On the wire'),
      column('payload_bytes', 'Payload'),
    ],
    rows: traffic.map(({ phase, protocol, direction, wire_bytes, payload_bytes }) => [
      textCell(labelOf(phase)),
      textCell(protocol),
      textCell(direction === 'to_server' ? 'to the server' : 'to the client'),
      { value: wire_bytes, text: formatBytes(wire_bytes) },
      { value: payload_bytes, text: formatBytes(payload_bytes) },
    ]),
    notes: [],
  }
}

/** Payload over time, bin by bin; null where nothing passed. */
export function throughputSheet({ transfer: { throughput } }: MigrationReport): Sheet | null {
  if (throughput === null) return null
  const { start_s, bin_s, to_destination_bps } = throughput
  return {
    title: `Payload to the destination, means over ${bin_s} s`,
    columns: [column('start_s', 'From (s)'), column('to_destination_bps', 'Payload')],
    rows: to_destination_bps.map((bps, index) => [
      seconds(start_s + index * bin_s),
      { value: bps, text: formatBitRate(bps) },
    ]),
    notes: [],
  }
}

/** What was read. */
export function captureSheet(captures: readonly CaptureReport[]): Sheet {
  return {
    title: 'Captures',
    columns: [
      column('file', 'File', false),
      column('format', 'Format', false),
      column('packets', 'Packets'),
      column('wire_bytes', 'On the wire'),
      column('captured_bytes', 'Captured'),
      column('duration_s', 'Duration (s)'),
      column('dropped_packets', 'Dropped'),
    ],
    rows: captures.map((capture) => {
      const { file, format, compression, packets, wire_bytes, captured_bytes, duration_s } = capture
      const { dropped_packets: dropped } = capture
      return [
        textCell(file),
        textCell(compression === null ? format : `${format}, ${compression}`),
        { value: packets, text: formatCount(packets) },
        { value: wire_bytes, text: formatBytes(wire_bytes) },
        { value: captured_bytes, text: formatBytes(captured_bytes) },
        seconds(duration_s),
        { value: dropped, text: formatCount(dropped) },
      ]
    }),
    notes: [],
  }
}

/** What was wrong with captures and migrations; null where nothing was. */
export function diagnosticSheet(
  from: readonly { readonly name: string; readonly diagnostics: CaptureReport['diagnostics'] }[],
): Sheet | null {
  const rows = from.flatMap(({ name, diagnostics }) =>
    diagnostics.map(({ code, severity, count, packet, message }) => [
      textCell(name),
      textCell(severity),
      textCell(code),
      { value: count, text: formatCount(count) },
      { value: packet, text: packet === null ? UNKNOWN : `${packet}` },
      textCell(message),
    ]),
  )
  if (rows.length === 0) return null
  return {
    title: 'Diagnostics',
    columns: [
      column('where', 'Where', false),
      column('severity', 'Severity', false),
      column('code', 'Code', false),
      column('count', 'Count'),
      column('packet', 'First packet'),
      column('message', 'Message', false),
    ],
    rows,
    notes: [],
  }
}

const EMPTY: Cell = { value: null, text: '' }

function seconds(value: number | null): Cell {
  return { value, text: formatSeconds(value) }
}

/** A packet that only stands for the event is marked. */
function packet({ packet: number, kind }: Boundary): Cell {
  if (number === null) return UNKNOWN_CELL
  return { value: number, text: kind === 'inferred' ? `~${number}` : `${number}` }
}
