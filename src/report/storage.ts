import type { NbdEnd } from '../events/nbd.ts'
import type { Migration } from '../phases/migration.ts'
import { boundary, type Locate } from './locate.ts'
import type { DiskReport, StorageReport } from './model.ts'
import { describeThroughput } from './throughput.ts'

/** The disks' way beside the memory. Null where nothing was copied there. */
export function describeStorage(migration: Migration, locate: Locate, binsMax: number): StorageReport | null {
  const { storage, disks, machine } = migration
  const [first] = storage
  if (first === undefined) return null
  const { start = null, end = null } = machine.intervals.get('storage') ?? {}
  const fromNs = start?.at.timeNs ?? first.firstPacket.timeNs
  return {
    start: boundary(start, locate),
    end: boundary(end, locate),
    duration_s: start !== null && end !== null ? (end.at.timeNs - start.at.timeNs) / 1e9 : null,
    connections: storage.length,
    payload_bytes: storage.reduce((sum, connection) => sum + connection.toServer.payloadBytes, 0),
    throughput: describeThroughput(storage, fromNs, end?.at.timeNs ?? Number.POSITIVE_INFINITY, binsMax),
    disks: storage.flatMap((connection) => {
      const disk = disks.get(connection)
      return disk === undefined ? [] : [describeDisk(disk)]
    }),
  }
}

function describeDisk({ writes, writeZeroes, unread, firstWrite, lastWrite, ...disk }: NbdEnd): DiskReport {
  return {
    export: disk.exportName,
    size_bytes: disk.sizeBytes,
    writes: writes.count + (unread.count ?? 0),
    written_bytes: writes.bytes + unread.bytes,
    zeroes_bytes: writeZeroes.bytes,
    first_write_s: firstWrite === null ? null : firstWrite.timeNs / 1e9,
    last_write_s: lastWrite === null ? null : lastWrite.timeNs / 1e9,
    errors: disk.errors,
    complete: disk.complete,
  }
}
