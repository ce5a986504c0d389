import { BodyBudget } from '../core/body-budget.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { LATE_NS, MIGRATIONS_MAX, ROUND_MAPS_TOTAL_MAX, ROUND_OVERHEAD, SILENCE_NS } from '../core/limits.ts'
import { type Connection, termination } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { actionOf, type LibvirtCall, type LibvirtEvent, type LibvirtReply } from '../events/libvirt.ts'
import type { MultifdEvent } from '../events/multifd.ts'
import type { QemuEvent } from '../events/qemu.ts'
import type { RarpAnnounce } from '../events/rarp.ts'
import type { TcpEvent, TcpOpen } from '../events/tcp.ts'
import type { TlsRecord } from '../events/tls.ts'
import type { Role } from './classify.ts'
import { EchoTracker } from './echo.ts'
import { type JoinedMigration, join } from './join.ts'
import { reportUnexpected } from './machine.ts'
import { Migration } from './migration.ts'
import { NovaTracker } from './nova-tracker.ts'
import { isOrderOver, isOver, isPast, type Now } from './over.ts'
import { ParallelRounds } from './parallel-rounds.ts'
import type { Signal } from './signal.ts'
import { SourceOrder } from './source-order.ts'
import { TlsConversation } from './tls-conversation.ts'

/** Events of a libvirt connection kept until it is known whether a migration follows. A client asks a dozen
 *  questions before it prepares. */
const PRELUDE_MAX = 64
/** Ports of libvirtd: a refused connection to one of them is an attempt to migrate. @see protocols.md C.1 */
const LIBVIRT_PORTS: ReadonlySet<number> = new Set([16509, 16514])
/** VIR_DRV_FEATURE_MIGRATION_P2P: asked by a source daemon right before it prepares. */
const FEATURE_P2P = 4
/** Connections remembered because a migration may turn out to own them. */
const CANDIDATES_MAX = 256
/** Refused connections to libvirt's ports that are told as failed migrations: beyond that somebody scans ports. */
const ATTEMPTS_MAX = 1024
/** Migrations that are followed at once; when there are more, the first one gets no more connections. */
const ACTIVE_MAX = 1024
/** A client tries the next address of a host at once after a refusal. */
const RETRY_NS = 1e9
/** What a connection carries at least to be taken for a guest's memory by its volume alone. */
const STRANGER_BYTES_MIN = 64 * 1024

/** Announcements come within a second of the move (RARP, protocols.md D.9); with room for a late resume. */
const ANNOUNCE_WINDOW_NS = 60e9

/** A libvirt connection: what was said before the first prepare, and the migrations that it ran. */
interface Conversation {
  readonly prelude: ProtocolEvent[]
  askedForP2p: boolean
  /** Perform, begin or confirm: the server is the source, not the destination. */
  sourceSide: boolean
  migration: Migration | null
  /** Its migration was taken out: what it still says belongs to nothing, until the next one begins. */
  reported: boolean
}

/** The same under TLS. */
interface EncryptedConversation {
  readonly records: TlsConversation
  readonly prelude: Signal[]
  migration: Migration | null
  reported: boolean
}

/** A connection to libvirt's port that nobody accepted. */
interface Attempt {
  readonly connection: Connection
  readonly events: readonly ProtocolEvent[]
}

/** Gives each event to the migration that it belongs to. Migrations are told apart by their connections; memory
 *  connections are found by the announced port, else by their content, else by time and hosts. */
export class MigrationTracker {
  #migrations: Migration[] = []
  readonly #nova: NovaTracker
  readonly #echoes = new EchoTracker()
  readonly #diagnostics: Diagnostics
  readonly #maps: BodyBudget
  readonly #conversations = new Map<Connection, Conversation>()
  readonly #encryptedConversations = new Map<Connection, EncryptedConversation>()
  /** What clients told source daemons to do, and those of them that wait for the answer. */
  #orders: SourceOrder[] = []
  readonly #openOrders = new Map<Connection, SourceOrder>()
  readonly #owners = new Map<Connection, { migration: Migration; role: Role }>()
  /** Migrations that still may get connections or announcements. */
  readonly #active = new Set<Migration>()
  /** Connections between the hosts of an active migration, unclaimed. */
  readonly #candidates = new Map<Migration, TcpOpen[]>()
  /** Connections that were open before the capture began. */
  readonly #strangers = new BoundedMap<number, TcpOpen>(CANDIDATES_MAX)
  /** Connections that opened lately and belong to nobody yet. */
  readonly #unclaimed = new BoundedMap<number, TcpOpen>(CANDIDATES_MAX)
  /** SYNs to libvirt's ports that nobody answered yet. */
  readonly #unanswered = new Map<Connection, TcpOpen>()
  /** Connections to libvirt's ports that were refused. */
  #attempts: Attempt[] = []

  /** @param maps room for telling the rounds of parallel migrations apart */
  constructor(diagnostics: Diagnostics, maps = new BodyBudget(ROUND_MAPS_TOTAL_MAX)) {
    this.#diagnostics = diagnostics
    this.#maps = maps
    this.#nova = new NovaTracker(diagnostics)
  }

  event(event: ProtocolEvent): void {
    switch (event.type) {
      case 'tcp.open':
        this.#opened(event)
        return
      case 'tcp.accept':
        this.#unanswered.delete(event.connection)
        this.#toOwner(event)
        return
      case 'tcp.refuse':
        this.#refused(event)
        return
      case 'tcp.fin':
      case 'tcp.rst':
        this.#toOwner(event)
        this.#closed(event)
        return
      case 'tls.record':
        this.#encrypted(event)
        return
      case 'nbd.greeting':
        this.#claimStorage(event.connection)
        return
      case 'nbd.export':
      case 'nbd.end':
        this.#toOwner(event)
        return
      case 'rarp.announce':
        this.#announced(event)
        return
      case 'icmp.echo':
        this.#echoes.echo(event)
        return
      case 'libvirt.call':
      case 'libvirt.reply':
      case 'libvirt.stream':
      case 'libvirt.keepalive':
      case 'libvirt.other':
        this.#conversed(event)
        return
      case 'http.request':
        this.#nova.request(event)
        return
      case 'http.response':
        this.#nova.response(event)
        return
      case 'amqp.message':
        this.#nova.message(event)
        return
      case 'amqp.confirm':
        this.#nova.confirm(event)
        return
      case 'amqp.close':
        return
      default:
        this.#streamed(event)
    }
  }

  /** The capture is over: what is still undecided is decided.
   *  @returns all migrations, in the order of their first packets */
  end(): JoinedMigration[] {
    for (const migration of this.#active) this.#settle(migration)
    for (const [connection, conversation] of this.#conversations) {
      if (conversation.migration === null && conversation.askedForP2p && !conversation.sourceSide)
        this.#begin(connection, conversation)
    }
    for (const [connection, open] of this.#unanswered) this.#unaccepted(connection, open)
    for (const { connection, events } of this.#attempts) this.#attempt(connection, events)
    for (const order of this.#orders) this.#fulfil(order)
    this.#echoes.end()
    return join(this.#migrations, this.#nova.migrations)
  }

  /** Migrations that are in the capture, and were not taken out. In order of their first packets. */
  get migrations(): JoinedMigration[] {
    return join(this.#migrations, this.#nova.migrations)
  }

  /** The capture goes on: what is over is decided, as it is at its end.
   *  @returns migrations that are over, to be taken out */
  ripe(now: Now): JoinedMigration[] {
    this.#giveUp(now)
    const over = this.migrations.filter((migration) => isOver(migration, now))
    const ended = new Set(over.flatMap(({ libvirt }) => (libvirt === null ? [] : [libvirt])))
    for (const migration of ended) this.#settle(migration)
    if (ended.size > 0 && this.#orders.length > 0) this.#fulfilOrdersOf(ended)
    const ripe = over.filter((migration) => this.#isRipe(migration, now))
    for (const { libvirt } of ripe) if (libvirt !== null) this.#echoes.finish(libvirt)
    return ripe
  }

  /** Whether also what is known now of a migration that is over says so: its memory, pings, and the answer to the order. */
  #isRipe(migration: JoinedMigration, now: Now): boolean {
    const { libvirt } = migration
    if (libvirt === null) return true
    const ordered = libvirt.order === null || isOrderOver(libvirt.order, now)
    return ordered && isOver(migration, now) && this.#echoes.isThrough(libvirt, now.ns)
  }

  /** Forgets migrations that were ripe, once they were reported. */
  release(migrations: readonly JoinedMigration[]): void {
    const reported = new Set<Migration>()
    for (const { libvirt } of migrations) {
      if (libvirt === null) continue
      reported.add(libvirt)
      libvirt.parallel?.release()
      // The first round of a stream takes no room.
      this.#maps.give(Math.max(0, libvirt.rounds.length - 1) * ROUND_OVERHEAD)
      this.#active.delete(libvirt)
      this.#candidates.delete(libvirt)
      for (const each of connectionsOf(libvirt)) this.#owners.delete(each)
      if (libvirt.rpc !== null) this.#silence(libvirt.rpc)
    }
    if (reported.size > 0) this.#migrations = this.#migrations.filter((each) => !reported.has(each))
    this.#nova.release(new Set(migrations.flatMap(({ nova }) => (nova === null ? [] : [nova]))))
  }

  /** A connection is not followed any more. */
  forget(connection: Connection): void {
    if (this.#owners.has(connection)) return
    const conversation = this.#conversations.get(connection)
    // What was said shows that there were answers, which may be missing from the capture.
    if (conversation !== undefined || this.#encryptedConversations.has(connection))
      this.#unanswered.delete(connection)
    // A migration that came to nothing is still to be told.
    if (conversation?.askedForP2p !== true || conversation.sourceSide) this.#conversations.delete(connection)
    this.#encryptedConversations.delete(connection)
    this.#openOrders.delete(connection)
    this.#unclaimed.delete(connection.id)
    this.#strangers.delete(connection.id)
  }

  /** Whether a migration that was not taken out holds a connection, or may come to hold it. */
  needs(connection: Connection): boolean {
    return this.#owners.has(connection) || this.#conversations.has(connection)
  }

  /** What began and came to nothing: told as the end of a capture would. */
  #giveUp(now: Now): void {
    for (const [connection, conversation] of this.#conversations) {
      if (conversation.migration !== null || !conversation.askedForP2p || conversation.sourceSide) continue
      const over = termination(connection) !== null && now.ns - connection.lastPacket.timeNs > LATE_NS
      if (over) this.#begin(connection, conversation)
    }
    for (const [connection, open] of this.#unanswered) {
      if (now.packetNs - connection.lastPacket.timeNs <= SILENCE_NS) continue
      this.#unanswered.delete(connection)
      this.#unaccepted(connection, open)
    }
    const later = (attempt: Attempt): boolean => now.ns - attempt.connection.lastPacket.timeNs <= LATE_NS
    for (const attempt of this.#attempts)
      if (!later(attempt)) this.#attempt(attempt.connection, attempt.events)
    this.#attempts = this.#attempts.filter(later)
    for (const order of this.#orders) {
      if (!isOrderOver(order, now) || this.#migrations.some((migration) => order.fits(migration))) continue
      this.#fulfil(order)
      this.#orders = this.#orders.filter((each) => each !== order)
    }
  }

  /** Orders go to the first migrations that they fit; those of some migrations are looked for. */
  #fulfilOrdersOf(ended: ReadonlySet<Migration>): void {
    const taken = new Set<Migration>()
    this.#orders = this.#orders.filter((order) => {
      const free = (migration: Migration): boolean => migration.order === null && !taken.has(migration)
      const fitting = this.#migrations.find((migration) => free(migration) && order.fits(migration))
      if (fitting === undefined) return true
      taken.add(fitting)
      if (ended.has(fitting)) fitting.follow(order)
      return !ended.has(fitting)
    })
  }

  /** The migration that a connection ran was taken out. */
  #silence(rpc: Connection): void {
    const encrypted = this.#encryptedConversations.get(rpc)
    const conversation = this.#conversations.get(rpc)
    if (encrypted !== undefined) {
      encrypted.reported = true
      encrypted.migration = null
    }
    if (conversation !== undefined) {
      conversation.reported = true
      conversation.migration = null
      conversation.askedForP2p = false
    }
    if (termination(rpc) !== null) this.forget(rpc)
  }

  /** A conversation that came to nothing is forgotten, unless it was about to migrate a guest. */
  #closed(event: TcpEvent): void {
    const { connection } = event
    if (this.#encryptedConversations.get(connection)?.migration === null) {
      this.#encryptedConversations.delete(connection)
      this.#unanswered.delete(connection)
    }
    this.#openOrders.delete(connection)
    const conversation = this.#conversations.get(connection)
    if (conversation === undefined || conversation.migration !== null) return
    if (conversation.askedForP2p && !conversation.sourceSide) {
      if (conversation.prelude.length < PRELUDE_MAX) conversation.prelude.push(event)
      return
    }
    this.#conversations.delete(connection)
    // Where the answers are missing from the capture, what was said shows that there were some.
    this.#unanswered.delete(connection)
  }

  #opened(event: TcpOpen): void {
    const { connection } = event
    if (event.sawSyn && LIBVIRT_PORTS.has(connection.server.port) && this.#unanswered.size < CANDIDATES_MAX)
      this.#unanswered.set(connection, event)
    if (!event.sawSyn) this.#strangers.set(connection.id, event)
    this.#retirePast(event.first)
    const memory = this.#bestFit((migration) => migration.fitOfMemory(connection))
    if (memory !== null) {
      this.#own(connection, memory, 'memory')
      return
    }
    const storage = this.#bestFit((migration) => migration.fitOfStorage(connection))
    if (storage !== null) {
      this.#own(connection, storage, 'storage')
      return
    }
    const siblings = this.#siblings(connection)
    if (siblings !== null) {
      this.#own(connection, siblings, 'memory')
      return
    }
    if (event.sawSyn) this.#unclaimed.set(connection.id, event)
    for (const migration of this.#active) {
      const candidates = this.#candidates.get(migration)
      if (candidates !== undefined && candidates.length < CANDIDATES_MAX && migration.sameHosts(connection))
        candidates.push(event)
    }
  }

  /** The active migration that a connection fits best; of equals, the one that has none yet, then the latest. */
  #bestFit(fit: (migration: Migration) => number): Migration | null {
    let best: Migration | null = null
    let bestScore = 0
    for (const migration of this.#active) {
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

  #refused(event: TcpEvent): void {
    const { connection } = event
    this.#toOwner(event)
    const open = this.#unanswered.get(connection)
    if (open === undefined) return
    this.#unanswered.delete(connection)
    if (this.#attempts.length < ATTEMPTS_MAX) this.#attempts.push({ connection, events: [open, event] })
  }

  /** Nobody answered a SYN. Where the answers are missing from the capture, what was said shows that there were some. */
  #unaccepted(connection: Connection, open: TcpOpen): void {
    const spoke = this.#conversations.has(connection) || this.#encryptedConversations.has(connection)
    if (!spoke) this.#attempts.push({ connection, events: [open] })
  }

  /** A connection to libvirt's port that came to nothing. When the same source gets through right after, it was one
   *  address of several (IPv6, then IPv4), not a failed migration. */
  #attempt(connection: Connection, events: readonly ProtocolEvent[]): void {
    if (this.#migrations.some((migration) => followed(connection, migration.rpc))) return
    const migration = this.#add(connection)
    if (migration === null) return
    for (const event of events) migration.event(event, 'rpc')
    this.#owners.set(connection, { migration, role: 'rpc' })
  }

  #conversed(event: LibvirtEvent): void {
    const { connection } = event
    let conversation = this.#conversations.get(connection)
    if (conversation === undefined) {
      conversation = { prelude: [], askedForP2p: false, sourceSide: false, migration: null, reported: false }
      this.#conversations.set(connection, conversation)
    }
    if (event.type === 'libvirt.call') this.#called(event, conversation)
    if (event.type === 'libvirt.call' || event.type === 'libvirt.reply') this.#ordered(event)
    if (conversation.reported) return
    if (conversation.migration === null) {
      if (event.type !== 'libvirt.keepalive' && conversation.prelude.length < PRELUDE_MAX)
        conversation.prelude.push(event)
      if (!startsMigration(event)) return
      this.#begin(connection, conversation)
      return
    }
    conversation.migration.event(event, 'rpc')
    if (event.type === 'libvirt.reply') this.#replied(conversation.migration)
  }

  /** A client orders the source to migrate, or the source has done so. */
  #ordered(event: LibvirtCall | LibvirtReply): void {
    if (event.type === 'libvirt.reply') {
      const order = this.#openOrders.get(event.connection)
      if (order?.answers(event) !== true) return
      order.replied(event)
      this.#openOrders.delete(event.connection)
    } else if (actionOf(event.procedure) === 'perform' && this.#orders.length < MIGRATIONS_MAX) {
      const order = new SourceOrder(event)
      this.#orders.push(order)
      this.#openOrders.set(event.connection, order)
    }
  }

  /** Each order belongs to the migration that came of it; where that is not in the capture, the order is all there is. */
  #fulfil(order: SourceOrder): void {
    const fitting = this.#migrations.find((migration) => migration.order === null && order.fits(migration))
    const migration = fitting ?? this.#add(null)
    migration?.follow(order)
  }

  #called(event: LibvirtEvent & { type: 'libvirt.call' }, conversation: Conversation): void {
    const action = actionOf(event.procedure)
    if (action === 'begin' || action === 'perform' || action === 'confirm') conversation.sourceSide = true
    if (event.arguments?.kind === 'feature' && event.arguments.feature === FEATURE_P2P)
      conversation.askedForP2p = true
    if (action === 'prepare') conversation.reported = false
    // A management client may run one migration after another over the same connection.
    if (action === 'prepare' && conversation.migration !== null) {
      this.#retire(conversation.migration)
      conversation.migration = null
    }
  }

  /** A migration starts: it hears all that was said on its connection until now. */
  #begin(connection: Connection, conversation: Conversation): void {
    const migration = this.#add(connection)
    if (migration === null) return
    conversation.migration = migration
    this.#owners.set(connection, { migration, role: 'rpc' })
    this.#candidates.set(migration, [])
    this.#replayOpening(connection, migration, 'rpc')
    for (const event of conversation.prelude) migration.event(event, 'rpc')
    conversation.prelude.length = 0
    if (migration.machine.control !== 'preparing') this.#findMemory(migration)
  }

  /** The capture began after prepare: nobody announced the memory connection. It is one between the same hosts whose
   *  content told, or else the one that carried the most. */
  #findMemory(migration: Migration): void {
    for (const stream of this.#migrations) {
      const [connection] = stream.memory
      if (stream.rpc !== null || connection === undefined || !migration.sameHosts(connection)) continue
      migration.adopt(stream)
      for (const each of stream.memory) this.#owners.set(each, { migration, role: 'memory' })
      this.#migrations.splice(this.#migrations.indexOf(stream), 1)
      this.#echoes.forget(stream)
      this.#active.delete(stream)
      return
    }
    let largest: Connection | null = null
    for (const { connection } of this.#strangers.values()) {
      const free =
        migration.sameHosts(connection) &&
        !this.#owners.has(connection) &&
        !this.#conversations.has(connection)
      const bytes = connection.toServer.payloadBytes
      if (free && bytes >= STRANGER_BYTES_MIN && bytes > (largest?.toServer.payloadBytes ?? 0))
        largest = connection
    }
    if (largest !== null) this.#own(largest, migration, 'memory')
  }

  /** A conversation under TLS: its records' lengths tell the calls. */
  #encrypted(event: TlsRecord): void {
    const { connection } = event
    const owner = this.#owners.get(connection)
    if (owner !== undefined && owner.role !== 'rpc') return
    let conversation = this.#encryptedConversations.get(connection)
    if (conversation === undefined) {
      conversation = { records: new TlsConversation(), prelude: [], migration: null, reported: false }
      this.#encryptedConversations.set(connection, conversation)
    }
    if (conversation.reported) return
    const signal = conversation.records.record(event)
    if (signal === null) return
    conversation.prelude.push(signal)
    if (!conversation.records.prepares) {
      if (conversation.prelude.length > PRELUDE_MAX) conversation.prelude.length = PRELUDE_MAX
      return
    }
    conversation.migration ??= this.#beginEncrypted(connection)
    for (const known of conversation.prelude) conversation.migration?.signal(known)
    conversation.prelude.length = 0
  }

  #beginEncrypted(connection: Connection): Migration | null {
    const migration = this.#add(connection)
    if (migration === null) return null
    migration.encrypted = true
    this.#owners.set(connection, { migration, role: 'rpc' })
    this.#candidates.set(migration, [])
    this.#replayOpening(connection, migration, 'rpc')
    return migration
  }

  #replied(migration: Migration): void {
    // Connections that opened before the reply had been read are looked at again.
    for (const open of this.#candidates.get(migration) ?? []) {
      if (this.#owners.has(open.connection)) continue
      if (migration.fitOfMemory(open.connection) > 0) this.#own(open.connection, migration, 'memory')
      else if (migration.fitOfStorage(open.connection) > 0) this.#own(open.connection, migration, 'storage')
    }
  }

  #streamed(event: QemuEvent | MultifdEvent): void {
    const { connection } = event
    const conversation = this.#conversations.get(connection)
    if (conversation?.migration) {
      conversation.migration.event(event, 'memory')
      return
    }
    if (!this.#owners.has(connection)) {
      const migration = this.#parallel(event, connection) ?? this.#claimant(connection) ?? this.#add(null)
      if (migration === null) return
      this.#own(connection, migration, 'memory')
    }
    const owner = this.#owners.get(connection)
    if (event.type === 'multifd.channel' && owner !== undefined)
      owner.migration.parallel ??= new ParallelRounds(this.#maps, this.#diagnostics)
    this.#toOwner(event)
  }

  /** The migration that a stream on an unannounced connection belongs to: one between the same hosts whose socket
   *  is not known. */
  #claimant(connection: Connection): Migration | null {
    for (const migration of this.#active) {
      const open = migration.awaitsMemory && !migration.tunnelled && migration.memory.length === 0
      if (open && migration.sameHosts(connection) && migration.target === null) return migration
    }
    return null
  }

  /** The migration of which an unannounced connection is one more channel, or whose channels came before it. */
  #parallel({ type }: QemuEvent | MultifdEvent, connection: Connection): Migration | null {
    for (const migration of this.#active) {
      const parallel = type === 'multifd.channel' || migration.channels.size > 0
      if (!parallel || migration.machine.transfer === 'ended') continue
      if (migration.memory.some((known) => sameEnds(known, connection))) return migration
    }
    return null
  }

  #claimStorage(connection: Connection): void {
    if (this.#owners.has(connection)) return
    for (const migration of this.#active) {
      if (migration.awaitsMemory && migration.sameHosts(connection)) {
        this.#own(connection, migration, 'storage')
        return
      }
    }
  }

  #own(connection: Connection, migration: Migration, role: 'memory' | 'storage'): void {
    const siblings = role === 'memory' ? this.#freeSiblings(connection) : []
    const all = [connection, ...siblings].sort((one, other) => one.id - other.id)
    for (const each of all) this.#take(each, migration, role)
  }

  #take(connection: Connection, migration: Migration, role: 'memory' | 'storage'): void {
    this.#owners.set(connection, { migration, role })
    this.#unclaimed.delete(connection.id)
    if (role === 'memory') migration.memory.push(connection)
    else migration.storage.push(connection)
    this.#active.add(migration)
    this.#replayOpening(connection, migration, role)
  }

  /** Where one connection carries memory, others that are open from the same host to the same port do so too: channels of a
   *  parallel migration, or that of urgent pages. The first that is known is not always the first that opened. */
  #freeSiblings(known: Connection): Connection[] {
    return [...this.#unclaimed.values()]
      .map((open) => open.connection)
      .filter((connection) => {
        const free = !this.#owners.has(connection) && !this.#conversations.has(connection)
        const open = connection.lastFin === null && connection.lastRst === null
        return connection !== known && free && open && sameEnds(known, connection)
      })
  }

  /** The migration whose memory is on its way over a connection with the same ends. */
  #siblings(connection: Connection): Migration | null {
    for (const migration of this.#active) {
      if (migration.machine.transfer !== 'open') continue
      if (migration.memory.some((known) => sameEnds(known, connection))) return migration
    }
    return null
  }

  /** What happened on a connection before its owner was known. */
  #replayOpening(connection: Connection, migration: Migration, role: Role): void {
    const { syn, synAck, firstPacket, lastFin, lastRst } = connection
    const at = syn ?? firstPacket
    const base = { connection, direction: 'to-server' } as const
    migration.event({ ...base, type: 'tcp.open', first: at, last: at, sawSyn: syn !== null }, role)
    if (synAck !== null) migration.event({ ...base, type: 'tcp.accept', first: synAck, last: synAck }, role)
    if (role === 'rpc') return
    if (lastFin !== null) migration.event({ ...base, type: 'tcp.fin', first: lastFin, last: lastFin }, role)
    if (lastRst !== null) migration.event({ ...base, type: 'tcp.rst', first: lastRst, last: lastRst }, role)
  }

  #toOwner(event: ProtocolEvent & { connection: Connection }): void {
    const owner = this.#owners.get(event.connection)
    owner?.migration.event(event, owner.role)
  }

  /** A guest announces itself: the latest migration of a guest with that NIC. */
  #announced(event: RarpAnnounce): void {
    this.#retirePast(event.first)
    let owner: Migration | null = null
    for (const migration of this.#active) {
      if (migration.domain?.macs.includes(event.mac)) owner = migration
    }
    // A guest whose description was not captured is known by being the only one.
    const [only] = this.#active
    if (owner === null && this.#active.size === 1 && only !== undefined) {
      if ((only.domain?.macs.length ?? 0) === 0) owner = only
    }
    if (owner !== null) {
      owner.announcements.push(event.first)
      owner.announcedMacs.add(event.mac)
    }
    for (const migration of this.#active) {
      const last = migration.rpc?.lastPacket ?? migration.memory[0]?.lastPacket
      const over = migration.machine.control === 'finished' && migration !== owner
      if (over && last !== undefined && event.first.timeNs - last.timeNs > ANNOUNCE_WINDOW_NS)
        this.#retire(migration)
    }
  }

  /** Migrations that have had their end get no more connections and announcements: those belong to later ones. */
  #retirePast({ timeNs }: Evidence): void {
    for (const migration of this.#active) if (isPast(migration, timeNs)) this.#retire(migration)
  }

  #retire(migration: Migration): void {
    this.#settle(migration)
    this.#active.delete(migration)
    this.#candidates.delete(migration)
  }

  /** Where neither port nor content told, the first connection that opened between the hosts after the prepare
   *  reply is taken for the migration socket. */
  #settle(migration: Migration): void {
    const prepared = migration.machine.intervals.get('prepare')?.end
    if (migration.memory.length > 0 || migration.tunnelled || migration.target !== null || !prepared) return
    for (const open of this.#candidates.get(migration) ?? []) {
      const free = !this.#owners.has(open.connection) && !this.#conversations.has(open.connection)
      if (free && open.sawSyn && open.first.packet > prepared.at.packet) {
        this.#own(open.connection, migration, 'memory')
        return
      }
    }
  }

  #add(rpc: Connection | null): Migration | null {
    if (this.#migrations.length >= MIGRATIONS_MAX) {
      this.#diagnostics.report(
        'phase.migrations',
        'warning',
        null,
        () => `more than ${MIGRATIONS_MAX} migrations in one capture: the rest are not reported`,
      )
      return null
    }
    const migration = new Migration(rpc, reportUnexpected(this.#diagnostics))
    this.#migrations.push(migration)
    const [oldest] = this.#active
    if (oldest !== undefined && this.#active.size >= ACTIVE_MAX) this.#retire(oldest)
    this.#active.add(migration)
    this.#echoes.follow(migration)
    return migration
  }
}

function connectionsOf({ rpc, memory, storage }: Migration): Connection[] {
  return [...(rpc === null ? [] : [rpc]), ...memory, ...storage]
}

/** Whether two connections run between the same hosts, to the same port. */
function sameEnds(a: Connection, b: Connection): boolean {
  return (
    a.client.address === b.client.address &&
    a.server.address === b.server.address &&
    a.server.port === b.server.port
  )
}

/** Whether a conversation is the next try after a connection that was not accepted. */
function followed(attempt: Connection, rpc: Connection | null): boolean {
  if (!rpc?.syn || !attempt.syn || rpc.synAck === null) return false
  const sameSource =
    rpc.client.address === attempt.client.address ||
    rpc.client.address.includes(':') !== attempt.client.address.includes(':')
  const later = rpc.syn.timeNs - attempt.syn.timeNs
  return sameSource && rpc.server.port === attempt.server.port && later >= 0 && later <= RETRY_NS
}

/** Prepare or finish, call or reply: whichever of them the capture holds first. */
function startsMigration(event: LibvirtEvent): boolean {
  if (event.type !== 'libvirt.call' && event.type !== 'libvirt.reply') return false
  const action = actionOf(event.procedure)
  return action === 'prepare' || action === 'finish'
}
