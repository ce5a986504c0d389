import { describe, expect, it } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { Evidence } from '../../src/core/evidence.ts'
import type { AmqpMessage, Rpc } from '../../src/events/amqp.ts'
import type { Connection } from '../../src/events/connection.ts'
import type { HttpRequest, HttpResponse, HttpService } from '../../src/events/http.ts'
import { intervalsOf, type JoinedMigration, join } from '../../src/phases/join.ts'
import { NovaTracker } from '../../src/phases/nova-tracker.ts'
import { judge } from '../../src/phases/outcome.ts'
import type { IntervalId } from '../../src/phases/phase.ts'

const SERVER = '9c994cd3-50f9-4611-87a8-b9a5f15839c5'
const OTHER_SERVER = '11111111-2222-4333-8444-555555555555'
const LIVE: HttpService = {
  kind: 'nova.action',
  serverId: SERVER,
  action: 'os-migrateLive',
  host: null,
  blockMigration: 'auto',
}
const LOGIN: HttpService = { kind: 'keystone.token', version: 3, root: '', userName: null, by: 'password' }
const DISCOVERY: HttpService = { kind: 'keystone.discovery', root: '' }

/** Tells the tracker a story: each event is one packet, in the order of the calls. */
class Story {
  readonly tracker = new NovaTracker(new Diagnostics())
  #packet = 0
  #exchange = 0

  /** A request and, when a status is given, its response. Returns the two packet numbers. */
  http(
    client: string,
    service: HttpService,
    status: number | null,
    details: Partial<Pick<HttpRequest, 'tokenPrint' | 'connection'>> & {
      response?: Partial<HttpResponse>
    } = {},
  ): [number, number] {
    const connection = details.connection ?? connectionOf(client)
    const exchange = this.#exchange++
    const asked = this.#at()
    const method = service.kind === 'nova.server' || service.kind === 'keystone.discovery' ? 'GET' : 'POST'
    this.tracker.request({
      type: 'http.request',
      connection,
      direction: 'to-server',
      first: asked,
      last: asked,
      exchange,
      method,
      path: '/',
      tokenPrint: details.tokenPrint ?? null,
      requestId: null,
      service,
      complete: true,
    })
    if (status === null) return [asked.packet, 0]
    const answered = this.#at()
    this.tracker.response({
      type: 'http.response',
      connection,
      direction: 'to-client',
      first: answered,
      last: answered,
      exchange,
      status,
      requestId: null,
      service,
      userName: null,
      tokenPrint: null,
      server: null,
      error: null,
      complete: true,
      ...details.response,
    })
    return [asked.packet, answered.packet]
  }

  /** Returns the packet number. */
  rpc(message: Partial<Rpc>, kind: AmqpMessage['kind'] = 'publish', routingKey = 'compute.compute2'): number {
    const at = this.#at()
    const type = message.method == null ? 'reply' : message.msgId == null ? 'cast' : 'call'
    this.tracker.message({
      type: 'amqp.message',
      connection: BROKER,
      direction: kind === 'publish' ? 'to-server' : 'to-client',
      first: at,
      last: at,
      kind,
      channel: 1,
      exchange: 'nova',
      routingKey,
      size: 1000,
      complete: true,
      rpc: { ...RPC, type, ...message },
    })
    return at.packet
  }

  confirm(): number {
    const at = this.#at()
    const base = { connection: BROKER, direction: 'to-client', first: at, last: at } as const
    this.tracker.confirm({
      type: 'amqp.confirm',
      ...base,
      channel: 1,
      deliveryTag: 1,
      multiple: false,
      ok: true,
    })
    return at.packet
  }

  get joined(): JoinedMigration[] {
    return join([], this.tracker.migrations)
  }

  /** Packets at the two ends of an interval of the nth migration. */
  ends(id: IntervalId, index = 0): [number | undefined, number | undefined] {
    const interval = intervalsOf(this.joined[index]!).get(id)
    return [interval?.start?.at.packet, interval?.end?.at.packet]
  }

  #at(): Evidence {
    this.#packet++
    return { packet: this.#packet, timeNs: this.#packet * 1e6 }
  }
}

describe('authentication', () => {
  it('is the login whose token the request carries, not the last one of that host', () => {
    const story = new Story()
    const [, mine] = story.http('10.0.0.1', LOGIN, 201, { response: { tokenPrint: 'user' } })
    story.http('10.0.0.1', LOGIN, 201, { response: { tokenPrint: 'service' } })
    story.http('10.0.0.1', LIVE, 202, { tokenPrint: 'user' })
    expect(story.ends('auth')).toEqual([1, mine])
  })

  it('starts with the look at the version document on the same connection', () => {
    const story = new Story()
    const connection = connectionOf('10.0.0.1')
    const [look] = story.http('10.0.0.1', DISCOVERY, 200, { connection })
    story.http('10.0.0.1', DISCOVERY, 200)
    const [, token] = story.http('10.0.0.1', LOGIN, 201, { connection, response: { tokenPrint: 'user' } })
    story.http('10.0.0.1', LIVE, 202, { tokenPrint: 'user' })
    expect(story.ends('auth')).toEqual([look, token])
  })

  it('is unknown when the token is older than the capture', () => {
    const story = new Story()
    story.http('10.0.0.1', LOGIN, 201, { response: { tokenPrint: 'service' } })
    story.http('10.0.0.1', LIVE, 202, { tokenPrint: 'from yesterday' })
    expect(story.ends('auth')).toEqual([undefined, undefined])
  })
})

describe('initialization', () => {
  it('starts with the last look at that server by that client', () => {
    const story = new Story()
    story.http('10.0.0.1', { kind: 'nova.server', serverId: SERVER }, 200)
    const [look] = story.http('10.0.0.1', { kind: 'nova.server', serverId: SERVER }, 200)
    story.http('10.0.0.1', { kind: 'nova.server', serverId: OTHER_SERVER }, 200)
    story.http('10.0.0.9', { kind: 'nova.server', serverId: SERVER }, 200)
    story.http('10.0.0.1', LIVE, 202)
    expect(story.ends('init')[0]).toBe(look)
  })

  it('ends with the reply to pre_live_migration; signs of life before it do not count', () => {
    const story = new Story()
    story.http('10.0.0.1', LIVE, 202)
    story.rpc({ method: 'live_migration', instanceUuid: SERVER, requestId: 'req-1' }, 'deliver')
    story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm1', requestId: 'req-1' })
    story.rpc({ msgId: 'm1', ending: false }, 'deliver')
    const reply = story.rpc({ msgId: 'm1', ending: true }, 'deliver')
    expect(story.ends('init')[1]).toBe(reply)
  })

  it('takes the first of the two replies that old releases send', () => {
    const story = new Story()
    story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm1' })
    const result = story.rpc({ msgId: 'm1', ending: null }, 'deliver')
    story.rpc({ msgId: 'm1', ending: true }, 'deliver')
    expect(story.ends('init')[1]).toBe(result)
  })

  it('tells calls of two migrations at once apart by their message ids', () => {
    const story = new Story()
    story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'a' })
    story.rpc({ method: 'pre_live_migration', instanceUuid: OTHER_SERVER, msgId: 'b' })
    const second = story.rpc({ msgId: 'b', ending: true }, 'deliver')
    const first = story.rpc({ msgId: 'a', ending: true }, 'deliver')
    expect([story.ends('init', 0)[1], story.ends('init', 1)[1]]).toEqual([first, second])
  })
})

describe('post-migration', () => {
  it('is the call and its reply', () => {
    const story = new Story()
    const call = story.rpc({ method: 'post_live_migration_at_destination', instanceUuid: SERVER, msgId: 'm' })
    story.confirm()
    const reply = story.rpc({ msgId: 'm', ending: true }, 'deliver')
    expect(story.ends('post_migration')).toEqual([call, reply])
  })

  it('of a cast ends, inferred, where the broker takes it on', () => {
    const story = new Story()
    const cast = story.rpc({ method: 'post_live_migration_at_destination', instanceUuid: SERVER })
    const confirmed = story.confirm()
    const end = intervalsOf(story.joined[0]!).get('post_migration')?.end
    expect([story.ends('post_migration'), end?.kind]).toEqual([[cast, confirmed], 'inferred'])
  })

  it('of a cast ends where the API shows the new host, when the user looks', () => {
    const story = new Story()
    story.rpc({ method: 'post_live_migration_at_destination', instanceUuid: SERVER })
    story.confirm()
    const server = { id: SERVER, status: 'ACTIVE', host: 'compute2', taskState: null }
    const [, seen] = story.http('10.0.0.1', { kind: 'nova.server', serverId: SERVER }, 200, {
      response: { server },
    })
    expect(story.ends('post_migration')[1]).toBe(seen)
  })
})

describe('the verdict', () => {
  it('names the remote exception of pre_live_migration', () => {
    const story = new Story()
    story.http('10.0.0.1', LIVE, 202)
    story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm1' })
    const failure = { class: 'DestinationDiskExists', message: 'it is there' }
    story.rpc({ msgId: 'm1', ending: true, failure }, 'deliver')
    expect(judge(story.joined[0]!, 1e9)).toEqual({
      outcome: 'failed',
      failure: {
        phase: 'init',
        code: null,
        message: 'it is there',
        step: 'pre_live_migration',
        class: failure.class,
      },
    })
  })

  it('is failed when the API refuses', () => {
    const story = new Story()
    story.http('10.0.0.1', LIVE, 409, { response: { error: 'Instance is locked' } })
    const { outcome, failure } = judge(story.joined[0]!, 1e9)
    expect([outcome, failure?.class, failure?.message]).toEqual(['failed', 'HTTP 409', 'Instance is locked'])
  })

  it('is incomplete when the capture ends right after a step, failed when nothing follows for long', () => {
    const story = new Story()
    story.rpc({ method: 'check_can_live_migrate_source', instanceUuid: SERVER, msgId: 'm' }, 'deliver')
    story.rpc({ msgId: 'm', ending: true })
    expect(judge(story.joined[0]!, 0.1e9).outcome).toBe('incomplete')
    expect(judge(story.joined[0]!, 10e9).outcome).toBe('failed')
  })

  it('is completed, with a failure, when only the post step fails', () => {
    const story = new Story()
    story.rpc({ method: 'post_live_migration_at_destination', instanceUuid: SERVER, msgId: 'm' })
    story.rpc({ msgId: 'm', ending: true, failure: { class: 'PortBindingFailed', message: 'no' } }, 'deliver')
    const { outcome, failure } = judge(story.joined[0]!, 1e9)
    expect([outcome, failure?.phase, failure?.class]).toEqual([
      'completed',
      'post_migration',
      'PortBindingFailed',
    ])
  })
})

it('a pre_live_migration that takes its time has not failed', () => {
  const story = new Story()
  story.http('10.0.0.1', LIVE, 202)
  story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm' })
  expect(judge(story.joined[0]!, 100e9).outcome).toBe('incomplete')
})

it('a second migration of the same instance is another one', () => {
  const story = new Story()
  for (const requestId of ['req-1', 'req-2']) {
    story.rpc({ method: 'live_migration', instanceUuid: SERVER, requestId }, 'deliver', 'compute.compute1')
    story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: requestId, requestId })
    story.rpc({ msgId: requestId, ending: true }, 'deliver')
  }
  expect(story.joined.map(({ nova }) => nova?.requestId)).toEqual(['req-1', 'req-2'])
})

it('a uuid in capitals is the same instance', () => {
  const story = new Story()
  const shouted = SERVER.toUpperCase()
  const [look] = story.http('10.0.0.1', { kind: 'nova.server', serverId: shouted }, 200)
  story.http('10.0.0.1', { ...LIVE, serverId: shouted } as HttpService, 202)
  story.rpc({ method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm' })
  const reply = story.rpc({ msgId: 'm', ending: true }, 'deliver')
  expect([story.joined.length, story.ends('init')]).toEqual([1, [look, reply]])
})

it('a host evacuated server by server gives a migration each', () => {
  const story = new Story()
  for (let i = 0; i < 20; i++) {
    const instanceUuid = `${SERVER.slice(0, -2)}${i + 10}`
    story.http('10.0.0.1', { ...LIVE, serverId: instanceUuid } as HttpService, 202)
    story.rpc({ method: 'pre_live_migration', instanceUuid, msgId: `m${i}` })
    story.rpc({ msgId: `m${i}`, ending: true }, 'deliver')
  }
  expect(story.joined.length).toBe(20)
})

it('hosts are named by the routing key, compute-alt too', () => {
  const story = new Story()
  story.rpc({ method: 'live_migration', instanceUuid: SERVER }, 'deliver', 'compute-alt.rack1')
  story.rpc(
    { method: 'pre_live_migration', instanceUuid: SERVER, msgId: 'm' },
    'publish',
    'compute-alt.rack2',
  )
  const { nova } = story.joined[0]!
  expect([nova?.sourceHost, nova?.destinationHost]).toEqual(['rack1', 'rack2'])
})

let connections = 0

function connectionOf(client: string): Connection {
  const end = { address: client, port: 40_000 + connections }
  return {
    id: connections++,
    totalsAt: () => null,
    client: end,
    server: { address: '10.0.0.10', port: 5000 },
    syn: null,
  } as Partial<Connection> as Connection
}

const BROKER = connectionOf('10.0.0.1')
const RPC: Rpc = {
  type: 'call',
  method: null,
  msgId: null,
  replyQueue: null,
  uniqueId: null,
  ending: null,
  failure: null,
  requestId: null,
  instanceUuid: null,
  dest: null,
  host: null,
  migration: null,
  object: null,
  events: [],
  partial: false,
}
