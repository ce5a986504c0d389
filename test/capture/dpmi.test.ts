import { describe, expect, test } from 'vitest'
import { sniff } from '../../src/capture/magic.ts'
import { InputError } from '../../src/core/input-error.ts'
import { DPMI_COMMENT_MAX, INTERFACE_NAMES_MAX, PACKET_SIZE_MAX } from '../../src/core/limits.ts'
import { type DpmiOptions, dpmi, type MeasuredPacket } from '../support/capture.ts'
import { expected, facts, read, START_NS, samplePackets, singles } from './read.ts'

const PACKETS = samplePackets()
const MINORS = [5, 6, 7]
const HEADER = 36
const named = expected(PACKETS).map((each) => ({ ...each, linkType: 1 }))

describe.each(MINORS)('version 0.%i', (minor) => {
  test('number, time, bytes and lengths are read, as Ethernet', () => {
    const reading = read(dpmi(PACKETS, { minor }))
    expect(reading.packets).toEqual(named)
    expect(reading.summary).toMatchObject({
      format: 'dpmi',
      linkTypes: [1],
      packets: 6,
      cutPackets: 1,
      startEpochNs: START_NS,
      earliestNs: -7000,
      latestNs: 5000,
      droppedPackets: null,
    })
    expect(reading.diagnostics).toEqual([])
  })

  test('any cut of the file gives the same packets', () => {
    const file = dpmi(PACKETS, { minor })
    const whole = facts(read(file))
    for (let at = 1; at < file.length; at++)
      expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(whole)
    expect(facts(read(...singles(file))), 'byte by byte').toEqual(whole)
  })

  test('the comment may be of any length, and is no packet', () => {
    for (const size of [0, 1, 4000, DPMI_COMMENT_MAX])
      expect(read(dpmi(PACKETS, { minor, comment: 'x'.repeat(size) })).packets).toEqual(named)
  })

  test('a file that was cut short keeps every packet before the cut and says so once', () => {
    const comment = 'comment'
    const file = dpmi(PACKETS, { minor, comment })
    const header = dpmi([], { minor, comment }).length
    const ends = [header]
    for (const { frame } of PACKETS) ends.push((ends.at(-1) ?? 0) + HEADER + frame.length)
    for (let size = 1; size < file.length; size++) {
      const cut = () => read(file.subarray(0, size))
      if (size < header) {
        expect(cut, `${size} bytes`).toThrow(InputError)
        continue
      }
      const whole = ends.filter((end) => end <= size).length - 1
      expect(cut().packets, `${size} bytes`).toEqual(named.slice(0, whole))
      expect(cut().diagnostics, `${size} bytes`).toEqual(ends.includes(size) ? [] : ['capture.cut-short'])
    }
  })

  test('a capture without packets is one', () => {
    for (const comment of ['', 'nothing came']) {
      const { packets, summary, diagnostics } = read(dpmi([], { minor, comment }))
      expect([packets, diagnostics]).toEqual([[], []])
      expect(summary).toMatchObject({ format: 'dpmi', startEpochNs: null })
    }
  })
})

test('a file of 0.7 may be of a big-endian machine', () => {
  expect(read(dpmi(PACKETS, { byteOrder: 'big' })).packets).toEqual(named)
})

test('extensions of the header are stepped over', () => {
  const padding = Uint8Array.of(1, 0, 8, 0, 9, 9, 9, 9)
  const unknown = Uint8Array.of(77, 0, 5, 0, 1)
  const last = new Uint8Array(4)
  for (const parts of [[last], [padding, last], [unknown, padding, last]]) {
    const extensions = Uint8Array.from(parts.flatMap((part) => [...part]))
    expect(read(dpmi(PACKETS, { extensions })).packets).toEqual(named)
  }
})

describe('the header tells', () => {
  test.each<[string, DpmiOptions, unknown]>([
    ['0.4 with the magic', { minor: 4 }, { kind: 'capture', format: 'dpmi' }],
    ['0.8', { minor: 8 }, { kind: 'unsupported', name: 'a DPMI capture of version 0.8' }],
    ['1.7', { major: 1 }, { kind: 'unsupported', name: 'a DPMI capture of version 1.7' }],
    ['0.5 without a name', { minor: 5, mpid: '' }, { kind: 'capture', format: 'dpmi' }],
    ['0.6 without a name', { minor: 6, mpid: '' }, { kind: 'capture', format: 'dpmi' }],
    ['1.5', { minor: 5, major: 1 }, { kind: 'unknown' }],
    ['1.6', { minor: 6, major: 1 }, { kind: 'unknown' }],
    ['0.5 with a name that is none', { minor: 5, mpid: 'mp\u0001' }, { kind: 'unknown' }],
    ['0.6 with a name that is none', { minor: 6, mpid: '\u007f' }, { kind: 'unknown' }],
    [
      '0.6 with too long a comment',
      { minor: 6, comment: ' '.repeat(DPMI_COMMENT_MAX + 1) },
      { kind: 'unknown' },
    ],
  ])('%s', (_name, options, kind) => {
    expect(sniff(dpmi([], options))).toMatchObject(kind as object)
  })

  test('not with text behind the end of a name', () => {
    const file = dpmi([], { minor: 6, mpid: 'mp1' })
    file[100] = 0x41
    expect(sniff(file)).toEqual({ kind: 'unknown' })
  })

  test('a version that is not read is refused in words', () => {
    expect(() => read(dpmi(PACKETS, { minor: 8 }))).toThrow(/DPMI capture of version 0\.8.*cap2pcap/)
  })
})

const at = (picoseconds: number, timeNs = START_NS): MeasuredPacket => ({
  timeNs,
  picoseconds,
  frame: new Uint8Array(20),
})

describe('times', () => {
  test('keep their picoseconds, also those of the first packet', () => {
    const stamps = [at(750), at(751), at(999), at(0, START_NS + 1n), at(0)]
    const reading = read(dpmi(stamps))
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual([0, 0.001, 0.249, 0.25, -0.75])
    expect(reading.summary.startEpochNs).toBe(START_NS)
  })

  test('are within a picosecond for an hour, and within 16 for a day', () => {
    const seconds = [1n, 60n, 3600n, 86_400n]
    const stamps = [at(7), ...seconds.map((second) => at(8, START_NS + second * 1_000_000_000n))]
    const times = read(dpmi(stamps)).packets.map((packet) => packet.timeNs)
    seconds.forEach((second, i) => {
      const picoseconds = ((times[i + 1] ?? 0) - Number(second) * 1e9) * 1000
      expect(Math.abs(picoseconds - 1)).toBeLessThanOrEqual(second > 3600n ? 16 : 1)
    })
  })
})

describe('interfaces', () => {
  test('are named with their measurement point, each once', () => {
    const on = (nic: string, point: string): MeasuredPacket => ({ ...at(0), interface: nic, point })
    const packets = [
      on('d00', 'mp1'),
      on('d01', 'mp1'),
      on('d00', 'mp1'),
      on('longname', 'longname'),
      on('', ''),
    ]
    expect(read(dpmi(packets)).summary.interfaces).toEqual(['d00@mp1', 'd01@mp1', 'longname@longname', '@'])
  })

  test('are not kept without end', () => {
    const packets = Array.from({ length: INTERFACE_NAMES_MAX + 1 }, (_, i) => ({
      ...at(0),
      interface: `d${i}`,
    }))
    expect(read(dpmi(packets)).summary.interfaces).toHaveLength(INTERFACE_NAMES_MAX)
  })
})

test('a tap that counts the frame check sequence makes frames longer than what it keeps', () => {
  const reading = read(dpmi([{ ...at(0), frame: new Uint8Array(54), originalLength: 64 }]))
  expect(reading.packets[0]).toMatchObject({ originalLength: 64 })
  expect(reading.summary).toMatchObject({ wireBytes: 64, capturedBytes: 54, cutPackets: 1 })
})

describe('a damaged record length', () => {
  const good = (i: number): MeasuredPacket => ({
    timeNs: START_NS + BigInt(i) * 1_000_000n,
    frame: new Uint8Array(80).fill(0xf0 + i),
  })

  test.each([
    ['one above the largest that is believed', PACKET_SIZE_MAX + 1],
    ['all ones', 0xffffffff],
    ['more than are left', 5000],
  ])('%s: reading goes on at the next record that makes sense', (_name, claimedLength) => {
    const file = dpmi([good(0), good(1), { ...good(2), claimedLength }, good(3), good(4), good(5)])
    const reading = read(file)
    expect(reading.packets.map((packet) => packet.bytes.slice(0, 2))).toEqual(['f0', 'f1', 'f3', 'f4', 'f5'])
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual([0, 1e6, 3e6, 4e6, 5e6])
    expect(reading.diagnostics).toEqual(['capture.record-length'])
    for (let cut = 1; cut < file.length; cut++)
      expect(facts(read(file.subarray(0, cut), file.subarray(cut))), `cut at ${cut}`).toEqual(facts(reading))
  })
})
