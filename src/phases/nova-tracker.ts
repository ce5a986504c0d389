import { BoundedMap } from '../core/bounded-map.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { MIGRATIONS_MAX, NOVA_WAITING_MAX, REPORTED_MAX } from '../core/limits.ts'
import type { AmqpConfirm, AmqpMessage, Rpc } from '../events/amqp.ts'
import type { HttpRequest, HttpResponse } from '../events/http.ts'
import { KeystoneLogins } from './keystone.ts'
import { reportSurplus, reportUnexpected } from './machine.ts'
import { MessageRoom, NovaMigration } from './nova-migration.ts'
import type { SignalName } from './signal.ts'
import { type Carried, carried } from './volume.ts'

const NETWORK_EVENT = 'network-vif-plugged'

/** Nova's remote methods around a live migration: what the request means, and its answer.
 *  @see protocols.md E.4 */
const METHODS: Readonly<
  Record<
    string,
    { readonly call: SignalName; readonly reply: SignalName | null; readonly error: SignalName | null }
  >
> = {
  check_can_live_migrate_destination: { call: 'check.begin', reply: 'check.end', error: 'check.error' },
  check_can_live_migrate_source: { call: 'check.call', reply: 'check.reply', error: 'check.error' },
  live_migration: { call: 'order.call', reply: null, error: null },
  pre_live_migration: { call: 'pre.call', reply: 'pre.reply', error: 'pre.error' },
  post_live_migration_at_destination: { call: 'post.call', reply: 'post.reply', error: 'post.error' },
  rollback_live_migration_at_destination: { call: 'rollback.call', reply: null, error: null },
  live_migration_abort: { call: 'abort.call', reply: null, error: null },
  live_migration_force_complete: { call: 'force.call', reply: null, error: null },
}

/** Methods with which a migration may begin in a capture; the others belong to one that is known. */
const BEGINNINGS: ReadonlySet<string> = new Set([
  'check_can_live_migrate_destination',
  'check_can_live_migrate_source',
  'live_migration',
  'pre_live_migration',
  'post_live_migration_at_destination',
])

/** A GET of a server, and what it took. */
/** No more of the request: an event holds its connection, and most lookups are of no migration. */
interface Lookup extends Pick<HttpRequest, 'first' | 'last'> {
  readonly messages: Carried[]
}

/** Follows live migrations through the API and Nova's messages, each by the uuid of its instance. */
export class NovaTracker {
  migrations: NovaMigration[] = []
  readonly #diagnostics: Diagnostics
  readonly #room: MessageRoom
  readonly #logins = new KeystoneLogins()
  /** The latest migration of an instance. */
  readonly #current = new BoundedMap<string, NovaMigration>(NOVA_WAITING_MAX)
  readonly #byRequestId = new BoundedMap<string, NovaMigration>(NOVA_WAITING_MAX)
  /** The last GET of a server by a client, not yet part of a migration. */
  readonly #lookups = new BoundedMap<string, Lookup>(NOVA_WAITING_MAX)
  /** The same by exchange, for the answer. */
  readonly #lookedUpBy = new BoundedMap<string, Lookup>(NOVA_WAITING_MAX)
  /** Requests about a migration, by exchange. */
  readonly #asked = new BoundedMap<
    string,
    { readonly migration: NovaMigration; readonly request: HttpRequest }
  >(NOVA_WAITING_MAX)
  /** Calls by message id. */
  readonly #called = new BoundedMap<
    string,
    {
      readonly migration: NovaMigration
      readonly method: string
      /** Came in a reply of its own, as oslo.messaging before 2.5 has it: "the end" follows in another. */
      answered: boolean
    }
  >(NOVA_WAITING_MAX)
  /** All calls made for a migration, by message id. */
  readonly #conversations = new BoundedMap<string, NovaMigration>(NOVA_WAITING_MAX)
  /** Casts without an answer, by the channel on which the broker confirms them. */
  readonly #unconfirmed = new BoundedMap<string, NovaMigration>(NOVA_WAITING_MAX)
  /** Request ids of migrations that were taken out. */
  readonly #reported = new BoundedMap<string, true>(REPORTED_MAX)

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
    this.#room = new MessageRoom(diagnostics)
  }

  request(event: HttpRequest): void {
    const { service } = event
    switch (service.kind) {
      case 'keystone.discovery':
      case 'keystone.token':
        this.#logins.request(event)
        return
      case 'nova.server':
        if (event.method === 'GET') this.#lookedUp(event, idOf(service.serverId))
        return
      case 'nova.action':
        if (service.action === 'os-migrateLive') this.#requested(event, idOf(service.serverId), service.host)
        return
      case 'nova.migrations':
        if (service.serverId !== null) this.#steered(event, idOf(service.serverId), service.verb)
        return
      case 'neutron.binding':
        if (service.verb === 'activate') this.#activates(event)
        return
      case 'other':
        return
    }
  }

  response(event: HttpResponse): void {
    this.#logins.response(event)
    const lookup = this.#lookedUpBy.get(exchangeKey(event))
    if (lookup !== undefined) {
      this.#lookedUpBy.delete(exchangeKey(event))
      const message = carried(event)
      if (message !== null) lookup.messages.push(message)
    }
    const asked = this.#asked.get(exchangeKey(event))
    if (asked !== undefined) this.#answered(event, asked.migration, asked.request)
    this.#shown(event)
  }

  message(event: AmqpMessage): void {
    const { rpc } = event
    if (rpc === null) return
    this.#follow(event, rpc)
    if (rpc.type === 'reply') this.#replied(event, rpc)
    else if (rpc.method !== null && METHODS[rpc.method] !== undefined) this.#asks(event, rpc, rpc.method)
    else if (rpc.method === 'external_instance_event') this.#plugged(event, rpc)
    else if (rpc.object !== null) this.#saved(event, rpc)
  }

  /** Forgets migrations that were reported. */
  release(reported: ReadonlySet<NovaMigration>): void {
    if (reported.size === 0) return
    this.migrations = this.migrations.filter((migration) => !reported.has(migration))
    for (const { requestId, messages } of reported) {
      this.#room.give(messages.length)
      if (requestId !== null) this.#reported.set(requestId, true)
    }
    const isReported = (migration: NovaMigration): boolean => reported.has(migration)
    for (const each of [this.#current, this.#byRequestId, this.#conversations, this.#unconfirmed])
      each.deleteWhere(isReported)
    this.#asked.deleteWhere(({ migration }) => reported.has(migration))
    this.#called.deleteWhere(({ migration }) => reported.has(migration))
  }

  /** What services say to each other for a migration: messages with its request id, and their answers. The first message
   *  of one that begins in the capture is known by its instance only, and counted where it is read. */
  #follow(event: AmqpMessage, rpc: Rpc): void {
    const { msgId, requestId } = rpc
    if (rpc.type === 'reply') {
      if (msgId !== null) this.#conversations.get(msgId)?.carries(event)
      return
    }
    const migration = requestId === null ? undefined : this.#byRequestId.get(requestId)
    if (migration === undefined) return
    migration.carries(event)
    if (msgId !== null) this.#conversations.set(msgId, migration)
  }

  /** The broker took on a message: for a cast, all that its sender ever hears. */
  confirm(event: AmqpConfirm): void {
    const key = channelKey(event)
    const migration = this.#unconfirmed.get(key)
    if (migration === undefined) return
    this.#unconfirmed.delete(key)
    if (event.ok) migration.signal('post.accepted', event.first, event.last, true)
  }

  #lookedUp(event: HttpRequest, serverId: string): void {
    const message = carried(event)
    const { first, last } = event
    const lookup = { first, last, messages: message === null ? [] : [message] }
    this.#lookups.set(lookupKey(event, serverId), lookup)
    this.#lookedUpBy.set(exchangeKey(event), lookup)
    const migration = this.#current.get(serverId)
    if (migration?.postIsCast === true) this.#asked.set(exchangeKey(event), { migration, request: event })
  }

  /** The user asks for the migration: what this client did for it before belongs to it. */
  #requested(event: HttpRequest, serverId: string, host: string | null): void {
    const found = this.#logins.of(event)
    const lookup = this.#lookups.get(lookupKey(event, serverId))
    const migration = this.#begin(
      serverId,
      found?.login.discovery ?? found?.login.request ?? lookup?.first ?? event.first,
    )
    if (migration === null) return
    migration.destinationHost = host
    if (found !== null) {
      const { login, certain } = found
      for (const message of login.messages) migration.addMessage(message)
      if (login.discovery !== null)
        migration.signal('auth.discovery', login.discovery, login.discovery, !certain)
      migration.signal('auth.request', login.request, login.request, !certain)
      if (login.response !== null) migration.signal('auth.token', login.request, login.response, !certain)
      const { syn, synAck } = login
      if (syn !== null && synAck !== null) migration.keystoneRoundTripNs = synAck.timeNs - syn.timeNs
    }
    if (lookup !== undefined) {
      migration.signal('server.get', lookup.first, lookup.last)
      for (const message of lookup.messages) migration.addMessage(message)
      this.#lookups.delete(lookupKey(event, serverId))
    }
    migration.signal('migrate.request', event.first, event.last)
    migration.carries(event)
    this.#asked.set(exchangeKey(event), { migration, request: event })
  }

  #steered(event: HttpRequest, serverId: string, verb: string): void {
    const migration = this.#current.get(serverId)
    if (migration === undefined) return
    migration.carries(event)
    if (verb === 'abort') migration.signal('abort.request', event.first, event.last)
    else if (verb === 'force-complete') migration.signal('force.request', event.first, event.last)
  }

  /** A port is bound to its new host: told to belong to a migration by the request id. */
  #activates(event: HttpRequest): void {
    const migration = event.requestId === null ? undefined : this.#byRequestId.get(event.requestId)
    if (migration === undefined) return
    migration.carries(event)
    migration.signal('binding.request', event.first, event.last)
    this.#asked.set(exchangeKey(event), { migration, request: event })
  }

  #answered(event: HttpResponse, migration: NovaMigration, request: HttpRequest): void {
    this.#asked.delete(exchangeKey(event))
    migration.carries(event)
    const ok = event.status < 300
    if (request.service.kind === 'nova.action') {
      migration.signal(ok ? 'migrate.accepted' : 'migrate.rejected', event.first, event.last)
      if (event.requestId !== null) this.#learnRequestId(migration, event.requestId)
      if (!ok) fail(migration, 'os-migrateLive', `HTTP ${event.status}`, event.error)
    } else if (request.service.kind === 'neutron.binding') {
      migration.signal(ok ? 'binding.activated' : 'binding.failed', event.first, event.last)
      if (!ok) fail(migration, 'port binding activation', `HTTP ${event.status}`, event.error)
    }
  }

  /** The API shows the server at its new host: the end of a post step that nobody confirms. */
  #shown(event: HttpResponse): void {
    const { server } = event
    if (server?.id == null) return
    const migration = this.#current.get(idOf(server.id))
    if (migration?.postIsCast !== true || server.status !== 'ACTIVE' || server.taskState !== null) return
    // Clients go on to ask: the first that is shown it counts.
    if (migration.shown || server.host === null || server.host !== migration.destinationHost) return
    migration.shown = true
    migration.signal('post.visible', event.first, event.last, true)
  }

  #asks(event: AmqpMessage, rpc: Rpc, method: string): void {
    const migration = this.#owner(event, rpc, method)
    const meaning = METHODS[method]
    if (migration === null || meaning === undefined) return
    learn(migration, event, rpc)
    const followed = rpc.requestId !== null && this.#byRequestId.has(rpc.requestId)
    if (!followed) {
      migration.carries(event)
      if (rpc.msgId !== null) this.#conversations.set(rpc.msgId, migration)
    }
    if (rpc.requestId !== null) this.#learnRequestId(migration, rpc.requestId)
    if (rpc.msgId !== null) this.#called.set(rpc.msgId, { migration, method, answered: false })
    else if (method === 'post_live_migration_at_destination' && !rpc.partial) {
      migration.postIsCast = true
      if (event.kind === 'publish') this.#unconfirmed.set(channelKey(event), migration)
    }
    migration.signal(meaning.call, event.first, event.last)
  }

  /** The migration that a request is about; a new one when the last of this instance has gone past that step. */
  #owner(event: AmqpMessage, rpc: Rpc, method: string): NovaMigration | null {
    if (rpc.instanceUuid === null) {
      const known = rpc.requestId === null ? undefined : this.#byRequestId.get(rpc.requestId)
      return known ?? null
    }
    if (rpc.requestId !== null && this.#reported.has(rpc.requestId)) return null
    const current = this.#current.get(rpc.instanceUuid)
    if (current !== undefined && !isNext(current, rpc, method)) return current
    return BEGINNINGS.has(method) ? this.#begin(rpc.instanceUuid, event.first) : null
  }

  #replied(event: AmqpMessage, rpc: Rpc): void {
    // A reply that says "not the end" is a sign of life; old releases say nothing there.
    if (rpc.msgId === null || rpc.ending === false) return
    const called = this.#called.get(rpc.msgId)
    if (called === undefined || (rpc.ending === true && called.answered)) return
    called.answered ||= rpc.ending === null && !rpc.partial
    const { migration, method } = called
    const meaning = METHODS[method]
    // The broker's link shows a reply twice: as it comes and as it goes. The later one is the answer's arrival.
    if (event.kind !== 'publish') this.#called.delete(rpc.msgId)
    if (meaning?.reply == null || meaning.error === null) return
    migration.signal(rpc.failure === null ? meaning.reply : meaning.error, event.first, event.last)
    if (rpc.failure !== null) migration.failed ??= { step: method, failure: rpc.failure }
  }

  #plugged(event: AmqpMessage, rpc: Rpc): void {
    for (const { name, instanceUuid } of rpc.events) {
      if (name !== NETWORK_EVENT || instanceUuid === null) continue
      this.#current.get(instanceUuid)?.signal('vif.plugged', event.first, event.last)
    }
  }

  /** The record of the migration is saved with a new status. */
  #saved(event: AmqpMessage, rpc: Rpc): void {
    if (rpc.object?.name !== 'Migration' || rpc.object.status === null) return
    const migration = rpc.requestId === null ? undefined : this.#byRequestId.get(rpc.requestId)
    if (migration === undefined) return
    migration.status = rpc.object.status
    migration.heard(event.last)
  }

  #learnRequestId(migration: NovaMigration, requestId: string): void {
    migration.requestId ??= requestId
    this.#byRequestId.set(requestId, migration)
  }

  #begin(instanceUuid: string, at: Evidence): NovaMigration | null {
    if (this.migrations.length >= MIGRATIONS_MAX) {
      reportSurplus(this.#diagnostics)
      return null
    }
    const migration = new NovaMigration(instanceUuid, at, reportUnexpected(this.#diagnostics), this.#room)
    this.migrations.push(migration)
    this.#current.set(instanceUuid, migration)
    return migration
  }
}

/** Whether a request belongs to a later migration of the same instance than the one that is known. */
function isNext(current: NovaMigration, rpc: Rpc, method: string): boolean {
  if (rpc.requestId !== null && rpc.requestId === current.requestId) return false
  const { nova } = current.machine
  const over =
    nova === 'settled' ||
    nova === 'post-failed' ||
    nova === 'rolled-back' ||
    nova === 'prepare-failed' ||
    nova === 'check-failed'
  if (over) return true
  const otherRequest = rpc.requestId !== null && current.requestId !== null
  return otherRequest && BEGINNINGS.has(method) && nova !== 'none'
}

/** Names of the two hosts, as far as a message tells. */
function learn(migration: NovaMigration, event: AmqpMessage, rpc: Rpc): void {
  migration.sourceHost ??= rpc.migration?.sourceCompute ?? null
  migration.destinationHost ??= rpc.migration?.destCompute ?? rpc.dest
  const { method } = rpc
  if (method === 'pre_live_migration' || method === 'post_live_migration_at_destination')
    migration.destinationHost ??= hostOf(event.routingKey)
  else if (method === 'live_migration' || method === 'check_can_live_migrate_source')
    migration.sourceHost ??= hostOf(event.routingKey)
}

/** `compute.HOST`, or `compute-alt.HOST` since 2026.1. */
function hostOf(routingKey: string | null): string | null {
  return /^compute(?:-alt)?\.(.+)$/.exec(routingKey ?? '')?.[1] ?? null
}

function fail(migration: NovaMigration, step: string, status: string, message: string | null): void {
  migration.failed ??= { step, failure: { class: status, message } }
}

/** Clients may write a uuid in capitals. */
function idOf(serverId: string): string {
  return serverId.toLowerCase()
}

function exchangeKey(event: HttpRequest | HttpResponse): string {
  return `${event.connection.id} ${event.exchange}`
}

function lookupKey(event: HttpRequest, serverId: string): string {
  return `${event.connection.client.address} ${serverId}`
}

function channelKey(event: AmqpMessage | AmqpConfirm): string {
  return `${event.connection.id} ${event.channel}`
}
