import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, Diagnostics } from '../../../src/core/diagnostic.ts'
import type { Connection } from '../../../src/events/connection.ts'
import type { MultifdEvent } from '../../../src/events/multifd.ts'
import { MultifdDecoder } from '../../../src/protocols/multifd/decoder.ts'
import { expectAnyCut, feed, type Piece, type Subject } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { MultifdStream } from '../../support/multifd.ts'
import { mutate, mutation } from '../mutation.ts'

const CONNECTION = { id: 0 } as Connection

function subject(): Subject & { events: MultifdEvent[]; diagnostics: () => readonly Diagnostic[] } {
  const events: MultifdEvent[] = []
  const diagnostics = new Diagnostics()
  const decoder = new MultifdDecoder({
    connection: CONNECTION,
    direction: 'to-server',
    sink: (event) => events.push(event as MultifdEvent),
    diagnostics,
  })
  const codes = () => diagnostics.list().map(({ code }) => code)
  return { decoder, events, diagnostics: () => diagnostics.list(), seen: () => [events, codes()] }
}

function decode(pieces: readonly Piece[]) {
  const { decoder, events, diagnostics } = subject()
  feed(decoder, pieces)
  return { events, end: events.at(-1) as MultifdEvent & { type: 'multifd.end' }, diagnostics: diagnostics() }
}

const pages = (normal: number, zero = 0) => ({ normal, zero, xbzrle: 0, compressed: 0 })

/** An event without its evidence. */
const packet = (number: number, offsets: number[], normal: number, zero: number) => ({
  type: 'multifd.packet',
  number,
  sync: false,
  block: offsets.length === 0 ? '' : 'pc.ram',
  pageSizeBytes: 4096,
  offsets: Float64Array.from(offsets),
  normal,
  zero,
  size: 1344 + normal * 4096,
})

/** Pages of 64 KiB, so that a list has room for eight and any-cut stays quick. */
const short = () => new MultifdStream({ pageSize: 65536 })

describe('a channel', () => {
  const stream = new MultifdStream()
    .initial(3)
    .packet({ sync: true, staleSize: 0 })
    .packet({ normal: [0, 4096, 8192] })
    .packet({ normal: [0x5000], zero: [0x6000, 0x7000] })
    .packet({ sync: true, staleSize: 4096 })
    .packet({ zero: [0x9000] })
    .bytes()

  it('gives its number, its packets, and the sum of their pages at its end', () => {
    const { events, diagnostics } = decode([stream])
    expect(events.map(({ connection: _c, direction: _d, first: _f, last: _l, ...fact }) => fact)).toEqual([
      { type: 'multifd.channel', channel: 3, uuid: 'abababab-abab-abab-abab-abababababab' },
      { ...packet(0, [], 0, 0), sync: true },
      packet(1, [0, 4096, 8192], 3, 0),
      packet(2, [0x5000, 0x6000, 0x7000], 1, 2),
      { ...packet(3, [], 0, 0), sync: true },
      packet(4, [0x9000], 0, 1),
      {
        type: 'multifd.end',
        bytes: stream.length,
        packets: 5,
        pages: pages(4, 3),
        compression: null,
        complete: true,
      },
    ])
    expect(diagnostics).toEqual([])
  })

  it('counts a packet that is both SYNC and full of pages', () => {
    const both = new MultifdStream()
      .initial(0)
      .packet({ sync: true, normal: [0] })
      .bytes()
    expect(decode([both]).events.slice(1)).toMatchObject([
      { type: 'multifd.packet', sync: true, normal: 1 },
      { pages: pages(1), complete: true },
    ])
  })

  it('reads the SYNC packets of QEMU 10, which do not say how long they are', () => {
    const stream = short().initial(0)
    stream
      .packet({ normal: [0] })
      .packet({ sync: true, allocated: 0 })
      .packet({ normal: [65536] })
    expect(decode([stream.bytes()]).end).toMatchObject({ pages: pages(2), complete: true })
  })

  it.each([
    [2, 'zlib'],
    [4, 'zstd'],
    [16, 'uadk'],
    [0x3e, 'method 62'],
  ])('with compression %i counts its pages as normal ones', (flags, compression) => {
    const stream = new MultifdStream()
      .initial(0)
      .packet({ flags, normal: [0, 4096], contents: new Uint8Array(77) })
    stream.packet({ sync: true, staleSize: 77 })
    expect(decode([stream.bytes()]).end).toMatchObject({ pages: pages(2), compression, complete: true })
  })

  it('may carry device state', () => {
    const stream = new MultifdStream()
      .initial(0)
      .packet({ normal: [0] })
      .deviceState('vfio', new Uint8Array(5000))
    expect(decode([stream.packet({ sync: true }).bytes()]).end).toMatchObject({
      packets: 3,
      pages: pages(1),
      complete: true,
    })
  })

  it('that breaks off inside of a packet is not complete', () => {
    expect(decode([stream.subarray(0, stream.length - 1)]).end).toMatchObject({
      complete: false,
      pages: pages(4, 3),
    })
    expect(decode([stream.subarray(0, 30)]).end).toMatchObject({ complete: false, pages: null })
  })

  it('names the packets of its events, to the end of the contents', () => {
    const contentsAt = 64 + 2 * 1344
    const [channel, sync, full] = decode([
      stream.subarray(0, 10),
      stream.subarray(10, 64),
      stream.subarray(64, contentsAt + 100),
      stream.subarray(contentsAt + 100, contentsAt + 3 * 4096),
      stream.subarray(contentsAt + 3 * 4096),
    ]).events
    expect(channel).toMatchObject({ first: { packet: 1 }, last: { packet: 2 } })
    expect(sync).toMatchObject({ first: { packet: 3 }, last: { packet: 3 } })
    expect(full).toMatchObject({ number: 1, first: { packet: 3 }, last: { packet: 4 } })
  })

  it('reads lists of as many pages as any target has', () => {
    const offsets = Array.from({ length: 512 }, (_, i) => i * 1024)
    const stream = new MultifdStream({ pageSize: 1024 }).initial(0).packet({ zero: offsets }).bytes()
    expect(decode([stream]).events[1]).toMatchObject({
      offsets: Float64Array.from(offsets),
      pageSizeBytes: 1024,
      zero: 512,
    })
  })

  it('that breaks off inside of contents has raised their packet', () => {
    const cut = new MultifdStream()
      .initial(0)
      .packet({ normal: [0, 4096] })
      .bytes()
    const { events } = decode([cut.subarray(0, cut.length - 1)])
    expect(events[1]).toMatchObject({ type: 'multifd.packet', normal: 2, size: 1344 + 2 * 4096 })
    expect(events).toHaveLength(3)
  })
})

describe('whatever the cut', () => {
  const stream = short()
    .initial(1)
    .packet({ sync: true })
    .packet({ zero: [0, 65536] })
  stream
    .deviceState('vfio', new Uint8Array(100))
    .packet({ normal: [0], flags: 2, contents: new Uint8Array(50) })
  const bytes = stream.packet({ sync: true, staleSize: 50 }).bytes()

  it('the events are the same', () => {
    expectAnyCut(subject, bytes)
  })

  it('and with missing bytes too', () => {
    // The name of a block and the offsets, then the head of a packet.
    expectAnyCut(subject, [bytes.subarray(0, 110), { gap: 200 }, bytes.subarray(310)])
    expectAnyCut(subject, [bytes.subarray(0, 440), { gap: 20 }, bytes.subarray(460)], 3)
  })
})

describe('missing bytes', () => {
  const stream = new MultifdStream().initial(0).packet({ normal: [0, 4096] })
  const second = stream.size
  const bytes = stream.packet({ normal: [8192] }).bytes()

  it.each([
    ['among pages', 3000, 4000],
    ['of the name of a block', 64 + 36, 1308],
  ])('%s are harmless', (_what, at, size) => {
    const { end, diagnostics } = decode([bytes.subarray(0, at), { gap: size }, bytes.subarray(at + size)])
    expect(end).toMatchObject({ pages: pages(3), complete: true, bytes: bytes.length })
    expect(diagnostics).toEqual([])
  })

  it.each([
    ['of contents', 3000, 4000, true],
    ['behind the offsets', 64 + 320 + 16, 1000, true],
    ['of the name', 64 + 70, 1, false],
    ['of the last offset', 64 + 320 + 15, 1, false],
  ])('%s: whether it is known which pages passed', (_what, at, size, known) => {
    const { events } = decode([bytes.subarray(0, at), { gap: size }, bytes.subarray(at + size)])
    const offsets = events.flatMap((event) => (event.type === 'multifd.packet' ? [event.offsets] : []))
    expect(offsets).toEqual([known ? Float64Array.of(0, 4096) : null, Float64Array.of(8192)])
  })

  it.each([
    [0, 10],
    [second - 10, 11],
    [second + 35, 1],
  ])('of a head, at %i, leave the pages unknown', (at, size) => {
    const { end, diagnostics } = decode([bytes.subarray(0, at), { gap: size }, bytes.subarray(at + size)])
    expect(end).toMatchObject({ pages: null, complete: false, bytes: bytes.length })
    expect(diagnostics.map(({ code }) => code)).toEqual(['multifd.lost'])
  })
})

it.each([
  ['too many pages', { normal: Array.from({ length: 129 }, () => 0) }],
  ['a list longer than any', { allocated: 513 }],
  ['contents of a size that is not that of its pages', { normal: [0], contents: new Uint8Array(4095) }],
  ['pages that grew by compression', { normal: [0], flags: 2, contents: new Uint8Array(8193) }],
])('%s is not believed', (_what, packet) => {
  const { end, diagnostics } = decode([new MultifdStream().initial(0).packet(packet).bytes()])
  expect(end.pages).toBeNull()
  expect(diagnostics.map(({ code }) => code)).toEqual(['multifd.desync'])
})

it('anything at all is survived, and counted to its last byte', () => {
  const stream = short()
    .initial(0)
    .packet({ normal: [0] })
    .packet({ sync: true })
    .packet({ zero: [1] })
    .bytes()
  const pieces: Piece[] = []
  for (let o = 0; o < stream.length; o += 1448) pieces.push(stream.subarray(o, o + 1448))
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 4 }), (changes) => {
      const damaged = changes.reduce(mutate, pieces)
      const size = damaged.reduce(
        (sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.gap),
        0,
      )
      const { events, end } = decode(damaged)
      expect(end).toMatchObject({ type: 'multifd.end', bytes: size })
      expect(events.filter(({ type }) => type === 'multifd.end')).toHaveLength(1)
    }),
    fuzz(500, 20260101),
  )
})
