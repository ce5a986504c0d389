import { describe, expect, test } from 'vitest'
import { CaptureReader } from '../../src/capture/open.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import {
  type CapturedPacket,
  dpmi,
  type MeasuredPacket,
  measurementFrame,
  Pcapng,
  pcap,
} from '../support/capture.ts'
import { facts, read, START_NS, singles } from './read.ts'

/** When the receiver captured the first measurement frame: later, and by a clock of its own. */
const RECEIVED_NS = START_NS + 5_000_000_000n
const MS = 1_000_000n

const inner = (i: number): MeasuredPacket => ({
  timeNs: START_NS + BigInt(i) * MS,
  picoseconds: 250 * i,
  frame: new Uint8Array(60).fill(i),
  originalLength: 60 + i,
})

const carried = (i: number, frame: Uint8Array): CapturedPacket => ({
  timeNs: RECEIVED_NS + BigInt(i) * MS,
  frame,
})

const ordinary = (i: number): CapturedPacket => carried(i, new Uint8Array(60).fill(0xee))

const two = [
  carried(0, measurementFrame({ sequence: 7, packets: [inner(0), inner(1)] })),
  carried(2, measurementFrame({ sequence: 8, packets: [inner(2)] })),
]

const asRead = (packet: number, i: number) => ({
  packet,
  timeNs: i * 1e6 + (i * 250) / 1000,
  bytes: Buffer.from(inner(i).frame).toString('hex'),
  originalLength: 60 + i,
  linkType: 1,
})

describe('a measurement frame', () => {
  test('is read as the frames that it carries, with their times and the number of its packet', () => {
    const reading = read(pcap(two))
    expect(reading.packets).toEqual([asRead(1, 0), asRead(1, 1), asRead(2, 2)])
    expect(reading.diagnostics).toEqual([])
  })

  test('counts as the packet of the file that it is; time zero is that of the first frame in it', () => {
    const file = pcap(two)
    const { summary } = read(file)
    const wireBytes = two.reduce((sum, { frame }) => sum + frame.length, 0)
    expect(summary).toMatchObject({
      packets: 2,
      wireBytes,
      startEpochNs: START_NS,
      earliestNs: 0,
      latestNs: 2_000_000.5,
      interfaces: ['d00@mp1'],
    })
    for (let at = 1; at < file.length; at += 5)
      expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(facts(read(file)))
    expect(facts(read(...singles(file)))).toEqual(facts(read(file)))
  })

  test('is found in every container', () => {
    const times = (file: Uint8Array) => read(file).packets.map((packet) => packet.timeNs)
    const pcapng = new Pcapng('big').interface({ resolution: 9 })
    for (const packet of two) pcapng.enhanced(packet)
    for (const file of [pcap(two), pcapng.bytes(), dpmi(two)])
      expect(times(file)).toEqual([0, 1_000_000.25, 2_000_000.5])
  })

  test('may be padded', () => {
    const frame = Uint8Array.from([...measurementFrame({ sequence: 0, packets: [inner(0)] }), 0, 0, 0, 0])
    const reading = read(pcap([carried(0, frame)]))
    expect(reading.packets).toEqual([asRead(1, 0)])
    expect(reading.diagnostics).toEqual([])
  })
})

describe('ordinary packets beside measurement frames', () => {
  test('keep their distance to them where they come second', () => {
    const { packets, summary } = read(pcap([...two, ordinary(3)]))
    expect(packets.at(-1)?.timeNs).toBe(5_003_000_000)
    expect(summary).toMatchObject({ startEpochNs: START_NS, latestNs: 5_003_000_000 })
  })

  test('are time zero where they come first', () => {
    const { packets, summary } = read(pcap([ordinary(-1), ...two]))
    expect(packets.map((packet) => packet.timeNs)).toEqual([
      0,
      -4_999_000_000,
      -4_998_000_000 + 0.25,
      -4_997_000_000 + 0.5,
    ])
    expect(summary.startEpochNs).toBe(RECEIVED_NS - MS)
    expect(summary.earliestNs).toBe(-4_999_000_000)
  })
})

describe('what only looks like a measurement frame is handed on as it is', () => {
  const frame = () => measurementFrame({ sequence: 0, packets: [inner(0)] })
  const changed = (at: number, byte: number) => {
    const bytes = frame()
    bytes[at] = byte
    return bytes
  }

  test.each<[string, Uint8Array]>([
    ['another ethertype', changed(13, 0x11)],
    ['of another version', changed(27, 1)],
    ['of a later version', changed(29, 8)],
    ['without frames', measurementFrame({ sequence: 0, packets: [inner(0)], announced: 0 })],
    ['with a frame larger than itself', changed(30 + 34, 1)],
    ['with more picoseconds than a second has', changed(30 + 27, 1)],
    ['too short for a header', frame().subarray(0, 65)],
  ])('%s', (_name, bytes) => {
    const reading = read(pcap([carried(0, bytes)]))
    expect(reading.packets.map((packet) => packet.bytes)).toEqual([Buffer.from(bytes).toString('hex')])
    expect(reading.summary.startEpochNs).toBe(RECEIVED_NS)
  })

  test('on another link than Ethernet', () => {
    expect(read(pcap(two, { linkType: 101 })).packets).toHaveLength(2)
  })
})

describe('a measurement frame that is not whole', () => {
  const whole = measurementFrame({ sequence: 0, packets: [inner(0), inner(1)] })

  test('gives what was captured of its frames', () => {
    for (let kept = 66; kept < whole.length; kept++) {
      const reading = read(pcap([{ ...carried(0, whole.subarray(0, kept)), originalLength: whole.length }]))
      const sizes = [Math.min(60, kept - 66), ...(kept >= 162 ? [kept - 162] : [])]
      expect(
        reading.packets.map((packet) => [packet.bytes.length / 2, packet.originalLength]),
        `${kept} bytes`,
      ).toEqual(sizes.map((size, i) => [size, 60 + i]))
      expect(reading.diagnostics).toEqual(['capture.measurement-cut'])
    }
  })

  test('because it announces more than it holds gives what it holds', () => {
    const reading = read(
      pcap([carried(0, measurementFrame({ sequence: 0, packets: [inner(0)], announced: 0xffffffff }))]),
    )
    expect(reading.packets).toEqual([asRead(1, 0)])
    expect(reading.diagnostics).toEqual(['capture.measurement-cut'])
  })

  test('because a later frame has a length that cannot be ends there', () => {
    const lying = [inner(0), { ...inner(1), claimedLength: 0xffffffff }, inner(2)]
    const reading = read(pcap([carried(0, measurementFrame({ sequence: 0, packets: lying }))]))
    expect(reading.packets).toEqual([asRead(1, 0)])
    expect(reading.diagnostics).toEqual(['capture.measurement-cut'])
  })
})

describe('sequence numbers', () => {
  function lost(sequences: readonly (number | readonly [number, number])[]): number {
    const diagnostics = new Diagnostics()
    const reader = new CaptureReader(() => {}, new CaptureSummary(), diagnostics)
    const frames = sequences.map((each, i) => {
      const [sequence, stream] = typeof each === 'number' ? [each, 1] : each
      return carried(i, measurementFrame({ sequence, stream, packets: [inner(i)] }))
    })
    reader.push(pcap(frames))
    reader.end()
    return diagnostics.list().find(({ code }) => code === 'capture.measurement-lost')?.count ?? 0
  }

  test.each<[string, (number | readonly [number, number])[], number]>([
    ['that follow each other lose nothing', [5, 6, 7, 8], 0],
    ['that jump tell how many frames are missing, in sum', [5, 8, 9, 12], 4],
    ['begin anew before 65535', [65_533, 65_534, 0, 1], 0],
    ['may use 65535 all the same', [65_534, 65_535, 0, 1], 0],
    ['may go on beyond', [65_534, 65_535, 65_536, 65_537], 0],
    ['that jump over the end count rightly', [65_533, 2], 3],
    ['of frames that came twice lose nothing', [5, 6, 7, 6, 7, 8, 8, 9], 0],
    ['of a frame that came late count it once', [5, 6, 8, 7, 9], 1],
    ['of a sender that began anew lose nothing', [20_000, 20_001, 0, 1, 2, 4], 1],
    [
      'are counted for each stream by itself',
      [
        [5, 1],
        [900, 2],
        [6, 1],
        [901, 2],
        [7, 1],
        [903, 2],
      ],
      1,
    ],
  ])('%s', (_name, sequences, expected) => {
    expect(lost(sequences)).toBe(expected)
  })
})
