import Table from 'cli-table3'
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatMemory,
  formatSeconds,
  formatShare,
  printable,
  UNKNOWN,
} from './format.ts'
import type {
  Boundary,
  CaptureReport,
  EchoReport,
  MigrationReport,
  PhaseReport,
  Report,
  RoundReport,
} from './model.ts'

/** Colours of a terminal; the identity where there is none. */
export interface Palette {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
}

const identity = (text: string): string => text
export const PLAIN: Palette = { bold: identity, dim: identity, good: identity, bad: identity, warn: identity }

/** Longest line of running text: a table of 100 columns is readable everywhere. */
const WIDTH = 100

/** The report for a terminal: each capture, and each of its migrations with its phases. */
export function renderTable(report: Report, palette: Palette = PLAIN): string {
  const merged = report.captures.some((capture) => capture.clock_offset_s !== null)
  const parts = merged ? mergedParts(report, palette) : separateParts(report, palette)
  return `${parts.join('\n\n')}\n`
}

function separateParts(report: Report, palette: Palette): string[] {
  const parts: string[] = []
  for (const capture of report.captures) {
    const migrations = report.migrations.filter((migration) => migration.capture === capture.file)
    parts.push(`${captureLine(capture, palette)}${palette.dim(`, ${migrationCount(migrations.length)}`)}`)
    for (const migration of migrations) parts.push(renderMigration(migration, palette, packetText))
  }
  return parts
}

/** Captures that were merged are numbered, and the number stands before each packet. */
function mergedParts(report: Report, palette: Palette): string[] {
  const files = report.captures.map((capture) => capture.file)
  const lines = report.captures.map(
    (capture, index) => `${index + 1}: ${captureLine(capture, palette)}${palette.dim(clockText(capture))}`,
  )
  const inFile: PacketText = (end) => {
    const number = files.indexOf(end.file ?? '') + 1
    return end.packet === null ? UNKNOWN : `${number}:${packetText(end)}`
  }
  const migrations = report.migrations.map((migration) => renderMigration(migration, palette, inFile))
  return [`${lines.join('\n')}\n${migrationCount(report.migrations.length)}`, ...migrations]
}

function migrationCount(count: number): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? 'migration' : 'migrations'}`
}

function clockText({ clock_offset_s, clock_offset_spread_s }: CaptureReport): string {
  const spread = clock_offset_spread_s === null ? '' : ` ± ${formatDuration(clock_offset_spread_s)}`
  return `, clock ${formatDuration(clock_offset_s)}${spread}`
}

function captureLine(capture: CaptureReport, palette: Palette): string {
  const format = capture.compression === null ? capture.format : `${capture.format}, ${capture.compression}`
  const facts = [
    format,
    `${formatCount(capture.packets)} packets`,
    formatBytes(capture.wire_bytes),
    `${capture.duration_s.toFixed(3)} s`,
  ]
  return `${palette.bold(printable(capture.file))}  ${palette.dim(facts.join(', '))}`
}

/** How a packet is written. */
type PacketText = (end: Boundary) => string

function renderMigration(migration: MigrationReport, palette: Palette, packet: PacketText): string {
  return [
    ...headLines(migration, palette),
    '',
    phaseTable(migration, palette, packet),
    ...footLines(migration),
    ...roundTable(migration, palette),
    ...convergenceLines(migration),
  ].join('\n')
}

function headLines(migration: MigrationReport, palette: Palette): string[] {
  const { domain, source, destination } = migration
  const name = palette.bold(printable(domain.name ?? domain.uuid ?? 'unnamed guest'))
  const way = `${host(source)} → ${host(destination)}`
  const outcome = colourOf(migration, palette)(migration.outcome)
  const lines = [`${name}  ${way}  ${outcome}`]
  if (migration.failure !== null) lines.push(...wrap(failureText(migration.failure), '  '))
  const facts = [
    domain.name === null ? null : domain.uuid,
    domain.memory_bytes === null ? null : formatMemory(domain.memory_bytes),
    modeText(migration),
  ]
  const text = facts.filter((fact) => fact !== null && fact !== '').join(', ')
  if (text !== '') lines.push(...wrap(text, '  ').map(palette.dim))
  return lines
}

function host(end: { readonly hostname: string | null; readonly address: string | null }): string {
  if (end.hostname === null) return end.address ?? 'unknown host'
  return end.address === null ? printable(end.hostname) : `${printable(end.hostname)} (${end.address})`
}

function colourOf(migration: MigrationReport, palette: Palette): (text: string) => string {
  switch (migration.outcome) {
    case 'completed':
      return palette.good
    case 'failed':
      return palette.bad
    default:
      return palette.warn
  }
}

function failureText(failure: NonNullable<MigrationReport['failure']>): string {
  const code = failure.code === null ? '' : ` (libvirt error ${failure.code})`
  const where = [failure.phase, failure.step].filter((part) => part !== null).join(', ')
  const what = failure.class === null ? failure.message : `${failure.class}: ${failure.message}`
  return `${where === '' ? '' : `in ${where}: `}${printable(what)}${code}`
}

function modeText({ mode, libvirt_connection_time_s: rpc, transfer }: MigrationReport): string {
  if (rpc === null && transfer.connections === 0) return ''
  if (mode.flags === null) return mode.tls ? 'encrypted (TLS)' : 'flags not captured'
  const words = [
    mode.live === true ? 'live' : 'not live',
    mode.peer2peer === true ? 'peer-to-peer' : 'managed by the client',
    mode.tunnelled ? 'tunnelled' : null,
    mode.post_copy === true ? 'post-copy' : null,
    mode.multifd_channels > 0 ? `${mode.multifd_channels} multifd channels` : null,
    mode.storage === null ? null : `storage ${mode.storage}`,
    mode.compression,
    `flags ${mode.flags.join(' ')}`,
  ]
  return words.filter((word) => word !== null).join(', ')
}

function phaseTable(migration: MigrationReport, palette: Palette, packet: PacketText): string {
  const total = migration.total_migration_time_s
  const table = new Table({
    head: ['Phase', 'Start (s)', 'End (s)', 'Duration (s)', 'Share', 'Packets'].map(palette.bold),
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
    chars: LINES,
  })
  for (const phase of migration.phases) {
    table.push([
      phase.label,
      formatSeconds(phase.start.time_s),
      formatSeconds(phase.end.time_s),
      formatSeconds(phase.duration_s),
      formatShare(phase.duration_s, total),
      packets(phase, packet),
    ])
  }
  for (const [label, value] of totals(migration))
    table.push([label, '', '', formatSeconds(value), formatShare(value, total), ''])
  return table.toString()
}

function totals(migration: MigrationReport): [string, number | null][] {
  const rows: [string, number | null][] = [
    ['Migration time (libvirt)', migration.libvirt_migration_time_s],
    ['Total migration time', migration.total_migration_time_s],
    ['Unattributed', migration.unattributed_s],
  ]
  // Where there is no libvirt migration time, the connection's is what is known.
  if (migration.libvirt_migration_time_s === null && migration.libvirt_connection_time_s !== null)
    rows.splice(1, 0, ['libvirt connection', migration.libvirt_connection_time_s])
  return rows
}

/** Rules above, below and under the head; columns are told apart by space. */
const LINES = {
  top: '─',
  'top-mid': '─',
  'top-left': '',
  'top-right': '',
  bottom: '─',
  'bottom-mid': '─',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': '─',
  right: '',
  'right-mid': '',
  middle: ' ',
}

function packets({ start, end }: PhaseReport, packet: PacketText): string {
  return start.packet === null && end.packet === null ? UNKNOWN : `${packet(start)} … ${packet(end)}`
}

/** A packet that only stands for the event is marked. */
function packetText({ packet, kind }: Boundary): string {
  if (packet === null) return UNKNOWN
  return kind === 'inferred' ? `~${packet}` : `${packet}`
}

function footLines(migration: MigrationReport): string[] {
  const lines: string[] = []
  lines.push(...reasonLines(migration.phases))
  if (migration.phases.some(({ start, end }) => start.kind === 'inferred' || end.kind === 'inferred'))
    lines.push(
      migration.mode.tls
        ? '~ inferred from the lengths of TLS records: what libvirt said cannot be read.'
        : '~ inferred: this packet stands for a boundary that is not in the capture.',
    )
  if (migration.gaps.length > 0) lines.push(`Between phases: ${migration.gaps.map(gapText).join('; ')}.`)
  lines.push(...transferLines(migration))
  const roundTrip = migration.openstack?.keystone_round_trip_s ?? null
  if (roundTrip !== null) lines.push(`Keystone: ${formatDuration(roundTrip)} for a TCP handshake.`)
  const downtime = downtimeText(migration.downtime)
  if (downtime !== null) lines.push(downtime)
  const hypervisor = hypervisorText(migration)
  if (hypervisor !== null) lines.push(hypervisor)
  if (migration.downtime.icmp !== null) lines.push(pingText(migration.downtime.icmp))
  return lines.flatMap((line) => wrap(line, ''))
}

/** What the hypervisor counted, against what passed. */
function hypervisorText({ hypervisor, transfer, mode }: MigrationReport): string | null {
  if (hypervisor === null || hypervisor.memory_normal_pages === null) return null
  const {
    memory_normal_pages: normal,
    memory_constant_pages: zero,
    memory_iterations: iterations,
  } = hypervisor
  const parts = [
    `${formatCount(normal)} pages and ${formatCount(zero)} zero pages${countedText(transfer.pages, normal, zero, mode)}`,
    iterations === null ? null : `${formatCount(iterations)} iterations`,
    `${formatDuration((hypervisor.time_elapsed_ms ?? 0) / 1000)} elapsed`,
    hypervisor.auto_converge_throttle ? `throttled by ${hypervisor.auto_converge_throttle} %` : null,
  ]
  return `Hypervisor: reports ${parts.filter((part) => part !== null).join(', ')}.`
}

function countedText(
  pages: MigrationReport['transfer']['pages'],
  normal: number,
  zero: number | null,
  mode: MigrationReport['mode'],
): string {
  if (pages === null || zero === null) return ''
  // Before the switch to post-copy the source stops counting for the cookie.
  if (mode.post_copy === true) return ' until the switch'
  const more = pages.normal - normal + (pages.zero - zero)
  return more === 0
    ? ', as counted on the wire'
    : `, ${formatCount(Math.abs(more))} ${more > 0 ? 'fewer' : 'more'} than on the wire`
}

function downtimeText(downtime: MigrationReport['downtime']): string | null {
  const { best_s, lower_s, upper_s, method, hypervisor_s } = downtime
  if (best_s === null) return null
  if (method === 'hypervisor') return `Downtime: ${formatDuration(best_s)}, as the hypervisor reports it.`
  const by = method === 'icmp' ? 'the ping' : 'the packets'
  const bounds = `${formatDuration(lower_s)} … ${formatDuration(upper_s)}`
  const said = hypervisor_s === null ? '' : `; the hypervisor reports ${formatDuration(hypervisor_s)}`
  return `Downtime: ${formatDuration(best_s)} (${bounds}) by ${by}${said}.`
}

function pingText(icmp: EchoReport): string {
  const { target, vantage, sent, lost, interval_s, gap_s, lower_s, upper_s, file } = icmp
  const where = file === null ? '' : ` (${printable(file)})`
  if (lost === null) {
    const which = vantage === 'unknown' ? '' : ` (${vantage})`
    return `Ping of ${target}: this capture point does not see the losses${which}.`
  }
  const bounds = `${formatDuration(lower_s)} … ${formatDuration(upper_s)}`
  const asked = `${formatCount(lost)} lost of ${formatCount(sent)} at ${formatDuration(interval_s)} spacing`
  return `Ping of ${target}: ${asked}, gap ${formatDuration(gap_s)} (${bounds})${where}.`
}

/** Why boundaries are missing; phases with the same reason share a line. */
function reasonLines(phases: readonly PhaseReport[]): string[] {
  const labels = new Map<string, string[]>()
  for (const { label, reason } of phases)
    if (reason !== null) labels.set(reason, [...(labels.get(reason) ?? []), label])
  return [...labels].map(([reason, sharing]) => `${sharing.join(', ')}: ${reason}.`)
}

function gapText(gap: MigrationReport['gaps'][number]): string {
  const what = gap.what === null ? '' : ` (${gap.what})`
  return `${formatDuration(gap.duration_s)} after ${gap.after}${what}`
}

function transferLines({ transfer, storage }: MigrationReport): string[] {
  const lines: string[] = []
  if (transfer.wire_bytes_to_destination !== null) {
    const parts = [
      `${formatBytes(transfer.wire_bytes_to_destination)} to the destination`,
      `${formatBitRate(transfer.throughput_mean_bps)} mean, ${formatBitRate(transfer.throughput_peak_bps)} peak`,
      transfer.pages === null
        ? 'pages could not be counted'
        : `${formatCount(transfer.pages.normal)} pages and ${formatCount(transfer.pages.zero)} zero pages`,
      transfer.retransmitted_bytes === 0
        ? null
        : `${formatBytes(transfer.retransmitted_bytes)} retransmitted`,
      transfer.missing_bytes === 0 ? null : `${formatBytes(transfer.missing_bytes)} not captured`,
    ]
    lines.push(`Data: ${parts.filter((part) => part !== null).join('; ')}.`)
  }
  if (storage !== null) {
    const duration = storage.duration_s === null ? UNKNOWN : `${formatSeconds(storage.duration_s)} s`
    lines.push(`Storage: ${formatBytes(storage.payload_bytes)} over NBD in ${duration}.`)
  }
  return lines
}

/** Silent where there is no memory stream to judge: the line of data, or its absence, says so. */
function convergenceLines({ transfer: { convergence, rounds } }: MigrationReport): string[] {
  return rounds === null ? [] : wrap(convergence.sentence, '')
}

/** Rows of the table of rounds; of more, the first and the last are shown. */
const ROUND_ROWS_MAX = 12

/** The rounds of pre-copy, where there are more than the sentence tells. */
function roundTable({ transfer: { rounds } }: MigrationReport, palette: Palette): string[] {
  if (rounds === null || rounds.length < 3) return []
  const table = new Table({
    head: ['Round', 'Start (s)', 'Duration (s)', 'Pages', 'Zero pages', 'Data', 'Sent', 'Dirtied'].map(
      palette.bold,
    ),
    colAligns: Array.from({ length: 8 }, () => 'right' as const),
    style: { head: [], border: [], compact: true },
    chars: LINES,
  })
  const left = rounds.length - ROUND_ROWS_MAX
  rounds.forEach((round, index) => {
    if (left <= 0 || index < ROUND_ROWS_MAX / 2 || index > left + ROUND_ROWS_MAX / 2)
      table.push(roundRow(round))
    else if (index === ROUND_ROWS_MAX / 2) table.push(['…', '', '', '', '', '', '', ''])
  })
  return [table.toString()]
}

function roundRow(round: RoundReport): string[] {
  return [
    `${round.index + 1}`,
    formatSeconds(round.start_s),
    formatSeconds(round.end_s - round.start_s),
    formatCount(round.normal_pages + round.xbzrle_pages + round.compressed_pages),
    formatCount(round.zero_pages),
    formatBytes(round.bytes),
    formatBitRate(round.throughput_bps),
    formatBitRate(round.dirty_rate_bps),
  ]
}

/** Breaks running text at spaces. Colours are added after, so that they do not count. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent
    }
    line += line.length > indent.length ? ` ${word}` : word
  }
  lines.push(line)
  return lines
}
