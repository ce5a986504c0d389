import { describe, expect, test } from 'vitest'
import { LIBVIRT_MESSAGE_MAX } from '../../../src/core/limits.ts'
import { looksLikeLibvirt } from '../../../src/protocols/libvirt/signature.ts'
import { errorReply, hex, keepalive, message, streamData, streamFinish } from '../../support/libvirt.ts'
import { CONVERSATION, TUNNELLED } from './sample.ts'

const verdict = (bytes: Uint8Array, end = bytes.length) => looksLikeLibvirt(bytes, 0, end)

describe('a libvirt message', () => {
  test('is recognised at its 28th byte, and may be one before', () => {
    const messages = [...CONVERSATION, ...TUNNELLED].map((turn) => turn.bytes)
    messages.push(keepalive('ping'), errorReply(1, 2, { code: 1, domain: 7, message: null }))
    messages.push(message({ procedure: 318, type: 2, serial: 0, status: 0 }))
    for (const bytes of messages) {
      for (let end = 0; end < 28; end++) expect(verdict(bytes, end)).toBe('more')
      expect(verdict(bytes)).toBe(true)
    }
  })

  test('at an offset, whatever lies around', () => {
    const bytes = new Uint8Array(60).fill(0xff)
    bytes.set(keepalive('pong'), 17)
    expect(looksLikeLibvirt(bytes, 17, 45)).toBe(true)
    expect(looksLikeLibvirt(bytes, 17, 44)).toBe('more')
    expect(looksLikeLibvirt(bytes, 16, 60)).toBe(false)
  })
})

describe('other protocols are told apart early', () => {
  test.each([
    ['TLS client hello', '16', 1],
    ['HTTP', '47', 1],
    ['SSH', '53', 1],
    ['AMQP', '41', 1],
    ['QEMU', '51', 1],
    ['NBD', '4e', 1],
    ['zeroes', '00 00 00 00', 4],
    ['a short length', '00 00 00 1b', 4],
    ['ONC RPC over TCP', '80', 1],
    ['another program', '00 00 00 1c 20 00 80 85', 8],
    ['another program, early', '00 00 00 1c 21', 5],
    ['another version', '00 00 00 1c 20 00 80 86 00 00 00 02', 12],
  ])('%s', (_name, text, bytes) => {
    expect(verdict(hex(text))).toBe(false)
    if (bytes > 1) expect(verdict(hex(text), bytes - 1)).toBe('more')
  })
})

describe('fields that do not agree', () => {
  const base = { procedure: 1, type: 0, serial: 0, status: 0 }

  test.each([
    ['length above the limit', { ...base, length: LIBVIRT_MESSAGE_MAX + 1 }],
    ['type 7', { ...base, type: 7 }],
    ['status 3', { ...base, status: 3 }],
    ['procedure 0', { ...base, procedure: 0 }],
    ['procedure 5000', { ...base, procedure: 5000 }],
    ['a call that failed', { ...base, status: 1 }],
    ['an unpadded call', { ...base, length: 29 }],
    ['an error without a body', { ...base, type: 1, status: 1 }],
    ['an end of stream with payload', { ...base, type: 3, status: 0, length: 32 }],
    ['a keepalive with a body', { ...base, program: 0x6b656570, type: 2, length: 32 }],
    ['a keepalive call', { ...base, program: 0x6b656570 }],
  ])('%s', (_name, header) => {
    expect(verdict(message(header))).toBe(false)
  })

  test('at the limits they do', () => {
    expect(verdict(message({ ...base, length: LIBVIRT_MESSAGE_MAX }))).toBe(true)
    expect(verdict(streamFinish(215, 5))).toBe(true)
    expect(verdict(streamData(215, 5, Uint8Array.of(1)))).toBe(true)
  })
})
