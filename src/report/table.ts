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
import type { Boundary, CaptureReport, MigrationReport, PhaseReport, Report, RoundReport } from './model.ts'
import { sentences } from './sentences.ts'

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
    ...sentences(migration).flatMap((line) => wrap(line, '')),
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
    mode.memory === 'none' ? 'offline' : mode.live === true ? 'live' : 'not live',
    mode.memory === 'post-copy' ? 'post-copy' : mode.post_copy === true ? 'post-copy allowed' : null,
    mode.paused === true ? 'paused' : null,
    mode.peer2peer === true ? 'peer-to-peer' : 'managed by the client',
    mode.tunnelled ? 'tunnelled' : null,
    mode.multifd_channels > 0 ? `${mode.multifd_channels} multifd channels` : null,
    mode.storage === null ? null : `storage ${mode.storage}`,
    mode.compression,
    mode.bandwidth_limit_mib_s === null ? null : `limited to ${mode.bandwidth_limit_mib_s} MiB/s`,
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
