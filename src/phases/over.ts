import type { Evidence } from '../core/evidence.ts'
import { CLEANUP_NS, KEPT_OPEN_NS, LATE_NS, NOVA_WORK_NS, SILENCE_NS } from '../core/limits.ts'
import { termination } from '../events/connection.ts'
import { MIGRATE_FLAG } from '../events/migrate-flags.ts'
import type { JoinedMigration } from './join.ts'
import type { Migration } from './migration.ts'
import type { NovaMigration } from './nova-migration.ts'
import type { SourceOrder } from './source-order.ts'

/** What time it is for a trace that goes on. Nanoseconds after the first packet. */
export interface Now {
  /** The latest stamp. */
  readonly packetNs: number
  /** The same, or later where the wire is silent: by the clock of whoever reads it. */
  readonly ns: number
}

/** Steps of libvirt after which nothing more happens to the guest. */
const LIBVIRT_OVER: ReadonlySet<string> = new Set([
  'refused',
  'open-failed',
  'prepare-failed',
  'finished',
  'finish-failed',
  'cancelled',
  'broken',
])
const NOVA_OVER: ReadonlySet<string> = new Set([
  'check-failed',
  'prepare-failed',
  'rolled-back',
  'settled',
  'post-failed',
])

/** Whether a migration is over, so that nothing that still comes changes what is known of it: each side has ended, and nothing
 *  more was heard for a while; or nothing has been heard for so long that it is given up. Only packets tell that: while a wire
 *  is silent as a whole, the packets may wait in a buffer on their way. */
export function isOver({ libvirt, nova }: JoinedMigration, now: Now): boolean {
  const libvirtOver = libvirt === null || libvirtEnded(libvirt, now) || libvirtSilent(libvirt, now)
  if (!libvirtOver) return false
  return nova === null || novaEnded(nova, now) || novaSilent(nova, libvirt !== null, now)
}

/** Whether what the user wants to see of a migration has all been: what is still waited for are late packets only. */
export function isThrough({ libvirt, nova }: JoinedMigration): boolean {
  if (nova !== null && !hasSettled(nova)) return false
  if (libvirt === null || libvirt.rpc === null) return libvirt?.machine.transfer !== 'open'
  return LIBVIRT_OVER.has(libvirt.machine.control) && termination(libvirt.rpc) !== null
}

/** The same of an order to a source, where nothing else of the migration is there. */
export function isOrderOver(order: SourceOrder, now: Now): boolean {
  const end = order.end ?? termination(order.connection)
  if (end !== null) return now.ns - end.timeNs > LATE_NS
  return now.packetNs - order.connection.lastPacket.timeNs > SILENCE_NS
}

function libvirtEnded(migration: Migration, now: Now): boolean {
  const { rpc, machine, memory, order } = migration
  if (rpc === null && memory.length === 0) return order !== null && isOrderOver(order, now)
  if (hasClosed(migration)) return isPast(migration, now.ns)
  const over = rpc !== null && LIBVIRT_OVER.has(machine.control) && !isStranded(migration)
  return over && now.ns - latestNs(migration) > patienceAfter(migration)
}

/** Whether a migration has had its end, and late packets would have come by now: what comes from now on is not its own. */
export function isPast(migration: Migration, nowNs: number): boolean {
  if (!hasClosed(migration)) return false
  return nowNs - latestNs(migration) > LATE_NS
}

/** Its work is done, or has come to nothing, and the connections that tell so have ended. */
function hasClosed({ rpc, machine, memory }: Migration): boolean {
  if (rpc !== null) return LIBVIRT_OVER.has(machine.control) && termination(rpc) !== null
  return memory.length > 0 && memory.every((connection) => termination(connection) !== null)
}

/** The source closes the connection that it made when it has tidied up; a client may have more to do. */
function patienceAfter({ flags }: Migration): number {
  const managed = flags !== null && (flags & MIGRATE_FLAG.PEER2PEER) === 0
  return managed ? KEPT_OPEN_NS : CLEANUP_NS
}

/** Between the hosts after the switch to post-copy: it may be taken up again as long as the daemons talk. */
function isStranded({ postCopied, stream }: Migration): boolean {
  return postCopied && stream?.complete !== true
}

/** Nothing passes any more, not even the keepalives of the daemons. */
function libvirtSilent(migration: Migration, now: Now): boolean {
  const rpcNs = migration.rpc?.lastPacket.timeNs ?? Number.NEGATIVE_INFINITY
  return now.packetNs - Math.max(rpcNs, latestNs(migration)) > SILENCE_NS
}

/** The last packet that belongs to a migration. Keepalives go on for as long as a connection is open. */
function latestNs({ rpc, memory, storage, machine, announcements, order }: Migration): number {
  const finish = machine.intervals.get('finish')?.end?.at ?? null
  const talk =
    rpc !== null && termination(rpc) !== null ? rpc.lastPacket : (finish ?? rpc?.lastPacket ?? null)
  const all: (Evidence | null | undefined)[] = [talk, announcements.at(-1), order?.end]
  for (const { lastPacket } of [...memory, ...storage]) all.push(lastPacket)
  return all.reduce((latest, at) => Math.max(latest, at?.timeNs ?? latest), Number.NEGATIVE_INFINITY)
}

function novaEnded(migration: NovaMigration, now: Now): boolean {
  return hasSettled(migration) && now.ns - migration.lastHeard.timeNs > LATE_NS
}

/** What nobody confirms is over when the API shows it, or when nobody asked for long. */
function hasSettled({ machine, postIsCast, shown }: NovaMigration): boolean {
  if (machine.request === 'rejected') return true
  if (machine.nova === 'settled') return !postIsCast || shown
  return NOVA_OVER.has(machine.nova)
}

/** Where libvirt's side is not in the capture, Nova is silent for as long as the memory is on its way. */
function novaSilent({ machine, lastHeard }: NovaMigration, withLibvirt: boolean, now: Now): boolean {
  const { nova } = machine
  const works = nova === 'preparing' || (!withLibvirt && (nova === 'ordered' || nova === 'prepared'))
  const patience = works ? NOVA_WORK_NS : SILENCE_NS
  return now.packetNs - lastHeard.timeNs > patience
}
