import { expect, it } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { Connection } from '../../src/events/connection.ts'
import { join } from '../../src/phases/join.ts'
import { reportUnexpected } from '../../src/phases/machine.ts'
import { Migration } from '../../src/phases/migration.ts'
import { MessageRoom, NovaMigration } from '../../src/phases/nova-migration.ts'

const GUEST = '9c994cd3-50f9-4611-87a8-b9a5f15839c5'
const OTHER = '11111111-2222-4333-8444-555555555555'
const unexpected = reportUnexpected(new Diagnostics())

it('the two sides of a migration find each other by the uuid, not by time', () => {
  const [a, b] = [libvirt(OTHER, 11), libvirt(GUEST, 12)]
  const nova = novaSide(GUEST, 10)
  expect(join([a, b], [nova])).toEqual([
    { libvirt: b, nova },
    { libvirt: a, nova: null },
  ])
})

it('a guest that moves twice keeps its migrations in order', () => {
  const moves = [libvirt(GUEST, 20), libvirt(GUEST, 40)]
  const orders = [novaSide(GUEST, 10), novaSide(GUEST, 30)]
  const joined = join(moves, orders)
  expect(joined.map(({ libvirt }) => moves.indexOf(libvirt!))).toEqual([0, 1])
  expect(joined.map(({ nova }) => orders.indexOf(nova!))).toEqual([0, 1])
})

it('a retry that came to libvirt is not given to the order that failed before', () => {
  const move = libvirt(GUEST, 40)
  const [failed, retried] = [novaSide(GUEST, 10), novaSide(GUEST, 30)]
  expect(join([move], [failed, retried])).toEqual([
    { libvirt: null, nova: failed },
    { libvirt: move, nova: retried },
  ])
})

it('a capture that starts in between joins the end of Nova with the libvirt that ran before it', () => {
  const move = libvirt(GUEST, 5)
  const nova = new NovaMigration(GUEST, at(50), unexpected, new MessageRoom(new Diagnostics()))
  nova.signal('post.call', at(50), at(50))
  expect(join([move], [nova])).toEqual([{ libvirt: move, nova }])
})

it('an order is not joined with a move that was over before it', () => {
  const move = libvirt(GUEST, 5)
  const nova = novaSide(GUEST, 50)
  expect(join([move], [nova]).length).toBe(2)
})

function at(packet: number) {
  return { packet, timeNs: packet * 1e6 }
}

function libvirt(uuid: string, packet: number): Migration {
  const end = { address: '10.0.0.1', port: 1 }
  const rpc = { client: end, server: end, syn: at(packet), firstPacket: at(packet) } as Connection
  const migration = new Migration(rpc, unexpected)
  migration.domain = { name: 'vm', uuid, memoryBytes: null, macs: [] }
  return migration
}

function novaSide(uuid: string, packet: number): NovaMigration {
  const nova = new NovaMigration(uuid, at(packet), unexpected, new MessageRoom(new Diagnostics()))
  nova.signal('migrate.request', at(packet), at(packet))
  return nova
}
