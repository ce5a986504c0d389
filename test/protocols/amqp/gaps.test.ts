import { describe, expect, test } from 'vitest'
import { deliver, publish } from '../../support/amqp.ts'
import { expectAnyCut, type Piece } from '../../support/any-cut.ts'
import { concat } from '../../support/libvirt.ts'
import {
  FROM_BROKER,
  INSTANCE,
  LIVE_MIGRATION,
  MSG_ID,
  PRE_LIVE_MIGRATION,
  PRE_REPLY,
  REPLY_QUEUE,
  TO_BROKER,
} from './sample.ts'
import { AmqpSubject, decode } from './subject.ts'

const CALL = publish(PRE_LIVE_MIGRATION)
const NEXT = publish(LIVE_MIGRATION)

function without(bytes: Uint8Array, from: number, to: number): Piece[] {
  return [bytes.subarray(0, from), { gap: to - from }, bytes.subarray(to)]
}

describe('a gap', () => {
  test('inside a body is just subtracted; what came before it is read', () => {
    const pieces = [...without(CALL, 500, 700), NEXT]
    const subject = decode(pieces)
    expect(subject.events).toMatchObject([
      {
        complete: true,
        last: { packet: 3 },
        rpc: {
          type: 'cast',
          method: 'pre_live_migration',
          msgId: null,
          instanceUuid: INSTANCE,
          partial: true,
        },
      },
      { routingKey: 'compute.compute1', complete: true, rpc: { partial: false } },
    ])
    expect(subject.codes()).toEqual([])
    expectAnyCut(() => new AmqpSubject(), pieces)
  })

  test('up to the frame end keeps sync, as in captures that cut packets short', () => {
    const pieces = [CALL.subarray(0, 300), { gap: CALL.length - 300 }, NEXT]
    const subject = decode(pieces)
    expect(subject.events).toMatchObject([
      { complete: true, last: { packet: 2 }, rpc: { method: 'pre_live_migration', partial: true } },
      { complete: true },
    ])
    expect(subject.codes()).toEqual([])
    expectAnyCut(() => new AmqpSubject(), pieces)
  })

  test('in the arguments of a method hides exchange or routing key', () => {
    const { events } = decode([...without(CALL, 25, 27), NEXT])
    expect(events).toMatchObject([
      { exchange: 'nova', routingKey: null, complete: true, rpc: { msgId: MSG_ID } },
      { routingKey: 'compute.compute1' },
    ])
  })

  test('in a content header hides the size: the message ends with what follows it', () => {
    const header = CALL.indexOf(0xce) + 1
    const { events } = decode([...without(CALL, header + 7, header + 30), NEXT])
    expect(events).toMatchObject([
      {
        size: null,
        complete: false,
        last: { packet: 3 },
        rpc: { msgId: MSG_ID, partial: true },
      },
      { complete: true },
    ])
  })

  test('over a frame header: the next message is found', () => {
    const pieces = [...without(CALL, 20, 400), NEXT, NEXT]
    const subject = decode(pieces)
    expect(subject.events).toMatchObject([
      { exchange: 'nova', routingKey: null, complete: false, rpc: null },
      { routingKey: 'compute.compute1', complete: true },
      { routingKey: 'compute.compute1', complete: true },
    ])
    expect(subject.codes()).toEqual(['amqp.gap'])
    expectAnyCut(() => new AmqpSubject(), pieces)
  })

  test('over frames of a body: what was unfinished is reported', () => {
    const frames = publish({ ...PRE_LIVE_MIGRATION, frameMax: 256 })
    const { events } = decode([frames.subarray(0, frames.length - 400), { gap: 1000 }, NEXT])
    expect(events).toMatchObject([
      { complete: false, last: { packet: 2 }, rpc: { method: 'pre_live_migration' } },
      { complete: true },
    ])
  })
})

describe('a stream that starts in the middle', () => {
  test('is joined at the next message, without a diagnostic', () => {
    for (const start of [0, 1, 8, 30, 100, CALL.length - 1]) {
      const subject = decode([concat(CALL.subarray(start), NEXT)], { midStream: true })
      expect(subject.events.slice(start === 0 ? 1 : 0)).toMatchObject([
        { routingKey: 'compute.compute1', complete: true, rpc: { method: 'live_migration' } },
      ])
      expect(subject.codes()).toEqual([])
    }
  })

  test('any cut gives the same events', () => {
    const out = concat(CALL.subarray(50), ...TO_BROKER)
    const back = concat(deliver(PRE_REPLY).subarray(3), ...FROM_BROKER)
    expectAnyCut(() => new AmqpSubject({ midStream: true }), out)
    expectAnyCut(() => new AmqpSubject({ midStream: true, direction: 'to-client' }), back)
  })

  test('the first packet is the one with the first byte of the method frame', () => {
    const pieces = [concat(CALL.subarray(300), NEXT.subarray(0, 4)), NEXT.subarray(4, 9), NEXT.subarray(9)]
    expect(decode(pieces, { midStream: true }).events).toMatchObject([
      { first: { packet: 1 }, last: { packet: 3 } },
    ])
  })
})

test('the capture ends inside a message: what is known is reported', () => {
  const bytes = deliver(PRE_REPLY)
  const subject = decode([bytes.subarray(0, bytes.length - 60)], { direction: 'to-client' })
  expect(subject.events).toMatchObject([
    {
      routingKey: REPLY_QUEUE,
      complete: false,
      last: { packet: 1 },
      rpc: { type: 'reply', ending: true, partial: true },
    },
  ])
  expect(subject.bodies.used).toBe(0)
})
