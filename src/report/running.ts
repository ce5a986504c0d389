import type { Connection } from '../events/connection.ts'
import { firstPacket, intervalsOf, type JoinedMigration } from '../phases/join.ts'
import type { Migration } from '../phases/migration.ts'
import { isThrough } from '../phases/over.ts'
import { PHASES, type PhaseId } from '../phases/phase.ts'

/** The stretch that throughput is taken over: long enough to be steady, short enough to follow. */
const LATELY_NS = 1e9
/** The shortest one, right after the start. */
const LEAST_NS = 100e6

/** A migration that is under way, as it stands. */
export interface RunningMigration {
  /** Name or uuid of the guest, off the wire as it is; null where neither is known yet. */
  readonly guest: string | null
  /** The phase that began last and is not over, or where there is none, the one that was over last; null before the first. */
  readonly phase: PhaseId | null
  /** It is over, and the next one has not begun. */
  readonly phase_over: boolean
  /** The guest's disks are copied. */
  readonly storage: boolean
  /** The guest runs at the destination, and asks for the pages that it misses. */
  readonly postCopy: boolean
  /** All phases are over, and only late packets are waited for. */
  readonly through: boolean
  readonly elapsed_s: number
  /** Since the phase began, or since it was over. */
  readonly phase_elapsed_s: number | null
  /** Payload on its way to the destination during the last second; null when there is no memory or disk connection. */
  readonly throughput_bps: number | null
  /** Payload to the destination until now. */
  readonly bytes: number
  /** Rounds of pre-copy that are over, and bytes of the last of them: what the guest had written meanwhile, but for the first. */
  readonly rounds: number
  readonly last_round_bytes: number | null
}

/** What is followed of a capture that is not over. */
export interface Followed {
  /** Not reported yet, in order of their first packets. */
  readonly migrations: readonly JoinedMigration[]
  /** The latest stamp, nanoseconds after the first packet. */
  readonly latestNs: number
}

/** How migrations stand.
 *  @param silenceNs since the latest stamp, by a clock elsewhere: on a silent wire no packet tells that time passes */
export function describeRunning({ migrations, latestNs }: Followed, silenceNs = 0): RunningMigration[] {
  return migrations.map((migration) => describeOne(migration, latestNs + silenceNs))
}

function describeOne(migration: JoinedMigration, now: number): RunningMigration {
  const { libvirt, nova } = migration
  const current = currentPhase(migration)
  const storage = libvirt?.machine.storage === 'open' && libvirt.machine.transfer === 'none'
  const streams = libvirt === null ? [] : streamsOf(libvirt)
  const rounds = libvirt === null ? { count: 0, lastBytes: null } : roundsOf(libvirt)
  return {
    guest: libvirt?.domain?.name ?? libvirt?.domain?.uuid ?? nova?.instanceUuid ?? null,
    phase: current?.id ?? null,
    phase_over: current?.over === true,
    storage,
    postCopy: inPostCopy(migration),
    through: isThrough(migration),
    elapsed_s: Math.max(0, now - firstPacket(migration).timeNs) / 1e9,
    phase_elapsed_s: current === null ? null : Math.max(0, now - current.sinceNs) / 1e9,
    throughput_bps: streams.length === 0 ? null : throughput(streams, now),
    bytes: streams.reduce((sum, { toServer }) => sum + toServer.payloadBytes, 0),
    rounds: rounds.count,
    last_round_bytes: rounds.lastBytes,
  }
}

/** Post-copy finishes while the transfer goes on, which is what matters then. */
function inPostCopy({ libvirt }: JoinedMigration): boolean {
  return libvirt?.postCopied === true && libvirt.machine.transfer === 'open'
}

interface Current {
  readonly id: PhaseId
  readonly over: boolean
  readonly sinceNs: number
}

function currentPhase(migration: JoinedMigration): Current | null {
  const intervals = intervalsOf(migration)
  const transfer = intervals.get('transfer')?.start ?? null
  if (transfer !== null && inPostCopy(migration))
    return { id: 'transfer', over: false, sinceNs: transfer.at.timeNs }
  let current: Current | null = null
  for (const { id } of PHASES) {
    const interval = intervals.get(id)
    const start = interval?.start ?? [...(interval?.markers.values() ?? [])][0] ?? null
    if (start === null) continue
    const end = interval?.end ?? null
    const over = end !== null
    const sinceNs = (end ?? start).at.timeNs
    const later = current === null || (over === current.over ? sinceNs >= current.sinceNs : current.over)
    if (later) current = { id, over, sinceNs }
  }
  return current
}

function streamsOf({ rpc, memory, storage, tunnelled }: Migration): Connection[] {
  return [...memory, ...storage, ...(tunnelled && rpc !== null ? [rpc] : [])]
}

/** Series that have become coarse count their last bin as if it were whole. */
function throughput(streams: readonly Connection[], nowNs: number): number {
  const startNs = Math.min(...streams.map(({ firstPacket }) => firstPacket.timeNs))
  const latelyNs = Math.min(LATELY_NS, Math.max(LEAST_NS, nowNs - startNs))
  let bps = 0
  for (const { toServer } of streams) {
    const { rates } = toServer
    if (rates === null) continue
    const stretchNs = Math.max(latelyNs, rates.widthNs)
    bps += (rates.since(nowNs - stretchNs) * 8e9) / stretchNs
  }
  return bps
}

function roundsOf({ rounds, parallel }: Migration): { count: number; lastBytes: number | null } {
  if (parallel !== null) return { count: parallel.count, lastBytes: null }
  return { count: rounds.length, lastBytes: rounds.at(-1)?.bytes ?? null }
}
