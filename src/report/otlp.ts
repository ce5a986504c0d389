import { VERSION } from '../core/version.ts'
import { boundsOf, nanoseconds, timeZeroNs } from './epoch.ts'
import { fnv64, fnv128 } from './fnv.ts'
import type { Boundary, Marker, MigrationReport, PhaseReport, Report } from './model.ts'
import { guestOf, wayOf } from './title.ts'

/** 64-bit numbers are text in OTLP/JSON. */
type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }

interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

interface SpanEvent {
  readonly timeUnixNano: string
  readonly name: string
  readonly attributes: readonly KeyValue[]
}

interface Status {
  readonly code?: number
  readonly message?: string
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly events: readonly SpanEvent[]
  readonly status: Status
}

/** Numbers of trace.proto: enumerations are numbers in OTLP/JSON. */
const SPAN_KIND_INTERNAL = 1
const STATUS_CODE = { ok: 1, error: 2 } as const

/** The report as one ExportTraceServiceRequest, on one line: a trace for each migration. A migration none of whose boundaries is
 *  known has no time, and is left out.
 *  @see docs/formats-out.md; OTLP specification, "JSON Protobuf Encoding"; opentelemetry/proto/trace/v1/trace.proto */
export function renderOtlp(report: Report): string {
  const resourceSpans = report.migrations.flatMap((migration) => {
    const spans = spansOf(migration)
    if (spans.length === 0) return []
    const resource = { attributes: resourceAttributes(migration) }
    return [{ resource, scopeSpans: [{ scope: { name: 'mig-phases', version: VERSION }, spans }] }]
  })
  return `${JSON.stringify({ resourceSpans })}\n`
}

function resourceAttributes({ source }: MigrationReport): KeyValue[] {
  return [
    ...text('service.name', 'mig-phases'),
    ...text('service.version', VERSION),
    ...text('host.name', source.hostname),
  ]
}

/** What tells a migration from all others. The capture's name is no part of it: a copy of a capture tells of the same one. */
function identityOf({ domain, source, destination, start_epoch_ns }: MigrationReport): string {
  const guest = domain.uuid ?? domain.name
  return JSON.stringify([guest, source.address, destination.address, start_epoch_ns])
}

/** Makes the spans of one migration. Their ids come from what they describe, so that a report that is sent twice gives the same
 *  spans twice. */
class Trace {
  readonly spans: Span[] = []
  readonly #identity: string
  readonly #id: string
  readonly #zeroNs: bigint

  constructor(migration: MigrationReport, zeroNs: bigint) {
    this.#identity = identityOf(migration)
    this.#id = fnv128(this.#identity)
    this.#zeroNs = zeroNs
  }

  /** @param path tells the span from the others of the trace
   *  @returns its id */
  add(path: string, parent: string | null, span: Described): string {
    const spanId = fnv64(`${this.#identity} ${path}`)
    this.spans.push({
      traceId: this.#id,
      spanId,
      ...(parent === null ? {} : { parentSpanId: parent }),
      name: span.name,
      kind: SPAN_KIND_INTERNAL,
      startTimeUnixNano: this.#unixNano(span.startS),
      endTimeUnixNano: this.#unixNano(span.endS),
      attributes: span.attributes,
      events: (span.events ?? []).map((event) => this.#event(event)),
      status: span.status ?? {},
    })
    return spanId
  }

  #event({ id, time_s, packet, file }: Marker): SpanEvent {
    const attributes = [...int('mig_phases.packet', packet), ...text('mig_phases.file', file)]
    return { timeUnixNano: this.#unixNano(time_s), name: id, attributes }
  }

  #unixNano(seconds: number): string {
    return (this.#zeroNs + nanoseconds(seconds)).toString()
  }
}

/** A span before it has an identity. Seconds after the capture's first packet. */
interface Described {
  readonly name: string
  readonly startS: number
  readonly endS: number
  readonly attributes: readonly KeyValue[]
  readonly events?: readonly Marker[]
  readonly status?: Status
}

/** Where libvirt's part is not in the capture, the guest may run later than the last boundary. */
function withDowntime(
  { startS, endS }: { readonly startS: number; readonly endS: number },
  { downtime }: MigrationReport,
): { readonly startS: number; readonly endS: number } {
  const { start, end } = downtime.stream
  if (start === null || end === null) return { startS, endS }
  return { startS: Math.min(startS, start.time_s), endS: Math.max(endS, end.time_s) }
}

function spansOf(migration: MigrationReport): readonly Span[] {
  const bounds = boundsOf(migration)
  const zeroNs = timeZeroNs(migration)
  if (bounds === null || zeroNs === null) return []
  const trace = new Trace(migration, zeroNs)
  const root = trace.add('migration', null, {
    name: 'migration',
    ...withDowntime(bounds, migration),
    attributes: migrationAttributes(migration),
    events: [
      ...migration.phases.filter(isOpen).flatMap(knownInstants),
      ...(migration.openstack?.markers ?? []),
    ],
    status: statusOf(migration),
  })
  let transfer = root
  for (const phase of migration.phases) {
    const id = addPhase(trace, root, phase, migration)
    if (phase.id === 'transfer') transfer = id ?? root
  }
  addParts(trace, transfer, migration)
  addStorage(trace, root, migration)
  addDowntime(trace, root, migration)
  return trace.spans
}

function isOpen({ start, end }: PhaseReport): boolean {
  return start.time_s === null || end.time_s === null
}

/** What is known of a phase that makes no span: its boundary, and its markers. */
function knownInstants({ id, start, end, markers }: PhaseReport): Marker[] {
  return [...boundaryMarker(`${id}.start`, start), ...markers, ...boundaryMarker(`${id}.end`, end)]
}

function boundaryMarker(id: string, { packet, file, time_s }: Boundary): Marker[] {
  return packet === null || time_s === null ? [] : [{ id, packet, file, time_s }]
}

/** Unset while nobody knows how it ends. */
function statusOf({ outcome, failure }: MigrationReport): Status {
  if (outcome === 'incomplete') return {}
  return outcome === 'completed'
    ? { code: STATUS_CODE.ok }
    : { code: STATUS_CODE.error, message: failure?.message ?? outcome }
}

function addPhase(
  trace: Trace,
  root: string,
  phase: PhaseReport,
  { failure }: MigrationReport,
): string | null {
  const { start, end, markers } = phase
  if (start.time_s === null || end.time_s === null) return null
  return trace.add(`phase ${phase.id}`, root, {
    name: phase.id,
    startS: start.time_s,
    endS: end.time_s,
    attributes: [...boundaryAttributes('start', start), ...boundaryAttributes('end', end)],
    events: markers,
    ...(failure?.phase === phase.id ? { status: { code: STATUS_CODE.error, message: failure.message } } : {}),
  })
}

function boundaryAttributes(edge: 'start' | 'end', { packet, file, kind, rule }: Boundary): KeyValue[] {
  return [
    ...int(`mig_phases.${edge}.packet`, packet),
    ...text(`mig_phases.${edge}.file`, file),
    ...text(`mig_phases.${edge}.kind`, kind),
    ...text(`mig_phases.${edge}.rule`, rule),
  ]
}

/** Rounds of pre-copy and parts of post-copy. */
function addParts(trace: Trace, parent: string, { transfer }: MigrationReport): void {
  for (const round of transfer.rounds ?? [])
    trace.add(`round ${round.index}`, parent, {
      name: 'round',
      startS: round.start_s,
      endS: round.end_s,
      attributes: [
        ...int('mig_phases.round.index', round.index),
        ...int('mig_phases.round.normal_pages', round.normal_pages),
        ...int('mig_phases.round.zero_pages', round.zero_pages),
        ...int('mig_phases.round.bytes', round.bytes),
        ...double('mig_phases.round.throughput_bps', round.throughput_bps),
        ...double('mig_phases.round.dirty_rate_bps', round.dirty_rate_bps),
      ],
    })
  for (const { id, start, end } of transfer.post_copy?.parts ?? [])
    if (start !== null && end !== null)
      trace.add(`part ${id}`, parent, {
        name: id,
        startS: start.time_s,
        endS: end.time_s,
        attributes: [
          ...int('mig_phases.start.packet', start.packet),
          ...int('mig_phases.end.packet', end.packet),
        ],
      })
}

function addStorage(trace: Trace, root: string, { storage }: MigrationReport): void {
  if (storage === null || storage.start.time_s === null || storage.end.time_s === null) return
  const parent = trace.add('storage', root, {
    name: 'storage',
    startS: storage.start.time_s,
    endS: storage.end.time_s,
    attributes: [
      ...boundaryAttributes('start', storage.start),
      ...boundaryAttributes('end', storage.end),
      ...int('mig_phases.storage.payload_bytes', storage.payload_bytes),
    ],
  })
  for (const [index, disk] of storage.disks.entries())
    if (disk.first_write_s !== null && disk.last_write_s !== null)
      trace.add(`disk ${index}`, parent, {
        name: 'disk',
        startS: disk.first_write_s,
        endS: disk.last_write_s,
        attributes: [
          ...text('mig_phases.disk.export', disk.export),
          ...int('mig_phases.disk.size_bytes', disk.size_bytes),
          ...int('mig_phases.disk.written_bytes', disk.written_bytes),
        ],
      })
}

/** The estimate by the packets; its bounds are attributes. */
function addDowntime(trace: Trace, root: string, { downtime }: MigrationReport): void {
  const { start, end } = downtime.stream
  if (start === null || end === null || end.time_s < start.time_s) return
  trace.add('downtime', root, {
    name: 'downtime',
    startS: start.time_s,
    endS: end.time_s,
    attributes: [
      ...double('mig_phases.downtime.lower_s', downtime.lower_s),
      ...double('mig_phases.downtime.upper_s', downtime.upper_s),
      ...int('mig_phases.start.packet', start.packet),
      ...text('mig_phases.start.rule', start.rule),
      ...int('mig_phases.end.packet', end.packet),
      ...text('mig_phases.end.rule', end.rule),
    ],
  })
}

function migrationAttributes(migration: MigrationReport): KeyValue[] {
  const { domain, source, destination, mode, outcome, failure, transfer, downtime, openstack } = migration
  return [
    ...text('mig_phases.capture', migration.capture),
    ...text('mig_phases.guest', guestOf(migration)),
    ...text('mig_phases.way', wayOf(migration)),
    ...text('mig_phases.domain.uuid', domain.uuid),
    ...int('mig_phases.domain.memory_bytes', domain.memory_bytes),
    ...text('source.address', source.address),
    ...text('destination.address', destination.address),
    ...text('mig_phases.destination.hostname', destination.hostname),
    ...text('mig_phases.kind', migration.kind),
    ...text('mig_phases.outcome', outcome),
    ...text('error.type', failure === null ? null : (failure.class ?? outcome)),
    ...text('mig_phases.mode.memory', mode.memory),
    ...text('mig_phases.mode.storage', mode.storage),
    ...bool('mig_phases.mode.live', mode.live),
    ...bool('mig_phases.mode.tls', mode.tls),
    ...int('mig_phases.transfer.wire_bytes', transfer.wire_bytes),
    ...double('mig_phases.transfer.throughput_mean_bps', transfer.throughput_mean_bps),
    ...text('mig_phases.convergence', transfer.convergence.verdict),
    ...double('mig_phases.total_migration_time_s', migration.total_migration_time_s),
    ...double('mig_phases.downtime_s', downtime.best_s),
    ...text('mig_phases.downtime.method', downtime.method),
    ...double('mig_phases.ping.gap_s', downtime.icmp?.gap_s ?? null),
    ...int('mig_phases.ping.lost', downtime.icmp?.lost ?? null),
    ...text('mig_phases.openstack.request_id', openstack?.request_id ?? null),
    ...Object.entries(migration.factors).flatMap(([name, level]) => text(`mig_phases.factor.${name}`, level)),
  ]
}

/** An attribute, or none for what is unknown. Each has its type whatever the value: a backend keeps the first one that it sees. */
function text(key: string, value: string | null): KeyValue[] {
  return value === null ? [] : [{ key, value: { stringValue: value } }]
}

function int(key: string, value: number | null): KeyValue[] {
  return value === null ? [] : [{ key, value: { intValue: value.toFixed(0) } }]
}

function double(key: string, value: number | null): KeyValue[] {
  return value === null ? [] : [{ key, value: { doubleValue: value } }]
}

function bool(key: string, value: boolean | null): KeyValue[] {
  return value === null ? [] : [{ key, value: { boolValue: value } }]
}
