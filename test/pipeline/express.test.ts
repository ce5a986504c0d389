import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CaptureReader } from '../../src/capture/open.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { COPY_WATCH_START } from '../../src/core/limits.ts'
import { Trace } from '../../src/pipeline/trace.ts'
import {
  type CapturedPacket,
  capture,
  type Damage,
  damage,
  type Passed,
  Pcapng,
  pcap,
  Wire,
} from '../support/capture.ts'
import { fuzz } from '../support/fuzz.ts'
import { QemuStream } from '../support/qemu-stream.ts'
import { analyseBytes, guest, migrate, ROUTE, type Told } from './synthetic.ts'

/** What passes before, for as long as copies of packets are looked for. */
const BEFORE = (() => {
  const wire = new Wire(1000)
  const other = wire.connection({ name: 'other', client: '10.77.0.1:40000', server: '10.77.0.2:7' }).open()
  for (let sent = 0; sent < COPY_WATCH_START / 2; sent++) other.send('client', Uint8Array.of(sent), 'byte')
  return capture(wire.passed)
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
const PACKETS = capture(PASSED)

const nextGeneration = (packets: readonly CapturedPacket[], plain: boolean): Uint8Array =>
  packets
    .reduce((file, each) => file.enhanced(each, 0, { plain }), new Pcapng().interface({ resolution: 9 }))
    .bytes()

/** A file in two pieces: what passes before, and what may be taken many at once. */
const file = (write: (packets: readonly CapturedPacket[]) => Uint8Array) => {
  const headerSize = write([]).length
  const start = write(BEFORE)
  return (packets: readonly CapturedPacket[]) => [start, write(packets).subarray(headerSize)] as const
}

/** Files whose packets are taken many at once. */
const MANY = {
  pcap: file((packets) => pcap(packets)),
  pcapng: file((packets) => nextGeneration(packets, true)),
}
const FORMATS = ['pcap', 'pcapng'] as const
type Format = (typeof FORMATS)[number]
/** Where each block has an option, packets go one by one. */
const ONE_BY_ONE = file((packets) => nextGeneration(packets, false))

/** All but what the file itself is. */
function facts({ migrations, traffic, capture: { format, bytes, ...rest } }: Told): unknown {
  return { migrations, traffic, rest }
}

function takenOf([start, rest]: readonly [Uint8Array, Uint8Array]): number {
  const diagnostics = new Diagnostics()
  const trace = new Trace(diagnostics)
  let taken = 0
  const reader = new CaptureReader(
    (packet) => trace.packet(packet),
    new CaptureSummary(),
    diagnostics,
    (stretch) => {
      const before = stretch.packet.packet
      trace.stretch(stretch)
      taken += stretch.packet.packet - before
    },
  )
  reader.push(start)
  taken = 0
  reader.push(rest)
  return taken
}

const oneByOne = facts(analyseBytes(ONE_BY_ONE(PACKETS)))

describe.each(FORMATS)('%s', (format) => {
  test('of a bulk transfer, most packets are taken many at once', () => {
    expect(PACKETS.length).toBeGreaterThan(170)
    expect(takenOf(MANY[format](PACKETS))).toBeGreaterThan(PACKETS.length * 0.75)
    expect(takenOf(ONE_BY_ONE(PACKETS))).toBe(0)
  })

  test('they come to the same as one by one', () => {
    expect(facts(analyseBytes(MANY[format](PACKETS)))).toEqual(oneByOne)
  })

  test.each([61, 700, 1600])('cut into pieces of %i bytes', (size) => {
    const [start, rest] = MANY[format](PACKETS)
    const pieces = Array.from({ length: Math.ceil(rest.length / size) }, (_, i) =>
      rest.subarray(i * size, (i + 1) * size),
    )
    expect(facts(analyseBytes([start, ...pieces]))).toEqual(oneByOne)
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
      const padded = new Uint8Array(frame.length + (amount % 40))
      padded.set(frame)
      return { timeNs, frame: padded }
    }),
  'a clock that is set': (packets, index, amount) =>
    packets.map((packet, at) =>
      at < index ? packet : { ...packet, timeNs: packet.timeNs + BigInt(amount - 30_000) * 100_000n },
    ),
}

const places = { index: fc.nat(PACKETS.length - 1), amount: fc.nat(65_535) }

const same = (format: Format, packets: readonly CapturedPacket[]): void =>
  expect(facts(analyseBytes(MANY[format](packets)))).toEqual(facts(analyseBytes(ONE_BY_ONE(packets))))

describe.each(FORMATS)('%s, whatever is wrong with the packets', (format) => {
  test.each(Object.entries(FAULTS))('%s', (_, fault) => {
    fc.assert(
      fc.property(fc.array(fc.record(places), { minLength: 1, maxLength: 3 }), (faults) => {
        same(
          format,
          faults.reduce(
            (packets, { index, amount }) => fault(packets, index, amount),
            PACKETS as readonly CapturedPacket[],
          ),
        )
      }),
      fuzz(60, 20261128),
    )
  })

  test.each(['data', 'acknowledgement'])('each byte of the headers of a segment with %s', (what) => {
    const index = PASSED.findIndex(
      ({ segment }, at) => at > 100 && (segment?.payload.length ?? 0) > 0 === (what === 'data'),
    )
    for (let offset = 12; offset < 54; offset++)
      for (const value of [0, 1, 0x10, 0x44, 0xff])
        same(
          format,
          change(PACKETS, index, (packet) => ({ ...packet, frame: packet.frame.with(offset, value) })),
        )
  })

  test('segments lost, repeated, late or overlapping', () => {
    const kinds = fc.constantFrom<Damage>('lose', 'duplicate', 'retransmit', 'delay', 'overlap')
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, places.index), { minLength: 1, maxLength: 6 }), (damages) => {
        let passed: readonly Passed[] = PASSED
        for (const [kind, index] of damages) passed = damage(passed, kind, index)
        same(format, capture(passed))
      }),
      fuzz(60, 20261128),
    )
  })
})
