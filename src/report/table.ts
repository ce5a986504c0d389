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
import { failureText, modeText } from './head-text.ts'
import type { Boundary, CaptureReport, MigrationReport, PhaseReport, Report, RoundReport } from './model.ts'
import { sentences } from './sentences.ts'
import { type Palette, PLAIN, type TextColumn, textTable, wrap } from './terminal.ts'
import { guestOf, wayOf } from './title.ts'
import { totals } from './totals.ts'

/** The report for a terminal: each capture, and each of its migrations with its phases. */
export function renderTable(report: Report, palette: Palette = PLAIN): string {
  const merged = report.captures.some((capture) => capture.clock_offset_s !== null)
  const parts = merged ? mergedParts(report, palette) : separateParts(report, palette)
  return `${parts.join('\n\n')}\n`
}

/** One migration, where each is printed as soon as it is over. */
export function renderOne(migration: MigrationReport, palette: Palette = PLAIN): string {
  return renderMigration(migration, palette, packetText)
}

/** A capture whose migrations were printed before. */
export function renderCapture(capture: CaptureReport, migrations: number, palette: Palette = PLAIN): string {
  return `${captureLine(capture, palette)}${palette.dim(`, ${migrationCount(migrations)}`)}`
}

function separateParts(report: Report, palette: Palette): string[] {
  const parts: string[] = []
  for (const capture of report.captures) {
    const migrations = report.migrations.filter((migration) => migration.capture === capture.file)
    parts.push(renderCapture(capture, migrations.length, palette))
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
  const { domain } = migration
  const name = palette.bold(printable(guestOf(migration)))
  const way = printable(wayOf(migration))
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

function phaseTable(migration: MigrationReport, palette: Palette, packet: PacketText): string {
  const total = migration.total_migration_time_s
  const phases = migration.phases.map((phase) => [
    phase.label,
    formatSeconds(phase.start.time_s),
    formatSeconds(phase.end.time_s),
    formatSeconds(phase.duration_s),
    formatShare(phase.duration_s, total),
    packets(phase, packet),
  ])
  const sums = totals(migration).map(([label, value]) => [
    label,
    '',
    '',
    formatSeconds(value),
    formatShare(value, total),
    '',
  ])
  return textTable(PHASE_COLUMNS, [...phases, ...sums], palette)
}

const PHASE_COLUMNS: readonly TextColumn[] = [
  { label: 'Phase', align: 'left' },
  { label: 'Start (s)', align: 'right' },
  { label: 'End (s)', align: 'right' },
  { label: 'Duration (s)', align: 'right' },
  { label: 'Share', align: 'right' },
  { label: 'Packets', align: 'left' },
]

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
  const left = rounds.length - ROUND_ROWS_MAX
  const rows = rounds.flatMap((round, index) => {
    if (left <= 0 || index < ROUND_ROWS_MAX / 2 || index > left + ROUND_ROWS_MAX / 2) return [roundRow(round)]
    return index === ROUND_ROWS_MAX / 2 ? [['…', '', '', '', '', '', '', '']] : []
  })
  return [textTable(ROUND_COLUMNS, rows, palette)]
}

const ROUND_COLUMNS: readonly TextColumn[] = [
  'Round',
  'Start (s)',
  'Duration (s)',
  'Pages',
  'Zero pages',
  'Data',
  'Sent',
  'Dirtied',
].map((label) => ({ label, align: 'right' }))

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
