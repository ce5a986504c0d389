import { boundsOf, timeZeroNs } from './epoch.ts'
import type { Gap, MigrationReport, PhaseReport, Report, StorageReport, ThroughputReport } from './model.ts'
import { guestOf, wayOf } from './title.ts'

/** What is shown of an event that is clicked on. */
type Args = Readonly<Record<string, unknown>>

/** Seconds after the capture's first packet. */
interface Slice {
  readonly name: string
  readonly startS: number
  readonly endS: number
  readonly args: Args
}

interface Instant {
  readonly name: string
  readonly timeS: number
  readonly args: Args
}

/** A row of the viewer. Its slices are disjoint or lie inside each other, outer ones first: others are drawn wrong, or dropped. */
interface Track {
  readonly name: string
  readonly slices: readonly Slice[]
  readonly instants: readonly Instant[]
}

/** An event of the format: complete (X), instant (i), counter (C) or metadata (M). Times are µs. */
interface TraceEvent {
  readonly ph: 'X' | 'i' | 'C' | 'M'
  readonly name: string
  readonly pid: number
  readonly tid?: number
  readonly ts?: number
  readonly dur?: number
  /** Scope of an instant: its thread. */
  readonly s?: 't'
  readonly cat?: string
  readonly args: Args
}

/** The report for Perfetto or chrome://tracing: a process for each migration, a thread for each of its tracks. An event a line.
 *  @see docs/formats-out.md; Trace Event Format, "JSON Object Format" */
export function renderPerfetto(report: Report): string {
  const events = report.migrations.flatMap((migration, index) => eventsOf(migration, index + 1))
  const lines = events.map((event) => JSON.stringify(event)).join(',\n')
  const captures = report.captures.map(({ file, start_epoch_ns }) => ({ file, start_epoch_ns }))
  const otherData = JSON.stringify({ tool: report.tool, captures })
  return `{"displayTimeUnit":"ms","otherData":${otherData},"traceEvents":[\n${lines}\n]}\n`
}

function eventsOf(migration: MigrationReport, pid: number): TraceEvent[] {
  const tracks = tracksOf(migration).filter(({ slices, instants }) => slices.length + instants.length > 0)
  const name = `${guestOf(migration)}  ${wayOf(migration)}  ${migration.outcome}`
  return [
    { ph: 'M', name: 'process_name', pid, args: { name } },
    { ph: 'M', name: 'process_sort_index', pid, args: { sort_index: pid } },
    ...tracks.flatMap((track, index) => trackEvents(track, pid, index + 1)),
    ...counterEvents('Memory, bit/s', migration.transfer.throughput, pid),
    ...counterEvents('Storage, bit/s', migration.storage?.throughput ?? null, pid),
  ]
}

/** Whole microseconds: viewers cut fractions off, and slices that touch would overlap. The report's own times are in `args`. */
function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6)
}

function trackEvents({ name, slices, instants }: Track, pid: number, tid: number): TraceEvent[] {
  return [
    { ph: 'M', name: 'thread_name', pid, tid, args: { name } },
    { ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: tid } },
    ...slices.map((slice): TraceEvent => {
      const ts = microseconds(slice.startS)
      const dur = microseconds(slice.endS) - ts
      return { ph: 'X', name: slice.name, cat: name, pid, tid, ts, dur, args: slice.args }
    }),
    ...instants.map((instant): TraceEvent => {
      const ts = microseconds(instant.timeS)
      return { ph: 'i', s: 't', name: instant.name, cat: name, pid, tid, ts, args: instant.args }
    }),
  ]
}

/** A counter keeps its value until the next event: the last one brings it back to 0. */
function counterEvents(name: string, throughput: ThroughputReport | null, pid: number): TraceEvent[] {
  if (throughput === null) return []
  const { start_s, bin_s, to_destination_bps } = throughput
  return [...to_destination_bps, 0].map((value, index) => ({
    ph: 'C',
    name,
    pid,
    ts: microseconds(start_s + index * bin_s),
    args: { value },
  }))
}

function tracksOf(migration: MigrationReport): Track[] {
  const { phases, gaps, transfer, storage } = migration
  return [
    ...tracks('Order of the client', [orderSlice(migration)]),
    ...tracks('Migration', [wholeSlice(migration)]),
    ...tracks('Phases', phases.map(phaseSlice)),
    { name: 'Markers', slices: [], instants: [...phases.flatMap(phaseInstants), ...novaInstants(migration)] },
    ...tracks('Rounds of pre-copy', (transfer.rounds ?? []).map(roundSlice)),
    ...tracks('Post-copy', (transfer.post_copy?.parts ?? []).map(partSlice)),
    ...tracks('Storage', storage === null ? [] : [storageSlice(storage)]),
    ...tracks('Disks', (storage?.disks ?? []).map(diskSlice)),
    { name: 'Downtime', slices: downtimeSlices(migration), instants: [] },
    ...tracks(
      'Gaps',
      gaps.map((gap) => gapSlice(gap, phases)),
    ),
  ]
}

/** As many tracks as it takes for slices not to overlap. */
function tracks(name: string, slices: readonly (Slice | null)[]): Track[] {
  const rows: Slice[][] = []
  const known = slices.filter((slice) => slice !== null)
  for (const slice of known.sort((a, b) => a.startS - b.startS)) {
    const row = rows.find((each) => (each.at(-1)?.endS ?? 0) <= slice.startS)
    if (row === undefined) rows.push([slice])
    else row.push(slice)
  }
  return rows.map((row, index) => ({
    name: index === 0 ? name : `${name} (${index + 1})`,
    slices: row,
    instants: [],
  }))
}

/** Null unless both ends are known and in order. */
function sliceOf(name: string, startS: number | null, endS: number | null, args: Args): Slice | null {
  return startS === null || endS === null || endS < startS ? null : { name, startS, endS, args }
}

function wholeSlice(migration: MigrationReport): Slice | null {
  const { domain, mode, outcome, failure, start_epoch_ns, total_migration_time_s, downtime } = migration
  const bounds = boundsOf(migration)
  const zero = timeZeroNs(migration)
  return sliceOf(guestOf(migration), bounds?.startS ?? null, bounds?.endS ?? null, {
    capture: migration.capture,
    uuid: domain.uuid,
    way: wayOf(migration),
    outcome,
    failure,
    mode,
    start_epoch_ns,
    time_zero_epoch_ns: zero === null ? null : zero.toString(),
    total_migration_time_s,
    ping: downtime.icmp,
  })
}

function orderSlice({ order }: MigrationReport): Slice | null {
  return order === null ? null : sliceOf('perform', order.start.time_s, order.end.time_s, { ...order })
}

function phaseSlice({ id, label, start, end, duration_s }: PhaseReport): Slice | null {
  return sliceOf(label, start.time_s, end.time_s, { phase: id, duration_s, start, end })
}

/** The inner markers, and a boundary whose other end is missing. */
function phaseInstants({ id, label, start, end, markers, reason }: PhaseReport): Instant[] {
  const instants = markers.map(
    (marker): Instant => ({ name: marker.id, timeS: marker.time_s, args: { phase: id, ...marker } }),
  )
  if (start.time_s !== null && end.time_s !== null) return instants
  const args = { phase: id, reason }
  if (start.time_s !== null)
    instants.push({ name: `${label} starts`, timeS: start.time_s, args: { ...args, start } })
  if (end.time_s !== null) instants.push({ name: `${label} ends`, timeS: end.time_s, args: { ...args, end } })
  return instants
}

function novaInstants({ openstack }: MigrationReport): Instant[] {
  return (openstack?.markers ?? []).map((marker) => ({
    name: marker.id,
    timeS: marker.time_s,
    args: { ...marker },
  }))
}

function roundSlice(round: NonNullable<MigrationReport['transfer']['rounds']>[number]): Slice | null {
  return sliceOf(`Round ${round.index}`, round.start_s, round.end_s, { ...round })
}

function partSlice(
  part: NonNullable<MigrationReport['transfer']['post_copy']>['parts'][number],
): Slice | null {
  return sliceOf(part.id, part.start?.time_s ?? null, part.end?.time_s ?? null, { ...part })
}

function storageSlice({ start, end, duration_s, payload_bytes, connections }: StorageReport): Slice | null {
  return sliceOf('Storage', start.time_s, end.time_s, { duration_s, payload_bytes, connections, start, end })
}

function diskSlice(disk: StorageReport['disks'][number]): Slice | null {
  return sliceOf(disk.export ?? 'a disk', disk.first_write_s, disk.last_write_s, { ...disk })
}

/** The estimate between its bounds: each lies inside the one before. Of a ping only lengths are known, no instants: they
 *  are with the migration. */
function downtimeSlices({ downtime }: MigrationReport): Slice[] {
  const { start, end } = downtime.stream
  if (start === null || end === null) return []
  const args = { start, end, best_s: downtime.best_s, lower_s: downtime.lower_s, upper_s: downtime.upper_s }
  return [
    sliceOf('Downtime, at most', start.lower_s, end.upper_s, args),
    sliceOf('Downtime', start.time_s, end.time_s, args),
    sliceOf('Downtime, at least', start.upper_s, end.lower_s, args),
  ].filter((slice) => slice !== null)
}

function gapSlice(gap: Gap, phases: readonly PhaseReport[]): Slice | null {
  const start = phases.find(({ id }) => id === gap.after)?.end.time_s ?? null
  const end = phases.find(({ id }) => id === gap.before)?.start.time_s ?? null
  return sliceOf(gap.what ?? `between ${gap.after} and ${gap.before}`, start, end, { ...gap })
}
