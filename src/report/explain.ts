import { LIBVIRT_PHASES, type PhaseId } from '../phases/phase.ts'
import { DOWNTIME_RULES } from '../phases/rules.ts'
import { frameFilter, ruleText } from './evidence-text.ts'
import type { ExplainedPart } from './explained-parts.ts'
import { formatDuration, formatSeconds, printable, UNKNOWN } from './format.ts'
import type { Boundary, InstantReport, Marker, MigrationReport, PhaseReport, Report } from './model.ts'
import { wrap } from './terminal.ts'
import { guestOf, wayOf } from './title.ts'

/** How each boundary was found: the packet, the rule in words, what else there was, and display filters for Wireshark.
 *  @param part explain this only; null: all */
export function renderExplanation(report: Report, part: ExplainedPart | null): string {
  const migrations = report.migrations.map((migration) => explainMigration(migration, part))
  return `${migrations.join('\n\n\n')}\n`
}

function explainMigration(migration: MigrationReport, part: ExplainedPart | null): string {
  const title = printable(`${guestOf(migration)}  ${wayOf(migration)}  ${migration.outcome}`)
  const sections = sectionsOf(migration).filter(({ id }) => part === null || id === part)
  if (sections.length === 0) return `${title}\n\n  This migration has no ${part}.`
  return [title, ...sections.map(({ lines }) => lines.join('\n'))].join('\n\n')
}

interface Section {
  readonly id: ExplainedPart
  readonly lines: readonly string[]
}

function sectionsOf(migration: MigrationReport): Section[] {
  const { phases, order, storage, source, destination } = migration
  const sections = phases.map((phase): Section => ({ id: phase.id, lines: phaseLines(phase, migration) }))
  if (order !== null) {
    const hosts = between(order.client, source.address)
    sections.push({ id: 'order', lines: stretchLines('order', 'Order of the client', order, hosts) })
  }
  if (storage !== null) {
    const hosts = between(source.address, destination.address)
    sections.push({ id: 'storage', lines: stretchLines('storage', 'Storage', storage, hosts) })
  }
  sections.push({ id: 'downtime', lines: downtimeLines(migration) })
  return sections
}

function stretchLines(
  id: ExplainedPart,
  label: string,
  { start, end, duration_s }: Pick<PhaseReport, 'start' | 'end' | 'duration_s'>,
  hosts: string | null,
): string[] {
  return [
    `${label} (${id})  ${formatDuration(duration_s)}`,
    ...intervalLines(id, start, end, null),
    ...filterLines(pointsOf([start, end]), hosts),
  ]
}

/** Phases that are made of what libvirt and QEMU of the two hosts say to each other. */
const BETWEEN_HOSTS: ReadonlySet<PhaseId> = new Set<PhaseId>(LIBVIRT_PHASES)

function phaseLines(phase: PhaseReport, { source, destination }: MigrationReport): string[] {
  const { id, label, duration_s, start, end, markers, reason } = phase
  const hosts = BETWEEN_HOSTS.has(id) ? between(source.address, destination.address) : null
  return [
    `${label} (${id})  ${formatDuration(duration_s)}`,
    ...intervalLines(id, start, end, reason),
    ...markerLines(id, markers),
    ...filterLines(pointsOf([start, end, ...markers]), hosts),
  ]
}

function intervalLines(id: ExplainedPart, start: Boundary, end: Boundary, reason: string | null): string[] {
  return [...boundaryLines('start', id, start, reason), ...boundaryLines('end', id, end, reason)]
}

const INDENT = '         '

function boundaryLines(
  edge: 'start' | 'end',
  id: ExplainedPart,
  boundary: Boundary,
  reason: string | null,
): string[] {
  const head = `  ${edge.padEnd(5)}  `
  if (boundary.rule === null)
    return [`${head}missing`, ...(reason === null ? [] : wrap(`because ${reason}`, INDENT))]
  const inferred =
    boundary.kind === 'inferred' ? ': it stands for what could not be read or was not captured' : ''
  return [
    `${head}${placeOf(boundary)}, ${boundary.kind}${inferred}`,
    ...wrap(ruleText(edge, id, boundary.rule), INDENT),
  ]
}

/** Inner instants were seen too, and might have been taken. */
function markerLines(id: ExplainedPart, markers: readonly Marker[]): string[] {
  if (markers.length === 0) return []
  const lines = markers.flatMap((marker) => [
    `    ${placeOf(marker)}`,
    ...wrap(ruleText('marker', id, marker.id), INDENT),
  ])
  return ['  also considered, and kept as inner instants:', ...lines]
}

function placeOf({ packet, file, time_s }: Point): string {
  const where = file === null ? '' : ` of ${printable(file)}`
  return `packet ${packet ?? UNKNOWN}${where} at ${formatSeconds(time_s)} s`
}

type Point = Pick<Boundary, 'packet' | 'file' | 'time_s'>

function downtimeLines(migration: MigrationReport): string[] {
  const { best_s, lower_s, upper_s, method, stream, icmp, hypervisor_s } = migration.downtime
  const bounds = lower_s === null ? '' : ` (${formatDuration(lower_s)} … ${formatDuration(upper_s)})`
  const by = method === null ? '' : `, by ${METHODS[method]}`
  const lines = [
    `Downtime  ${formatDuration(best_s)}${bounds}${by}`,
    ...instantLines('stop', stream.start, migration),
    ...instantLines('resume', stream.end, migration),
  ]
  const others = [
    method === 'icmp' || icmp === null ? null : pingText(icmp),
    method === 'hypervisor' || hypervisor_s === null
      ? null
      : `${METHODS.hypervisor}: ${formatDuration(hypervisor_s)}`,
  ].filter((other) => other !== null)
  if (others.length > 0) lines.push('  also considered:', ...others.map((other) => `    ${other}`))
  const instants = [stream.start, stream.end].filter((instant) => instant !== null)
  return [...lines, ...filterLines(pointsOf(instants), null)]
}

const METHODS = {
  stream: 'the packets',
  icmp: 'a ping',
  hypervisor: 'what the hypervisor reports',
} as const

function pingText({
  target,
  vantage,
  lower_s,
  upper_s,
}: NonNullable<MigrationReport['downtime']['icmp']>): string {
  return lower_s === null
    ? `${METHODS.icmp} of ${target}: this capture point does not see the losses (${vantage})`
    : `${METHODS.icmp} of ${target}: ${formatDuration(lower_s)} … ${formatDuration(upper_s)}`
}

function instantLines(
  edge: 'stop' | 'resume',
  instant: InstantReport | null,
  { outcome, mode }: MigrationReport,
): string[] {
  const head = `  ${edge.padEnd(6)} `
  if (instant === null) return [`${head}missing`, `${INDENT}because ${whyNoInstant(edge, outcome, mode)}`]
  const { time_s, lower_s, upper_s, rule } = instant
  const rules: Readonly<Record<string, string>> = DOWNTIME_RULES[edge]
  const bounds = `between ${formatSeconds(lower_s)} and ${formatSeconds(upper_s)} s`
  return [
    `${head}at ${formatSeconds(time_s)} s, ${bounds}, from ${placeOfPacket(instant)}`,
    ...wrap(`${rule}: ${rules[rule] ?? UNKNOWN}`, INDENT),
  ]
}

function placeOfPacket({ packet, file }: InstantReport): string {
  return file === null ? `packet ${packet}` : `packet ${packet} of ${printable(file)}`
}

function whyNoInstant(
  edge: 'stop' | 'resume',
  outcome: MigrationReport['outcome'],
  { paused }: MigrationReport['mode'],
): string {
  if (outcome !== 'completed') return 'the migration was not completed'
  if (edge === 'resume' && paused === true) return 'the guest is left paused at the destination'
  return 'nothing in the capture tells'
}

function pointsOf(points: readonly Pick<Point, 'packet' | 'file'>[]): Map<string | null, number[]> {
  const packets = new Map<string | null, number[]>()
  for (const { packet, file } of points)
    if (packet !== null) packets.set(file, [...(packets.get(file) ?? []), packet])
  return packets
}

/** One filter for the packets, and one for all between the first and the last of them; for each capture, where several were
 *  merged.
 *  @param hosts narrows the second one; null: it is left out */
function filterLines(points: ReadonlyMap<string | null, readonly number[]>, hosts: string | null): string[] {
  return [...points].flatMap(([file, packets]) => {
    const sorted = [...new Set(packets)].sort((a, b) => a - b)
    const lines = [frameFilter(sorted) ?? UNKNOWN]
    if (hosts !== null)
      lines.push(`frame.number >= ${sorted[0]} && frame.number <= ${sorted.at(-1)} && ${hosts}`)
    const name = file === null ? 'Wireshark' : `Wireshark, ${printable(file)}`
    return [`  ${name}:`, ...lines.map((line) => `    ${line}`)]
  })
}

/** What two hosts said to each other. Addresses are those of packets. */
function between(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null
  const field = a.includes(':') ? 'ipv6.addr' : 'ip.addr'
  return `${field} == ${a} && ${field} == ${b}`
}
