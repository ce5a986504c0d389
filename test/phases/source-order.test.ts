import { describe, expect, it } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { Connection } from '../../src/events/connection.ts'
import type { ProtocolEvent } from '../../src/events/event.ts'
import type { LibvirtError } from '../../src/events/libvirt.ts'
import { judge } from '../../src/phases/outcome.ts'
import { MigrationTracker } from '../../src/phases/tracker.ts'

const UUID = '00000000-0000-4000-8000-000000000050'
const [CLIENT, SOURCE, DESTINATION] = ['10.0.0.9', '10.0.0.1', '10.0.0.2']
const COUNTS = {
  packets: 1,
  wireBytes: 66,
  payloadBytes: 0,
  retransmittedBytes: 0,
  missingBytes: 0,
  rates: null,
}
const at = (packet: number) => ({ packet, timeNs: packet * 1e6 })

let connections = 0
function connection(client: string, server: string, port: number, from: number, to: number): Connection {
  return {
    id: connections++,
    client: { address: client, port: 40_000 },
    server: { address: server, port },
    clientKnownBy: 'syn',
    firstPacket: at(from),
    lastPacket: at(to),
    syn: at(from),
    synAck: at(from + 1),
    handshakeAck: null,
    firstFin: at(to),
    lastFin: at(to),
    firstRst: null,
    lastRst: null,
    refused: false,
    toServer: COUNTS,
    toClient: COUNTS,
    totalsAt: () => null,
  }
}

const toSource = connection(CLIENT, SOURCE, 16509, 1, 90)

function perform(packet: number, uuid = UUID): ProtocolEvent {
  return {
    type: 'libvirt.call',
    connection: toSource,
    direction: 'to-server',
    first: at(packet),
    last: at(packet),
    program: 0x20008086,
    procedure: 305,
    serial: 7,
    size: 300,
    arguments: { kind: 'perform', domainName: 'vm1', domainUuid: uuid, flags: 0x201b },
  }
}

function answer(packet: number, error: LibvirtError | null = null): ProtocolEvent {
  return {
    type: 'libvirt.reply',
    connection: toSource,
    direction: 'to-client',
    first: at(packet),
    last: at(packet),
    program: 0x20008086,
    procedure: 305,
    serial: 7,
    size: 40,
    ok: error === null,
    error,
    result: null,
  }
}

/** A memory stream by itself. */
function stream(from: number, to: number, client: string = SOURCE): ProtocolEvent[] {
  const memory = connection(client, DESTINATION, 49152, from, to)
  const base = { connection: memory, direction: 'to-server' } as const
  return [
    { ...base, type: 'tcp.open', first: at(from), last: at(from), sawSyn: true },
    { ...base, type: 'qemu.header', first: at(from + 2), last: at(from + 2), version: 3 },
    { ...base, type: 'tcp.fin', first: at(to), last: at(to) },
  ]
}

function follow(...events: ProtocolEvent[]) {
  const tracker = new MigrationTracker(new Diagnostics())
  for (const event of events) tracker.event(event)
  return tracker.end()
}

describe("a client's order to the source", () => {
  it('is a migration of its own when nothing else of it was captured', () => {
    const [migration, ...others] = follow(perform(10), answer(80))
    expect(others).toEqual([])
    expect(migration?.libvirt).toMatchObject({
      domain: { name: 'vm1', uuid: UUID },
      sourceAddress: SOURCE,
      flags: 0x201b,
      order: { start: at(10), end: at(80), ok: true },
    })
    expect(migration && judge(migration, 90e6)).toEqual({ outcome: 'completed', failure: null })
  })

  it('that fails says what the source answered', () => {
    const [migration] = follow(perform(10), answer(20, { code: 38, domain: 10, message: 'no route to host' }))
    expect(migration && judge(migration, 90e6)).toMatchObject({
      outcome: 'failed',
      failure: { phase: null, code: 38, message: 'no route to host' },
    })
  })

  it('is incomplete without its answer', () => {
    const [migration] = follow(perform(10))
    expect(migration && judge(migration, 90e6)).toEqual({ outcome: 'incomplete', failure: null })
  })

  it('names the guest of the stream that came of it', () => {
    const migrations = follow(perform(10), ...stream(20, 70), answer(80))
    expect(migrations).toHaveLength(1)
    expect(migrations[0]?.libvirt).toMatchObject({ domain: { name: 'vm1' }, order: { start: at(10) } })
  })

  it.each([
    ['from another host', stream(20, 70, '10.0.0.3')],
    ['after it was over', stream(100, 120)],
  ])('has nothing to do with a stream %s', (_what, events) => {
    expect(follow(perform(10), answer(80), ...events)).toHaveLength(2)
  })

  it('given again is another migration', () => {
    const migrations = follow(perform(10), answer(20), perform(30), answer(40))
    expect(migrations.map(({ libvirt }) => libvirt?.order?.start.packet)).toEqual([10, 30])
  })
})
