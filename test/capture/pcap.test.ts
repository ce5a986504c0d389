import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { PACKET_SIZE_MAX } from '../../src/core/limits.ts'
import { type CapturedPacket, pcap } from '../support/capture.ts'
import { concat } from '../support/libvirt.ts'
import { expected, facts, read, START_NS, samplePackets, singles } from './read.ts'

const HEADER = 24
const PACKETS = samplePackets()

describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
  test.each(['us', 'ns', 'modified'] as const)('%s: number, time, bytes and lengths are read', (form) => {
    const reading = read(pcap(PACKETS, { byteOrder, form, linkType: 113 }))
    expect(reading.packets).toEqual(
      expected(PACKETS, form === 'ns' ? 1n : 1000n).map((each) => ({ ...each, linkType: 113 })),
    )
    const startNs = form === 'ns' ? START_NS : START_NS - (START_NS % 1000n)
    expect(reading.summary).toMatchObject({
      format: 'pcap',
      linkTypes: [113],
      packets: 6,
      cutPackets: 1,
      startEpochNs: startNs,
      earliestNs: -7000,
      latestNs: 5000,
      droppedPackets: null,
      stampNs: form === 'ns' ? 1 : 1000,
    })
    expect(reading.diagnostics).toEqual([])
  })

  test.each(['us', 'modified'] as const)('%s: any cut of the file gives the same packets', (form) => {
    const file = pcap(PACKETS, { byteOrder, form })
    const whole = facts(read(file))
    for (let at = 1; at < file.length; at++)
      expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(whole)
    expect(facts(read(...singles(file))), 'byte by byte').toEqual(whole)
  })
})

describe('a file that was cut short', () => {
  const file = pcap(PACKETS, { form: 'us' })
  const ends = [HEADER]
  for (const { frame } of PACKETS) ends.push((ends.at(-1) ?? 0) + 16 + frame.length)

  test('keeps every packet before the cut and says so once, wherever it was cut', () => {
    for (let size = 24; size < file.length; size++) {
      const reading = read(file.subarray(0, size))
      const whole = ends.filter((end) => end <= size).length
      expect(reading.packets, `${size} bytes`).toEqual(read(file).packets.slice(0, Math.max(0, whole - 1)))
      expect(reading.diagnostics, `${size} bytes`).toEqual(ends.includes(size) ? [] : ['capture.cut-short'])
    }
  })

  test('a file that ends inside its header is refused', () => {
    for (let size = 12; size < 24; size++)
      expect(() => read(file.subarray(0, size)), `${size} bytes`).toThrow(InputError)
  })
})

test('an original length below the captured one, as converters write it, counts as it is and is raised to that', () => {
  const reading = read(pcap([{ timeNs: START_NS, frame: new Uint8Array(60), originalLength: 40 }]))
  expect(reading.packets[0]?.originalLength).toBe(60)
  expect(reading.summary).toMatchObject({ wireBytes: 40, capturedBytes: 60, cutPackets: 0 })
})

describe('the two lengths of a record', () => {
  const cut = { timeNs: START_NS, frame: new Uint8Array(60).fill(7), originalLength: 90 }
  const swapped = { timeNs: START_NS, frame: cut.frame, originalLength: 60, claimedLength: 90 }
  const whole = { timeNs: START_NS, frame: new Uint8Array(70).fill(8) }
  const lengths = (file: Uint8Array) =>
    read(file).packets.map((packet) => [packet.bytes.length / 2, packet.originalLength])

  test.each([0, 1, 2, 3])('may be the other way round in version 2.%i', (minor) => {
    for (const first of [cut, swapped])
      for (const byteOrder of ['little', 'big'] as const)
        expect(lengths(pcap([first, whole], { minor, byteOrder }))).toEqual([
          [60, 90],
          [70, 70],
        ])
  })

  test('are what they are since version 2.4', () => {
    expect(lengths(pcap([cut, whole]))).toEqual([
      [60, 90],
      [70, 70],
    ])
    expect(lengths(pcap([swapped, whole]))).not.toContainEqual([60, 90])
  })
})

test('what stands before a frame of ATM was not on the wire', () => {
  const atm = { timeNs: START_NS, frame: new Uint8Array(60), originalLength: 64 }
  expect(read(pcap([atm], { linkType: 123 })).summary).toMatchObject({ wireBytes: 60, capturedBytes: 60 })
})

describe('the link type word', () => {
  test.each([
    ['has 16 bits', 0x0000ffff, 0xffff],
    ['may have the bit that means nothing', 0x08000001, 1],
  ])('%s', (_name, word, linkType) => {
    const reading = read(pcap(PACKETS, { linkType: word }))
    expect(reading.packets.map((packet) => packet.linkType)).toEqual(PACKETS.map(() => linkType))
    expect(reading.packets[0]?.bytes).toHaveLength(120)
  })

  test('with reserved bits is refused', () => {
    for (const word of [0x00010001, 0x02000001])
      for (const byteOrder of ['little', 'big'] as const)
        expect(() => read(pcap(PACKETS, { linkType: word, byteOrder }))).toThrow(/link type 0x.*bits are set/)
  })

  test('announces a frame check sequence, which is no payload', () => {
    const whole = { timeNs: START_NS, frame: new Uint8Array(64).fill(1) }
    const cut = { timeNs: START_NS, frame: new Uint8Array(62).fill(2), originalLength: 64 }
    const beyond = { timeNs: START_NS, frame: new Uint8Array(50).fill(3), originalLength: 64 }
    const reading = read(pcap([whole, cut, beyond], { fcsSize: 4 }))
    expect(reading.packets.map((packet) => [packet.bytes.length / 2, packet.originalLength])).toEqual([
      [60, 60],
      [60, 60],
      [50, 60],
    ])
    expect(reading.summary.wireBytes).toBe(3 * 64)
  })
})

describe('a damaged record length', () => {
  const good = (i: number): CapturedPacket => ({
    timeNs: START_NS + BigInt(i) * 1_000_000n,
    frame: new Uint8Array(80).fill(0xf0 + i),
  })
  const insane = (claimedLength: number): Uint8Array =>
    pcap([good(0), good(1), { ...good(2), claimedLength }, good(3), good(4), good(5)])

  test.each([
    ['one above the largest that is believed', PACKET_SIZE_MAX + 1],
    ['2 GiB', 0x80000000],
    ['all ones', 0xffffffff],
  ])('%s: reading goes on at the next record that makes sense', (_name, claimed) => {
    const file = insane(claimed)
    const reading = read(file)
    expect(reading.packets.map((packet) => packet.bytes.slice(0, 2))).toEqual(['f0', 'f1', 'f3', 'f4', 'f5'])
    expect(reading.packets.map((packet) => packet.packet)).toEqual([1, 2, 3, 4, 5])
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual([0, 1e6, 3e6, 4e6, 5e6])
    expect(reading.diagnostics).toEqual(['capture.record-length'])
    for (let at = 1; at < file.length; at++)
      expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(facts(reading))
    expect(facts(read(...singles(file)))).toEqual(facts(reading))
  })

  test('the largest packet there is, is no damage', () => {
    const large = { timeNs: START_NS, frame: new Uint8Array(PACKET_SIZE_MAX) }
    const reading = read(pcap([good(0), large, good(2)]))
    expect(reading.packets).toHaveLength(3)
    expect(reading.diagnostics).toEqual([])
  })

  test('what looks like records of another day inside the lost packet is not believed', () => {
    const inside = pcap(
      [1, 2, 3].map((i) => ({ timeNs: BigInt(i) * 1_000_000_000n, frame: new Uint8Array(8) })),
    )
    const lost = { ...good(1), frame: inside.subarray(HEADER), claimedLength: 0x7fffffff }
    const reading = read(pcap([good(0), lost, good(2), good(3)]))
    expect(reading.packets.map((packet) => packet.bytes.slice(0, 2))).toEqual(['f0', 'f2', 'f3'])
  })

  test('the last record is believed when the file ends with it, and not when it does not', () => {
    const file = pcap([good(0), { ...good(1), claimedLength: 0x7fffffff }, good(2)])
    for (const [bytes, seen] of [
      [file, ['f0', 'f2']],
      [file.subarray(0, -1), ['f0']],
      [concat(file, Uint8Array.of(0)), ['f0']],
    ] as const) {
      const reading = read(bytes)
      expect(reading.packets.map((packet) => packet.bytes.slice(0, 2))).toEqual(seen)
      expect(reading.diagnostics).toEqual(['capture.record-length'])
      expect(facts(read(...singles(bytes)))).toEqual(facts(reading))
    }
  })

  test.each([5000, PACKET_SIZE_MAX])(
    '%i, more than are left: what is behind is read all the same',
    (claimed) => {
      const file = insane(claimed).subarray(0, -1)
      const reading = read(file)
      expect(reading.packets.map((packet) => packet.bytes.slice(0, 2))).toEqual(['f0', 'f1', 'f3', 'f4'])
      expect(reading.diagnostics).toEqual(['capture.record-length', 'capture.cut-short'])
      for (let at = 1; at < file.length; at++)
        expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(facts(reading))
    },
  )

  test('behind which nothing makes sense is searched in linear time', () => {
    const noise = new Uint8Array(8 * 1024 * 1024)
    // Stretches in which each word is a believable length and a believable time; all of them lead into noise.
    const stretch = PACKET_SIZE_MAX
    const words = new DataView(noise.buffer)
    for (let at = 0; at < noise.length; at += 4)
      words.setUint32(at, Math.floor(at / stretch) % 2 === 0 ? stretch - 16 : 0xffffffff, true)
    const epoch: CapturedPacket = { timeNs: BigInt(stretch) * 1_000_000_000n, frame: new Uint8Array(60) }
    const file = concat(pcap([epoch, { ...epoch, claimedLength: 0xffffffff }]), noise)
    const pieces = Array.from({ length: Math.ceil(file.length / 1048576) }, (_, i) =>
      file.subarray(i * 1048576, (i + 1) * 1048576),
    )
    const started = performance.now()
    const reading = read(...pieces)
    expect(performance.now() - started).toBeLessThan(2000)
    expect(reading.packets).toHaveLength(1)
    expect(reading.diagnostics).toContain('capture.record-length')
  })
})

interface OraclePacket {
  readonly header: { timestampSeconds: number; timestampMicroseconds: number; originalLength: number }
  readonly data: Buffer
}
interface Oracle {
  on(event: 'packet', listener: (packet: OraclePacket) => void): Oracle
  on(event: 'end' | 'error', listener: (error?: Error) => void): Oracle
}
const oracle = createRequire(import.meta.url)('pcap-parser') as { parse(input: Readable): Oracle } // untyped

test.each(['little', 'big'] as const)(
  'pcap-parser reads the same from a %s-endian file',
  async (byteOrder) => {
    const packets = Array.from({ length: 500 }, (_, i) => ({
      timeNs: START_NS + BigInt((i * 7919) % 1000) * 1_234_567n,
      frame: Uint8Array.from({ length: (i * 37) % 1500 }, (_, at) => (i + at) & 0xff),
      originalLength: ((i * 37) % 1500) + (i % 3) * 100,
    }))
    const file = pcap(packets, { byteOrder, form: 'us' })
    const theirs: OraclePacket[] = []
    await new Promise<void>((resolve, reject) => {
      oracle
        .parse(Readable.from([Buffer.from(file)]))
        .on('packet', (packet) => theirs.push(packet))
        .on('error', reject)
        .on('end', () => resolve())
    })
    const first = theirs[0]?.header ?? { timestampSeconds: 0, timestampMicroseconds: 0 }
    expect(theirs).toHaveLength(500)
    expect(
      theirs.map(({ header, data }, i) => ({
        packet: i + 1,
        timeNs:
          (header.timestampSeconds - first.timestampSeconds) * 1e9 +
          (header.timestampMicroseconds - first.timestampMicroseconds) * 1e3,
        bytes: data.toString('hex'),
        originalLength: header.originalLength,
        linkType: 1,
      })),
    ).toEqual(read(file).packets)
  },
)
