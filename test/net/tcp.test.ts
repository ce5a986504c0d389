import { describe, expect, test } from 'vitest'
import {
  ADDRESSES_MAX,
  CLOSED_CONNECTIONS_MAX,
  CONNECTIONS_MAX,
  HOLE_PATIENCE_PACKETS,
  UNANSWERED_MAX,
} from '../../src/core/limits.ts'
import {
  type CapturedPacket,
  damage,
  ETHERTYPE,
  FLAG,
  ipv4,
  LINK,
  type ScriptOptions,
  tcp,
  Wire,
} from '../support/capture.ts'
import { ascii, Tap } from './tap.ts'

const ENDS: ScriptOptions = { name: 'c', client: '10.0.0.9:50000', server: '10.0.0.2:16509' }

describe('a connection', () => {
  test('has its events at the packets that show them, and its texts in order', () => {
    const wire = new Wire()
    wire
      .connection(ENDS)
      .open()
      .send('client', ascii('ask'), '')
      .send('server', ascii('answer'), '')
      .close('server')
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.accept@2', 'tcp.fin@8', 'tcp.fin@9'])
    expect(tap.events.map((event) => 'direction' in event && event.direction)).toEqual([
      'to-server',
      'to-client',
      'to-client',
      'to-server',
    ])
    expect(tap.texts()).toEqual([['ask', 'answer']])
    expect(tap.ends()).toEqual([1, 1])
    expect(tap.connections[0]).toMatchObject({
      client: { address: '10.0.0.9', port: 50000 },
      server: { address: '10.0.0.2', port: 16509 },
      clientKnownBy: 'syn',
      refused: false,
      syn: { packet: 1 },
      synAck: { packet: 2 },
      firstFin: { packet: 8 },
      lastFin: { packet: 9 },
      firstRst: null,
      lastPacket: { packet: 10 },
      toServer: {
        packets: 5,
        payloadBytes: 3,
        retransmittedBytes: 0,
        missingBytes: 0,
        wireBytes: 5 * 54 + 3,
      },
      toClient: {
        packets: 5,
        payloadBytes: 6,
        retransmittedBytes: 0,
        missingBytes: 0,
        wireBytes: 5 * 54 + 6,
      },
    })
  })

  test.each([
    ['client', '10.0.0.1:50000', '10.0.0.2:16509'],
    ['server', '10.0.0.2:50000', '10.0.0.1:16509'],
    ['by port', '10.0.0.1:50000', '10.0.0.1:16509'],
    ['by port, the other way', '10.0.0.1:16508', '10.0.0.1:16509'],
  ])('has the SYN-sender for a client, whoever has the lower address: %s', (_name, client, server) => {
    const wire = new Wire()
    wire
      .connection({ ...ENDS, client, server })
      .open()
      .send('client', ascii('ask'), '')
    const tap = new Tap().pass(wire.passed).end()
    expect(`${tap.connections[0]?.client.address}:${tap.connections[0]?.client.port}`).toBe(client)
    expect(tap.texts()).toEqual([['ask', '']])
  })

  test('sequence numbers may wrap in both directions, under loss and reordering', () => {
    const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(4)
    for (let back = 0; back < 110; back += 7) {
      const wire = new Wire()
      const isn = 0xffffffff - back
      const script = wire.connection({ ...ENDS, mss: 5, clientIsn: isn, serverIsn: isn })
      script.open().send('client', ascii(text), '').send('server', ascii(text), '').close('client')
      const late = damage(damage(wire.passed, 'delay', 5, 9), 'delay', 30, 7)
      expect(new Tap().pass(late).end().texts()).toEqual([[text, text]])
    }
  })
})

describe('port reuse', () => {
  const twice = (secondIsn: number, between: (script: ReturnType<Wire['connection']>) => void) => {
    const wire = new Wire()
    const first = wire.connection(ENDS).open().send('client', ascii('one'), '')
    between(first)
    const second = wire.connection({ ...ENDS, clientIsn: secondIsn, serverIsn: 77 })
    second.open().send('client', ascii('two'), '').send('server', ascii('ok'), '').close('client')
    return new Tap().pass(wire.passed).end()
  }

  test.each<[string, (script: ReturnType<Wire['connection']>) => void]>([
    ['after FIN', (script) => script.close('client')],
    ['after RST', (script) => script.reset('server')],
    ['without an end', () => {}],
  ])('%s: a SYN with another number opens another connection', (_name, between) => {
    const tap = twice(5_000_000, between)
    expect(tap.texts()).toEqual([
      ['one', ''],
      ['two', 'ok'],
    ])
    expect(tap.ends()).toEqual([1, 1, 1, 1])
    expect(tap.connections.map((connection) => connection.id)).toEqual([0, 1])
  })

  test('a repeated SYN does not', () => {
    const wire = new Wire()
    wire.connection(ENDS).open().send('client', ascii('one'), '')
    const tap = new Tap().pass(damage(wire.passed, 'retransmit', 0, 1)).end()
    expect(tap.texts()).toEqual([['one', '']])
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.accept@2'])
  })

  test('a stray last packet of the connection before does not spoil it', () => {
    const wire = new Wire()
    wire.connection({ ...ENDS, serverIsn: 1_234_567_890 }).finish('server')
    wire.connection(ENDS).open().send('client', ascii('ask'), '').send('server', ascii('answer'), '')
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.texts().at(-1)).toEqual(['ask', 'answer'])
    expect(tap.connections.at(-1)?.syn?.packet).toBe(2)
  })

  test('SYN-ACK before SYN, as two taps may have it, is one connection', () => {
    const wire = new Wire()
    wire.connection(ENDS).open().send('client', ascii('ask'), '').send('server', ascii('answer'), '')
    const tap = new Tap().pass(damage(wire.passed, 'delay', 0, 1)).end()
    expect(tap.texts()).toEqual([['ask', 'answer']])
    expect(tap.connections[0]).toMatchObject({
      client: { port: 50000 },
      syn: { packet: 2 },
      synAck: { packet: 1 },
    })
  })
})

describe('a connection whose start was not captured', () => {
  test('begins with its first segment; the lower port is the server', () => {
    const wire = new Wire()
    wire.connection(ENDS).open().send('client', ascii('first'), '').send('client', ascii('second'), '')
    const tap = new Tap().pass(wire.passed.slice(5)).end()
    expect(tap.told()).toEqual(['tcp.open@1'])
    expect(tap.events[0]).toMatchObject({ sawSyn: false })
    expect(tap.connections[0]).toMatchObject({ clientKnownBy: 'port', syn: null, server: { port: 16509 } })
    expect(tap.texts()).toEqual([['second', '']])
  })

  test('may turn out the other way round by what is said', () => {
    const wire = new Wire()
    wire
      .connection({ ...ENDS, client: '10.0.0.9:1000' })
      .open()
      .send('client', ascii('x'), '')
    const tap = new Tap().pass(wire.passed.slice(3)).end()
    const connection = tap.connections[0]
    expect(connection?.client.port).toBe(16509)
    connection?.orient(connection.fromLow === connection.toClient, 'content')
    expect(connection).toMatchObject({ client: { port: 1000 }, clientKnownBy: 'content' })
  })
})

describe('segments that are not new data', () => {
  test('keep-alive probes are passed over', () => {
    const wire = new Wire()
    const script = wire.connection(ENDS).open().send('client', ascii('one'), '')
    script.probe('client').probe('server').send('client', ascii('two'), '').probe('client')
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.texts()).toEqual([['onetwo', '']])
    expect(tap.connections[0]?.toServer).toMatchObject({ payloadBytes: 6, retransmittedBytes: 2 })
  })

  test.each(['duplicate', 'retransmit', 'overlap'] as const)('%s: each byte counts once', (kind) => {
    const wire = new Wire()
    wire
      .connection({ ...ENDS, mss: 6 })
      .open()
      .send('client', ascii('abcdefghijkl'), '')
      .close('client')
    for (const index of [3, 4]) {
      const tap = new Tap().pass(damage(wire.passed, kind, index)).end()
      expect(tap.texts()).toEqual([['abcdefghijkl', '']])
      expect(tap.connections[0]?.toServer).toMatchObject({
        payloadBytes: 12,
        // What a mirror copied was not sent twice.
        retransmittedBytes: { duplicate: 0, retransmit: 6, overlap: 2 }[kind],
        missingBytes: 0,
      })
    }
  })

  test('data in a RST is a message to people, not payload', () => {
    const wire = new Wire()
    wire.connection(ENDS).open().send('client', ascii('one'), '')
    const [from, to] = [
      { address: '10.0.0.2', port: 16509 },
      { address: '10.0.0.9', port: 50000 },
    ]
    const rst = { from, to, sequence: 3_000_000_001, acknowledgement: 1_000_004, flags: FLAG.rst | FLAG.ack }
    wire.segment({ ...rst, payload: ascii('go away') }, '')
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.texts()).toEqual([['one', '']])
    expect(tap.ends()).toEqual([1, 1])
  })
})

describe('loss', () => {
  test('by the capture is a gap once the acknowledgement is old enough', () => {
    const wire = new Wire()
    const script = wire
      .connection({ ...ENDS, mss: 4 })
      .open()
      .send('client', ascii('abcdefghijkl'), '')
    for (let i = 0; i < 3 * HOLE_PATIENCE_PACKETS; i++) script.acknowledge('client')
    const tap = new Tap().pass(damage(wire.passed, 'lose', 4))
    expect(tap.texts()).toEqual([['abcd____ijkl', '']])
    expect(tap.end().connections[0]?.toServer).toMatchObject({ payloadBytes: 8, missingBytes: 4 })
  })

  test('on the wire is none: the retransmission fills it', () => {
    const wire = new Wire()
    const script = wire
      .connection({ ...ENDS, mss: 4 })
      .open()
      .send('client', ascii('abcdefghijkl'), '')
    for (let i = 0; i < 40; i++) script.acknowledge('client')
    const tap = new Tap().pass(damage(wire.passed, 'delay', 4, 20)).end()
    expect(tap.texts()).toEqual([['abcdefghijkl', '']])
    expect(tap.connections[0]?.toServer).toMatchObject({ missingBytes: 0, retransmittedBytes: 0 })
  })

  test('before a FIN: the event comes with the FIN, the end of the data with the data', () => {
    const wire = new Wire()
    wire
      .connection({ ...ENDS, mss: 4 })
      .open()
      .send('client', ascii('abcdefgh'), '')
      .close('client')
    // The second segment arrives after both FINs.
    const tap = new Tap().pass(damage(wire.passed, 'delay', 4, 4))
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.accept@2', 'tcp.fin@6', 'tcp.fin@7'])
    expect(tap.texts()).toEqual([['abcdefgh', '']])
    expect(tap.ends()).toEqual([1, 1])
  })

  test('before a FIN for good is a gap at the end', () => {
    const wire = new Wire()
    wire
      .connection({ ...ENDS, mss: 4 })
      .open()
      .send('client', ascii('abcdefgh'), '')
      .close('client')
    const tap = new Tap().pass(damage(wire.passed, 'lose', 4))
    expect(tap.ends().toSorted()).toEqual([0, 1])
    expect(tap.end().texts()).toEqual([['abcd____', '']])
    expect(tap.ends()).toEqual([1, 1])
  })

  test('is given up by a RST, after which nothing is expected', () => {
    const wire = new Wire()
    const script = wire
      .connection({ ...ENDS, mss: 4 })
      .open()
      .send('client', ascii('abcdefghijkl'), '')
    script.reset('server')
    const tap = new Tap().pass(damage(wire.passed, 'lose', 4))
    expect(tap.texts()).toEqual([['abcd____ijkl', '']])
    expect(tap.ends()).toEqual([1, 1])
    expect(tap.network.pool.waiting.size).toBe(0)
  })

  test('of all but the headers keeps the lengths', () => {
    const wire = new Wire()
    wire.connection(ENDS).open().send('client', ascii('abcdefgh'), '').send('server', ascii('xyz'), '')
    const tap = new Tap().pass(wire.passed, LINK.ethernet, 57).end()
    expect(tap.texts()).toEqual([['abc_____', 'xyz']])
    expect(tap.connections[0]?.toServer).toMatchObject({ payloadBytes: 8, missingBytes: 5 })
  })
})

describe('ends', () => {
  test('a RST that answers the SYN is a refusal', () => {
    const wire = new Wire()
    wire.connection(ENDS).refused()
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.refuse@2', 'tcp.rst@2'])
    expect(tap.connections[0]?.refused).toBe(true)
  })

  test.each(['client', 'server'] as const)('a RST by the %s of an open connection is none', (side) => {
    const wire = new Wire()
    wire.connection(ENDS).open().reset(side)
    const tap = new Tap().pass(wire.passed).end()
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.accept@2', 'tcp.rst@4'])
    expect(tap.connections[0]?.refused).toBe(false)
  })

  test('the client that gives up its own SYN was not refused', () => {
    const wire = new Wire()
    const script = wire.connection(ENDS).open()
    script.reset('client')
    const tap = new Tap().pass([wire.passed[0]!, wire.passed[3]!]).end()
    expect(tap.told()).toEqual(['tcp.open@1', 'tcp.rst@2'])
    expect(tap.connections[0]?.refused).toBe(false)
  })

  test('half-closed: the other direction goes on', () => {
    const wire = new Wire()
    const script = wire.connection(ENDS).open().send('client', ascii('ask'), '').finish('client')
    script.acknowledge('server').send('server', ascii('a long answer'), '')
    const tap = new Tap().pass(wire.passed)
    expect(tap.texts()).toEqual([['ask', 'a long answer']])
    expect(tap.ends().toSorted()).toEqual([0, 1])
    expect(tap.connections[0]?.closed).toBe(false)
    script.finish('server')
    expect(new Tap().pass(wire.passed).connections[0]?.closed).toBe(true)
  })

  test('half-open: a SYN that nobody answered ends with the capture', () => {
    const wire = new Wire()
    wire.connection(ENDS).open()
    const tap = new Tap().pass(wire.passed.slice(0, 1)).end()
    expect(tap.told()).toEqual(['tcp.open@1'])
    expect(tap.connections[0]).toMatchObject({ synAck: null, refused: false, firstRst: null })
    expect(tap.ends()).toEqual([1, 1])
  })
})

describe('the table of connections', () => {
  /** A SYN of one among many connections. */
  function syn(index: number, flags: number = FLAG.syn, host: number | null = null): CapturedPacket {
    const source =
      host === null ? `10.1.${index >>> 16}.1` : `11.${host >>> 16}.${(host >>> 8) & 255}.${host & 255}`
    const header = { sourcePort: index & 0xffff, destinationPort: 80, sequence: 7, flags }
    const frame = LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4({ source, destination: '10.2.0.1' }, tcp(header)))
    return { timeNs: 0n, frame }
  }

  /** Without recorders: only counts matter. */
  function flood(tap: Tap, from: number, to: number, flags: number = FLAG.ack): void {
    const packets: CapturedPacket[] = []
    for (let index = from; index < to; index++) packets.push(syn(index, flags))
    tap.feed(packets)
  }

  test('holds as many as the limit says; one more drops the older half, those without payload first', () => {
    const tap = new Tap()
    const wire = new Wire()
    const old = wire.connection({ ...ENDS, client: '10.3.0.1:5', server: '10.3.0.2:16509' }).open()
    const busy = wire.connection({ ...ENDS, client: '10.3.0.1:6', server: '10.3.0.2:16509' }).open()
    busy.send('client', ascii('something'), '')
    tap.pass(wire.passed)
    flood(tap, 0, CONNECTIONS_MAX - 2)
    expect(tap.codes()).toEqual([])
    expect(tap.connections).toHaveLength(CONNECTIONS_MAX)

    tap.feed([syn(CONNECTIONS_MAX, FLAG.ack)])
    expect(tap.codes()).toEqual(['tcp.connections'])
    const dropped = tap.connections.filter((each) => tap.recorders.get(each.fromLow)?.ends === 1)
    expect(dropped).toHaveLength(CONNECTIONS_MAX / 2)
    expect(dropped[0]).toBe(tap.connections[0])
    expect(dropped).not.toContain(tap.connections[1])
    expect(new Set(tap.over)).toEqual(new Set(dropped))

    // Those that were kept are still known; one that was dropped begins anew, and only once.
    const count = tap.connections.length
    tap.feed([syn(CONNECTIONS_MAX - 3, FLAG.ack), syn(CONNECTIONS_MAX, FLAG.ack)])
    expect(tap.connections).toHaveLength(count)
    const before = wire.passed.length
    old.send('client', ascii('still here'), '')
    busy.send('client', ascii('!'), '')
    tap.pass(wire.passed.slice(before))
    expect(tap.connections).toHaveLength(count + 1)
    expect(tap.connections.at(-1)?.fromLow.payloadBytes).toBe(10)
    // At the end each has been over, once.
    expect(new Set(tap.end().over)).toEqual(new Set(tap.connections))
    expect(tap.over).toHaveLength(tap.connections.length)
  })

  test('follows the last ones of those that nobody answered, and all that somebody did', () => {
    const tap = new Tap()
    const wire = new Wire()
    wire.connection({ ...ENDS, client: '10.3.0.1:5', server: '10.3.0.2:16509' }).open()
    tap.pass(wire.passed)
    flood(tap, 0, UNANSWERED_MAX - 1, FLAG.syn)
    expect(tap.over).toEqual([])
    tap.feed([syn(UNANSWERED_MAX, FLAG.syn), syn(UNANSWERED_MAX + 1, FLAG.syn)])
    expect(tap.over).toEqual([tap.connections[1]])
    expect(tap.codes()).toEqual(['tcp.unanswered'])
    // Its answer comes too late.
    tap.feed([syn(1, FLAG.rst), syn(0, FLAG.rst)])
    expect(tap.connections[2]?.closed).toBe(true)
    expect(tap.connections[1]?.closed).toBe(false)
    expect(new Set(tap.end().over)).toEqual(new Set(tap.connections))
    expect(tap.over).toHaveLength(tap.connections.length)
  })

  test('follows the last ones of those that are closed: what comes late is still theirs', () => {
    const tap = new Tap()
    const wire = new Wire()
    const old = wire.connection({ ...ENDS, client: '10.3.0.1:5', server: '10.3.0.2:16509' }).open()
    old.send('client', ascii('bye'), '').close('client')
    tap.pass(wire.passed)
    const late = damage(wire.passed, 'retransmit', 3).slice(-1)
    flood(tap, 0, CLOSED_CONNECTIONS_MAX - 1, FLAG.rst)
    tap.pass(late)
    expect(tap.over).toEqual([])
    expect(tap.connections).toHaveLength(CLOSED_CONNECTIONS_MAX)
    tap.feed([syn(CLOSED_CONNECTIONS_MAX, FLAG.rst)])
    expect(tap.over).toEqual([tap.connections[0]])
    // From now on it would be another one's.
    const count = tap.connections.length
    tap.pass(late)
    expect(tap.connections).toHaveLength(count + 1)
    expect(tap.codes()).toEqual([])
  })

  test('a connection that makes room for itself is found again', () => {
    const tap = new Tap()
    const wire = new Wire()
    wire.connection({ ...ENDS, client: '10.3.0.1:5', server: '10.3.0.2:16509' }).open()
    tap.pass(wire.passed)
    flood(tap, 0, CONNECTIONS_MAX - 1)
    // The same two hosts again: their only connection is dropped at this moment.
    const next = new Wire()
    next.connection({ ...ENDS, client: '10.3.0.1:6', server: '10.3.0.2:16509' }).open()
    tap.pass(next.passed.slice(0, 1))
    expect(tap.codes()).toEqual(['tcp.connections'])
    const count = tap.connections.length
    tap.feed([syn(CONNECTIONS_MAX - 3, FLAG.ack)])
    tap.pass(next.passed.slice(1))
    expect(tap.connections).toHaveLength(count)
    expect(tap.connections.at(-1)).toMatchObject({ syn: expect.anything(), synAck: expect.anything() })
  })

  test('forgets the addresses of a flood, and goes on with the connections that stay', () => {
    const tap = new Tap()
    const wire = new Wire()
    const talk = wire.connection({ ...ENDS, client: '10.3.0.1:5', server: '10.3.0.2:16509' }).open()
    talk.send('client', Uint8Array.of(1, 2, 3), 'call')
    const before = wire.passed.length
    tap.pass(wire.passed)
    // A source of its own for each.
    for (let index = 0; index <= ADDRESSES_MAX; index += 1000) {
      const many = Array.from({ length: 1000 }, (_, i) => syn(index + i, FLAG.syn, index + i))
      tap.feed(many)
    }
    const count = tap.connections.length
    talk.send('server', Uint8Array.of(4, 5), 'reply')
    tap.pass(wire.passed.slice(before))
    expect(tap.connections).toHaveLength(count)
    expect(tap.connections[0]!.toClient.payloadBytes).toBe(2)
  })
})
