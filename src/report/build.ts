import type { CaptureSummary } from '../capture/summary.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { type Connection, termination } from '../events/connection.ts'
import type { Interval, Mark } from '../phases/interval.ts'
import type { Migration } from '../phases/migration.ts'
import { reasonMissing } from '../phases/missing.ts'
import { judge } from '../phases/outcome.ts'
import { LIBVIRT_PHASES, PHASES } from '../phases/phase.ts'
import { describeMode } from './mode.ts'
import type {
  Boundary,
  CaptureReport,
  DowntimeReport,
  HypervisorReport,
  MigrationReport,
  PhaseReport,
  StorageReport,
} from './model.ts'
import { describeSpan } from './span.ts'
import { describeTransfer } from './transfer.ts'

const LINK_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'NULL',
  1: 'ETHERNET',
  101: 'RAW',
  108: 'LOOP',
  113: 'LINUX_SLL',
  228: 'IPV4',
  229: 'IPV6',
  276: 'LINUX_SLL2',
}

const MISSING: Boundary = { packet: null, time_s: null, kind: 'missing', rule: null }

export function seconds(ns: number): number {
  return ns / 1e9
}

/** What a capture holds. */
export function describeCapture(
  file: string,
  compression: string | null,
  summary: CaptureSummary,
  diagnostics: readonly Diagnostic[],
): CaptureReport {
  return {
    file,
    format: summary.format ?? 'pcap',
    compression,
    link_types: summary.linkTypes.map((linkType) => LINK_TYPE_NAMES[linkType] ?? String(linkType)),
    packets: summary.packets,
    bytes: summary.fileBytes,
    wire_bytes: summary.wireBytes,
    captured_bytes: summary.capturedBytes,
    start_epoch_ns: summary.startEpochNs?.toString() ?? null,
    duration_s: seconds(summary.latestNs - summary.earliestNs),
    dropped_packets: summary.droppedPackets,
    diagnostics,
  }
}

/** The migrations of a capture, in order of their start. */
export function describeMigrations(
  migrations: readonly Migration[],
  summary: CaptureSummary,
  capture: CaptureReport,
): MigrationReport[] {
  return migrations.map((migration, index) => describeMigration(migration, index, summary, capture.file))
}

function describeMigration(
  migration: Migration,
  index: number,
  summary: CaptureSummary,
  file: string,
): MigrationReport {
  const phases = LIBVIRT_PHASES.map((id) => describePhase(migration, id))
  const { domain, rpc } = migration
  const span = describeSpan(phases, migration.machine.intervals.get('storage') ?? null)
  const hypervisor = describeHypervisor(migration)
  return {
    capture: file,
    index,
    domain: {
      name: domain?.name ?? null,
      uuid: domain?.uuid ?? null,
      memory_bytes: domain?.memoryBytes ?? null,
      macs: domain?.macs ?? [],
    },
    source: { hostname: migration.sourceHostname, address: migration.sourceAddress },
    destination: { hostname: migration.destinationHostname, address: migration.destinationAddress },
    kind: 'kvm',
    factors: {},
    mode: describeMode(migration),
    ...judge(migration, summary.latestNs),
    start_epoch_ns: epochNs(summary, phases),
    phases,
    libvirt_migration_time_s: between(migration, 'remote_connect', 'cleanup'),
    libvirt_connection_time_s: connectionTime(rpc),
    ...span,
    transfer: describeTransfer(migration),
    storage: describeStorage(migration),
    downtime: describeDowntime(hypervisor),
    hypervisor,
    diagnostics: [],
  }
}

function describePhase(migration: Migration, id: (typeof LIBVIRT_PHASES)[number]): PhaseReport {
  const interval = migration.machine.intervals.get(id)
  const label = PHASES.find((phase) => phase.id === id)?.label ?? id
  const start = interval?.start ?? null
  const end = interval?.end ?? null
  const edge = start === null ? 'start' : 'end'
  return {
    id,
    label,
    duration_s: durationOf(interval),
    start: boundary(start),
    markers: markersOf(interval),
    end: boundary(end),
    reason: start !== null && end !== null ? null : reasonMissing(migration, id, edge),
  }
}

function boundary(mark: Mark | null): Boundary {
  if (mark === null) return MISSING
  return { packet: mark.at.packet, time_s: seconds(mark.at.timeNs), kind: mark.kind, rule: mark.rule }
}

function durationOf(interval: Interval | undefined): number | null {
  if (!interval?.start || !interval.end) return null
  return seconds(interval.end.at.timeNs - interval.start.at.timeNs)
}

function markersOf(interval: Interval | undefined): PhaseReport['markers'] {
  return [...(interval?.markers ?? [])]
    .map(([id, mark]) => ({ id, packet: mark.at.packet, time_s: seconds(mark.at.timeNs) }))
    .sort((a, b) => a.packet - b.packet)
}

function between(
  migration: Migration,
  from: (typeof LIBVIRT_PHASES)[number],
  to: (typeof LIBVIRT_PHASES)[number],
): number | null {
  const start = migration.machine.intervals.get(from)?.start
  const end = migration.machine.intervals.get(to)?.end
  return start && end ? seconds(end.at.timeNs - start.at.timeNs) : null
}

function connectionTime(rpc: Connection | null): number | null {
  const end = rpc === null ? null : termination(rpc)
  return rpc?.syn && end !== null ? seconds(end.timeNs - rpc.syn.timeNs) : null
}

function epochNs(summary: CaptureSummary, phases: readonly PhaseReport[]): string | null {
  const times = phases.flatMap(({ start, end }) => [start.time_s, end.time_s]).filter((time) => time !== null)
  if (times.length === 0 || summary.startEpochNs === null) return null
  return (summary.startEpochNs + BigInt(Math.round(Math.min(...times) * 1e9))).toString()
}

function describeStorage(migration: Migration): StorageReport | null {
  if (migration.storage.length === 0) return null
  const interval = migration.machine.intervals.get('storage')
  return {
    start: boundary(interval?.start ?? null),
    end: boundary(interval?.end ?? null),
    duration_s: durationOf(interval),
    connections: migration.storage.length,
    payload_bytes: migration.storage.reduce((sum, connection) => sum + connection.toServer.payloadBytes, 0),
  }
}

function describeHypervisor(migration: Migration): HypervisorReport | null {
  const statistics = migration.statistics ?? migration.statisticsOfCall
  if (statistics === null) return null
  return {
    downtime_ms: statistics.downtime,
    setup_time_ms: statistics.setupTime,
    time_elapsed_ms: statistics.timeElapsed,
    clock_delta_ms: statistics.delta,
    memory_total_bytes: statistics.memoryTotal,
    memory_processed_bytes: statistics.memoryProcessed,
    memory_normal_pages: statistics.memoryNormal,
    memory_constant_pages: statistics.memoryConstant,
    memory_iterations: statistics.memoryIteration,
    auto_converge_throttle: statistics.autoConvergeThrottle,
  }
}

/** The finish reply's downtime runs on two clocks; their difference is the cookie's own `delta`.
 *  @see protocols.md C.6 */
function describeDowntime(hypervisor: HypervisorReport | null): DowntimeReport {
  const known = hypervisor?.downtime_ms != null && hypervisor.clock_delta_ms !== null
  const downtime = known ? ((hypervisor.downtime_ms ?? 0) - (hypervisor.clock_delta_ms ?? 0)) / 1000 : null
  return {
    best_s: downtime,
    lower_s: null,
    upper_s: null,
    method: downtime === null ? null : 'hypervisor',
    hypervisor_s: downtime,
  }
}
