import { expect, test } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { NOVA_MESSAGES_MAX, NOVA_MESSAGES_TOTAL_MAX } from '../../src/core/limits.ts'
import { MessageRoom, NovaMigration } from '../../src/phases/nova-migration.ts'
import type { Carried } from '../../src/phases/volume.ts'

const message: Carried = {
  packet: 7,
  protocol: 'amqp',
  direction: 'to-server',
  wireBytes: 100,
  payloadBytes: 40,
}

function migrationWith(messages: number, room: MessageRoom): NovaMigration {
  const migration = new NovaMigration('uuid', { packet: 1, timeNs: 0 }, () => {}, room)
  for (let i = 0; i < messages; i++) migration.addMessage(message)
  return migration
}

test('of one migration, so many messages are remembered, and that the others are not is said', () => {
  const diagnostics = new Diagnostics()
  const migration = migrationWith(NOVA_MESSAGES_MAX + 3, new MessageRoom(diagnostics))
  expect(migration.messages.length).toBe(NOVA_MESSAGES_MAX)
  expect(diagnostics.list()).toMatchObject([{ code: 'phase.messages', count: 3, packet: 7 }])
})

test('of all migrations, so many; those of reported ones make room', () => {
  const room = new MessageRoom(new Diagnostics())
  for (let taken = 0; taken < NOVA_MESSAGES_TOTAL_MAX; taken += NOVA_MESSAGES_MAX)
    expect(migrationWith(NOVA_MESSAGES_MAX, room).messages.length).toBe(NOVA_MESSAGES_MAX)
  expect(migrationWith(1, room).messages).toEqual([])
  room.give(1)
  expect(migrationWith(1, room).messages).toEqual([message])
})
