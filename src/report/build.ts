import type { CaptureSummary } from '../capture/summary.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { RATE_BINS_MAX, REPORT_BINS_TOTAL_MAX } from '../core/limits.ts'
import { type Connection, termination } from '../events/connection.ts'
import { migrateFlagNames } from '../events/migrate-flags.ts'
import { type Instant, isLeftPaused, reasonWithoutDowntime, streamDowntime } from '../phases/downtime.ts'
import type { EchoDowntime } from '../phases/echo-figures.ts'
import type { Interval, Intervals, Mark } from '../phases/interval.ts'
import { intervalsOf, type JoinedMigration } from '../phases/join.ts'
import type { Migration } from '../phases/migration.ts'
import { reasonMissing } from '../phases/missing.ts'
import type { NovaMigration } from '../phases/nova-migration.ts'
import { judge } from '../phases/outcome.ts'
import { LIBVIRT_PHASES, PHASES, type PhaseId } from '../phases/phase.ts'
import { compareWithHypervisor } from './comparison.ts'
import { DOWNTIME_LIMIT_S } from './convergence.ts'
import { boundary, IN_ONE_CAPTURE, type Locate } from './locate.ts'
import { describeMode } from './mode.ts'
import type {
  CaptureReport,
  DowntimeReport,
  EchoReport,
  HypervisorReport,
  InstantReport,
  MigrationReport,
  OpenStackReport,
  OrderReport,
  PhaseReport,
} from './model.ts'
import { describeSpan } from './span.ts'
import { describeStorage } from './storage.ts'
import { describeTraffic } from './traffic.ts'
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
    earliest_epoch_ns: stamp(summary, summary.earliestNs),
    latest_epoch_ns: stamp(summary, summary.latestNs),
    duration_s: seconds(summary.latestNs - summary.earliestNs),
    dropped_packets: summary.droppedPackets,
    clock_offset_s: null,
    clock_offset_spread_s: null,
    diagnostics,
  }
}

function stamp({ startEpochNs }: CaptureSummary, timeNs: number): string | null {
  return startEpochNs === null ? null : (startEpochNs + BigInt(Math.round(timeNs))).toString()
}

/** When a trace begins and ends. */
export interface TraceSpan {
  /** Nanoseconds since 1970 of time zero. */
  readonly startEpochNs: bigint | null
  readonly latestNs: number
}

export interface DescribeOptions {
  /** What the report calls the capture. */
  readonly name: string
  /** The longest stop that was allowed, seconds; null: QEMU's default. */
  readonly downtimeLimitS: number | null
  /** Names the capture of each packet, where several were merged. */
  readonly locate?: Locate
  /** Migrations that the report may come to have; those that are given where nothing else is. */
  readonly expected?: number
}

/** The migrations of a trace, in order of their start.
 *  @param indexOf the number of each; its place where nothing else is given */
export function describeMigrations(
  migrations: readonly JoinedMigration[],
  span: TraceSpan,
  options: DescribeOptions,
  indexOf: (migration: JoinedMigration, place: number) => number = (_, place) => place,
): MigrationReport[] {
  const expected = Math.max(migrations.length, options.expected ?? 0)
  const binsMax = Math.min(RATE_BINS_MAX, Math.ceil(REPORT_BINS_TOTAL_MAX / expected))
  return migrations.map((migration, place) =>
    describeMigration(migration, indexOf(migration, place), span, options, binsMax),
  )
}

function describeMigration(
  migration: JoinedMigration,
  index: number,
  span: TraceSpan,
  { name, downtimeLimitS, locate = IN_ONE_CAPTURE }: DescribeOptions,
  binsMax: number,
): MigrationReport {
  const { libvirt, nova } = migration
  const intervals = intervalsOf(migration)
  const ids = nova === null ? LIBVIRT_PHASES : PHASES.map((phase) => phase.id)
  const phases = ids.map((id) => describePhase(migration, intervals, id, locate))
  const counters = libvirt === null ? null : describeHypervisor(libvirt)
  const verdict = judge(migration, span.latestNs)
  const limitS = downtimeLimitS ?? DOWNTIME_LIMIT_S
  const transfer = describeTransfer(libvirt, verdict.outcome, limitS, locate, binsMax)
  const downtime = describeDowntime(libvirt, counters, locate)
  return {
    capture: name,
    index,
    domain: {
      name: libvirt?.domain?.name ?? null,
      uuid: libvirt?.domain?.uuid ?? nova?.instanceUuid ?? null,
      memory_bytes: libvirt?.domain?.memoryBytes ?? null,
      macs: libvirt?.domain?.macs ?? [],
    },
    source: {
      hostname: libvirt?.sourceHostname ?? nova?.sourceHost ?? null,
      address: libvirt?.sourceAddress ?? null,
    },
    destination: {
      hostname: libvirt?.destinationHostname ?? nova?.destinationHost ?? null,
      address: libvirt?.destinationAddress ?? null,
    },
    kind: nova === null ? 'kvm' : 'openstack',
    factors: {},
    mode: describeMode(libvirt),
    ...verdict,
    start_epoch_ns: epochNs(span, phases),
    phases,
    libvirt_migration_time_s: between(intervals, 'remote_connect', 'cleanup'),
    libvirt_connection_time_s: connectionTime(libvirt?.rpc ?? null),
    ...describeSpan(phases, intervals),
    transfer,
    order: libvirt === null ? null : describeOrder(libvirt, locate),
    storage: libvirt === null ? null : describeStorage(libvirt, locate, binsMax),
    traffic: describeTraffic(migration),
    downtime,
    hypervisor:
      libvirt === null || counters === null
        ? null
        : { ...counters, comparison: compareWithHypervisor(libvirt, counters, transfer, downtime) },
    openstack: nova === null ? null : describeNova(nova, intervals, locate),
    diagnostics: [],
  }
}

function describePhase(
  migration: JoinedMigration,
  intervals: Intervals,
  id: PhaseId,
  locate: Locate,
): PhaseReport {
  const interval = intervals.get(id)
  const label = PHASES.find((phase) => phase.id === id)?.label ?? id
  const start = interval?.start ?? (id === 'init' ? inferredStart(interval) : null)
  const end = interval?.end ?? null
  const edge = start === null ? 'start' : 'end'
  return {
    id,
    label,
    duration_s: start !== null && end !== null ? seconds(end.at.timeNs - start.at.timeNs) : null,
    start: boundary(start, locate),
    markers: markersOf(interval, locate),
    end: boundary(end, locate),
    reason: start !== null && end !== null ? null : reasonMissing(migration, id, edge),
  }
}

/** Initialization begins with the look at the server; where that was not captured, the first step that was stands for
 *  it. @see protocols.md H.1 */
function inferredStart(interval: Interval | undefined): Mark | null {
  const first = [...(interval?.markers.values() ?? [])].sort((a, b) => a.at.packet - b.at.packet)[0]
  return first === undefined ? null : { ...first, kind: 'inferred' }
}

function markersOf(interval: Interval | undefined, locate: Locate): PhaseReport['markers'] {
  return [...(interval?.markers ?? [])]
    .sort(([, a], [, b]) => a.at.packet - b.at.packet)
    .map(([id, mark]) => ({ id, ...locate(mark.at.packet), time_s: seconds(mark.at.timeNs) }))
}

function between(intervals: Intervals, from: PhaseId, to: PhaseId): number | null {
  const start = intervals.get(from)?.start
  const end = intervals.get(to)?.end
  return start && end ? seconds(end.at.timeNs - start.at.timeNs) : null
}

function connectionTime(rpc: Connection | null): number | null {
  const end = rpc === null ? null : termination(rpc)
  return rpc?.syn && end !== null ? seconds(end.timeNs - rpc.syn.timeNs) : null
}

function epochNs(summary: TraceSpan, phases: readonly PhaseReport[]): string | null {
  const times = phases.flatMap(({ start, end }) => [start.time_s, end.time_s]).filter((time) => time !== null)
  if (times.length === 0 || summary.startEpochNs === null) return null
  return (summary.startEpochNs + BigInt(Math.round(Math.min(...times) * 1e9))).toString()
}

/** From the first byte of the client's perform call to the last one of the answer. */
function describeOrder({ order }: Migration, locate: Locate): OrderReport | null {
  if (order === null) return null
  const { start, end, flags, connection } = order
  const mark = (at: Evidence, rule: string): Mark => ({ rule, at, kind: 'observed' })
  return {
    client: connection.client.address,
    start: boundary(mark(start, 'libvirt.perform.call'), locate),
    end: boundary(end === null ? null : mark(end, 'libvirt.perform.reply'), locate),
    duration_s: end === null ? null : seconds(end.timeNs - start.timeNs),
    flags: flags === null ? null : migrateFlagNames(flags),
  }
}

function describeNova(nova: NovaMigration, intervals: Intervals, locate: Locate): OpenStackReport {
  const roundTrip = nova.keystoneRoundTripNs
  return {
    request_id: nova.requestId,
    migration_status: nova.status,
    keystone_round_trip_s: roundTrip === null ? null : seconds(roundTrip),
    markers: markersOf(intervals.get('nova'), locate),
  }
}

type Counters = Omit<HypervisorReport, 'comparison'>

function describeHypervisor(migration: Migration): Counters | null {
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

/** How long the guest was stopped, by each way of knowing. The packets come first; the hypervisor's own figure stands
 *  beside it. */
function describeDowntime(
  migration: Migration | null,
  hypervisor: Counters | null,
  locate: Locate,
): DowntimeReport {
  const { stop, resume } = migration === null ? { stop: null, resume: null } : streamDowntime(migration)
  const byHypervisor = hypervisorDowntime(hypervisor)
  const both = stop !== null && resume !== null
  const duration = both ? seconds(Math.max(0, resume.atNs - stop.atNs)) : null
  const facts = {
    reason: migration === null ? 'no libvirt connection in the capture' : reasonWithoutDowntime(migration),
    stream: { start: instant(stop, locate), end: instant(resume, locate), duration_s: duration },
    icmp: describeEcho(migration?.echo ?? null),
    hypervisor_s: byHypervisor,
  }
  if (both)
    return {
      best_s: duration,
      lower_s: seconds(Math.max(0, resume.lowerNs - stop.upperNs)),
      upper_s: seconds(Math.max(0, resume.upperNs - stop.lowerNs)),
      method: 'stream',
      ...facts,
    }
  // A guest that is left paused does not run again: nothing ends its downtime.
  if (migration !== null && isLeftPaused(migration))
    return { best_s: null, lower_s: null, upper_s: null, method: null, ...facts }
  const { lower_s = null, upper_s = null, lost = null } = facts.icmp ?? {}
  // A client that lost nothing only says how long the guest was stopped at most.
  if (migration?.machine.control === 'finished' && lower_s !== null && upper_s !== null && lost !== 0)
    return { best_s: (lower_s + upper_s) / 2, lower_s, upper_s, method: 'icmp', ...facts }
  const method = byHypervisor === null ? null : 'hypervisor'
  return { best_s: byHypervisor, lower_s: null, upper_s: null, method, ...facts }
}

function describeEcho(echo: EchoDowntime | null): EchoReport | null {
  if (echo === null) return null
  const { target, source, file, vantage, sent, lost, intervalNs } = echo
  const product = lost === null || intervalNs === null ? null : lost * intervalNs
  return {
    target,
    source,
    file,
    vantage,
    sent,
    lost,
    interval_s: secondsOrNull(intervalNs),
    lost_times_interval_s: secondsOrNull(product),
    gap_s: secondsOrNull(echo.gapNs),
    gap_start_s: secondsOrNull(echo.gapStartNs),
    gap_end_s: secondsOrNull(echo.gapEndNs),
    lower_s: secondsOrNull(echo.lowerNs),
    upper_s: secondsOrNull(echo.upperNs),
  }
}

function secondsOrNull(ns: number | null): number | null {
  return ns === null ? null : seconds(ns)
}

function instant(of: Instant | null, locate: Locate): InstantReport | null {
  if (of === null) return null
  const { packet, file } = locate(of.evidence.packet)
  return {
    time_s: seconds(of.atNs),
    lower_s: seconds(of.lowerNs),
    upper_s: seconds(of.upperNs),
    rule: of.rule,
    packet,
    file,
  }
}

/** The finish reply's downtime runs on two clocks; their difference is the cookie's own `delta`.
 *  @see protocols.md C.6 */
function hypervisorDowntime(hypervisor: Counters | null): number | null {
  if (hypervisor?.downtime_ms == null || hypervisor.clock_delta_ms === null) return null
  return (hypervisor.downtime_ms - hypervisor.clock_delta_ms) / 1000
}
