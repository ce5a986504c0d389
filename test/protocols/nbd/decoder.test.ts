import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NBD_NAME_MAX, NBD_READS_MAX } from '../../../src/core/limits.ts'
import { expectAnyCut, type Piece } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { hex } from '../../support/libvirt.ts'
import { NbdClient, NbdServer } from '../../support/nbd.ts'
import { mutate, mutation } from '../mutation.ts'
import { decode, NbdSubject } from './subject.ts'

const NAME = 'drive-virtio-disk0'
const MIB = 1024 * 1024
const NOTHING = {
  exportName: null,
  sizeBytes: null,
  writes: { count: 0, bytes: 0 },
  writeZeroes: { count: 0, bytes: 0 },
  reads: { count: 0, bytes: 0 },
  trims: { count: 0, bytes: 0 },
  flushes: 0,
  blockStatuses: 0,
  others: 0,
  disconnected: false,
  errors: 0,
  firstWrite: null,
  lastWrite: null,
  complete: true,
}

/** A copy as QEMU 7.2 makes it: what each end sends. */
function copy(payload = 1000): { client: Uint8Array; server: Uint8Array } {
  const client = new NbdClient().flags().option(8).option(10, new Uint8Array(45)).go(NAME)
  client.request('blockStatus', { length: 5000 }).request('writeZeroes', { offset: 4096, length: 11 * MIB })
  client.request('write', { length: payload }).request('write', { offset: payload, length: payload })
  client.request('flush').request('trim', { length: 512 }).request('disconnect', { cookie: 0 })
  const server = new NbdServer().greeting().optionReply(8, 1).optionReply(10, 4, new Uint8Array(19))
  server.optionReply(10, 1).export(16 * MIB)
  server.chunk(1, 5, new Uint8Array(12)).reply(2).reply(3).reply(4).reply(5).reply(6)
  return { client: client.bytes(), server: server.bytes() }
}

const facts = (events: readonly object[]) =>
  events.map((event) => {
    const { connection: _c, first: _f, last: _l, ...fact } = event as Record<string, unknown>
    return fact
  })

describe('a storage copy', () => {
  const { client, server } = copy()

  it('is told by its greeting, its export and the sums at its end', () => {
    const { events, diagnostics } = decode([client], [server], 'server first')
    expect(facts(events)).toEqual([
      { type: 'nbd.greeting', direction: 'to-client' },
      { type: 'nbd.export', direction: 'to-server', name: NAME, sizeBytes: 16 * MIB },
      {
        ...NOTHING,
        type: 'nbd.end',
        direction: 'to-server',
        exportName: NAME,
        sizeBytes: 16 * MIB,
        writes: { count: 2, bytes: 2000 },
        writeZeroes: { count: 1, bytes: 11 * MIB },
        trims: { count: 1, bytes: 512 },
        flushes: 1,
        blockStatuses: 1,
        disconnected: true,
        firstWrite: { packet: 1, timeNs: 1000 },
        lastWrite: { packet: 1, timeNs: 1000 },
        unread: { count: 0, bytes: 0 },
      },
    ])
    expect(diagnostics).toEqual([])
  })

  it('gives the same sums whichever direction is heard first', () => {
    const [first, last] = [decode([client], [server]), decode([client], [server], 'server first')]
    expect(first.end).toEqual(last.end)
  })

  it('says its export when the size is known, else with the first request', () => {
    const at = (client: readonly Piece[], server: readonly Piece[]) =>
      decode(client, server).events.find(({ type }) => type === 'nbd.export')
    expect(at([client], [server])).toMatchObject({ sizeBytes: null })
    const asked = new NbdClient().flags().go(NAME).bytes()
    expect(at([asked], [server])).toMatchObject({ name: NAME, sizeBytes: 16 * MIB })
    expect(at([asked], [new NbdServer().greeting().optionReply(7, 0x80000006).bytes()])).toBeUndefined()
  })

  it('names the packets of its writes: the first byte of the first, the last byte of the last', () => {
    const stream = new NbdClient().flags().go(NAME).request('read', { length: 1 })
    const from = stream.size
    stream.request('write', { length: 100 }).request('writeZeroes', { length: 100 })
    const to = stream.size
    const bytes = stream.request('flush').bytes()
    const cuts = [0, from - 1, from + 1, from + 128, to - 1, to, bytes.length]
    const pieces = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
    const { end } = decode(pieces, [server], 'server first')
    expect(end).toMatchObject({ firstWrite: { packet: 2 }, lastWrite: { packet: 5 } })
  })

  it('that breaks off inside of a write does not count it', () => {
    const stream = new NbdClient().flags().go(NAME).request('write', { length: 100 })
    const cut = stream.request('write', { length: 100 }).bytes().slice(0, -1)
    expect(decode([cut]).end).toMatchObject({
      writes: { count: 1, bytes: 100 },
      complete: false,
      unread: { count: null, bytes: 127 },
    })
  })

  it('counts requests of a type that nobody knows', () => {
    const bytes = new NbdClient().flags().go('').request(5).request(99, { length: 7 }).bytes()
    expect(decode([bytes]).end).toMatchObject({ exportName: '', others: 2, complete: true })
  })

  it('may have extended headers, with lengths of 64 bits', () => {
    const stream = new NbdClient({ extended: true }).flags().option(11).go(NAME)
    stream.request('writeZeroes', { length: 2 ** 40 }).request('write', { length: 77 })
    stream.request('blockStatus', { flags: 0x20, length: 12, payload: new Uint8Array(12) })
    stream.request('read', { length: 9 }).request('disconnect')
    const server = new NbdServer()
      .greeting()
      .optionReply(11, 1)
      .export(2 ** 41)
      .extendedChunk(1, 0)
    server.extendedChunk(2, 0x8001, new Uint8Array(6)).extendedChunk(3, 6, new Uint8Array(16))
    server.extendedChunk(4, 1, new Uint8Array(17))
    const { end, diagnostics } = decode([stream.bytes()], [server.bytes()])
    expect(end).toMatchObject({
      sizeBytes: 2 ** 41,
      writeZeroes: { count: 1, bytes: 2 ** 40 },
      writes: { count: 1, bytes: 77 },
      reads: { count: 1, bytes: 9 },
      blockStatuses: 1,
      errors: 1,
      complete: true,
      unread: { count: 0, bytes: 0 },
    })
    expect(diagnostics).toEqual([])
  })
})

describe('older ways to begin', () => {
  it('EXPORT_NAME as QEMU 2.0 has it: the size without a magic, zeros, and a read that says its size nowhere', () => {
    const client = hex(
      `
      00 00 00 00                                                                 # flags
      49 48 41 56 45 4f 50 54 00 00 00 01 00 00 00 12                             # option EXPORT_NAME
      64 72 69 76 65 2d 76 69 72 74 69 6f 2d 64 69 73 6b 30
      25 60 95 13 00 00 00 00 00 00 55 b2 3a 25 65 d0 00 00 00 00 00 00 00 00 00 00 08 00 # READ 2048
      25 60 95 13 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # DISC
    `.replaceAll(/#.*/g, ''),
    )
    const server = new NbdServer().greeting(0).exportReply(16 * MIB)
    const data = new NbdServer().reply(5, 22).bytes()
    const reply = hex('67 44 66 98 00 00 00 00 00 00 55 b2 3a 25 65 d0')
    server
      .raw(reply)
      .raw(data)
      .raw(new Uint8Array(2048 - data.length))
    const { events, end, diagnostics } = decode([client], [server.bytes()])
    expect(events.map(({ type }) => type)).toEqual(['nbd.export', 'nbd.greeting', 'nbd.end'])
    expect(end).toMatchObject({
      exportName: NAME,
      sizeBytes: 16 * MIB,
      reads: { count: 1, bytes: 2048 },
      disconnected: true,
      errors: 0,
      complete: true,
      unread: { count: 0 },
    })
    expect(diagnostics).toEqual([])
  })

  it('EXPORT_NAME without the zeros, where both ends agreed', () => {
    const client = new NbdClient().flags(3).exportName(NAME).request('flush').bytes()
    const server = new NbdServer().greeting().exportReply(4096, false).reply(1, 5).bytes()
    const { end, diagnostics } = decode([client], [server])
    expect(end).toMatchObject({ exportName: NAME, sizeBytes: 4096, flushes: 1, errors: 1 })
    expect(diagnostics).toEqual([])
  })

  it('no negotiation at all', () => {
    const client = new NbdClient().request('write', { length: 10 }).request('disconnect').bytes()
    const server = new NbdServer().oldGreeting(8192).reply(1).bytes()
    const { events, diagnostics } = decode([client], [server])
    expect(facts(events)).toMatchObject([
      { type: 'nbd.greeting' },
      {
        ...NOTHING,
        exportName: null,
        sizeBytes: 8192,
        writes: { count: 1, bytes: 10 },
        disconnected: true,
        firstWrite: { packet: 1 },
        lastWrite: { packet: 1 },
      },
    ])
    expect(diagnostics).toEqual([])
  })
})

describe('the name of an export', () => {
  const read = (client: NbdClient) => decode([client.request('flush').bytes()])

  it('is the one that was asked for last', () => {
    const client = new NbdClient().flags().go('other').go(NAME)
    const server = new NbdServer().greeting().optionReply(7, 0x80000006).export(4096).reply(1)
    const { events, end } = decode([client.request('flush').bytes()], [server.bytes()])
    expect(events.find(({ type }) => type === 'nbd.export')).toMatchObject({ name: NAME })
    expect(end.exportName).toBe(NAME)
  })

  it('is not the one that INFO only looks at, nor is that size its size', () => {
    const client = new NbdClient().flags().go('other', 6).bytes()
    const { end } = decode([client], [new NbdServer().greeting().export(4096, 6).bytes()])
    expect(end).toMatchObject({ exportName: null, sizeBytes: null, errors: 0 })
  })

  it.each([
    ['shorter than the limit', NBD_NAME_MAX - 1, true],
    ['at the limit', NBD_NAME_MAX, true],
    ['longer than the limit', NBD_NAME_MAX + 1, false],
  ])('%s', (_what, size, known) => {
    const name = 'x'.repeat(size)
    for (const client of [new NbdClient().flags().go(name), new NbdClient().flags().exportName(name)])
      expect(read(client).end).toMatchObject({ exportName: known ? name : null, flushes: 1, complete: true })
  })

  it.each([
    ['is longer than its option', hex('00 00 00 05 61 62 63 64')],
    ['has an option too short for one', hex('00 00 00 00')],
    ['has an option without any data', hex('')],
  ])('is unknown when it %s', (_what, data) => {
    const { end } = read(new NbdClient().flags().option(7, data))
    expect(end).toMatchObject({ exportName: null, flushes: 1, complete: true })
  })
})

describe('errors', () => {
  const greeted = () => new NbdServer().greeting().export(4096)

  it('are counted in simple replies and in chunks', () => {
    const server = greeted().reply(1, 28).chunk(2, 0x8001, new Uint8Array(6), false).chunk(2, 0)
    expect(decode([], [server.reply(3).bytes()]).end.errors).toBe(2)
  })

  it('take the place of what was to be read', () => {
    const client = new NbdClient().flags().go(NAME).request('read', { length: 100 })
    const { end, diagnostics } = decode([client.bytes()], [greeted().reply(1, 5).reply(2, 5).bytes()])
    expect(end.errors).toBe(2)
    expect(diagnostics).toEqual([])
  })

  it('are not known when replies are missing', () => {
    const bytes = greeted().reply(1, 5).bytes()
    const { end } = decode([], [bytes, { gap: 16 }, new NbdServer().reply(3).bytes()])
    expect(end).toMatchObject({ errors: null, complete: true })
  })

  it.each([
    [NBD_READS_MAX - 1, 0],
    [NBD_READS_MAX, 0],
    [NBD_READS_MAX + 1, 1],
  ])('of %i open reads, those beyond the limit are forgotten', (reads, forgotten) => {
    const client = new NbdClient().flags().go(NAME)
    for (let i = 0; i < reads; i++) client.request('read', { length: 4 })
    const server = greeted().reply(1, 0, new Uint8Array(4)).reply(2, 0, new Uint8Array(4)).bytes()
    expect(decode([client.bytes()], [server]).diagnostics).toHaveLength(forgotten)
  })

  it('a READ is answered once', () => {
    const client = new NbdClient().flags().go(NAME).request('read', { length: 4 }).bytes()
    const server = greeted().reply(1, 0, new Uint8Array(4)).reply(1).reply(2).bytes()
    expect(decode([client], [server])).toMatchObject({ end: { errors: 0 }, diagnostics: [] })
  })

  it('a cookie that was used again is that of its latest request', () => {
    const client = new NbdClient().flags().go(NAME).request('read', { length: 100, cookie: 7 })
    client.request('flush', { cookie: 7 })
    const { end, diagnostics } = decode([client.bytes()], [greeted().reply(7).reply(8).bytes()])
    expect(end.errors).toBe(0)
    expect(diagnostics).toEqual([])
  })
})

describe('TLS', () => {
  const hello = hex('16 03 01 00 05 01 00 00 01 00')

  it('is not listened to, and nothing is told of its end', () => {
    const client = new NbdClient().flags().option(5).raw(hello).request('write', { length: 10 }).bytes()
    const server = new NbdServer().greeting().optionReply(5, 1).raw(hex('16 03 03 00 02 02 00')).bytes()
    for (const order of ['client first', 'server first'] as const) {
      const { events, diagnostics } = decode([client], [server], order)
      expect(events.map(({ type }) => type)).toEqual(['nbd.greeting'])
      expect(diagnostics).toEqual([])
    }
  })

  it('is also known when only the server shows it', () => {
    const server = new NbdServer().greeting().optionReply(5, 1).raw(hex('16 03 03 00 02 02 00')).bytes()
    expect(decode([], [server]).events.map(({ type }) => type)).toEqual(['nbd.greeting'])
  })

  it('that the server refused changes nothing', () => {
    const client = new NbdClient().flags().option(5).go(NAME).request('flush').bytes()
    const server = new NbdServer().greeting().optionReply(5, 0x80000001).export(4096).reply(1).bytes()
    expect(decode([client], [server]).end).toMatchObject({ exportName: NAME, flushes: 1, complete: true })
  })
})

describe('whatever the cut', () => {
  const { client, server } = copy(60)
  const read = new NbdClient().flags().exportName(NAME).request('read', { length: 40 }).bytes()
  const old = new NbdServer().greeting(0).exportReply(4096).reply(1, 0, new Uint8Array(40)).reply(2).bytes()

  it.each([
    ['of a client', 'to-server', client, server],
    ['of a server', 'to-client', server, client],
    ['of an old client', 'to-server', read, new Uint8Array()],
    ['of an old server', 'to-client', old, read],
  ] as const)('the events %s are the same', (_what, direction, bytes, peer) => {
    const seen = expectAnyCut(() => new NbdSubject(direction, [peer]), bytes)
    expect(seen).toMatchObject([expect.arrayContaining([expect.objectContaining({ complete: true })]), []])
  })

  it.each([
    ['of a client', 'to-server', client, server],
    ['of a server', 'to-client', server, client],
  ] as const)('and with missing bytes too, %s', (_what, direction, bytes, peer) => {
    for (let at = 8; at < bytes.length - 20; at += 23) {
      const pieces = [bytes.subarray(0, at), { gap: 20 }, bytes.subarray(at + 20)]
      expectAnyCut(() => new NbdSubject(direction, [peer]), pieces, 3)
    }
  })
})

describe('missing bytes', () => {
  /** Two writes of 5000 bytes with their heads: first and last byte of the two. */
  const { client, server } = copy(5000)
  const flush = client.length - 3 * 28
  const second = flush - 5028
  const first = second - 5028
  const without = (at: number, size: number): Piece[] => [
    client.subarray(0, at),
    { gap: size },
    client.subarray(at + size),
  ]

  it.each([
    ['the whole payload', first + 28, 5000],
    ['some of it', first + 40, 3000],
  ])('of what is written are harmless: %s', (_what, at, size) => {
    const { end, diagnostics } = decode(without(at, size), [server])
    expect(end).toMatchObject({ writes: { count: 2, bytes: 10_000 }, complete: true })
    expect(diagnostics).toEqual([])
  })

  it.each([
    ['the head of a write', second, 28, 1, 5000],
    ['the end of a head', second + 27, 1, 1, 5000],
    ['a head and what is around it', second - 1000, 3000, 1, 5000],
    ['both writes', first, 2 * 5028, 2, 10_000],
  ])('of a head are made up for by replies: %s', (_what, at, size, count, bytes) => {
    const { end, diagnostics } = decode(without(at, size), [server])
    expect(end).toMatchObject({
      writes: { count: 2 - count, bytes: 10_000 - bytes },
      trims: { count: 1 },
      complete: false,
      unread: { count, bytes },
    })
    expect(diagnostics).toMatchObject([{ code: 'nbd.lost', count: 1 }])
  })

  it('are only known to their sum when replies are missing too', () => {
    const gap = [server.subarray(0, server.length - 30), { gap: 10 }, server.subarray(server.length - 20)]
    const { end } = decode(without(second, 28), gap)
    expect(end).toMatchObject({ errors: null, unread: { count: null, bytes: 5028 } })
    expect(decode(without(second, 28).slice(0, 2), [server]).end.unread.count).toBeNull()
  })

  it('of the start are searched for a request or an option', () => {
    const { end, diagnostics } = decode([client.subarray(3)], [server], 'server first', true)
    expect(end).toMatchObject({ exportName: NAME, writes: { count: 2, bytes: 10_000 }, complete: false })
    expect(diagnostics).toEqual([])
  })

  it('of options leave the name unknown', () => {
    const { events, end } = decode(without(110, 10), [server], 'server first')
    expect(events.map(({ type }) => type)).toEqual(['nbd.greeting', 'nbd.end'])
    expect(end).toMatchObject({ exportName: null, writes: { count: 2 }, complete: false })
  })

  it.each([
    ['a type that is none', 9, {}],
    ['flags that are none', 'flush', { flags: 0x40 }],
    ['an offset beyond any disk', 'flush', { offset: 2 ** 63 }],
    ['a write larger than any', 'write', { length: 64 * MIB + 1, payload: new Uint8Array() }],
  ] as const)('are not searched for requests with %s', (_what, type, request) => {
    const odd = new NbdClient().request(type, request).request('trim').bytes()
    const { end } = decode([new NbdClient().flags().bytes(), { gap: 1 }, odd], [])
    expect(end).toMatchObject({ ...NOTHING, trims: { count: 1 }, complete: false })
  })

  it.each([
    ['an option that is none', new NbdClient().option(12, new Uint8Array(), 60)],
    ['an option larger than any', new NbdClient().option(8, new Uint8Array(), 65537)],
    [
      'an option by half of its magic',
      new NbdClient().raw(hex('49 48 41 56 45 4f 50 00 00 00 00 08 00 00 00 40')),
    ],
    ['a request by half of its magic', new NbdClient().raw(hex('25 60'))],
  ])('are not searched for %s', (_what, odd) => {
    const bytes = odd.go(NAME).request('trim').bytes()
    const { end } = decode([new NbdClient().flags().bytes(), { gap: 1 }, bytes], [])
    expect(end).toMatchObject({ exportName: NAME, trims: { count: 1 }, complete: false })
  })

  it('of what a server sends are searched for what fits', () => {
    const odd = new NbdServer().reply(1, 256).chunk(1, 16).chunk(1, 0x7fff, new Uint8Array(9))
    odd.extendedChunk(1, 99).optionReply(12, 1).raw(hex('67 44 66 98')).export(8192)
    const client = new NbdClient().flags().go(NAME).bytes()
    const { end } = decode([client], [new NbdServer().greeting().bytes(), { gap: 1 }, odd.bytes()])
    expect(end).toMatchObject({ sizeBytes: 8192, errors: null })
  })

  it('behind which a write begins show its first packet', () => {
    const stream = new NbdClient().flags().request('write', { length: 10 }).bytes()
    const noise = new Uint8Array(40).fill(0x25)
    const { end } = decode([{ gap: 1 }, noise, stream.subarray(4, 6), stream.subarray(6)], [])
    expect(end).toMatchObject({ firstWrite: { packet: 3 }, lastWrite: { packet: 4 } })
  })

  it('are told apart from the longer heads of extended requests', () => {
    const stream = new NbdClient({ extended: true }).flags().request('flush')
    const at = stream.size
    const bytes = stream.request('write', { length: 100 }).request('disconnect').bytes()
    const server = new NbdServer().greeting().export(4096).extendedChunk(1, 0).extendedChunk(2, 0).bytes()
    const { end } = decode([bytes.subarray(0, at), { gap: 32 }, bytes.subarray(at + 32)], [server])
    expect(end.unread).toEqual({ count: 1, bytes: 100 })
  })
})

it('bytes that are no message are searched for the next one, and said once', () => {
  const client = new NbdClient().flags().go(NAME).request('flush').raw(hex('25 60 95 25 60 95 13 ff'))
  const { end, diagnostics } = decode([client.request('trim').bytes()])
  expect(end).toMatchObject({ flushes: 1, trims: { count: 1 }, complete: false })
  expect(diagnostics).toMatchObject([{ code: 'nbd.desync', count: 1 }])
})

it.each([
  [
    'an option behind requests',
    new NbdClient().flags().go(NAME).request('flush').option(8).bytes(),
    new Uint8Array(),
  ],
  [
    'an option by half of its magic',
    new NbdClient()
      .flags()
      .raw(hex(`49 48 41 56 ${'00 '.repeat(12)}`))
      .bytes(),
    new Uint8Array(),
  ],
  [
    'an option reply by half of its magic',
    new Uint8Array(),
    new NbdServer()
      .greeting()
      .raw(hex(`00 03 e8 89 ${'00 '.repeat(16)}`))
      .bytes(),
  ],
  [
    'an export without the flag that all have',
    new Uint8Array(),
    new NbdServer().greeting().raw(new Uint8Array(10)).bytes(),
  ],
] as const)('%s is not believed', (_what, client, server) => {
  expect(decode([client], [server]).diagnostics).toMatchObject([{ code: 'nbd.desync', count: 1 }])
})

it('a server that says NBDMAGIC and then something else is told as a greeting, and not understood', () => {
  const { events, diagnostics } = decode([], [new TextEncoder().encode('NBDMAGIC, or so they say')])
  expect(events).toMatchObject([{ type: 'nbd.greeting' }, { type: 'nbd.end', errors: null }])
  expect(diagnostics).toMatchObject([{ code: 'nbd.desync' }])
})

it('anything at all is survived, and ends once', () => {
  const { client, server } = copy(3000)
  const pieces = (bytes: Uint8Array): Piece[] =>
    Array.from({ length: Math.ceil(bytes.length / 100) }, (_, i) => bytes.subarray(i * 100, (i + 1) * 100))
  const changes = fc.array(mutation, { maxLength: 4 })
  fc.assert(
    fc.property(changes, changes, (ofClient, ofServer) => {
      const { events, end } = decode(
        ofClient.reduce(mutate, pieces(client)),
        ofServer.reduce(mutate, pieces(server)),
      )
      expect(events.filter(({ type }) => type === 'nbd.end')).toEqual([end])
      expect(end.unread.bytes).toBeGreaterThanOrEqual(0)
      if (ofClient.length === 0)
        expect(end).toMatchObject({ complete: true, writes: { count: 2, bytes: 6000 } })
    }),
    fuzz(1000, 20260101),
  )
})
