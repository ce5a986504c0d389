import { expect, it } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { Connection } from '../../src/events/connection.ts'
import type { ProtocolEvent } from '../../src/events/event.ts'
import { MigrationTracker } from '../../src/phases/tracker.ts'

const COUNTS = {
  packets: 1,
  wireBytes: 0,
  payloadBytes: 0,
  retransmittedBytes: 0,
  missingBytes: 0,
  rates: null,
}
const AT = { packet: 1, timeNs: 0 }

const connection = (id: number, server = '10.0.0.2'): Connection => ({
  id,
  client: { address: '10.0.0.1', port: 40000 + id },
  server: { address: server, port: 49152 },
  clientKnownBy: 'syn',
  firstPacket: AT,
  lastPacket: AT,
  syn: AT,
  synAck: AT,
  handshakeAck: null,
  firstFin: null,
  lastFin: null,
  firstRst: null,
  lastRst: null,
  refused: false,
  toServer: COUNTS,
  toClient: COUNTS,
  totalsAt: () => null,
})

const base = (on: Connection) => ({ connection: on, direction: 'to-server', first: AT, last: AT }) as const
const channel = (on: Connection): ProtocolEvent => ({
  type: 'multifd.channel',
  ...base(on),
  channel: 0,
  uuid: '',
})
const header = (on: Connection): ProtocolEvent => ({ type: 'qemu.header', ...base(on), version: 3 })

function track(events: readonly ProtocolEvent[]) {
  const tracker = new MigrationTracker(new Diagnostics())
  for (const event of events) tracker.event(event)
  return tracker.end().map(({ libvirt }) => [libvirt?.memory.length, libvirt?.channels.size])
}

it('channels that nobody announced belong to the main stream between the same ends, whichever comes first', () => {
  const [main, first, second] = [connection(0), connection(1), connection(2)]
  expect(track([header(main), channel(first), channel(second)])).toEqual([[3, 2]])
  expect(track([channel(first), header(main), channel(second)])).toEqual([[3, 2]])
})

it('streams between other ends, or without channels, are migrations of their own', () => {
  expect(track([header(connection(0)), channel(connection(1, '10.0.0.3'))])).toHaveLength(2)
  expect(track([header(connection(0)), header(connection(1))])).toHaveLength(2)
})

it('connections to the port of a stream belong to it, whatever they carry, when they open after it', () => {
  const open = (on: Connection): ProtocolEvent => ({ type: 'tcp.open', ...base(on), sawSyn: true })
  const late = (id: number) => {
    const on = connection(id)
    return { ...on, syn: { packet: 5, timeNs: 5 } }
  }
  // Opened before the main one was known for what it is, and after.
  const [main, before, after] = [connection(0), late(1), late(2)]
  expect(track([open(main), open(before), header(main), open(after)])).toEqual([[3, 0]])
  const elsewhere = { ...late(3), server: { address: '10.0.0.2', port: 22 } }
  expect(track([open(main), open(elsewhere), header(main)])).toEqual([[1, 0]])
})

it('the rounds of all channels are those of the migration, without the pages that post-copy asks for', () => {
  const [main, first] = [connection(0), connection(1)]
  const pages = { normal: 0, zero: 0, xbzrle: 0, compressed: 0 }
  const section = (zero: number): ProtocolEvent => ({
    type: 'qemu.section',
    ...base(main),
    kind: 'part',
    id: 2,
    name: 'ram',
    size: 100,
    pages: { ...pages, zero },
  })
  const packet = (number: number): ProtocolEvent => ({
    type: 'multifd.packet',
    ...base(first),
    number,
    sync: false,
    block: 'pc.ram',
    pageSizeBytes: 4096,
    offsets: Float64Array.of(4096),
    normal: 1,
    zero: 0,
    size: 5440,
  })
  const run: ProtocolEvent = { type: 'qemu.command', ...base(main), command: 5, size: 0 }
  const tracker = new MigrationTracker(new Diagnostics())
  const events = [
    header(main),
    channel(first),
    packet(0),
    section(7),
    packet(1),
    section(2),
    run,
    section(40),
  ]
  for (const event of events) tracker.event(event)
  const rounds = tracker.end()[0]?.libvirt?.parallel?.finish()
  expect(rounds?.map((round) => [round.pages.normal, round.pages.zero])).toEqual([
    [1, 7],
    [1, 2],
  ])
})
