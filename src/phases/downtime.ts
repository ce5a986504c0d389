import type { Evidence } from '../core/evidence.ts'
import { peakRate } from '../core/rate.ts'
import { MIGRATE_FLAG } from '../events/migrate-flags.ts'
import type { Migration } from './migration.ts'

/** An instant that no packet shows directly: the best estimate, what it was read from, and the bounds around it. Times
 *  are nanoseconds after the capture's first packet. */
export interface Instant {
  readonly atNs: number
  readonly lowerNs: number
  readonly upperNs: number
  readonly rule: string
  /** The packet that it was read from. */
  readonly evidence: Evidence
}

/** How long the guest was stopped, from the wire. */
export interface StreamDowntime {
  readonly stop: Instant | null
  readonly resume: Instant | null
}

const MS = 1e6

/** The cookie's stamps are whole milliseconds, and a loaded host sends the call some milliseconds after it took `sent`: in
 *  24 captures with QEMU's own events, the stop was between 6.7 ms before and 1.2 ms after what they say. */
const COOKIE = { earlier: 7.5 * MS, later: 1.5 * MS } as const
/** QEMU ≥ 2.1.1 holds the announcement until the guest runs; the frame left 0 to 0.3 ms after that. */
const ANNOUNCED = { earlier: 0.5 * MS, later: 0.3 * MS } as const
/** Older QEMU announces when the state is loaded, and libvirt starts the guest in the finish call: 0 to 12 ms after it,
 *  in the median 1.6 ms. @see protocols.md K, "RARP" */
const STARTED = { median: 1.6 * MS, later: 12 * MS } as const
/** An announcement so long after the finish call can only come from a guest that runs. */
const SURELY_AFTER_CALL_NS = 4 * MS
/** What a sender's socket may hold before its bytes pass the tap: tcp_wmem of a tuned host. */
const BACKLOG_BYTES = 6 * 1024 * 1024
/** How late the end of the RAM section passes the tap, as a share of the time that the backlog takes: in 31 captures with
 *  QEMU's own events 0 to 1.7, in the median 0.43. */
const BACKLOG_SHARE = { median: 0.43, earlier: 2 } as const
/** Without `--live` the guest is stopped right before the migration socket opens: 0.9 ms in the captures at hand. */
const NOT_LIVE = { earlier: 10 * MS } as const

/** Guest stopped … guest runs, each end with its uncertainty; null where nothing tells. A migration that was not completed, or
 *  whose guest stays paused on purpose, has no downtime.
 *  @see protocols.md D.8, D.9, K */
export function streamDowntime(migration: Migration): StreamDowntime {
  if (!switchedOver(migration)) return { stop: null, resume: null }
  return { stop: stopOf(migration), resume: isLeftPaused(migration) ? null : resumeOf(migration) }
}

/** libvirt said so, or, where its conversation is not in the capture, the stream was taken to its end. */
function switchedOver({ rpc, machine, stream }: Migration): boolean {
  if (rpc !== null) return machine.control === 'finished'
  return machine.transfer === 'ended' && stream?.complete === true
}

/** The guest does not run at the destination until somebody resumes it. */
export function isLeftPaused({ flags }: Migration): boolean {
  return flags !== null && (flags & MIGRATE_FLAG.PAUSED) !== 0
}

/** Why there is no downtime from the wire; null when there is. */
export function reasonWithoutDowntime(migration: Migration): string | null {
  const { stop, resume } = streamDowntime(migration)
  if (stop !== null && resume !== null) return null
  if (isLeftPaused(migration)) return 'the guest is left paused at the destination'
  if (!switchedOver(migration))
    return migration.rpc === null && migration.memory.length > 0
      ? 'neither libvirt nor the whole memory stream is in the capture'
      : 'the guest was not switched over, as far as the capture shows'
  if (resume === null) return 'nothing in the capture shows when the guest ran again'
  if (migration.encrypted) return 'the connections are encrypted: when the guest was stopped cannot be read'
  return "when the guest was stopped cannot be read: neither the statistics in libvirt's finish call nor the end of the memory is in the capture"
}

function stopOf(migration: Migration): Instant | null {
  if (didNotRun(migration)) return null
  return stopByCookie(migration) ?? stopWithoutLive(migration) ?? stopByStream(migration)
}

/** libvirt writes down a stop of 0 for a guest that was paused before the migration. */
function didNotRun({ statistics, statisticsOfCall }: Migration): boolean {
  return (statisticsOfCall ?? statistics)?.stopped === 0
}

/** `stopped` and `sent` are on the source's clock; the packet of the call tells what `sent` is on the capture's. */
function stopByCookie(migration: Migration): Instant | null {
  const statistics = migration.statisticsOfCall ?? migration.statistics
  const call = migration.machine.intervals.get('finish')?.start?.at
  if (statistics?.stopped == null || statistics.sent === null || call === undefined) return null
  // Seen elsewhere than at the source, the call is late by the way to there.
  const atNs = call.timeNs - (statistics.sent - statistics.stopped) * MS - wayFromSourceNs(migration)
  return {
    atNs,
    lowerNs: atNs - COOKIE.earlier,
    upperNs: atNs + COOKIE.later,
    rule: 'libvirt.cookie.stopped',
    evidence: call,
  }
}

function stopWithoutLive({ flags, machine }: Migration): Instant | null {
  const start = machine.intervals.get('transfer')?.start?.at
  if (flags === null || (flags & MIGRATE_FLAG.LIVE) !== 0 || start === undefined) return null
  return {
    atNs: start.timeNs,
    lowerNs: start.timeNs - NOT_LIVE.earlier,
    upperNs: start.timeNs,
    rule: 'transfer.start',
    evidence: start,
  }
}

/** What is sent with the guest stopped begins with the end of the RAM section, in post-copy with the device state; it
 *  passes the tap late by what the sender's socket still held. */
function stopByStream(migration: Migration): Instant | null {
  const transfer = migration.machine.intervals.get('transfer')
  const markers = transfer?.markers
  const postCopy =
    migration.postCopied || (migration.flags !== null && (migration.flags & MIGRATE_FLAG.POSTCOPY) !== 0)
  const mark = (postCopy ? undefined : markers?.get('qemu.ram_end')) ?? markers?.get('qemu.device_state')
  const bps = throughputBps(migration)
  if (mark === undefined || bps === 0) return null
  const backlogNs = (BACKLOG_BYTES * 8e9) / bps
  const { timeNs } = mark.at
  // A live guest runs at least until there is a stream.
  const startNs = transfer?.start?.at.timeNs ?? Number.NEGATIVE_INFINITY
  const earliestNs = migration.flags === null ? startNs - NOT_LIVE.earlier : startNs
  return {
    atNs: Math.max(earliestNs, timeNs - BACKLOG_SHARE.median * backlogNs),
    lowerNs: Math.max(earliestNs, timeNs - BACKLOG_SHARE.earlier * backlogNs),
    upperNs: timeNs,
    rule: mark.rule,
    evidence: mark.at,
  }
}

/** Of the fastest connection: its backlog is what the mark waits behind. */
function throughputBps({ memory, rpc, machine }: Migration): number {
  const carriers = memory.length > 0 ? memory : rpc === null ? [] : [rpc]
  const startNs = machine.intervals.get('transfer')?.start?.at.timeNs ?? 0
  const peaks = carriers.map(({ toServer: { rates } }) => (rates === null ? 0 : peakRate([rates], startNs)))
  return Math.max(0, ...peaks)
}

/** Half of the round trip between the tap and the source, as its answer to the SYN-ACK shows. */
function wayFromSourceNs({ rpc }: Migration): number {
  if (rpc?.synAck == null || rpc.handshakeAck === null) return 0
  return Math.max(0, (rpc.handshakeAck.timeNs - rpc.synAck.timeNs) / 2)
}

/** RARP frames from before this migration's stream belong to an earlier move of the guest. */
function firstAnnouncement({ announcements, machine }: Migration): Evidence | undefined {
  const start = machine.intervals.get('transfer')?.start ?? machine.intervals.get('finish')?.start
  const from = start?.at.timeNs ?? Number.NEGATIVE_INFINITY
  return announcements.find((announcement) => announcement.timeNs >= from)
}

/** A configuration section (QEMU ≥ 2.4) or job statistics (libvirt ≥ 1.2.9) belong to hosts whose QEMU holds announcements
 *  back. */
function announcesAtResume({ machineType, statistics, statisticsOfCall }: Migration): boolean {
  return machineType !== null || statistics !== null || statisticsOfCall !== null
}

function resumeOf(migration: Migration): Instant | null {
  if (migration.rpc === null) return resumeByAnnouncement(migration)
  const finish = migration.machine.intervals.get('finish')
  const call = finish?.start?.at
  const reply = finish?.end?.at
  if (call === undefined || reply === undefined) return null
  const announced = firstAnnouncement(migration)
  if (announced !== undefined && announced.timeNs >= call.timeNs) {
    const sure = announcesAtResume(migration) || announced.timeNs - call.timeNs >= SURELY_AFTER_CALL_NS
    return {
      atNs: announced.timeNs,
      lowerNs: Math.max(call.timeNs, announced.timeNs - ANNOUNCED.earlier),
      upperNs: announced.timeNs + (sure ? ANNOUNCED.later : STARTED.later),
      rule: 'rarp.first',
      evidence: announced,
    }
  }
  if (announced !== undefined) {
    return {
      atNs: call.timeNs + STARTED.median,
      lowerNs: call.timeNs,
      upperNs: call.timeNs + STARTED.later,
      rule: 'libvirt.finish.call',
      evidence: call,
    }
  }
  // Nobody announced the guest (filtered, or another network): it runs somewhere between call and reply, or a little later.
  return {
    atNs: reply.timeNs,
    lowerNs: call.timeNs,
    upperNs: reply.timeNs + STARTED.later,
    rule: 'libvirt.finish.reply',
    evidence: reply,
  }
}

/** Without libvirt's conversation, only a QEMU that announces the guest when it runs tells. */
function resumeByAnnouncement(migration: Migration): Instant | null {
  const announced = firstAnnouncement(migration)
  if (announced === undefined || !announcesAtResume(migration)) return null
  return {
    atNs: announced.timeNs,
    lowerNs: announced.timeNs - ANNOUNCED.earlier,
    upperNs: announced.timeNs + ANNOUNCED.later,
    rule: 'rarp.first',
    evidence: announced,
  }
}
