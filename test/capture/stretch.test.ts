import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CapturedPacket, Pcapng, pcap } from '../support/capture.ts'
import { fuzz } from '../support/fuzz.ts'
import { facts, read, readMany, START_NS } from './read.ts'

const PACKETS = 40

/** Frames of many sizes, 1 ms apart. */
const packet = (index: number, size = 14 + ((index * 37) % 1500)): CapturedPacket => ({
  timeNs: START_NS + BigInt(index) * 1_000_000n,
  frame: Uint8Array.from({ length: size }, (_, at) => (17 * index + at) & 0xff),
})
const plainPackets = Array.from({ length: PACKETS }, (_, index) => packet(index))

const nextGeneration = (byteOrder: 'little' | 'big'): Uint8Array =>
  plainPackets
    .reduce(
      (file, each) => file.enhanced(each, 0, { plain: true }),
      new Pcapng(byteOrder).interface({ resolution: 9 }),
    )
    .bytes()

describe.each([
  ['pcap', 'little', pcap(plainPackets)],
  ['pcap', 'big', pcap(plainPackets, { byteOrder: 'big' })],
  ['pcap of microseconds', 'little', pcap(plainPackets, { form: 'us' })],
  ['pcapng', 'little', nextGeneration('little')],
  ['pcapng', 'big', nextGeneration('big')],
] as const)('%s, %s-endian', (_format, _byteOrder, file) => {
  test('all packets but the first are taken at once, and are those that come one by one', () => {
    const { taken, ...reading } = readMany(file)
    expect(taken).toBe(PACKETS - 1)
    expect(facts(reading)).toEqual(facts(read(file)))
  })

  test('wherever the file is cut in pieces', () => {
    const whole = facts(read(file))
    for (let cut = 1; cut < file.length; cut += 13) {
      const { taken: _, ...reading } = readMany(file.subarray(0, cut), file.subarray(cut))
      expect(facts(reading), `cut at ${cut}`).toEqual(whole)
    }
  })
})

/** What else may stand between plain blocks of the first interface. */
const OTHERS: Readonly<Record<string, (file: Pcapng, index: number) => Pcapng>> = {
  'a block with options': (file, index) => file.enhanced(packet(index)),
  'a frame check sequence in its flags': (file, index) => file.enhanced(packet(index), 0, { fcsSize: 4 }),
  'a count of lost packets': (file, index) => file.enhanced(packet(index), 0, { drops: 3 }),
  'a frame that was cut': (file, index) =>
    file.enhanced({ ...packet(index), originalLength: 9000 }, 0, { plain: true }),
  'a long frame': (file, index) => file.enhanced(packet(index, 9000), 0, { plain: true }),
  'an earlier packet': (file, index) => file.enhanced(packet(index - 3), 0, { plain: true }),
  'another interface of Ethernet': (file, index) => file.enhanced(packet(index), 1, { plain: true }),
  'one with frame check sequences': (file, index) => file.enhanced(packet(index), 2, { plain: true }),
  'one of another link type': (file, index) => file.enhanced(packet(index), 3, { plain: true }),
  'one that is not described': (file, index) => file.enhanced(packet(index), 7, { plain: true }),
  'an obsolete block': (file, index) => file.obsolete(packet(index)),
  'a simple block': (file, index) => file.simple(packet(index)),
  statistics: (file) => file.statistics(0, { bySystem: 4n }),
  'a new section': (file) => described(file.section('big')),
}

const described = (file: Pcapng): Pcapng =>
  file
    .interface({ resolution: 9 })
    .interface({ resolution: 6, offsetSeconds: 1n })
    .interface({ resolution: 9, fcsSize: 32 })
    .interface({ resolution: 9, linkType: 113 })

const write = (names: readonly (string | null)[]): Uint8Array =>
  names
    .reduce(
      (file, name, index) =>
        (name === null ? undefined : OTHERS[name])?.(file, index) ??
        file.enhanced(packet(index), 0, { plain: true }),
      described(new Pcapng()),
    )
    .bytes()

test.each(Object.keys(OTHERS))('%s among blocks of pcapng comes as one by one', (name) => {
  const names = plainPackets.map((_, index) => (index % 10 >= 8 ? name : null))
  const { taken, ...reading } = readMany(write(names))
  expect(taken).toBeGreaterThan(0)
  expect(facts(reading)).toEqual(facts(read(write(names))))
})

test('an interface of a new section has stamps of its own', () => {
  const file = new Pcapng()
  for (const resolution of [6, 9, 6])
    plainPackets.reduce(
      (section, each) => section.enhanced(each, 0, { plain: true }),
      // With two of them it is the first packet that is offered again.
      file.section().interface({ resolution }).interface(),
    )
  const { taken, ...reading } = readMany(file.bytes())
  expect(taken).toBeGreaterThan(0)
  expect(facts(reading)).toEqual(facts(read(file.bytes())))
})

test('any mixture, cut anywhere, with bytes that are damaged', () => {
  const names = fc.array(fc.option(fc.constantFrom(...Object.keys(OTHERS)), { freq: 3 }), {
    minLength: 3,
    maxLength: PACKETS,
  })
  const place = fc.record({ at: fc.nat(), value: fc.nat(255) })
  fc.assert(
    fc.property(
      names,
      fc.array(place, { maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 3 }),
      (mixture, damage, cuts) => {
        const file = write(mixture)
        // The header of the file stays.
        for (const { at, value } of damage) file[28 + (at % (file.length - 28))] = value
        const places = [0, ...cuts.map((cut) => cut % file.length).sort((a, b) => a - b), file.length]
        const pieces = places.slice(1).map((end, index) => file.subarray(places[index], end))
        const { taken: _, ...reading } = readMany(...pieces)
        expect(facts(reading)).toEqual(facts(read(...pieces)))
      },
    ),
    fuzz(300, 20261129),
  )
})
