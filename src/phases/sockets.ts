import { BoundedMap } from '../core/bounded-map.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { KeyIndex } from '../core/key-index.ts'
import {
  ACTIVE_MIGRATIONS_MAX,
  CANDIDATES_MAX,
  CANDIDATES_TOTAL_MAX,
  MIGRATION_CONNECTIONS_MAX,
  MIGRATION_CONNECTIONS_TOTAL_MAX,
} from '../core/limits.ts'
import type { Connection } from '../events/connection.ts'
import type { TcpOpen } from '../events/tcp.ts'
import type { Role } from './classify.ts'
import type { Migration } from './migration.ts'
import { isPast } from './over.ts'

/** How often it is looked which migrations have had their end, by the capture's clock: there may be a thousand. */
const RETIRE_EVERY_NS = 10e6
/** What a connection carries at least to be taken for a guest's memory by its volume alone. */
const STRANGER_BYTES_MIN = 64 * 1024

export interface Owner {
  readonly migration: Migration
  readonly role: Role
}

/** Which migration each connection belongs to. A memory or storage connection is found by the announced port, else by its
 *  content, else by time and hosts. */
export class Sockets {
  readonly #diagnostics: Diagnostics
  /** Whether libvirt's daemons talk over a connection. */
  readonly #talks: (connection: Connection) => boolean
  readonly #owners = new Map<Connection, Owner>()
  /** Migrations that still may get connections or announcements. */
  readonly #active = new Set<Migration>()
  /** Active migrations by the ends of their memory connections, the ports that the destination listens on, and the hosts that
   *  talk of them: a connection is not held against each of a thousand. */
  readonly #byEnds = new KeyIndex<string, Migration>()
  readonly #byPort = new KeyIndex<number, Migration>()
  readonly #byHosts = new KeyIndex<string, Migration>()
  /** Connections between the hosts of an active migration, unclaimed. */
  readonly #candidates = new Map<Migration, TcpOpen[]>()
  #candidateCount = 0
  #retiredNs = Number.NEGATIVE_INFINITY
  /** Connections that were open before the capture began. */
  readonly #strangers = new BoundedMap<number, TcpOpen>(CANDIDATES_MAX)
  /** Connections that opened lately and belong to nobody yet. */
  readonly #unclaimed = new BoundedMap<number, TcpOpen>(CANDIDATES_MAX)

  constructor(diagnostics: Diagnostics, talks: (connection: Connection) => boolean) {
    this.#diagnostics = diagnostics
    this.#talks = talks
  }

  /** Migrations that still may get connections, the first one first. */
  get active(): ReadonlySet<Migration> {
    return this.#active
  }

  ownerOf(connection: Connection): Owner | undefined {
    return this.#owners.get(connection)
  }

  /** A migration began. */
  follow(migration: Migration): void {
    const [oldest] = this.#active
    if (oldest !== undefined && this.#active.size >= ACTIVE_MIGRATIONS_MAX) this.retire(oldest)
    this.#active.add(migration)
  }

  /** The daemons talk of a migration over this connection. */
  talk(connection: Connection, migration: Migration): void {
    this.#owners.set(connection, { migration, role: 'rpc' })
  }

  /** From now on, connections between the hosts are remembered, of which one may turn out to be the migration's. */
  watch(migration: Migration): void {
    this.#candidates.set(migration, [])
    if (migration.rpc !== null) this.#byHosts.add(hostsOf(migration.rpc), migration)
  }

  opened(event: TcpOpen): void {
    const { connection } = event
    if (!event.sawSyn) this.#strangers.set(connection.id, event)
    this.retirePast(event.first.timeNs)
    const memory = this.#bestFit(connection, (migration) => migration.fitOfMemory(connection))
    if (memory !== null) {
      this.own(connection, memory, 'memory')
      return
    }
    const storage = this.#bestFit(connection, (migration) => migration.fitOfStorage(connection))
    if (storage !== null) {
      this.own(connection, storage, 'storage')
      return
    }
    const sibling = this.#between(connection, (migration) => migration.machine.transfer === 'open')
    if (sibling !== null) {
      this.own(connection, sibling, 'memory')
      return
    }
    if (event.sawSyn) this.#unclaimed.set(connection.id, event)
    this.#remember(event)
  }

  /** As candidates; those that have waited longest make room. */
  #remember(event: TcpOpen): void {
    for (const migration of this.#byHosts.get(hostsOf(event.connection))) {
      const candidates = this.#candidates.get(migration)
      if (candidates === undefined || candidates.length >= CANDIDATES_MAX) continue
      if (!migration.sameHosts(event.connection)) continue
      candidates.push(event)
      this.#candidateCount++
    }
    if (this.#candidateCount <= CANDIDATES_TOTAL_MAX) return
    for (const candidates of this.#candidates.values()) {
      this.#candidateCount -= candidates.splice(0).length
      if (this.#candidateCount <= CANDIDATES_TOTAL_MAX / 2) return
    }
  }

  /** The active migration that a connection fits best; of equals, the one that has none yet, then the latest. */
  #bestFit(connection: Connection, fit: (migration: Migration) => number): Migration | null {
    let best: Migration | null = null
    let bestScore = 0
    for (const migration of this.#byPort.get(connection.server.port)) {
      if (!migration.awaitsMemory) continue
      const fitness = fit(migration)
      const score = fitness * 2 + (migration.memory.length === 0 ? 1 : 0)
      if (fitness > 0 && score >= bestScore) {
        best = migration
        bestScore = score
      }
    }
    return best
  }

  /** The first active migration with a memory connection that has the same ends. */
  #between(connection: Connection, test: (migration: Migration) => boolean): Migration | null {
    for (const migration of this.#byEnds.get(endsOf(connection))) if (test(migration)) return migration
    return null
  }

  /** The migration that a stream on an unannounced connection belongs to.
   *  @param isChannel it is one of several */
  claimant(connection: Connection, isChannel: boolean): Migration | null {
    const parallel = ({ channels, machine }: Migration): boolean =>
      (isChannel || channels.size > 0) && machine.transfer !== 'ended'
    return this.#between(connection, parallel) ?? this.#withoutSocket(connection)
  }

  /** A migration between the same hosts whose socket is not known. */
  #withoutSocket(connection: Connection): Migration | null {
    for (const migration of this.#byHosts.get(hostsOf(connection))) {
      const open = migration.awaitsMemory && !migration.tunnelled && migration.memory.length === 0
      if (open && migration.sameHosts(connection) && migration.target === null) return migration
    }
    return null
  }

  /** Whether there is no room for a stream, or it has the ends of a migration that has all the connections it can have: it
   *  belongs to nobody. */
  isSurplus(connection: Connection): boolean {
    if (this.#owners.size >= MIGRATION_CONNECTIONS_TOTAL_MAX) return true
    return this.#between(connection, ({ memory }) => memory.length >= MIGRATION_CONNECTIONS_MAX) !== null
  }

  /** A connection turned out to be one to a disk of the destination's. */
  claimStorage(connection: Connection): void {
    if (this.#owners.has(connection)) return
    for (const migration of this.#byHosts.get(hostsOf(connection))) {
      if (migration.awaitsMemory && migration.sameHosts(connection)) {
        this.own(connection, migration, 'storage')
        return
      }
    }
  }

  own(connection: Connection, migration: Migration, role: 'memory' | 'storage'): void {
    const siblings = role === 'memory' ? this.#freeSiblings(connection) : []
    const all = [connection, ...siblings].sort((one, other) => one.id - other.id)
    for (const each of all) this.#take(each, migration, role)
  }

  #take(connection: Connection, migration: Migration, role: 'memory' | 'storage'): void {
    const full = this.#limitOf(migration, role)
    if (full !== null) {
      const at = connection.firstPacket
      this.#diagnostics.report('phase.connections', 'warning', at, () => `${full}: the rest are not followed`)
      return
    }
    this.#owners.set(connection, { migration, role })
    this.#unclaimed.delete(connection.id)
    migration[role].push(connection)
    this.#active.add(migration)
    if (role === 'memory') this.#byEnds.add(endsOf(connection), migration)
    replayOpening(connection, migration, role)
  }

  #limitOf(migration: Migration, role: 'memory' | 'storage'): string | null {
    if (migration[role].length >= MIGRATION_CONNECTIONS_MAX)
      return `more than ${MIGRATION_CONNECTIONS_MAX} ${role} connections of one migration`
    if (this.#owners.size >= MIGRATION_CONNECTIONS_TOTAL_MAX)
      return `more than ${MIGRATION_CONNECTIONS_TOTAL_MAX} connections of migrations`
    return null
  }

  /** Where one connection carries memory, others that are open from the same host to the same port do so too: channels of a
   *  parallel migration, or that of urgent pages. The first that is known is not always the first that opened. */
  #freeSiblings(known: Connection): Connection[] {
    const ends = endsOf(known)
    return [...this.#unclaimed.values()]
      .map((open) => open.connection)
      .filter((connection) => {
        const open = connection.lastFin === null && connection.lastRst === null
        return connection !== known && open && this.#isFree(connection) && endsOf(connection) === ends
      })
  }

  #isFree(connection: Connection): boolean {
    return !this.#owners.has(connection) && !this.#talks(connection)
  }

  /** More may be known of where the destination listens: connections that opened before that had been read are looked at
   *  again. */
  learned(migration: Migration): void {
    if (!this.#active.has(migration)) return
    for (const port of [migration.target?.port, migration.nbdPort])
      if (port != null) this.#byPort.add(port, migration)
    for (const { connection } of this.#candidates.get(migration) ?? []) {
      if (this.#owners.has(connection)) continue
      if (migration.fitOfMemory(connection) > 0) this.own(connection, migration, 'memory')
      else if (migration.fitOfStorage(connection) > 0) this.own(connection, migration, 'storage')
    }
  }

  /** A stream that was followed by itself turned out to be another migration's. */
  adopt(stream: Migration, migration: Migration): void {
    this.#leave(stream)
    migration.adopt(stream)
    for (const each of stream.memory) {
      this.#owners.set(each, { migration, role: 'memory' })
      this.#byEnds.add(endsOf(each), migration)
    }
  }

  /** Of the connections that were open when the capture began, the one between the same hosts that carried the most. */
  ownLargestStranger(migration: Migration): void {
    let largest: Connection | null = null
    for (const { connection } of this.#strangers.values()) {
      const bytes = connection.toServer.payloadBytes
      if (bytes < STRANGER_BYTES_MIN || bytes <= (largest?.toServer.payloadBytes ?? 0)) continue
      if (migration.sameHosts(connection) && this.#isFree(connection)) largest = connection
    }
    if (largest !== null) this.own(largest, migration, 'memory')
  }

  /** Migrations that have had their end get no more connections and announcements: those belong to later ones. */
  retirePast(timeNs: number): void {
    if (timeNs < this.#retiredNs + RETIRE_EVERY_NS) return
    this.#retiredNs = timeNs
    for (const migration of this.#active) if (isPast(migration, timeNs)) this.retire(migration)
  }

  retire(migration: Migration): void {
    this.settle(migration)
    this.#leave(migration)
  }

  /** Where neither port nor content told, the first connection that opened between the hosts after the prepare
   *  reply is taken for the migration socket. */
  settle(migration: Migration): void {
    const prepared = migration.machine.intervals.get('prepare')?.end
    if (migration.memory.length > 0 || migration.tunnelled || migration.target !== null || !prepared) return
    for (const { connection, sawSyn, first } of this.#candidates.get(migration) ?? []) {
      if (!sawSyn || first.packet <= prepared.at.packet || !this.#isFree(connection)) continue
      this.own(connection, migration, 'memory')
      return
    }
  }

  /** A migration was reported. */
  release(migration: Migration): void {
    this.#leave(migration)
    const { rpc, memory, storage } = migration
    for (const each of [rpc, ...memory, ...storage]) if (each !== null) this.#owners.delete(each)
  }

  #leave(migration: Migration): void {
    this.#active.delete(migration)
    for (const index of [this.#byEnds, this.#byPort, this.#byHosts]) index.remove(migration)
    this.#candidateCount -= this.#candidates.get(migration)?.length ?? 0
    this.#candidates.delete(migration)
  }

  /** A connection that belongs to no migration is not followed any more. */
  forget(connection: Connection): void {
    this.#unclaimed.delete(connection.id)
    this.#strangers.delete(connection.id)
  }
}

function hostsOf({ client, server }: Connection): string {
  return `${client.address} ${server.address}`
}

/** What two connections have in common that run between the same hosts, to the same port. */
function endsOf({ client, server }: Connection): string {
  return `${client.address} ${server.address} ${server.port}`
}

/** What happened on a connection before its owner was known. */
export function replayOpening(connection: Connection, migration: Migration, role: Role): void {
  const { syn, synAck, firstPacket, lastFin, lastRst } = connection
  const at = syn ?? firstPacket
  const base = { connection, direction: 'to-server' } as const
  migration.event({ ...base, type: 'tcp.open', first: at, last: at, sawSyn: syn !== null }, role)
  if (synAck !== null) migration.event({ ...base, type: 'tcp.accept', first: synAck, last: synAck }, role)
  if (role === 'rpc') return
  if (lastFin !== null) migration.event({ ...base, type: 'tcp.fin', first: lastFin, last: lastFin }, role)
  if (lastRst !== null) migration.event({ ...base, type: 'tcp.rst', first: lastRst, last: lastRst }, role)
}
