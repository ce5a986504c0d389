import { describe, expect, test } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { AMQP_BODY_MAX, AMQP_CHANNELS_MAX, AMQP_FRAME_MAX } from '../../../src/core/limits.ts'
import type { AmqpEvent } from '../../../src/events/amqp.ts'
import {
  AMQP_HEADER,
  ack,
  channelClose,
  connectionClose,
  deliver,
  frame,
  getOk,
  HEARTBEAT,
  method,
  nack,
  Octets,
  oslo,
  publish,
  publishFrames,
  request,
  returned,
  startOk,
} from '../../support/amqp.ts'
import { expectAnyCut } from '../../support/any-cut.ts'
import { concat, hex } from '../../support/libvirt.ts'
import {
  FROM_BROKER,
  INSTANCE,
  LIVE_MIGRATION,
  MSG_ID,
  PRE_LIVE_MIGRATION,
  REPLY_QUEUE,
  TO_BROKER,
} from './sample.ts'
import { AmqpSubject, decode } from './subject.ts'

/** A real reply to a real call, as delivered: oslo.messaging 14.0.3, RabbitMQ 3.10.8. */
const REAL_REPLY = concat(
  hex('01 0001 00000037 003c 003c'), // method, channel 1, 55 bytes: basic.deliver
  hex('01 31 0000000000000021 00'), // consumer "1", delivery 33, not redelivered
  hex('00 26'), // the default exchange; 38 bytes of routing key
  new TextEncoder().encode('reply_1807a65ac5e44356924fa5030cf68ec1'),
  hex('ce'),
  hex('02 0001 0000002b 003c 0000 00000000000000cb f800'), // content header: 203 bytes, five properties
  hex('10 6170706c69636174696f6e2f6a736f6e 05 7574662d38 00000000 02 00 ce'), // application/json, utf-8, {}, 2, 0
  hex('03 0001 000000cb'),
  new TextEncoder().encode(
    String.raw`{"oslo.version": "2.0", "oslo.message": "{\"result\": null, \"failure\": null, \"ending\": true, \"_msg_id\": \"4ceed95e0a72468294ef337fb556b41e\", \"_unique_id\": \"2accb6ed2c704032a595523608961131\"}"}`,
  ),
  hex('ce'),
)

describe('real frames', () => {
  test('a reply is delivered', () => {
    const { events, codes } = (() => {
      const subject = decode([REAL_REPLY], { direction: 'to-client' })
      return { events: subject.events, codes: subject.codes() }
    })()
    expect(codes).toEqual([])
    expect(events).toMatchObject([
      {
        type: 'amqp.message',
        kind: 'deliver',
        channel: 1,
        exchange: '',
        routingKey: REPLY_QUEUE,
        size: 203,
        complete: true,
        rpc: {
          type: 'reply',
          method: null,
          msgId: '4ceed95e0a72468294ef337fb556b41e',
          uniqueId: '2accb6ed2c704032a595523608961131',
          ending: true,
          failure: null,
          partial: false,
        },
      },
    ])
  })

  test('a confirm, and a heartbeat', () => {
    const confirm = hex('01 0001 0000000d 003c 0050 000000000000003b 00 ce')
    const { events } = decode([confirm, hex('08 0000 00000000 ce')], { direction: 'to-client' })
    expect(events).toMatchObject([
      { type: 'amqp.confirm', deliveryTag: 59, multiple: false, ok: true, channel: 1 },
    ])
    expect(ack(59)).toEqual(confirm)
    expect(HEARTBEAT).toEqual(hex('08 0000 00000000 ce'))
  })
})

test('a call and a cast, with what they are about', () => {
  const { events } = decode([publish(PRE_LIVE_MIGRATION), publish(LIVE_MIGRATION)])
  expect(events).toMatchObject([
    {
      kind: 'publish',
      exchange: 'nova',
      routingKey: 'compute.compute2',
      rpc: {
        type: 'call',
        method: 'pre_live_migration',
        msgId: MSG_ID,
        replyQueue: REPLY_QUEUE,
        instanceUuid: INSTANCE,
      },
    },
    { rpc: { type: 'cast', method: 'live_migration', msgId: null, dest: 'compute2' } },
  ])
})

test('any cut gives the same events', () => {
  expectAnyCut(() => new AmqpSubject(), concat(AMQP_HEADER, ...TO_BROKER))
  expectAnyCut(() => new AmqpSubject({ direction: 'to-client' }), concat(...FROM_BROKER))
})

test('evidence: from the first byte of the method frame to the last frame-end octet', () => {
  const first = publish({ ...LIVE_MIGRATION, frameMax: 400 })
  const whole = concat(first, publish(LIVE_MIGRATION))
  const cuts = [0, 5, 60, first.length - 1, first.length, whole.length]
  const { events } = decode(cuts.slice(1).map((cut, i) => whole.subarray(cuts[i], cut)))
  expect(spans(events)).toEqual([
    [1, 4],
    [5, 5],
  ])
})

test('messages of different channels may be interleaved', () => {
  const a = publishFrames({ exchange: 'a', routingKey: 'a', body: 'a'.repeat(20), channel: 1, frameMax: 18 })
  const b = publishFrames({ exchange: 'b', routingKey: 'b', body: 'b'.repeat(20), channel: 2, frameMax: 18 })
  const mixed = a.flatMap((one, i) => [one, b[i] ?? HEARTBEAT])
  const { events } = decode(mixed)
  expect(events).toMatchObject([
    { exchange: 'a', size: 20, complete: true, rpc: null },
    { exchange: 'b', size: 20, complete: true, rpc: null },
  ])
  expect(spans(events)).toEqual([
    [1, 7],
    [2, 8],
  ])
})

test('got and returned messages; a message without a body', () => {
  const parcel = { exchange: 'nova', routingKey: 'k', body: '' }
  const { events } = decode([getOk(parcel), returned(parcel), deliver(parcel)], { direction: 'to-client' })
  expect(events).toMatchObject([
    { kind: 'get', exchange: 'nova', routingKey: 'k', size: 0, complete: true, rpc: null },
    { kind: 'return', exchange: 'nova', routingKey: 'k' },
    { kind: 'deliver', exchange: 'nova', routingKey: 'k' },
  ])
})

test('only the broker confirms; a consumer acknowledges, which is counted', () => {
  const frames = [ack(1), nack(2, 3)]
  expect(decode(frames, { direction: 'to-client' }).events).toMatchObject([
    { type: 'amqp.confirm', deliveryTag: 1, ok: true },
    { type: 'amqp.confirm', deliveryTag: 2, ok: false, channel: 3 },
  ])
  const client = decode(frames)
  expect(client.events).toEqual([])
  expect([...client.decoder.methods]).toEqual([
    [(60 << 16) | 80, 1],
    [(60 << 16) | 120, 1],
  ])
})

test('closing says why', () => {
  const { events } = decode([connectionClose(320, 'CONNECTION_FORCED'), channelClose(3, 404, 'NOT_FOUND')])
  expect(events).toMatchObject([
    { type: 'amqp.close', scope: 'connection', channel: 0, code: 320, text: 'CONNECTION_FORCED' },
    { type: 'amqp.close', scope: 'channel', channel: 3, code: 404, text: 'NOT_FOUND' },
  ])
})

test('a connection from its start: the login is not kept, and nothing is said of it', () => {
  const subject = decode([AMQP_HEADER, startOk('openstack', 'rabbit-password'), publish(PRE_LIVE_MIGRATION)])
  expect(subject.events).toHaveLength(1)
  expect(subject.codes()).toEqual([])
  expect(subject.decoder.methods.get((10 << 16) | 11)).toBe(1)
})

test('a new method ends an unfinished message on its channel', () => {
  const [start, header] = publishFrames(PRE_LIVE_MIGRATION)
  const { events } = decode([concat(start ?? HEARTBEAT, header ?? HEARTBEAT), publish(LIVE_MIGRATION)])
  expect(events).toMatchObject([
    { routingKey: 'compute.compute2', complete: false, rpc: null },
    { routingKey: 'compute.compute1', complete: true },
  ])
})

test('of a body that is too long, the start is read', () => {
  const parcel = (filler: number) => ({
    exchange: 'nova',
    routingKey: 'k',
    body: request({
      method: 'm',
      args: { instance: { uuid: INSTANCE }, filler: 'x'.repeat(filler) },
      msgId: MSG_ID,
    }),
  })
  const overhead = JSON.stringify(parcel(0).body).length
  for (const [size, partial] of [
    [AMQP_BODY_MAX - 1, false],
    [AMQP_BODY_MAX, false],
    [AMQP_BODY_MAX + 1, true],
  ] as const) {
    const subject = decode([publish(parcel(size - overhead))])
    const msgId = subject.events[0]?.type === 'amqp.message' ? subject.events[0].rpc?.msgId : null
    expect(subject.events).toMatchObject([
      { size, complete: true, rpc: { method: 'm', instanceUuid: INSTANCE, partial } },
    ])
    expect(msgId).toBe(MSG_ID)
    expect(subject.codes()).toEqual(partial ? ['amqp.body-limit'] : [])
    expect(subject.bodies.used).toBe(0)
  }
})

test('without room for bodies, messages are still reported', () => {
  const subject = decode([publish(PRE_LIVE_MIGRATION)], { bodies: new BodyBudget(100) })
  expect(subject.events).toMatchObject([{ routingKey: 'compute.compute2', complete: true, rpc: null }])
  expect(subject.codes()).toEqual(['amqp.body-limit'])
})

test('a frame without its end octet: sync is lost, and found again at the next message', () => {
  const broken = publish(PRE_LIVE_MIGRATION)
  broken[broken.length - 1] = 0
  const subject = decode([concat(broken, HEARTBEAT, publish(LIVE_MIGRATION))])
  expect(subject.events).toMatchObject([
    { routingKey: 'compute.compute2', complete: false },
    { routingKey: 'compute.compute1', complete: true },
  ])
  expect(subject.codes()).toEqual(['amqp.frame'])
})

test('unknown methods are counted up to a limit', () => {
  const many = Array.from({ length: 1000 }, (_, i) => method(1, 60, i, new Octets()))
  expect(decode([concat(...many)]).decoder.methods.size).toBe(128)
})

test('a frame of a type that does not exist is no frame', () => {
  expect(decode([frame(4, 0, new Uint8Array(3))]).codes()).toEqual(['amqp.frame'])
})

test('what is no oslo message has no rpc', () => {
  const bodies = ['', 'text', '{}', '[]', '{"oslo.message": "x"}', oslo({ a: 1 }), oslo([1])]
  const { events } = decode(bodies.map((body) => publish({ exchange: 'x', routingKey: 'y', body })))
  expect(events.map((event) => event.type === 'amqp.message' && event.rpc)).toEqual(bodies.map(() => null))
})

test.each([
  [AMQP_CHANNELS_MAX - 1, AMQP_CHANNELS_MAX - 1],
  [AMQP_CHANNELS_MAX, AMQP_CHANNELS_MAX],
  [AMQP_CHANNELS_MAX + 1, AMQP_CHANNELS_MAX],
])('of %i messages begun at once, %i are followed', (begun, followed) => {
  const starts = Array.from({ length: begun }, (_, channel) => {
    return publishFrames({ exchange: '', routingKey: '', body: '', channel })[0] ?? HEARTBEAT
  })
  expect(decode([concat(...starts)]).events).toHaveLength(followed)
})

test.each([
  [AMQP_FRAME_MAX - 1, []],
  [AMQP_FRAME_MAX, []],
  [AMQP_FRAME_MAX + 1, ['amqp.frame']],
] as const)('a frame of %i bytes', (size, codes) => {
  const header = new Octets().u8(3).u16(1).u32(size).done()
  expect(decode([header, { gap: size + 1 }]).codes()).toEqual(codes)
})

function spans(events: readonly AmqpEvent[]): number[][] {
  return events.map(({ first, last }) => [first.packet, last.packet])
}
