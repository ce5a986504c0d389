import { expect, it } from 'vitest'
import type { TlsRecord } from '../../src/events/tls.ts'
import { TlsConversation } from '../../src/phases/tls-conversation.ts'

/** Record lengths of a real conversation over TLS 1.3 (libvirt 9.0): positive from the client, negative from the server. */
const OPENING = [-18, 45, -53, 49, -49, 73, -45, 49, -49, 49, -49, 45, -45, 49, -49, 49, -49, 49, -49]
const PREPARE = [2573, -769]
const CLOSING = [45, -45, 45, -45]

it('tells the calls by the lengths of their records', () => {
  expect(signals([...OPENING, ...PREPARE, 4545, -1229, ...CLOSING])).toEqual([
    'open.reply',
    'prepare.call',
    'prepare.reply',
    'finish.call',
    'finish.reply',
  ])
})

it('takes an answer to finish that is much shorter than the one to prepare for an error', () => {
  // The lengths of a cancelled migration: finish of 1712 bytes, error of 144.
  expect(signals([...OPENING, ...PREPARE, 1729, -161, ...CLOSING]).at(-1)).toBe('finish.error')
})

it('passes over keepalives', () => {
  expect(signals([...OPENING, ...PREPARE, -45, 45, 4545, -45, 45, -1229]).at(-1)).toBe('finish.reply')
})

it('is silent about a conversation that is not that of a libvirt client', () => {
  expect(signals([-18, 300, -5000, 300, -5000])).toEqual([])
})

function signals(sizes: readonly number[]): string[] {
  const conversation = new TlsConversation()
  const names: string[] = []
  for (const [index, size] of sizes.entries()) {
    const at = { packet: index + 1, timeNs: index }
    const direction = size > 0 ? 'to-server' : 'to-client'
    const record = { type: 'tls.record', direction, first: at, last: at, size: Math.abs(size) } as TlsRecord
    const signal = conversation.record(record)
    if (signal !== null && signal.name !== 'query.reply') names.push(signal.name)
  }
  return names
}
