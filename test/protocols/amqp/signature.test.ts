import { expect, test } from 'vitest'
import { amqpFromClient, looksLikeAmqp } from '../../../src/protocols/amqp/signature.ts'
import { AMQP_HEADER, ack, deliver, frame, HEARTBEAT, publish } from '../../support/amqp.ts'
import { concat, hex } from '../../support/libvirt.ts'
import { PRE_LIVE_MIGRATION, PRE_REPLY } from './sample.ts'

const PUBLISH = publish(PRE_LIVE_MIGRATION)
const BODY = frame(3, 1, new TextEncoder().encode('{}'))

test.each([
  ['the protocol header', AMQP_HEADER, true],
  ['its start', AMQP_HEADER.subarray(0, 5), 'more'],
  ['AMQP 1.0', hex('41 4d 51 50 00 01 00 00'), false],
  ['frames', PUBLISH, true],
  ['a delivery', deliver(PRE_REPLY), true],
  ['class and method', PUBLISH.subarray(0, 11), true],
  ['less', PUBLISH.subarray(0, 10), 'more'],
  ['nothing', new Uint8Array(0), 'more'],
  ['a heartbeat', HEARTBEAT, true],
  ['a body with a frame behind it', concat(BODY, HEARTBEAT), true],
  ['a body alone', BODY, 'more'],
  ['a body with something else behind it', concat(BODY, hex('00')), false],
  ['no end octet', hex('08 0000 00000000 cd'), false],
  ['no method', hex('01 0001 00000004 003c 0000 ce'), false],
  ['no class', hex('01 0001 00000004 0040 0000'), false],
  ['too long a frame', hex('03 0001 7fffffff'), false],
  ['text', new TextEncoder().encode('GET / HTTP/1.1'), false],
  ['zeros', new Uint8Array(64), false],
])('%s', (_, bytes, answer) => {
  const all = concat(hex('ff'), bytes)
  expect(looksLikeAmqp(all, 1, all.length)).toBe(answer)
})

test('who sent it, where that can be told', () => {
  const fromClient = (bytes: Uint8Array) => amqpFromClient(bytes, 0, bytes.length)
  expect(fromClient(AMQP_HEADER)).toBe(true)
  expect(fromClient(PUBLISH)).toBe(true)
  expect(fromClient(deliver(PRE_REPLY))).toBe(false)
  expect(fromClient(ack(1))).toBeNull()
  expect(fromClient(HEARTBEAT)).toBeNull()
})
