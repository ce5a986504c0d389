import type { Connection, DirectionCounts } from '../events/connection.ts'
import type { Migration } from '../phases/migration.ts'
import type { Outcome } from '../phases/outcome.ts'
import { describeConvergence } from './convergence.ts'
import type { TransferReport } from './model.ts'
import { describeRounds } from './rounds.ts'

/** The memory's way: what passed, how fast, how many pages. */
export function describeTransfer(migration: Migration | null, outcome: Outcome): TransferReport {
  if (migration === null) return NO_TRANSFER
  const { memory } = migration
  const interval = migration.machine.intervals.get('transfer')
  const duration =
    interval?.start && interval.end ? (interval.end.at.timeNs - interval.start.at.timeNs) / 1e9 : null
  const bytes = memory.length > 0 ? ofConnections(memory) : ofTunnel(migration)
  const payload = bytes.payload_bytes
  return {
    ...bytes,
    throughput_mean_bps:
      payload !== null && duration !== null && duration > 0 ? (payload * 8) / duration : null,
    connections: memory.length,
    storage_bytes: storageBytes(migration),
    pages: countPages(migration),
    ...describeProgress(migration, outcome),
  }
}

/** Pages of the main stream and of all channels of a parallel migration. Null when any was not read to its end, or a
 *  connection is neither (post-copy's preempt channel). */
function countPages({ memory, stream, channels }: Migration): TransferReport['pages'] {
  if (!stream?.pages || memory.length > 1 + channels.size) return null
  const sum = { ...stream.pages }
  for (const channel of channels.values()) {
    if (!channel?.pages) return null
    sum.normal += channel.pages.normal
    sum.zero += channel.pages.zero
  }
  return { ...sum, page_size_bytes: stream.pageSizeBytes }
}

type Progress = Pick<TransferReport, 'rounds' | 'rounds_reason' | 'convergence'>

function describeProgress(migration: Migration, outcome: Outcome): Progress {
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
  })
  return { rounds, rounds_reason: reason, convergence }
}

type Bytes = Pick<
  TransferReport,
  | 'wire_bytes'
  | 'wire_bytes_to_destination'
  | 'payload_bytes'
  | 'retransmitted_bytes'
  | 'missing_bytes'
  | 'throughput_peak_bps'
>

function ofConnections(connections: readonly Connection[]): Bytes {
  // Where only the answers were captured, nothing is known of what went to the destination.
  if (connections.every((connection) => connection.toServer.packets === 0)) return NOTHING
  const total = (field: keyof DirectionCounts): number =>
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
    // Peaks of several channels need not coincide.
    throughput_peak_bps: connections.length === 1 ? (connections[0]?.toServer.peakBps ?? null) : null,
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
    throughput_peak_bps: rpc.toServer.peakBps,
  }
}

const NOTHING: Bytes = {
  wire_bytes: null,
  wire_bytes_to_destination: null,
  payload_bytes: null,
  retransmitted_bytes: null,
  missing_bytes: null,
  throughput_peak_bps: null,
}

const NO_TRANSFER: TransferReport = {
  ...NOTHING,
  throughput_mean_bps: null,
  connections: 0,
  storage_bytes: null,
  pages: null,
  rounds: null,
  rounds_reason: 'no memory stream was read',
  convergence: {
    verdict: null,
    sentence: 'Not judged: no memory stream was read.',
    required_bandwidth_bps: null,
  },
}

/** Disk contents that travelled: beside the memory, or inside its stream. */
function storageBytes(migration: Migration): number | null {
  if (migration.storage.length > 0)
    return migration.storage.reduce((sum, connection) => sum + connection.toServer.payloadBytes, 0)
  return migration.stream?.storageBytes ?? null
}
