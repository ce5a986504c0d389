import type { Evidence } from '../core/evidence.ts'
import type { Interval, Intervals } from './interval.ts'
import type { Migration } from './migration.ts'
import type { NovaMigration } from './nova-migration.ts'

/** One migration as it is reported: libvirt's side, Nova's side, or both. */
export interface JoinedMigration {
  readonly libvirt: Migration | null
  readonly nova: NovaMigration | null
}

/** Puts the two sides of a migration together by the uuid, which libvirt's domain and Nova's instance share; where one
 *  instance migrates several times, in their order. Never by time alone.
 *  @returns in the order of their first packets */
export function join(libvirt: readonly Migration[], nova: readonly NovaMigration[]): JoinedMigration[] {
  const left = new Set(libvirt)
  const guests = byGuest(libvirt)
  const joined: JoinedMigration[] = []
  const laterFirst = [...nova].sort((a, b) => b.firstPacket.packet - a.firstPacket.packet)
  for (const side of laterFirst) {
    const sameGuest = guests.get(side.instanceUuid)?.filter((migration) => left.has(migration)) ?? []
    const match = counterpart(side, sameGuest)
    if (match !== undefined) left.delete(match)
    joined.push({ libvirt: match ?? null, nova: side })
  }
  for (const migration of left) joined.push({ libvirt: migration, nova: null })
  return joined
    .map((migration) => ({ migration, packet: firstPacket(migration).packet }))
    .sort((a, b) => a.packet - b.packet)
    .map(({ migration }) => migration)
}

function byGuest(migrations: readonly Migration[]): Map<string, Migration[]> {
  const guests = new Map<string, Migration[]>()
  for (const migration of migrations) {
    const uuid = migration.domain?.uuid
    if (uuid == null) continue
    const known = guests.get(uuid)
    if (known === undefined) guests.set(uuid, [migration])
    else known.push(migration)
  }
  return guests
}

/** The first migration of the instance's guest after Nova began with it; or, when the capture starts in between, the
 *  last one before. */
function counterpart(nova: NovaMigration, sameGuest: readonly Migration[]): Migration | undefined {
  const start = nova.firstPacket.packet
  const after = sameGuest.find((migration) => migration.firstPacket.packet >= start)
  if (after !== undefined || nova.machine.intervals.has('init')) return after
  return sameGuest.findLast((migration) => migration.firstPacket.packet < start)
}

/** The intervals of both sides: each side has its own. */
export function intervalsOf(migration: JoinedMigration): Intervals {
  const all = new Map<Parameters<Intervals['get']>[0], Interval>()
  for (const side of [migration.nova, migration.libvirt])
    for (const [id, interval] of side?.machine.intervals ?? []) all.set(id, interval)
  return all
}

/** Where a migration begins in the capture. */
export function firstPacket({ libvirt, nova }: JoinedMigration): Evidence {
  const packets = [libvirt?.firstPacket, nova?.firstPacket].filter((at) => at !== undefined)
  return packets.reduce((a, b) => (b.packet < a.packet ? b : a))
}
