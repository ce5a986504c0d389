import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { BLOCK_SIZE_MAX, BLOCK_SKIP_MAX } from '../../src/core/limits.ts'
import { Pcapng } from '../support/capture.ts'
import { expected, facts, read, START_NS, samplePackets, singles } from './read.ts'

const PACKETS = samplePackets(1_000_000n)
const NANOSECONDS = 9
/** A block type that no reader knows, and name resolution. */
const UNKNOWN = 0x0bad
const NAMES = 4

function all(file: Pcapng, on = 0): Pcapng {
  for (const packet of PACKETS) file.enhanced(packet, on)
  return file
}

const at = (ns: bigint, fill = 1, size = 20) => ({ timeNs: ns, frame: new Uint8Array(size).fill(fill) })

/** Two sections of different byte order, three interfaces, every kind of block. */
function rich(): Uint8Array {
  const file = new Pcapng('little')
    .interface({ linkType: 1, resolution: NANOSECONDS })
    .interface({ linkType: 113, resolution: 6, offsetSeconds: 1_700_000_000n })
    .block(NAMES, new Uint8Array(33))
  all(file, 0)
  all(file, 1)
  file
    .statistics(1, { byInterface: 3n })
    .block(UNKNOWN, new Uint8Array(1001))
    .section('big')
    .interface({ linkType: 276, resolution: 0x80 + 20 })
    .obsolete(at(START_NS + 10_000_000n, 9, 55))
    .simple(at(0n, 8, 37))
  return all(file, 0).statistics(0, { byInterface: 1n, bySystem: 4n }).bytes()
}

describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
  test('number, time, bytes and lengths are read', () => {
    const reading = read(all(new Pcapng(byteOrder).interface({ linkType: 113, resolution: 9 })).bytes())
    expect(reading.packets).toEqual(expected(PACKETS).map((each) => ({ ...each, linkType: 113 })))
    expect(reading.summary).toMatchObject({
      format: 'pcapng',
      linkTypes: [113],
      packets: 6,
      cutPackets: 1,
      startEpochNs: START_NS,
      earliestNs: -7_000_000,
      latestNs: 5_000_000,
      droppedPackets: null,
    })
    expect(reading.diagnostics).toEqual([])
  })
})

test('any cut of the file gives the same packets', () => {
  const file = rich()
  const whole = facts(read(file))
  for (let cut = 1; cut < file.length; cut++)
    expect(facts(read(file.subarray(0, cut), file.subarray(cut))), `cut at ${cut}`).toEqual(whole)
  expect(facts(read(...singles(file))), 'byte by byte').toEqual(whole)
})

test('a file that was cut short keeps every packet before the cut and says so once, wherever it was cut', () => {
  const file = rich()
  const whole = read(file).packets
  const boundaries = blockEnds(file)
  const [, described = 0] = [...boundaries].sort((a, b) => a - b)
  for (let size = 12; size < described; size++) {
    if (!boundaries.has(size)) expect(() => read(file.subarray(0, size)), `${size} bytes`).toThrow(InputError)
  }
  for (let size = described; size < file.length; size++) {
    const reading = read(file.subarray(0, size))
    expect(reading.packets, `${size} bytes`).toEqual(whole.slice(0, reading.packets.length))
    const cut = reading.diagnostics.filter((code) => code !== 'capture.no-time')
    expect(cut, `${size} bytes`).toEqual(boundaries.has(size) ? [] : ['capture.cut-short'])
  }
  expect(read(file.subarray(0, file.length - 1)).packets).toEqual(whole)
})

/** Where the blocks of a file with little-endian, then big-endian sections end. */
function blockEnds(file: Uint8Array): Set<number> {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const ends = new Set<number>()
  let little = true
  for (let offset = 0; offset < file.length; ) {
    if (view.getUint32(offset) === 0x0a0d0d0a) little = view.getUint32(offset + 8, true) === 0x1a2b3c4d
    offset += view.getUint32(offset + 4, little)
    ends.add(offset)
  }
  return ends
}

describe('times', () => {
  // A nanosecond of 2026 is beyond a double; these differ in the last digit.
  const stamps = [0n, 1n, 2n, 999_999_999n, 86_400_000_000_001n, -1n, -86_400_000_000_001n]

  test('in nanoseconds are exact', () => {
    const file = new Pcapng().interface({ resolution: 9 })
    for (const stamp of stamps) file.enhanced(at(START_NS + stamp))
    expect(read(file.bytes()).packets.map((packet) => packet.timeNs)).toEqual(stamps.map(Number))
  })

  const steps = [0n, 1n, 7n, 86_400n, -1n, -3600n]

  test.each([
    ['seconds', 0, 1_000_000_000n],
    ['milliseconds', 3, 1_000_000n],
    ['microseconds, said', 6, 1000n],
    ['microseconds, unsaid', undefined, 1000n],
  ])('in %s are exact', (_name, resolution, unitNs) => {
    const start = START_NS - (START_NS % unitNs)
    const file = new Pcapng().interface(resolution === undefined ? {} : { resolution })
    for (const step of steps) file.enhanced(at(start + step * unitNs))
    const reading = read(file.bytes())
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual(steps.map((step) => Number(step * unitNs)))
    expect(reading.summary.startEpochNs).toBe(start)
  })

  test.each([10, 20, 30, 40])('in 2^-%i seconds are within a nanosecond and a tick', (exponent) => {
    const offsetSeconds = START_NS / 1_000_000_000n - 100_000n
    const file = new Pcapng().interface({ resolution: 0x80 + exponent, offsetSeconds })
    for (const stamp of stamps) file.enhanced(at(START_NS + stamp))
    const tick = 1e9 / 2 ** exponent
    read(file.bytes()).packets.forEach((packet, i) => {
      expect(Math.abs(packet.timeNs - Number(stamps[i]))).toBeLessThanOrEqual(tick + 1)
    })
  })

  test('finer than a nanosecond keep their fraction', () => {
    // Stamps of 10^-12 s leave room for 213 days in 64 bits.
    const file = new Pcapng().interface({ resolution: 12, offsetSeconds: START_NS / 1_000_000_000n })
    const body = (picoseconds: number): Uint8Array => {
      const bytes = new Uint8Array(20)
      const view = new DataView(bytes.buffer)
      view.setUint32(8, picoseconds, true)
      return bytes
    }
    for (const picoseconds of [5000, 5500, 1]) file.block(6, body(picoseconds))
    expect(read(file.bytes()).packets.map((packet) => packet.timeNs)).toEqual([0, 0.5, -4.999])
  })

  test('of interfaces with different resolutions and offsets are on one axis', () => {
    const file = new Pcapng()
      .interface({ resolution: 9 })
      .interface({ resolution: 6, offsetSeconds: 1_700_000_000n })
      .interface({ resolution: 6, offsetSeconds: -3600n })
    const start = START_NS - (START_NS % 1000n)
    file.enhanced(at(start), 0).enhanced(at(start + 1000n), 1)
    file.enhanced(at(start - 2000n), 2).enhanced(at(start + 3000n), 0)
    file.section('big').interface({ resolution: 9 })
    file.enhanced(at(start + 4001n), 0)
    expect(read(file.bytes()).packets.map((packet) => packet.timeNs)).toEqual([0, 1000, -2000, 3000, 4001])
  })
})

describe('simple packet blocks', () => {
  test('have no time, are cut by the snap length, and are reported', () => {
    const file = new Pcapng().interface({ snapLength: 15, resolution: 9 }).enhanced(at(START_NS, 1, 8))
    file.enhanced(at(START_NS + 5n, 2, 8))
    file.simple({ timeNs: 0n, frame: new Uint8Array(15).fill(3), originalLength: 100 })
    const reading = read(file.bytes())
    expect(reading.packets[2]).toEqual({
      packet: 3,
      timeNs: 5,
      bytes: '03'.repeat(15),
      originalLength: 100,
      linkType: 1,
    })
    expect(reading.diagnostics).toEqual(['capture.no-time'])
  })

  test('alone leave the start of the capture unknown', () => {
    const reading = read(new Pcapng().interface().simple(at(0n)).simple(at(0n)).bytes())
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual([0, 0])
    expect(reading.summary.startEpochNs).toBeNull()
  })

  test('before stamped ones do not move them to 1970', () => {
    const file = new Pcapng().interface({ resolution: 9 }).simple(at(0n))
    file.enhanced(at(START_NS)).enhanced(at(START_NS + 9n))
    const reading = read(file.bytes())
    expect(reading.packets.map((packet) => packet.timeNs)).toEqual([0, 0, 9])
    expect(reading.summary.startEpochNs).toBe(START_NS)
  })
})

describe('interface statistics', () => {
  test('say what was dropped; the last block of an interface counts, interfaces are added up', () => {
    const file = new Pcapng().interface().interface()
    file.statistics(0, { byInterface: 5n }).statistics(1, { bySystem: 2n })
    file.statistics(0, { byInterface: 7n, bySystem: 1n })
    expect(read(file.bytes()).summary.droppedPackets).toBe(10)
  })

  test('of none dropped say so, and without numbers say nothing', () => {
    expect(read(new Pcapng().interface().statistics(0, { byInterface: 0n }).bytes()).summary).toMatchObject({
      droppedPackets: 0,
    })
    expect(read(new Pcapng().interface().statistics(0, {}).bytes()).summary.droppedPackets).toBeNull()
  })
})

describe('packets', () => {
  test('say what was dropped before them, in sum', () => {
    const file = new Pcapng('big').interface().interface()
    file.enhanced(at(START_NS), 0, { drops: 2 }).enhanced(at(START_NS), 0, { drops: 3 })
    file.obsolete(at(START_NS), 1, { drops: 4 }).obsolete(at(START_NS), 1, { drops: 0xffff })
    expect(read(file.bytes()).summary.droppedPackets).toBe(9)
  })

  test('and statistics do not count the same drops twice', () => {
    const file = new Pcapng().interface()
    file.enhanced(at(START_NS), 0, { drops: 5 }).statistics(0, { bySystem: 5n })
    expect(read(file.bytes()).summary.droppedPackets).toBe(5)
    expect(read(file.statistics(0, { bySystem: 8n }).bytes()).summary.droppedPackets).toBe(8)
  })

  test('a counter that stands for unknown counts for nothing', () => {
    const file = new Pcapng().interface().statistics(0, { byInterface: -1n, bySystem: 2n })
    expect(read(file.bytes()).summary.droppedPackets).toBe(2)
  })
})

describe('damage', () => {
  const before = () => all(new Pcapng().interface({ resolution: 9 }))

  const twice = () => [...PACKETS, ...PACKETS]

  test.each([
    ['zero', 0],
    ['smaller than its own frame', 8],
    ['not a multiple of four', 33],
    ['too small by a word', 48],
    ['too large by a word', 56],
    ['more than are left', 40_000],
    ['beyond any packet', BLOCK_SIZE_MAX + 4],
    ['all ones', 0xffffffff],
  ])('a block size %s costs that block and no other', (_name, size) => {
    const file = all(before().block(6, new Uint8Array(40), size)).bytes()
    const reading = read(file)
    expect(reading.packets).toEqual(expected(twice()).map((each) => ({ ...each, linkType: 1 })))
    expect(reading.diagnostics).toEqual(['capture.block-length'])
    for (let at = 1; at < file.length; at += 3)
      expect(facts(read(file.subarray(0, at), file.subarray(at))), `cut at ${at}`).toEqual(facts(reading))
    expect(facts(read(...singles(file))), 'byte by byte').toEqual(facts(reading))
  })

  test.each([1, 2, 3, 4, 997])('%i bytes that are no block are stepped over', (size) => {
    const reading = read(all(before().junk(new Uint8Array(size).fill(0x41))).bytes())
    expect(reading.packets).toHaveLength(twice().length)
    expect(reading.diagnostics).toEqual(['capture.block-length'])
  })

  test('two lengths that do not agree cost the block', () => {
    const start = before().bytes()
    const file = all(before()).bytes()
    file[start.length - 4] = 0xff
    const reading = read(file)
    expect(reading.packets).toHaveLength(twice().length - 1)
    expect(reading.diagnostics).toEqual(['capture.block-length'])
  })

  test('a section of another byte order is found behind it', () => {
    const next = (file: Pcapng) => all(file.section('big').interface({ resolution: 9 })).bytes()
    const reading = read(next(before().block(6, new Uint8Array(40), 3)))
    expect(reading.packets).toHaveLength(twice().length)
    expect(reading.diagnostics).toEqual(['capture.block-length'])
  })

  test('a section without a byte order that there is, is none', () => {
    const start = before().bytes().length
    const file = all(before().section('big').interface({ resolution: 9 })).bytes()
    file[start + 8] = 0
    const reading = read(file)
    // Its blocks are of the other byte order, so that nothing makes sense; nothing is made up either.
    expect(reading.packets).toHaveLength(PACKETS.length)
    expect(reading.diagnostics).toContain('capture.block-length')
  })

  test('a packet that was cut off is no damage, whatever looks like a block inside of it', () => {
    const inner = new Uint8Array(64).fill(6)
    const file = before().enhanced({ timeNs: START_NS, frame: inner }).bytes()
    expect(read(file.subarray(0, -60)).diagnostics).toEqual(['capture.cut-short'])
  })

  test('an unknown block larger than any that is skipped is damage', () => {
    const claimed = BLOCK_SKIP_MAX + 4
    const reading = read(all(before().block(UNKNOWN, new Uint8Array(40), claimed)).bytes())
    expect(reading.packets).toHaveLength(twice().length)
    expect(reading.diagnostics).toEqual(['capture.block-length'])
  })

  test('an unknown version of a later section is reported, and read', () => {
    const file = before().section('big', [2, 0]).interface({ resolution: 9 })
    const reading = read(all(file).bytes())
    expect(reading.packets).toHaveLength(twice().length)
    expect(reading.diagnostics).toEqual(['capture.section-version'])
  })

  test('an unknown block of any size up to that is stepped over without being held', () => {
    const size = BLOCK_SKIP_MAX
    const head = before().bytes()
    const start = new Pcapng().block(UNKNOWN, new Uint8Array(0), size).bytes().subarray(28, 36)
    const filler = new Uint8Array(1024 * 1024)
    const tail = new Pcapng().interface({ resolution: 9 }).enhanced(at(START_NS)).bytes()
    const pieces = Array.from({ length: size / filler.length }, () => filler)
    pieces[0] = filler.subarray(8)
    const heldBefore = process.memoryUsage().arrayBuffers
    const reading = read(head, start, ...pieces, tail)
    expect(reading.packets).toHaveLength(PACKETS.length + 1)
    expect(reading.diagnostics).toEqual([])
    expect(process.memoryUsage().arrayBuffers - heldBefore).toBeLessThan(2 * size)
  })

  test('a packet of an interface that is not described is left out and reported', () => {
    const file = before().enhanced(at(START_NS), 7).obsolete(at(START_NS), 3).enhanced(at(START_NS), 0)
    const reading = read(file.bytes())
    expect(reading.packets).toHaveLength(PACKETS.length + 1)
    expect(reading.diagnostics).toEqual(['capture.interface'])
  })

  test('a section forgets the interfaces of the one before', () => {
    const reading = read(before().section('big').enhanced(at(START_NS), 0).bytes())
    expect(reading.packets).toHaveLength(PACKETS.length)
    expect(reading.diagnostics).toEqual(['capture.interface'])
  })

  test('a captured length beyond the block is cut to the block', () => {
    const file = before().enhanced({ ...at(START_NS, 5, 20), claimedLength: 0xffffffff, originalLength: 99 })
    const last = read(file.bytes()).packets.at(-1)
    expect(last?.originalLength).toBe(99)
    expect(last?.bytes.startsWith('05'.repeat(20))).toBe(true)
    expect(last?.bytes.length).toBeLessThan(100)
  })
})

describe('a frame check sequence is no payload', () => {
  test.each([
    ['interface, in bits', 32, undefined, 60],
    ['interface, in bits, of two bytes', 16, undefined, 62],
    ['interface, in bytes', 4, undefined, 60],
    ['interface, where the packet does not know', 32, 0, 60],
    ['packet', undefined, 4, 60],
    ['packet, against its interface', 32, 8, 56],
    ['nobody', 0, 0, 64],
  ])('as the %s says', (_name, fcsSize, flags, kept) => {
    const remarks = flags === undefined ? {} : { fcsSize: flags }
    const file = new Pcapng('big').interface(fcsSize === undefined ? {} : { fcsSize })
    const reading = read(file.enhanced(at(START_NS, 1, 64), 0, remarks).bytes())
    expect(reading.packets[0]).toMatchObject({ bytes: '01'.repeat(kept), originalLength: kept })
    expect(reading.summary.wireBytes).toBe(64)
  })
})

test('interfaces are named as the file names them, each once', () => {
  const file = new Pcapng().interface({ name: 'eth0' }).interface({ name: 'ens3f0' })
  const bytes = file.section('big').interface({ name: 'eth0' }).interface({ name: 'Wi-Fi «1»' }).bytes()
  expect(read(bytes).summary.interfaces).toEqual(['eth0', 'ens3f0', 'Wi-Fi «1»'])
})
