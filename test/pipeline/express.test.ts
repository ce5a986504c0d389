import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CaptureReader } from '../../src/capture/open.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { COPY_WATCH_START } from '../../src/core/limits.ts'
import { Analyzer } from '../../src/pipeline/analyzer.ts'
import { Trace } from '../../src/pipeline/trace.ts'
import {
  type CapturedPacket,
  capture,
  type Damage,
  damage,
  LINK,
  type Link,
  type Passed,
  Pcapng,
  pcap,
  Wire,
} from '../support/capture.ts'
import { fuzz } from '../support/fuzz.ts'
import { QemuStream } from '../support/qemu-stream.ts'
import { guest, migrate, ROUTE } from './synthetic.ts'

/** What passes before, for as long as copies of packets are looked for. */
const BEFORE = (() => {
  const wire = new Wire(1000)
  const other = wire.connection({ name: 'other', client: '10.77.0.1:40000', server: '10.77.0.2:7' }).open()
  for (let sent = 0; sent < COPY_WATCH_START / 2; sent++) other.send('client', Uint8Array.of(sent), 'byte')
  return wire.passed
})()
const PAGES = 60
const STREAM = new QemuStream({ footers: true })
  .header()
  .ramStart([{ name: 'pc.ram', size: PAGES * 4096 }])
  .ram('part', (ram) => {
    for (let page = 0; page < PAGES; page++) ram.page('pc.ram', page * 4096, page)
  })
  .ram('end')
  .eof()
  .bytes()
const PASSED = migrate(new Wire().wait(1e9), ROUTE, guest(), STREAM).passed

const nextGeneration = (packets: readonly CapturedPacket[], linkType: number, plain: boolean): Uint8Array =>
  packets
    .reduce(
      (file, each) => file.enhanced(each, 0, { plain }),
      new Pcapng().interface({ resolution: 9, linkType }),
    )
    .bytes()

type Write = (packets: readonly CapturedPacket[]) => Uint8Array

/** Captures whose packets are taken many at once. */
const CAPTURES: readonly [what: string, link: Link, write: Write][] = [
  ['pcap', LINK.ethernet, (packets) => pcap(packets)],
  ['pcapng', LINK.ethernet, (packets) => nextGeneration(packets, 1, true)],
  ['cooked', LINK.sll, (packets) => pcap(packets, { linkType: 113 })],
  ['cooked, second form', LINK.sll2, (packets) => pcap(packets, { linkType: 276 })],
]

/** The same packets, one by one: each block has an option. */
const separately =
  ({ linkType }: Link): Write =>
  (packets) =>
    nextGeneration(packets, linkType, false)

type Pieces = readonly [before: Uint8Array, packets: Uint8Array]

/** Makes files in two pieces: what passes before, and the packets. */
function writer(write: Write, link: Link): (packets: readonly CapturedPacket[]) => Pieces {
  const before = write(capture(BEFORE, { link }))
  const headerSize = write([]).length
  return (packets) => [before, write(packets).subarray(headerSize)]
}

/** All that is told, but what the file itself is. */
function facts(pieces: readonly Uint8Array[]): unknown {
  const analyzer = new Analyzer({ name: 'capture' })
  for (const piece of pieces) analyzer.push(piece)
  const { captures, ...told } = analyzer.end()
  return { ...told, captures: captures.map(({ format, bytes, ...capture }) => capture) }
}

/** How many packets of the second piece are taken many at once. */
function takenOf([before, packets]: Pieces): number {
  const diagnostics = new Diagnostics()
  const trace = new Trace(diagnostics)
  let taken = 0
  const reader = new CaptureReader(
    (packet) => trace.packet(packet),
    new CaptureSummary(),
    diagnostics,
    (stretch) => {
      const first = stretch.packet.packet
      trace.stretch(stretch)
      taken += stretch.packet.packet - first
    },
  )
  reader.push(before)
  taken = 0
  reader.push(packets)
  return taken
}

describe.each(CAPTURES)('%s', (_what, link, write) => {
  const packets = capture(PASSED, { link })
  const many = writer(write, link)(packets)
  const oneByOne = writer(separately(link), link)(packets)

  test('of a bulk transfer, most packets are taken many at once', () => {
    expect(packets.length).toBeGreaterThan(170)
    expect(takenOf(many)).toBeGreaterThan(packets.length * 0.75)
    expect(takenOf(oneByOne)).toBe(0)
  })

  test('they come to the same as one by one', () => {
    expect(facts(many)).toEqual(facts(oneByOne))
  })

  test.each([61, 700, 1600])('cut into pieces of %i bytes', (size) => {
    const [before, file] = many
    const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
      file.subarray(i * size, (i + 1) * size),
    )
    expect(facts([before, ...pieces])).toEqual(facts(oneByOne))
  })
})

/** What may be wrong with a packet, told by where and how much. */
type Fault = (packets: readonly CapturedPacket[], index: number, amount: number) => readonly CapturedPacket[]

const change = (
  packets: readonly CapturedPacket[],
  index: number,
  how: (packet: CapturedPacket) => CapturedPacket,
): readonly CapturedPacket[] => packets.map((packet, at) => (at === index ? how(packet) : packet))

const FAULTS: Readonly<Record<string, Fault>> = {
  'a frame that was cut': (packets, index, amount) =>
    change(packets, index, (packet) => ({ ...packet, frame: packet.frame.subarray(0, amount % 1500) })),
  'a frame of which less was kept than there was': (packets, index, amount) =>
    change(packets, index, (packet) => ({ ...packet, originalLength: packet.frame.length + (amount % 3) })),
  'a frame longer than its packet': (packets, index, amount) =>
    change(packets, index, ({ timeNs, frame }) => {
      const padded = new Uint8Array(frame.length + (amount % 2 === 0 ? amount % 40 : amount % 4000))
      padded.set(frame)
      return { timeNs, frame: padded }
    }),
  'a clock that is set': (packets, index, amount) =>
    packets.map((packet, at) =>
      at < index ? packet : { ...packet, timeNs: packet.timeNs + BigInt(amount - 30_000) * 100_000n },
    ),
}

const places = { index: fc.nat(PASSED.length - 1), amount: fc.nat(65_535) }

describe.each(CAPTURES)('%s, whatever is wrong with the packets', (_what, link, write) => {
  const original: readonly CapturedPacket[] = capture(PASSED, { link })
  const many = writer(write, link)
  const oneByOne = writer(separately(link), link)
  const same = (packets: readonly CapturedPacket[]): void =>
    expect(facts(many(packets))).toEqual(facts(oneByOne(packets)))

  test.each(Object.entries(FAULTS))('%s', (_, fault) => {
    fc.assert(
      fc.property(fc.array(fc.record(places), { minLength: 1, maxLength: 3 }), (faults) => {
        same(faults.reduce((packets, { index, amount }) => fault(packets, index, amount), original))
      }),
      fuzz(20, 20261128),
    )
  })

  test.each(['data', 'acknowledgement'])('each byte of the headers of a segment with %s', (what) => {
    const index = PASSED.findIndex(
      ({ segment }, at) => at > 100 && (segment?.payload.length ?? 0) > 0 === (what === 'data'),
    )
    for (let offset = 0; offset < 54; offset++)
      for (const value of [0, 0x20, 0x44, 0xff])
        same(change(original, index, (packet) => ({ ...packet, frame: packet.frame.with(offset, value) })))
  })

  test('segments lost, repeated, late or overlapping', () => {
    const kinds = fc.constantFrom<Damage>('lose', 'duplicate', 'retransmit', 'delay', 'overlap')
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, places.index), { minLength: 1, maxLength: 6 }), (damages) => {
        let passed: readonly Passed[] = PASSED
        for (const [kind, index] of damages) passed = damage(passed, kind, index)
        same(capture(passed, { link }))
      }),
      fuzz(20, 20261128),
    )
  })
})
