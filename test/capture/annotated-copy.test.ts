import { describe, expect, test } from 'vitest'
import { AnnotatedCopy } from '../../src/capture/annotated-copy.ts'
import { BLOCK_SIZE_MAX } from '../../src/core/limits.ts'
import { type ByteOrder, dpmi, Pcapng, pcap } from '../support/capture.ts'
import { read, START_NS, samplePackets, singles } from './read.ts'

const PACKETS = samplePackets(1_000_000n)
const MARKS = new Map([
  [2, ['mig-phases: one', 'mig-phases: µ two']],
  [5, ['mig-phases: last']],
])
const ENHANCED = 6
const OBSOLETE = 2
const SIMPLE = 3
const SECRETS = 10

interface CopyTold {
  readonly bytes: Uint8Array
  readonly marked: number
}

/** The pieces are lent: overwritten as soon as they were taken. */
function annotate(pieces: readonly Uint8Array[], onlyMarked = false, comments = MARKS): CopyTold {
  const parts: Uint8Array[] = []
  const copy = new AnnotatedCopy({ comments, onlyMarked }, (bytes) => parts.push(bytes.slice()))
  for (const piece of pieces) {
    const lent = Uint8Array.from(piece)
    copy.push(lent)
    lent.fill(0xdd)
  }
  copy.end()
  return { bytes: Uint8Array.from(Buffer.concat(parts)), marked: copy.marked }
}

const copied = (file: Uint8Array): Uint8Array => annotate([file]).bytes

interface Block {
  readonly type: number
  readonly little: boolean
  readonly bytes: Buffer
}

/** Whole blocks, read without the code that is tested. */
function blocks(file: Uint8Array): Block[] {
  const bytes = Buffer.from(file)
  const found: Block[] = []
  let little = true
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt32BE(at) === 0x0a0d0d0a) little = bytes[at + 8] === 0x4d
    const word = (offset: number): number =>
      little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset)
    const size = word(at + 4)
    expect(word(at + size - 4), 'the length stands at both ends').toBe(size)
    found.push({ type: word(at), little, bytes: bytes.subarray(at, at + size) })
    at += size
  }
  return found
}

const isPacket = ({ type }: Block): boolean => type === ENHANCED || type === OBSOLETE || type === SIMPLE

function optionsOf({ bytes, little }: Block, from: number): { code: number; value: Buffer }[] {
  const half = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const options = []
  for (let at = from; at < bytes.length - 4; ) {
    const [code, size] = [half(at), half(at + 2)]
    if (code === 0) break
    options.push({ code, value: bytes.subarray(at + 4, at + 4 + size) })
    at += 4 + Math.ceil(size / 4) * 4
  }
  return options
}

function commentsOf(block: Block): string[] {
  const captured = block.little ? block.bytes.readUInt32LE(20) : block.bytes.readUInt32BE(20)
  return optionsOf(block, 28 + Math.ceil(captured / 4) * 4)
    .filter(({ code }) => code === 1)
    .map(({ value }) => value.toString())
}

const OURS = (comment: string): boolean => comment.startsWith('mig-phases')
const oursByPacket = (file: Uint8Array): string[][] =>
  blocks(file)
    .filter(isPacket)
    .map((block) => (block.type === SIMPLE ? [] : commentsOf(block).filter(OURS)))

const EXPECTED = [1, 2, 3, 4, 5, 6].map((packet) => MARKS.get(packet) ?? [])

function anyCut(file: Uint8Array, onlyMarked = false): CopyTold {
  const whole = annotate([file], onlyMarked)
  for (let at = 1; at < file.length; at += 7)
    expect(annotate([file.subarray(0, at), file.subarray(at)], onlyMarked), `cut at ${at}`).toEqual(whole)
  expect(annotate(singles(file), onlyMarked), 'byte by byte').toEqual(whole)
  return whole
}

const ORDERS: readonly ByteOrder[] = ['little', 'big']
const FORMS = ['us', 'ns', 'modified'] as const

describe.each(ORDERS)('a pcap file, %s-endian', (byteOrder) => {
  test.each(FORMS)('%s: packets, lengths, stamps and link type go over as they are', (form) => {
    const file = pcap(PACKETS, { byteOrder, form, linkType: 113 })
    const { bytes, marked } = anyCut(file)
    const [before, after] = [read(file), read(bytes)]
    expect(after.packets).toEqual(before.packets)
    expect(after.summary.startEpochNs).toBe(before.summary.startEpochNs)
    expect(after.summary.stampNs).toBe(form === 'ns' ? 1 : 1000)
    expect(oursByPacket(bytes)).toEqual(EXPECTED)
    expect(marked).toBe(2)
  })

  test('check sequences stay, and the interface says that they are there', () => {
    const file = pcap(PACKETS, { byteOrder, fcsSize: 4 })
    const bytes = copied(file)
    expect(read(bytes).packets).toEqual(read(file).packets)
    const captured = blocks(bytes)
      .filter(isPacket)
      .map((block) => block.bytes.readUInt32LE(20))
    expect(captured).toEqual(PACKETS.map(({ frame }) => frame.length))
  })
})

test('a packet with a shorter length on the wire than captured keeps both', () => {
  const file = pcap([{ timeNs: START_NS, frame: new Uint8Array(60), originalLength: 50 }])
  const [packet] = blocks(copied(file)).filter(isPacket)
  expect([packet?.bytes.readUInt32LE(20), packet?.bytes.readUInt32LE(24)]).toEqual([60, 50])
})

describe.each(ORDERS)('a DPMI file, %s-endian', (byteOrder) => {
  const points = ['mp1', 'mp2', 'mp1', 'mp1', 'mp2', 'mp1']
  const file = dpmi(
    PACKETS.map((packet, i) => ({ ...packet, picoseconds: 999, point: points[i] as string })),
    { byteOrder },
  )
  const { bytes } = anyCut(file)

  test('packets and lengths go over, stamps rounded down to nanoseconds', () => {
    const [before, after] = [read(file), read(bytes)]
    expect(after.packets).toEqual(before.packets)
    expect(after.summary.startEpochNs).toBe(START_NS)
    expect(oursByPacket(bytes)).toEqual(EXPECTED)
  })

  test('each interface of each measurement point is an interface with its name', () => {
    expect(read(bytes).summary.interfaces).toEqual(['d00@mp1', 'd00@mp2'])
    const numbers = blocks(bytes)
      .filter(isPacket)
      .map((block) => block.bytes.readUInt32LE(8))
    expect(numbers).toEqual([0, 1, 0, 0, 1, 0])
  })

  test('the section says that picoseconds are gone', () => {
    const [section] = blocks(bytes)
    const comments = optionsOf(section as Block, 24).filter(({ code }) => code === 1)
    expect(comments.map(({ value }) => value.toString()).join()).toContain('picoseconds')
  })
})

/** Kinds of blocks that a copy must not touch, around the packets. */
function rich(byteOrder: ByteOrder): Pcapng {
  const file = new Pcapng(byteOrder)
    .interface({ resolution: 9 })
    .interface({ linkType: 113, offsetSeconds: 7n })
    .block(4, new Uint8Array(33))
  for (const packet of PACKETS.slice(0, 3)) file.enhanced(packet, 1, { drops: 1 })
  file.block(0x0bad, new Uint8Array(100).fill(9)).statistics(0, { byInterface: 3n })
  file.section(byteOrder === 'little' ? 'big' : 'little').interface()
  for (const packet of PACKETS.slice(3)) file.enhanced(packet)
  return file
}

describe.each(ORDERS)('a pcapng file, %s-endian first', (byteOrder) => {
  const file = rich(byteOrder).bytes()
  const { bytes, marked } = anyCut(file)
  const [before, after] = [blocks(file), blocks(bytes)]

  test('every block but the marked packets stays as it is', () => {
    expect(after.length).toBe(before.length)
    const changed = before.filter((block, i) => !block.bytes.equals(after[i]?.bytes as Buffer))
    expect(changed).toEqual(
      [2, 5].map((packet) => before.filter(isPacket)[packet - 1]).map((block) => block as Block),
    )
    expect(marked).toBe(2)
  })

  test('marked packets keep their options, behind the new comments', () => {
    expect(oursByPacket(bytes)).toEqual(EXPECTED)
    const [second] = after.filter(isPacket).slice(1)
    const [original] = before.filter(isPacket).slice(1)
    expect(commentsOf(second as Block)).toEqual([...(MARKS.get(2) ?? []), 'a comment'])
    const tail = original?.bytes.subarray(28 + 64, -4) ?? Buffer.alloc(0)
    expect(second?.bytes.subarray(-4 - tail.length, -4)).toEqual(tail)
  })

  test('is read as the same packets', () => {
    expect(read(bytes).packets).toEqual(read(file).packets)
  })
})

test('a packet without options gets comments and their end', () => {
  const plain = new Uint8Array(28).fill(7)
  new DataView(plain.buffer).setUint32(0, 0, true)
  new DataView(plain.buffer).setUint32(12, 8, true)
  const file = new Pcapng().interface().block(ENHANCED, plain).block(ENHANCED, plain).bytes()
  const second = blocks(copied(file)).filter(isPacket)[1]
  expect(commentsOf(second as Block)).toEqual(MARKS.get(2))
  expect(second?.bytes.readUInt32LE((second?.bytes.length ?? 0) - 8), 'opt_endofopt').toBe(0)
})

describe.each(ORDERS)('older kinds of packet blocks, %s-endian', (byteOrder) => {
  test('an obsolete packet block stays one and gets the comments', () => {
    const file = new Pcapng(byteOrder).interface()
    for (const packet of PACKETS) file.obsolete(packet)
    const { bytes } = anyCut(file.bytes())
    expect(
      blocks(bytes)
        .filter(isPacket)
        .map(({ type }) => type),
    ).toEqual(PACKETS.map(() => OBSOLETE))
    expect(oursByPacket(bytes)).toEqual(EXPECTED)
    expect(read(bytes).packets).toEqual(read(file.bytes()).packets)
  })

  test('a simple packet block becomes an enhanced one with the last stamp of its interface', () => {
    const [first, second, ...others] = PACKETS
    const file = new Pcapng(byteOrder).interface({ snapLength: 50 })
    if (first !== undefined) file.enhanced({ ...first, frame: first.frame.subarray(0, 50) })
    if (second !== undefined)
      file.simple({ frame: second.frame.subarray(0, 50), timeNs: 0n, originalLength: 61 })
    for (const packet of others) file.simple(packet)
    const { bytes } = anyCut(file.bytes())
    const [before, after] = [read(file.bytes()), read(bytes)]
    expect(after.packets).toEqual(before.packets)
    expect(oursByPacket(bytes)).toEqual(EXPECTED)
    const types = blocks(bytes).filter(isPacket)
    expect(types.map(({ type }) => type)).toEqual([ENHANCED, ENHANCED, SIMPLE, SIMPLE, ENHANCED, SIMPLE])
  })
})

test('a section that says its length says none afterwards', () => {
  const file = rich('little').bytes().slice()
  file.fill(1, 16, 24)
  expect([...copied(file).subarray(16, 24)]).toEqual(new Array(8).fill(0xff))
})

describe('what the reader passes over', () => {
  const start = new Pcapng().interface()
  for (const packet of PACKETS.slice(0, 4)) start.enhanced(packet)
  const rest = (file: Pcapng): Pcapng => {
    for (const packet of PACKETS.slice(4)) file.enhanced(packet)
    return file
  }
  const head = start.bytes()
  const tail = rest(new Pcapng().interface()).bytes()

  test('a block that is too large to be held is copied', () => {
    const large = new Pcapng().block(SECRETS, new Uint8Array(BLOCK_SIZE_MAX + 4000).fill(3)).bytes()
    const file = Buffer.concat([head, large, tail])
    const whole = annotate([file])
    expect(Buffer.from(whole.bytes).includes(Buffer.from(large))).toBe(true)
    expect(oursByPacket(whole.bytes)).toEqual(EXPECTED)
    for (const size of [1000, 65_536, head.length + 3, head.length + 29, file.length - tail.length - 1]) {
      const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.subarray(i * size, (i + 1) * size),
      )
      expect(Buffer.compare(annotate(pieces).bytes, whole.bytes), `pieces of ${size}`).toBe(0)
    }
  })

  test('damage is copied, and packets behind it are marked', () => {
    const junk = new Uint8Array(50).fill(0x55)
    const file = Uint8Array.from(Buffer.concat([head, junk, tail]))
    const { bytes, marked } = anyCut(file)
    expect(marked).toBe(2)
    expect(Buffer.from(bytes).includes(Buffer.from(junk))).toBe(true)
    expect(read(bytes).packets).toEqual(read(file).packets)
    expect(read(annotate([file], true).bytes).diagnostics, 'no damage among marked packets').toEqual([])
  })

  test('a record that was cut off is copied', () => {
    const file = rich('little').bytes()
    const cut = file.subarray(0, file.length - 5)
    const marks = new Map([[1, ['mig-phases: x']]])
    const added = annotate([file], false, marks).bytes.length - file.length
    const { bytes } = annotate([cut], false, marks)
    expect(bytes.length).toBe(cut.length + added)
    expect(bytes.subarray(-40)).toEqual(cut.subarray(-40))
  })
})

test('a packet that claims more bytes than its block has is left alone', () => {
  const [first] = PACKETS
  const liar = { timeNs: START_NS, frame: new Uint8Array(20), claimedLength: 4_000_000_000 }
  const file = new Pcapng().interface()
  if (first !== undefined) file.enhanced(first)
  const bytes = file.enhanced(liar).bytes()
  const told = annotate([bytes])
  expect(told.bytes).toEqual(bytes)
  expect(told.marked).toBe(0)
})

describe('only marked packets', () => {
  const kept = [PACKETS[1], PACKETS[4]].map((packet) => Buffer.from(packet?.frame ?? []).toString('hex'))

  test.each<[string, Uint8Array]>([
    ['pcap', pcap(PACKETS)],
    ['DPMI', dpmi(PACKETS)],
    ['pcapng', rich('big').bytes()],
  ])('of %s', (_, file) => {
    const { bytes, marked } = anyCut(file, true)
    expect(read(bytes).packets.map((packet) => packet.bytes)).toEqual(kept)
    expect(oursByPacket(bytes)).toEqual([...MARKS.values()])
    expect(marked).toBe(2)
  })

  test('of pcapng keep interfaces, names and statistics, not what is neither', () => {
    const types = blocks(annotate([rich('little').bytes()], true).bytes).map(({ type }) => type)
    expect(types).toEqual([0x0a0d0d0a, 1, 1, 4, ENHANCED, 5, 0x0a0d0d0a, 1, ENHANCED])
  })
})

test('a comment that is longer than an option can be is cut between characters', () => {
  const marks = new Map([[1, [`mig-phases: ${'µ'.repeat(40_000)}`]]])
  const { bytes } = annotate([pcap(PACKETS)], false, marks)
  const [comment] = oursByPacket(bytes)[0] ?? []
  expect(Buffer.byteLength(comment ?? '')).toBeGreaterThan(65_530)
  expect(comment).toMatch(/^mig-phases: µ+$/)
})
