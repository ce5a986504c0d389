import { BodyBudget } from '../core/body-budget.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import {
  LATE_NS,
  MIGRATIONS_MAX,
  PRELUDE_MAX,
  RESTING_MAX,
  ROUND_MAPS_TOTAL_MAX,
  ROUND_OVERHEAD,
} from '../core/limits.ts'
import { type Connection, termination } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { actionOf, type LibvirtEvent } from '../events/libvirt.ts'
import type { MultifdEvent } from '../events/multifd.ts'
import type { QemuEvent } from '../events/qemu.ts'
import type { RarpAnnounce } from '../events/rarp.ts'
import type { TcpEvent, TcpOpen } from '../events/tcp.ts'
import type { TlsRecord } from '../events/tls.ts'
import { type Attempt, Attempts } from './attempts.ts'
import { EchoTracker } from './echo.ts'
import { type JoinedMigration, join } from './join.ts'
import { reportSurplus, reportUnexpected } from './machine.ts'
import { Migration } from './migration.ts'
import { NovaTracker } from './nova-tracker.ts'
import { isOrderOver, isOver, type Now } from './over.ts'
import { ParallelRounds } from './parallel-rounds.ts'
import type { Signal } from './signal.ts'
import { replayOpening, Sockets } from './sockets.ts'
import type { SourceOrder } from './source-order.ts'
import { SourceOrders } from './source-orders.ts'
import { TlsConversation } from './tls-conversation.ts'

/** VIR_DRV_FEATURE_MIGRATION_P2P: asked by a source daemon right before it prepares. */
const FEATURE_P2P = 4
/** A client tries the next address of a host at once after a refusal. */
const RETRY_NS = 1e9
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

/** Gives each event to the migration that it belongs to. Migrations are told apart by their connections. */
export class MigrationTracker {
  #migrations: Migration[] = []
  readonly #nova: NovaTracker
  readonly #echoes = new EchoTracker()
  readonly #diagnostics: Diagnostics
  readonly #maps: BodyBudget
  readonly #conversations = new Map<Connection, Conversation>()
  readonly #encryptedConversations = new Map<Connection, EncryptedConversation>()
  /** Conversations that ended before the migration began. */
  readonly #resting = new Map<Connection, Conversation>()
  readonly #sockets: Sockets
  readonly #orders = new SourceOrders()
  readonly #attempts = new Attempts()

  /** @param maps room for telling the rounds of parallel migrations apart */
  constructor(diagnostics: Diagnostics, maps = new BodyBudget(ROUND_MAPS_TOTAL_MAX)) {
    this.#diagnostics = diagnostics
    this.#maps = maps
    this.#nova = new NovaTracker(diagnostics)
    this.#sockets = new Sockets(diagnostics, (connection) => this.#conversations.has(connection))
  }

  event(event: ProtocolEvent): void {
    switch (event.type) {
      case 'tcp.open':
        this.#opened(event)
        return
      case 'tcp.accept':
        this.#attempts.accepted(event.connection)
        this.#toOwner(event)
        return
      case 'tcp.refuse':
        this.#toOwner(event)
        this.#attempts.refused(event)
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
        this.#sockets.claimStorage(event.connection)
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
    for (const migration of this.#sockets.active) this.#sockets.settle(migration)
    for (const [connection, conversation] of this.#conversations) {
      if (cameToNothing(conversation)) this.#begin(connection, conversation)
    }
    for (const attempt of this.#attempts.takeAll()) this.#attempt(attempt)
    for (const order of this.#orders.takeAll()) this.#fulfil(order)
    this.#echoes.end()
    return join(this.#migrations, this.#nova.migrations)
  }

  /** Migrations that are in the capture, and were not taken out. In order of their first packets. */
  get migrations(): JoinedMigration[] {
    return join(this.#migrations, this.#nova.migrations)
  }

  /** How many there are at the most. */
  get held(): number {
    return this.#migrations.length + this.#nova.migrations.length
  }

  /** The capture goes on: what is over is decided, as it is at its end.
   *  @returns migrations that are over, to be taken out */
  ripe(now: Now): JoinedMigration[] {
    this.#giveUp(now)
    const over = this.migrations.filter((migration) => isOver(migration, now))
    const ended = new Set(over.flatMap(({ libvirt }) => (libvirt === null ? [] : [libvirt])))
    for (const migration of ended) this.#sockets.settle(migration)
    this.#orders.fulfil(ended, this.#migrations)
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
      this.#sockets.release(libvirt)
      if (libvirt.rpc !== null) this.#silence(libvirt.rpc)
    }
    if (reported.size > 0) this.#migrations = this.#migrations.filter((each) => !reported.has(each))
    this.#nova.release(new Set(migrations.flatMap(({ nova }) => (nova === null ? [] : [nova]))))
  }

  /** A connection is not followed any more. */
  forget(connection: Connection): void {
    if (this.#sockets.ownerOf(connection) !== undefined) return
    const conversation = this.#conversations.get(connection)
    // What was said shows that there were answers, which may be missing from the capture.
    if (conversation !== undefined || this.#encryptedConversations.has(connection))
      this.#attempts.accepted(connection)
    this.#encryptedConversations.delete(connection)
    this.#orders.closed(connection)
    this.#sockets.forget(connection)
    if (conversation !== undefined && cameToNothing(conversation)) this.#rest(connection, conversation)
    else this.#conversations.delete(connection)
  }

  /** Whether a migration that was not taken out holds a connection, or may come to hold it. */
  needs(connection: Connection): boolean {
    return this.#sockets.ownerOf(connection) !== undefined || this.#conversations.has(connection)
  }

  /** What began and came to nothing: told as the end of a capture would. */
  #giveUp(now: Now): void {
    for (const [connection, conversation] of this.#conversations) {
      if (!cameToNothing(conversation)) continue
      const over = termination(connection) !== null && now.ns - connection.lastPacket.timeNs > LATE_NS
      if (over) this.#begin(connection, conversation)
    }
    for (const attempt of this.#attempts.takeOver(now)) this.#attempt(attempt)
    for (const order of this.#orders.takeOver(now, this.#migrations)) this.#fulfil(order)
  }

  /** The migration that a connection ran was taken out. */
  #silence(rpc: Connection): void {
    this.#resting.delete(rpc)
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
      this.#attempts.accepted(connection)
    }
    this.#orders.closed(connection)
    const conversation = this.#conversations.get(connection)
    if (conversation === undefined || conversation.migration !== null) return
    if (cameToNothing(conversation)) {
      if (conversation.prelude.length < PRELUDE_MAX) conversation.prelude.push(event)
      this.#rest(connection, conversation)
      return
    }
    this.#conversations.delete(connection)
    // Where the answers are missing from the capture, what was said shows that there were some.
    this.#attempts.accepted(connection)
  }

  /** A conversation that came to nothing is told at the end; of many, the first ones at once. */
  #rest(connection: Connection, conversation: Conversation): void {
    this.#resting.set(connection, conversation)
    const [first] = this.#resting
    if (first === undefined || this.#resting.size <= RESTING_MAX) return
    this.#resting.delete(first[0])
    if (cameToNothing(first[1])) this.#begin(...first)
  }

  #opened(event: TcpOpen): void {
    this.#attempts.opened(event)
    this.#sockets.opened(event)
  }

  /** A connection to libvirt's port that came to nothing. When the same source gets through right after, it was one
   *  address of several (IPv6, then IPv4), not a failed migration. */
  #attempt({ connection, events }: Attempt): void {
    const spoke = this.#conversations.has(connection) || this.#encryptedConversations.has(connection)
    if (spoke || this.#migrations.some((migration) => followed(connection, migration.rpc))) return
    const migration = this.#add(connection)
    if (migration === null) return
    for (const event of events) migration.event(event, 'rpc')
    this.#sockets.talk(connection, migration)
  }

  #conversed(event: LibvirtEvent): void {
    const { connection } = event
    let conversation = this.#conversations.get(connection)
    if (conversation === undefined) {
      conversation = { prelude: [], askedForP2p: false, sourceSide: false, migration: null, reported: false }
      this.#conversations.set(connection, conversation)
    }
    if (event.type === 'libvirt.call') this.#called(event, conversation)
    if (event.type === 'libvirt.call' || event.type === 'libvirt.reply') this.#orders.heard(event)
    if (conversation.reported) return
    if (conversation.migration === null) {
      if (event.type !== 'libvirt.keepalive' && conversation.prelude.length < PRELUDE_MAX)
        conversation.prelude.push(event)
      if (!startsMigration(event)) return
      this.#begin(connection, conversation)
      return
    }
    conversation.migration.event(event, 'rpc')
    if (event.type === 'libvirt.call' || event.type === 'libvirt.reply')
      this.#sockets.learned(conversation.migration)
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
      this.#sockets.retire(conversation.migration)
      conversation.migration = null
    }
  }

  /** A migration starts: it hears all that was said on its connection until now. */
  #begin(connection: Connection, conversation: Conversation): void {
    const migration = this.#add(connection)
    if (migration === null) {
      this.#conversations.delete(connection)
      return
    }
    conversation.migration = migration
    this.#sockets.talk(connection, migration)
    this.#sockets.watch(migration)
    replayOpening(connection, migration, 'rpc')
    for (const event of conversation.prelude) migration.event(event, 'rpc')
    conversation.prelude.length = 0
    this.#sockets.learned(migration)
    if (migration.machine.control !== 'preparing') this.#findMemory(migration)
  }

  /** The capture began after prepare: nobody announced the memory connection. It is one between the same hosts whose
   *  content told, or else the one that carried the most. */
  #findMemory(migration: Migration): void {
    for (const stream of this.#migrations) {
      const [connection] = stream.memory
      if (stream.rpc !== null || connection === undefined || !migration.sameHosts(connection)) continue
      this.#sockets.adopt(stream, migration)
      this.#migrations.splice(this.#migrations.indexOf(stream), 1)
      this.#echoes.forget(stream)
      return
    }
    this.#sockets.ownLargestStranger(migration)
  }

  /** A conversation under TLS: its records' lengths tell the calls. */
  #encrypted(event: TlsRecord): void {
    const { connection } = event
    const owner = this.#sockets.ownerOf(connection)
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
    this.#sockets.talk(connection, migration)
    this.#sockets.watch(migration)
    replayOpening(connection, migration, 'rpc')
    return migration
  }

  #streamed(event: QemuEvent | MultifdEvent): void {
    const { connection } = event
    const conversation = this.#conversations.get(connection)
    if (conversation?.migration) {
      conversation.migration.event(event, 'memory')
      return
    }
    if (this.#sockets.ownerOf(connection) === undefined && !this.#claim(event)) return
    const owner = this.#sockets.ownerOf(connection)
    if (event.type === 'multifd.channel' && owner !== undefined)
      owner.migration.parallel ??= new ParallelRounds(this.#maps, this.#diagnostics)
    this.#toOwner(event)
  }

  /** A memory stream that nobody announced finds its migration, or is one by itself.
   *  @returns whether there is room for that */
  #claim({ type, connection }: QemuEvent | MultifdEvent): boolean {
    const known = this.#sockets.claimant(connection, type === 'multifd.channel')
    if (known === null && this.#sockets.isSurplus(connection)) return false
    const migration = known ?? this.#add(null)
    if (migration !== null) this.#sockets.own(connection, migration, 'memory')
    return migration !== null
  }

  #toOwner(event: ProtocolEvent & { connection: Connection }): void {
    const owner = this.#sockets.ownerOf(event.connection)
    owner?.migration.event(event, owner.role)
  }

  /** A guest announces itself: the latest migration of a guest with that NIC. */
  #announced(event: RarpAnnounce): void {
    const { active } = this.#sockets
    this.#sockets.retirePast(event.first.timeNs)
    let owner: Migration | null = null
    for (const migration of active) {
      if (migration.domain?.macs.includes(event.mac)) owner = migration
    }
    // A guest whose description was not captured is known by being the only one.
    const [only] = active
    if (owner === null && active.size === 1 && only !== undefined) {
      if ((only.domain?.macs.length ?? 0) === 0) owner = only
    }
    if (owner !== null) {
      owner.announcements.push(event.first)
      owner.announcedMacs.add(event.mac)
    }
    for (const migration of active) {
      const last = migration.rpc?.lastPacket ?? migration.memory[0]?.lastPacket
      const over = migration.machine.control === 'finished' && migration !== owner
      if (over && last !== undefined && event.first.timeNs - last.timeNs > ANNOUNCE_WINDOW_NS)
        this.#sockets.retire(migration)
    }
  }

  #add(rpc: Connection | null): Migration | null {
    if (this.#migrations.length >= MIGRATIONS_MAX) {
      reportSurplus(this.#diagnostics)
      return null
    }
    const migration = new Migration(rpc, reportUnexpected(this.#diagnostics))
    this.#migrations.push(migration)
    this.#sockets.follow(migration)
    this.#echoes.follow(migration)
    return migration
  }
}

/** Whether the source was about to migrate a guest, and did not. */
function cameToNothing({ migration, askedForP2p, sourceSide }: Conversation): boolean {
  return migration === null && askedForP2p && !sourceSide
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
