import type { Connection, DirectionCounts } from '../events/connection.ts'
import type { Migration } from '../phases/migration.ts'
import type { Outcome } from '../phases/outcome.ts'
import { describeConvergence } from './convergence.ts'
import type { Locate } from './locate.ts'
import type { TransferReport } from './model.ts'
import { describePostCopy } from './post-copy.ts'
import { describeRounds } from './rounds.ts'
import { describeThroughput, peakOf } from './throughput.ts'

/** The memory's way: what passed, how fast, how many pages. */
export function describeTransfer(
  migration: Migration | null,
  outcome: Outcome,
  downtimeLimitS: number,
  locate: Locate,
  binsMax: number,
): TransferReport {
  if (migration === null) return withoutTransfer(downtimeLimitS)
  const { memory } = migration
  const interval = migration.machine.intervals.get('transfer')
  const duration =
    interval?.start && interval.end ? (interval.end.at.timeNs - interval.start.at.timeNs) / 1e9 : null
  const bytes = memory.length > 0 ? ofConnections(memory) : ofTunnel(migration)
  const payload = bytes.payload_bytes
  const throughput = payload === null ? null : throughputOf(migration, binsMax)
  const mean = payload !== null && duration !== null && duration > 0 ? (payload * 8) / duration : null
  const best = peakOf(throughput)
  // A transfer that is shorter than a bin does not fill it.
  const peak = best === null ? null : Math.max(best, mean ?? 0)
  return {
    ...bytes,
    throughput_mean_bps: mean,
    throughput_peak_bps: peak,
    throughput,
    connections: memory.length,
    storage_bytes: storageBytes(migration),
    pages: countPages(migration),
    post_copy: describePostCopy(migration, locate),
    ...describeProgress(migration, outcome, downtimeLimitS),
  }
}

/** From the SYN on; tunnelled, libvirt's own messages count with the memory. */
function throughputOf({ memory, rpc, machine }: Migration, binsMax: number): TransferReport['throughput'] {
  const { start, end } = machine.intervals.get('transfer') ?? {}
  const from = start?.at ?? memory[0]?.firstPacket
  if (from === undefined) return null
  const carriers = memory.length > 0 ? memory : rpc === null ? [] : [rpc]
  return describeThroughput(carriers, from.timeNs, end?.at.timeNs ?? Number.POSITIVE_INFINITY, binsMax)
}

/** Pages of the main stream, of all channels of a parallel migration, and of post-copy's urgent ones. Null when any was not
 *  read to its end, or a connection is neither. */
function countPages({ memory, stream, channels, urgent }: Migration): TransferReport['pages'] {
  if (!stream?.pages || memory.length > 1 + channels.size + urgent.size) return null
  const sum = { ...stream.pages }
  for (const channel of [...channels.values(), ...urgent.values()]) {
    if (!channel?.pages) return null
    sum.normal += channel.pages.normal
    sum.zero += channel.pages.zero
  }
  return { ...sum, page_size_bytes: stream.pageSizeBytes }
}

type Progress = Pick<TransferReport, 'rounds' | 'rounds_reason' | 'convergence'>

function describeProgress(migration: Migration, outcome: Outcome, downtimeLimitS: number): Progress {
  const { rounds, reason } = describeRounds(migration)
  const { stream, postCopied } = migration
  const statistics = migration.statistics ?? migration.statisticsOfCall
  const convergence = describeConvergence({
    rounds,
    reason,
    pageSize: stream?.pageSizeBytes ?? 0,
    memoryBytes: stream?.memoryBytes ?? null,
    outcome,
    postCopied,
    throttle: statistics?.autoConvergeThrottle ?? null,
    downtimeLimitS,
  })
  return { rounds, rounds_reason: reason, convergence }
}

type Bytes = Pick<
  TransferReport,
  'wire_bytes' | 'wire_bytes_to_destination' | 'payload_bytes' | 'retransmitted_bytes' | 'missing_bytes'
>

function ofConnections(connections: readonly Connection[]): Bytes {
  // Where only the answers were captured, nothing is known of what went to the destination.
  if (connections.every((connection) => connection.toServer.packets === 0)) return NOTHING
  const total = (field: Exclude<keyof DirectionCounts, 'rates'>): number =>
    connections.reduce((sum, connection) => sum + connection.toServer[field] + connection.toClient[field], 0)
  return {
    wire_bytes: total('wireBytes'),
    wire_bytes_to_destination: connections.reduce(
      (sum, connection) => sum + connection.toServer.wireBytes,
      0,
    ),
    payload_bytes: total('payloadBytes'),
    retransmitted_bytes: total('retransmittedBytes'),
    missing_bytes: total('missingBytes'),
  }
}

/** Inside the libvirt connection the memory has the share of the frames that it has of the payload. */
function ofTunnel(migration: Migration): Bytes {
  const { rpc } = migration
  if (rpc === null || migration.machine.transfer === 'none') return NOTHING
  const tunnelledBytes = rpc.toServer.payloadBytes - migration.callBytes
  const share = tunnelledBytes / rpc.toServer.payloadBytes
  const wire = Math.round(rpc.toServer.wireBytes * share)
  return {
    wire_bytes: wire + Math.round(rpc.toClient.wireBytes * share),
    wire_bytes_to_destination: wire,
    payload_bytes: tunnelledBytes,
    retransmitted_bytes: rpc.toServer.retransmittedBytes,
    missing_bytes: rpc.toServer.missingBytes,
  }
}

const NOTHING: Bytes = {
  wire_bytes: null,
  wire_bytes_to_destination: null,
  payload_bytes: null,
  retransmitted_bytes: null,
  missing_bytes: null,
}

function withoutTransfer(downtimeLimitS: number): TransferReport {
  const reason = 'no memory stream was read'
  return {
    ...NOTHING,
    throughput_mean_bps: null,
    throughput_peak_bps: null,
    throughput: null,
    connections: 0,
    storage_bytes: null,
    pages: null,
    post_copy: null,
    rounds: null,
    rounds_reason: reason,
    convergence: describeConvergence({
      rounds: null,
      reason,
      pageSize: 0,
      memoryBytes: null,
      outcome: 'incomplete',
      postCopied: false,
      throttle: null,
      downtimeLimitS,
    }),
  }
}

/** Disk contents that travelled: beside the memory, or inside its stream. */
function storageBytes(migration: Migration): number | null {
  if (migration.storage.length > 0)
    return migration.storage.reduce((sum, connection) => sum + connection.toServer.payloadBytes, 0)
  return migration.stream?.storageBytes ?? null
}
