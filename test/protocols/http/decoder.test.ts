import { describe, expect, test } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { HTTP_BODY_MAX, HTTP_LINE_MAX, HTTP_PATH_MAX, HTTP_WAITING_MAX } from '../../../src/core/limits.ts'
import { tokenPrint } from '../../../src/protocols/http/token-print.ts'
import { expectAnyCut, feed } from '../../support/any-cut.ts'
import {
  authorised,
  httpRequest,
  httpResponse,
  loginV2,
  loginV3,
  serverReply,
  tokenV2,
} from '../../support/http.ts'
import { concat } from '../../support/libvirt.ts'
import { PASSWORD, PORT, REQUEST_ID, REQUESTS, RESPONSES, SERVER, TOKEN } from './sample.ts'
import { bytes, decode, HttpSubject } from './subject.ts'

const PRINT = tokenPrint(TOKEN, [1, 2])

describe('real messages', () => {
  test('novaclient asks for a migration; the token is not kept', () => {
    const head = `POST /v2.1/servers/${SERVER}/action HTTP/1.1\r
Host: controller:8774\r
User-Agent: python-novaclient\r
Accept-Encoding: gzip, deflate\r
Accept: application/json\r
Connection: keep-alive\r
X-OpenStack-Nova-API-Version: 2.79\r
OpenStack-API-Version: compute 2.79\r
X-Auth-Token: ${TOKEN}\r
Content-Type: application/json\r
Content-Length: 61\r
\r
`
    const body = '{"os-migrateLive": {"host": null, "block_migration": "auto"}}'
    const { events } = decode([bytes(head), bytes(body)])
    expect(events).toMatchObject([
      {
        type: 'http.request',
        first: { packet: 1 },
        last: { packet: 2 },
        exchange: 0,
        method: 'POST',
        path: `/v2.1/servers/${SERVER}/action`,
        tokenPrint: PRINT,
        requestId: null,
        service: {
          kind: 'nova.action',
          serverId: SERVER,
          action: 'os-migrateLive',
          host: null,
          blockMigration: 'auto',
        },
        complete: true,
      },
    ])
  })

  test('its answer carries the request id that all RPC of the migration repeats', () => {
    const response = `HTTP/1.1 202 Accepted\r
Content-Length: 0\r
Content-Type: application/json\r
Openstack-Api-Version: compute 2.79\r
Vary: OpenStack-API-Version\r
X-Openstack-Request-Id: ${REQUEST_ID}\r
X-Compute-Request-Id: ${REQUEST_ID}\r
Date: Fri, 20 Nov 2026 11:52:44 GMT\r
Connection: keep-alive\r
\r
`
    const { events } = decode([bytes(response)], { direction: 'to-client' })
    expect(events).toMatchObject([
      { type: 'http.response', status: 202, requestId: REQUEST_ID, service: null },
    ])
  })
})

test('responses are paired with requests in order, over a kept connection', () => {
  const { events } = decode([concat(...RESPONSES)], { direction: 'to-client', asked: REQUESTS })
  expect(events.slice(0, 5)).toMatchObject([
    { exchange: 0, service: { kind: 'nova.server', serverId: SERVER } },
    { exchange: 1, service: { kind: 'keystone.token', version: 3, root: '/identity', userName: 'admin' } },
    { exchange: 2, method: 'HEAD', service: { kind: 'other' } },
    { exchange: 3, service: { kind: 'nova.action', action: 'os-migrateLive', host: 'compute2' } },
    {
      exchange: 4,
      requestId: REQUEST_ID,
      service: { kind: 'neutron.binding', verb: 'activate', host: 'compute2' },
    },
  ])
  expect(events.slice(5)).toMatchObject([
    { exchange: 0, server: { id: SERVER, status: 'ACTIVE', host: 'compute1', taskState: null } },
    { exchange: 1, status: 201, userName: 'admin', tokenPrint: PRINT, service: { kind: 'keystone.token' } },
    { exchange: 2, status: 200, complete: true },
    { exchange: 3, status: 202, requestId: REQUEST_ID },
    { exchange: 4, status: 500, error: 'Race.', service: { portId: PORT } },
  ])
})

test('any cut gives the same events', () => {
  expectAnyCut(() => new HttpSubject(), concat(...REQUESTS))
  const make = () => new HttpSubject({ direction: 'to-client', asked: REQUESTS })
  expectAnyCut(make, concat(...RESPONSES))
})

test('evidence: the packets of the first byte and of the last one of the body', () => {
  const request = authorised('POST', '/v2.1/servers/x/action', TOKEN, { reboot: { type: 'SOFT' } })
  const whole = concat(request, request)
  const cuts = [0, 5, request.length - 1, request.length + 3, whole.length]
  const pieces = cuts.slice(1).map((cut, i) => whole.subarray(cuts[i], cut))
  const spans = decode(pieces).events.map(({ first, last }) => [first.packet, last.packet])
  expect(spans).toEqual([
    [1, 3],
    [3, 4],
  ])
})

describe('tokens and passwords', () => {
  test('the token handed out and the token used have one fingerprint; another run has others', () => {
    const { events } = decode([tokenV2('admin', TOKEN)], {
      direction: 'to-client',
      asked: [loginV2({ user: 'admin', password: PASSWORD }), authorised('GET', '/v2/x', TOKEN)],
    })
    const [login, use, answer] = events
    expect(login).toMatchObject({
      service: { version: 2, userName: 'admin', by: 'password' },
      tokenPrint: null,
    })
    expect(answer).toMatchObject({ userName: 'admin', tokenPrint: PRINT })
    expect(use?.tokenPrint).toBe(PRINT)
    expect(tokenPrint(TOKEN, [1, 3])).not.toBe(PRINT)
    expect(tokenPrint(`${TOKEN}x`, [1, 2])).not.toBe(PRINT)
  })

  test('a login by token presents it in the body', () => {
    const body = { auth: { identity: { methods: ['token'], token: { id: TOKEN } } } }
    const { events } = decode([httpRequest('POST', '/v3/auth/tokens', { body })])
    expect(events).toMatchObject([{ tokenPrint: PRINT, service: { by: 'token', userName: null } }])
  })

  test('none of them is in any event', () => {
    const requests = [
      ...REQUESTS,
      loginV3({ user: 'admin', password: PASSWORD }),
      authorised('GET', `/v2.0/tokens/${TOKEN}?x=1`, TOKEN),
      authorised('GET', `/v2.0/tokens/0123456789abcdef0123456789abcdef`, TOKEN),
      httpRequest('GET', `/vnc.html?path=%3Ftoken&token=${PASSWORD.replaceAll(' ', '')}&autoconnect=1`),
      authorised('POST', `/v2/servers/${SERVER}/action`, TOKEN, { changePassword: { adminPass: PASSWORD } }),
    ]
    const error = { error: { message: `Could not find token: ${TOKEN}.`, code: 404 } }
    const responses = [...RESPONSES, tokenV2('admin', TOKEN), httpResponse(404, { body: error })]
    const { events } = decode(responses, { direction: 'to-client', asked: requests })
    const said = JSON.stringify(events)
    expect(said).not.toContain(TOKEN.slice(0, 20))
    expect(said).not.toContain('0123456789abcdef0')
    expect(said).not.toContain(PASSWORD)
    expect(said).not.toContain(PASSWORD.replaceAll(' ', ''))
    expect(said).toContain('autoconnect=1')
    expect(said).toContain('Could not find token: ***.')
  })
})

describe('bodies', () => {
  const asked = [authorised('GET', `/v2.1/servers/${SERVER}`, TOKEN)]
  const facts = { id: SERVER, status: 'MIGRATING', host: 'compute1', taskState: 'migrating' }

  test('100 Continue is not the response', () => {
    const pieces = [httpResponse(100), serverReply(facts)]
    const { events } = decode(pieces, { direction: 'to-client', asked })
    expect(events.slice(1)).toMatchObject([{ exchange: 0, status: 200, server: facts, first: { packet: 2 } }])
  })

  test('204 and 304 have none, whatever their headers say', () => {
    const bare = { untilClose: true, headers: { 'Content-Length': '9' } }
    const { events } = decode([httpResponse(204, bare), httpResponse(304, bare), httpResponse(202)], {
      direction: 'to-client',
    })
    expect(events).toMatchObject([{ status: 204 }, { status: 304 }, { status: 202 }])
  })

  test('a chunked body is put together, with extensions and trailers', () => {
    const body = JSON.stringify({ server: { id: SERVER, status: 'ACTIVE' } })
    const pieces = [
      httpResponse(200, { body, chunks: [1, 30, 2], trailers: { 'X-Trailer': 'y' } }),
      httpResponse(202),
    ]
    const { events } = decode(pieces, { direction: 'to-client', asked })
    expect(events.slice(1)).toMatchObject([
      { server: { status: 'ACTIVE' }, last: { packet: 1 } },
      { status: 202 },
    ])
  })

  test('a body without a length goes on until the connection is closed', () => {
    const response = httpResponse(200, { version: '1.0', untilClose: true, body: { server: { id: SERVER } } })
    const pieces = [response.subarray(0, 40), response.subarray(40)]
    const options = { direction: 'to-client', asked } as const
    const closed = decode(pieces, { ...options, closed: true })
    expect(closed.events.slice(1)).toMatchObject([
      { complete: true, server: { id: SERVER }, last: { packet: 2 } },
    ])
    expect(decode(pieces, options).events.slice(1)).toMatchObject([
      { complete: false, server: { id: SERVER } },
    ])
  })

  test('of a body that is too long, the start is read', () => {
    const body = (size: number) =>
      JSON.stringify({ server: { ...facts, user_data: 'x'.repeat(size), last: 1 } })
    const overhead = body(0).length
    for (const [size, codes] of [
      [HTTP_BODY_MAX - 1, []],
      [HTTP_BODY_MAX, []],
      [HTTP_BODY_MAX + 1, ['http.body-limit']],
    ] as const) {
      const subject = decode([httpResponse(200, { body: body(size - overhead) })], {
        direction: 'to-client',
        asked,
      })
      expect(subject.events.slice(1)).toMatchObject([{ server: { status: 'MIGRATING' }, complete: true }])
      expect(subject.codes()).toEqual(codes)
      expect(subject.bodies.used).toBe(0)
    }
  })

  test('without room for a body, its message is still reported', () => {
    const { events } = decode([serverReply(facts)], {
      direction: 'to-client',
      asked,
      bodies: new BodyBudget(10),
    })
    expect(events.slice(1)).toMatchObject([{ status: 200, server: null, complete: true }])
  })

  test('what follows a protocol switch is not read', () => {
    const upgrade = [httpRequest('GET', '/websockify', { headers: { Upgrade: 'websocket' } })]
    const switched = httpResponse(101, { untilClose: true })
    const { events, codes } = (() => {
      const subject = decode([switched, bytes('GET / HTTP/1.1\r\n\r\n'), bytes('\u0001\u0002')], {
        direction: 'to-client',
        asked: upgrade,
      })
      return { events: subject.events, codes: subject.codes() }
    })()
    expect(events).toMatchObject([{ method: 'GET' }, { status: 101 }])
    expect(codes).toEqual([])
  })
})

describe('heads', () => {
  test('pipelined requests, lower-case names, folded and strange lines', () => {
    const request = (path: string) =>
      `GET ${path} HTTP/1.1\r\nx-auth-token:${TOKEN}\r\n folded\r\nX:\r\nX-Long: ${'y'.repeat(HTTP_LINE_MAX)}\r\n\r\n`
    const { events } = decode([bytes(`\r\n${request('/a')}${request('/b')}`)])
    expect(events).toMatchObject([
      { exchange: 0, path: '/a', tokenPrint: PRINT },
      { exchange: 1, path: '/b', tokenPrint: PRINT },
    ])
  })

  test('a token whose line is too long has no fingerprint', () => {
    const line = (size: number) => `X-Auth-Token: ${'t'.repeat(size - 'X-Auth-Token: \r'.length)}\r\n`
    for (const [size, isKnown] of [
      [HTTP_LINE_MAX - 1, true],
      [HTTP_LINE_MAX, true],
      [HTTP_LINE_MAX + 1, false],
    ] as const) {
      const { events } = decode([bytes(`GET /a HTTP/1.1\r\n${line(size)}\r\n`)])
      expect(events.map((event) => event.tokenPrint !== null)).toEqual([isKnown])
    }
  })

  test('a path is cut', () => {
    const lengths = [HTTP_PATH_MAX - 1, HTTP_PATH_MAX, HTTP_PATH_MAX + 1].map((size) => {
      const { events } = decode([httpRequest('GET', `/${'p'.repeat(size - 1)}`)])
      return events[0]?.type === 'http.request' ? events[0].path.length : null
    })
    expect(lengths).toEqual([HTTP_PATH_MAX - 1, HTTP_PATH_MAX, HTTP_PATH_MAX])
  })

  test('two different lengths: the message is reported, its end is not known', () => {
    const head = 'POST /x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'
    const subject = decode([bytes(`${head}abcd`), httpRequest('GET', '/y')])
    expect(subject.events).toMatchObject([
      { path: '/x', complete: false },
      { path: '/y', complete: true },
    ])
    expect(subject.codes()).toEqual(['http.message'])
  })
})

test('a response that is decoded before its request, because a segment came late, is paired with it', () => {
  const subject = new HttpSubject()
  const client = subject.decoder
  const server = subject.peer('to-client')
  const [request = bytes('')] = REQUESTS
  const answer = httpResponse(200, { body: {} })
  server.push(answer, 0, answer.length, { packet: 5, timeNs: 0 })
  client.push(request, 0, request.length, { packet: 3, timeNs: 0 })
  client.push(request, 0, request.length, { packet: 6, timeNs: 0 })
  server.push(answer, 0, answer.length, { packet: 7, timeNs: 0 })
  expect(subject.events.map(({ type, exchange }) => [type, exchange])).toEqual([
    ['http.response', 0],
    ['http.request', 0],
    ['http.request', 1],
    ['http.response', 1],
  ])
})

test.each([
  [HTTP_WAITING_MAX - 1, 0],
  [HTTP_WAITING_MAX, 0],
  [HTTP_WAITING_MAX + 1, 1],
])('of %i requests that wait, the first that can be answered is number %i', (count, first) => {
  const asked = Array.from({ length: count }, () => httpRequest('GET', '/x'))
  const { events } = decode([httpResponse(202)], { direction: 'to-client', asked })
  expect(events.at(-1)?.exchange).toBe(first)
})

test('the decoder is done after its end', () => {
  const subject = new HttpSubject()
  feed(subject.decoder, [httpRequest('GET', '/a')])
  feed(subject.decoder, [httpRequest('GET', '/b')])
  expect(subject.events).toHaveLength(1)
})
