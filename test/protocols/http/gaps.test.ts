import { describe, expect, test } from 'vitest'
import { expectAnyCut, type Piece } from '../../support/any-cut.ts'
import { authorised, httpRequest, httpResponse, serverReply } from '../../support/http.ts'
import { concat } from '../../support/libvirt.ts'
import { REQUESTS, RESPONSES, SERVER, TOKEN } from './sample.ts'
import { bytes, decode, HttpSubject } from './subject.ts'

const LARGE = httpResponse(200, { body: { server: { status: 'ACTIVE', id: SERVER, text: 'x'.repeat(500) } } })
const asked = [
  authorised('GET', `/v2.1/servers/${SERVER}`, TOKEN),
  authorised('GET', '/v2.1/servers/b', TOKEN),
]

describe('a gap', () => {
  test('inside a body is just subtracted; what came before it is read', () => {
    const pieces: Piece[] = [LARGE.subarray(0, 200), { gap: 100 }, LARGE.subarray(300), httpResponse(202)]
    const subject = decode(pieces, { direction: 'to-client', asked })
    expect(subject.events.slice(2)).toMatchObject([
      { complete: true, last: { packet: 3 }, server: { status: 'ACTIVE', id: SERVER } },
      { exchange: 1, status: 202 },
    ])
    expect(subject.codes()).toEqual([])
    expectAnyCut(() => new HttpSubject({ direction: 'to-client', asked }), pieces)
  })

  test('up to the end of a body ends the message', () => {
    const pieces: Piece[] = [LARGE.subarray(0, 200), { gap: LARGE.length - 200 }, httpResponse(202)]
    const subject = decode(pieces, { direction: 'to-client', asked })
    expect(subject.events.slice(2)).toMatchObject([
      { complete: true, last: { packet: 2 } },
      { exchange: 1, status: 202 },
    ])
    expect(subject.codes()).toEqual([])
  })

  test('in a head ends it unfinished; the next message is found right behind a body', () => {
    const request = authorised('POST', `/v2.1/servers/${SERVER}/action`, TOKEN, { 'os-start': null })
    const pieces: Piece[] = [request.subarray(0, 80), { gap: 30 }, concat(request.subarray(110), ...REQUESTS)]
    const subject = decode(pieces)
    expect(subject.events).toHaveLength(1 + REQUESTS.length)
    expect(subject.events).toMatchObject([
      { exchange: 0, complete: false, last: { packet: 2 }, service: { kind: 'nova.action', action: null } },
      { exchange: 1, complete: true, service: { kind: 'nova.server' } },
      {},
      {},
      {},
      {},
    ])
    expect(subject.codes()).toEqual(['http.gap'])
    expectAnyCut(() => new HttpSubject(), pieces)
  })

  test('that swallows a response: the next one answers the latest request', () => {
    const exchange = (order: readonly ('request' | 'response' | 'gap')[]) => {
      const subject = new HttpSubject()
      const server = subject.peer('to-client')
      const response = httpResponse(200, { body: {} })
      order.forEach((what, i) => {
        const at = { packet: i + 1, timeNs: i }
        const request = httpRequest('GET', `/${i}`)
        if (what === 'request') subject.decoder.push(request, 0, request.length, at)
        else if (what === 'response') server.push(response, 0, response.length, at)
        else server.gap(response.length, at)
      })
      return subject.events.flatMap((event) => (event.type === 'http.response' ? [event.exchange] : []))
    }
    expect(exchange(['request', 'gap', 'request', 'response', 'request', 'response'])).toEqual([1, 2])
    expect(exchange(['response', 'request', 'response'])).toEqual([0, 1])
  })
})

describe('a stream that starts in the middle', () => {
  test('is joined at the next message, without a diagnostic', () => {
    const tail = LARGE.subarray(300)
    for (const start of [tail, bytes(''), bytes('\r\n\r\n'), bytes('x'.repeat(10_000))]) {
      const pieces = [
        concat(start, serverReply({ id: SERVER, status: 'ACTIVE', host: 'a', taskState: null })),
      ]
      const subject = decode(pieces, { direction: 'to-client', midStream: true })
      expect(subject.events).toMatchObject([{ exchange: 0, status: 200, server: { host: 'a' } }])
      expect(subject.codes()).toEqual([])
    }
  })

  test('any cut gives the same events', () => {
    const requests = concat(bytes('"}}'), ...REQUESTS, bytes('not a message\r\n'), ...REQUESTS)
    expectAnyCut(() => new HttpSubject({ midStream: true }), requests, 7)
    const responses = concat(LARGE.subarray(200), ...RESPONSES, bytes('x\r\n'), ...RESPONSES)
    expectAnyCut(() => new HttpSubject({ midStream: true, direction: 'to-client' }), responses, 7)
  })

  test('what only looks like a start line is not a message', () => {
    const log = 'saw GET /a HTTP/1.1\nno header here\nPOST /b HTTP/1.1 twice\nGET  HTTP/1.1\n'
    const subject = decode([bytes(log), httpRequest('GET', '/c')], { midStream: true })
    expect(subject.events).toMatchObject([{ path: '/c', exchange: 0 }])
    expect(subject.codes()).toEqual([])
  })

  test('the first packet is the one with the first byte of the method', () => {
    const request = httpRequest('GET', '/c', { headers: { A: 'b' } })
    const pieces = [
      concat(bytes('{"a": 1}'), request.subarray(0, 2)),
      request.subarray(2, 9),
      request.subarray(9),
    ]
    expect(decode(pieces, { midStream: true }).events).toMatchObject([
      { first: { packet: 1 }, last: { packet: 3 } },
    ])
  })
})

test('the capture ends inside a message: what is known is reported', () => {
  const [request = bytes('')] = REQUESTS
  expect(decode([request.subarray(0, 80)]).events).toMatchObject([{ complete: false, last: { packet: 1 } }])
  const subject = decode([LARGE.subarray(0, 200)], { direction: 'to-client', asked })
  expect(subject.events.slice(2)).toMatchObject([{ complete: false, server: { status: 'ACTIVE' } }])
  expect(subject.bodies.used).toBe(0)
})
