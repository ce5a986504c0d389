import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  HOLE_PATIENCE_NS,
  HOLE_PATIENCE_PACKETS,
  REASSEMBLY_BYTES_MAX,
  REASSEMBLY_SEGMENTS_MAX,
  REASSEMBLY_TOTAL_BYTES_MAX,
  SEGMENT_OVERHEAD,
  SEQUENCE_JUMP_MAX,
} from '../../src/core/limits.ts'
import { HalfStream, ReassemblyPool } from '../../src/net/reassembly.ts'
import { fuzz } from '../support/fuzz.ts'
import { ascii, ByteRecorder, type Delivered } from './tap.ts'

/** A half with a recorder; packets are numbered by hand. */
class Subject {
  readonly pool: ReassemblyPool
  readonly half: HalfStream
  readonly recorder = new ByteRecorder()
  readonly isn: number

  constructor(isn = 999, pool = new ReassemblyPool()) {
    this.isn = isn
    this.pool = pool
    this.half = new HalfStream(pool)
    this.half.decoder = this.recorder
  }

  syn(): this {
    this.half.syn(this.isn)
    return this
  }

  /** `captured` bytes of the payload were kept. The bytes are lent. */
  segment(offset: number, bytes: Uint8Array, packet: number, captured = bytes.length, timeNs = 0): this {
    const lent = bytes.slice()
    const sequence = this.sequence(offset)
    this.half.segment(sequence, lent, 0, captured, bytes.length, { packet, timeNs })
    lent.fill(0xdd)
    return this
  }

  say(offset: number, text: string, packet: number, timeNs = 0): this {
    return this.segment(offset, ascii(text), packet, text.length, timeNs)
  }

  acknowledge(offset: number, packet: number, timeNs = 0): this {
    this.half.acknowledged(this.sequence(offset), { packet, timeNs })
    return this
  }

  fin(offset: number, packet: number): this {
    this.half.fin(this.sequence(offset), { packet, timeNs: 0 })
    return this
  }

  close(packet: number): this {
    this.half.close({ packet, timeNs: 0 })
    return this
  }

  /** Of a byte of the stream, which begins behind the SYN. */
  sequence(offset: number): number {
    return (this.isn + 1 + offset) >>> 0
  }
}

/** A segment of the property: where, how long, how much of it was kept, and the seed of its bytes. */
const segmentArbitrary = (size: number) =>
  fc.record({
    at: fc.nat(size - 1),
    size: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: size })),
    cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(10)),
    fill: fc.nat(255),
  })

const story = fc.integer({ min: 1, max: 300 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    // The sequence number wraps inside the stream, right at its ends, or not at all.
    isn: fc.oneof(
      fc.nat(0xffffffff),
      fc.nat(size + 2).map((back) => 0xffffffff - back),
    ),
    segments: fc.array(segmentArbitrary(size), { maxLength: 40 }),
    // After which segment the FIN was seen; past the end: never.
    finAfter: fc.nat(60),
    sawSyn: fc.boolean(),
  }),
)

/** Each byte of the stream, told by the first segment that holds it. Slow and obvious. */
class ByteMap {
  readonly cells: (Delivered | undefined)[] = []
  base = 0
  started = false
  payload = 0
  repeated = 0
  uncaptured = 0

  put(at: number, bytes: Uint8Array, captured: number, packet: number): void {
    if (!this.started) this.base = at
    this.started = true
    bytes.forEach((value, i) => {
      const position = at + i
      if (position < this.base || this.cells[position] !== undefined) {
        this.repeated++
        return
      }
      this.cells[position] = [i < captured ? value : null, packet]
      this.payload++
      if (i >= captured) this.uncaptured++
    })
  }

  /** What can be delivered without waiting. */
  contiguous(): Delivered[] {
    const found: Delivered[] = []
    for (let i = this.base; this.cells[i] !== undefined; i++) found.push(this.cells[i] as Delivered)
    return found
  }

  whole(end: number): (Delivered | null)[] {
    return Array.from({ length: Math.max(0, end - this.base) }, (_, i) => this.cells[this.base + i] ?? null)
  }
}

test('any segments: each byte once, in order, as first seen, by the packet that first had it; the rest is gaps', () => {
  fc.assert(
    fc.property(story, ({ size, isn, segments, finAfter, sawSyn }) => {
      const subject = new Subject(isn)
      const map = new ByteMap()
      if (sawSyn) subject.syn()
      if (sawSyn) map.started = true
      let packet = 1
      let sawFin = false
      segments.forEach((segment, index) => {
        packet++
        const length = Math.min(segment.size, size - segment.at)
        const bytes = Uint8Array.from({ length }, (_, i) => (segment.fill + 3 * i) & 0xff)
        const captured = Math.max(0, length - segment.cut)
        subject.segment(segment.at, bytes, packet, captured)
        map.put(segment.at, bytes, captured, packet)
        if (index === finAfter) {
          subject.fin(size, ++packet)
          sawFin = true
        }
        expect(subject.recorder.delivered).toEqual(map.contiguous())
        expect(subject.pool.heldBytes > 0).toBe(subject.pool.waiting.size > 0)
      })
      subject.close(++packet)

      const last = map.cells.length
      const whole = map.whole(sawFin ? size : last)
      expect(subject.recorder.values).toEqual(whole.map((cell) => cell?.[0] ?? null))
      subject.recorder.delivered.forEach(([, by], i) => {
        const cell = whole[i]
        if (cell) expect(by).toBe(cell[1])
      })
      expect(subject.recorder.ends).toBe(1)
      expect(subject.half).toMatchObject({
        payloadBytes: map.payload,
        retransmittedBytes: map.repeated,
        missingBytes: map.uncaptured + whole.filter((cell) => cell === null).length,
        lostBytes: whole.filter((cell) => cell === null).length,
      })
      expect(subject.pool.heldBytes).toBe(0)
      expect(subject.pool.waiting.size).toBe(0)
    }),
    fuzz(3000, 20260101),
  )
})

test('without a decoder nothing is kept, and what was captured does not count as missing', () => {
  fc.assert(
    fc.property(story, ({ size, isn, segments }) => {
      const subject = new Subject(isn).syn()
      subject.half.decoder = null
      const map = new ByteMap()
      map.started = true
      segments.forEach((segment, index) => {
        const bytes = new Uint8Array(Math.min(segment.size, size - segment.at))
        subject.segment(segment.at, bytes, index + 2)
        map.put(segment.at, bytes, bytes.length, index + 2)
        expect(subject.pool.heldBytes % SEGMENT_OVERHEAD).toBe(0)
      })
      subject.fin(size, 100).close(101)
      expect(subject.half).toMatchObject({
        payloadBytes: map.payload,
        retransmittedBytes: map.repeated,
        missingBytes: size - map.payload,
      })
    }),
    fuzz(500, 3),
  )
})

describe('a stream', () => {
  test('longer than 2^32 bytes keeps its place', () => {
    const subject = new Subject(0xfffffff0).syn()
    const block = new Uint8Array(0x40000000 - 1)
    subject.half.decoder = null
    for (let i = 0; i < 9; i++) {
      const at = { packet: i + 1, timeNs: i }
      subject.half.segment(subject.sequence(i * block.length), block, 0, 0, block.length, at)
    }
    expect(subject.half.payloadBytes).toBe(9 * block.length)
    expect(subject.half.missingBytes).toBe(9 * block.length)
    expect(subject.half.retransmittedBytes).toBe(0)
    expect(subject.half.isOtherSyn(subject.isn)).toBe(false)
    expect(subject.half.isOtherSyn(subject.isn + 1)).toBe(true)
  })

  test('ends once all before its FIN was delivered', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).fin(4, 3)
    expect(subject.recorder.ends).toBe(0)
    subject.say(2, 'cd', 4)
    expect(subject.recorder.text).toBe('abcd')
    expect(subject.recorder.ends).toBe(1)
  })

  test('ends once early segments before its FIN were delivered', () => {
    const subject = new Subject().syn().say(2, 'cd', 2).fin(4, 3)
    expect(subject.recorder.ends).toBe(0)
    expect(subject.say(0, 'ab', 4).recorder).toMatchObject({ text: 'abcd', ends: 1 })
  })

  test('whose last bytes were lost ends with a gap when it is closed', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).fin(5, 3).close(9)
    expect(subject.recorder).toMatchObject({ text: 'ab___', ends: 1 })
    expect(subject.half).toMatchObject({ missingBytes: 3, lostBytes: 3 })
  })

  test('whose last bytes and FIN were lost ends with what the peer acknowledged', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).acknowledge(6, 3).close(9)
    expect(subject.recorder).toMatchObject({ text: 'ab___', ends: 1 })
  })

  test('is not lengthened by the acknowledgement of its FIN', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).fin(2, 3).acknowledge(3, 4).close(9)
    expect(subject.recorder).toMatchObject({ text: 'ab', ends: 1 })
    expect(subject.half.missingBytes).toBe(0)
  })
})

describe('a hole that the peer acknowledged', () => {
  const holed = () => new Subject().syn().say(0, 'ab', 2).say(4, 'ef', 10).acknowledge(6, 20)
  const after = (subject: Subject, packets: number) => {
    subject.pool.expire({ packet: 20 + packets, timeNs: 0 })
    return subject
  }

  test('is waited for with patience, then given up', () => {
    const subject = after(holed(), HOLE_PATIENCE_PACKETS - 1)
    expect(subject.recorder.text).toBe('ab')
    expect(after(subject, HOLE_PATIENCE_PACKETS).recorder.text).toBe('ab__ef')
    expect(subject.half.missingBytes).toBe(2)
    expect(subject.pool).toMatchObject({ heldBytes: 0 })
    expect(subject.recorder.delivered.slice(2).map(([, packet]) => packet)).toEqual([10, 10, 10, 10])
  })

  test('may still be filled before', () => {
    const subject = after(holed(), HOLE_PATIENCE_PACKETS - 1).say(2, 'cd', 300)
    expect(subject.recorder.text).toBe('abcdef')
    expect(subject.half.missingBytes).toBe(0)
  })

  test('is not filled afterwards: a late segment is a retransmission', () => {
    const subject = after(holed(), HOLE_PATIENCE_PACKETS).say(2, 'cd', 300)
    expect(subject.recorder.text).toBe('ab__ef')
    expect(subject.half).toMatchObject({ missingBytes: 2, retransmittedBytes: 2, payloadBytes: 4 })
  })

  test('counts from the acknowledgement, even one that came before the early segment', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).acknowledge(6, 5).say(4, 'ef', 20)
    expect(after(subject, HOLE_PATIENCE_PACKETS - 1).recorder.text).toBe('ab')
    expect(after(subject, HOLE_PATIENCE_PACKETS).recorder.text).toBe('ab__ef')
  })

  test('is only covered by an acknowledgement of all of it', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).say(4, 'ef', 10).acknowledge(3, 20)
    expect(after(subject, 100 * HOLE_PATIENCE_PACKETS).recorder.text).toBe('ab')
  })

  test('does not take the next one with it', () => {
    const subject = new Subject().syn().say(1, 'b', 2).say(3, 'd', 3).acknowledge(2, 20)
    after(subject, HOLE_PATIENCE_PACKETS)
    expect(subject.recorder.text).toBe('_b')
    after(subject.acknowledge(4, 500), 480 + HOLE_PATIENCE_PACKETS)
    expect(subject.recorder.text).toBe('_b_d')
  })
})

describe('a hole that nobody acknowledged', () => {
  const holed = () => new Subject().syn().say(0, 'ab', 2, 1000).say(4, 'ef', 10, 5000)

  test('is waited for until the time limit, whatever passes', () => {
    const subject = holed()
    subject.pool.expire({ packet: 1_000_000, timeNs: 5000 + HOLE_PATIENCE_NS })
    expect(subject.recorder.text).toBe('ab')
    subject.pool.expire({ packet: 1_000_001, timeNs: 5001 + HOLE_PATIENCE_NS })
    expect(subject.recorder.text).toBe('ab__ef')
  })

  test('is shown to those who order events', () => {
    const subject = new Subject().syn().say(0, 'ab', 2)
    expect(subject.pool.oldestHole()).toBe(Number.POSITIVE_INFINITY)
    subject.say(4, 'ef', 10).say(8, 'ij', 12)
    expect(subject.pool.oldestHole()).toBe(10)
    subject.say(2, 'cd', 14)
    expect(subject.pool.oldestHole()).toBe(12)
    subject.say(6, 'gh', 15)
    expect(subject.pool.oldestHole()).toBe(Number.POSITIVE_INFINITY)
  })

  test('in a direction that nobody reads holds nobody up', () => {
    const subject = new Subject().syn()
    subject.half.decoder = null
    subject.say(4, 'ef', 10)
    expect(subject.pool.oldestHole()).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('numbers far ahead', () => {
  const FAR = SEQUENCE_JUMP_MAX + 100

  test.each([FAR, 2 ** 30, 2 ** 31 - 10])('of a single segment, %i bytes, are not believed', (far) => {
    const subject = new Subject().syn().say(0, 'ab', 2).say(far, 'wild', 3).say(2, 'cd', 4)
    expect(subject.half.holeSince).toBe(0)
    expect(subject.close(9).recorder).toMatchObject({ text: 'abcd', ends: 1 })
    expect(subject.half).toMatchObject({ payloadBytes: 4, missingBytes: 0 })
  })

  /** Sizes of pieces, with those of gaps negative: byte by byte, such gaps are too many. */
  function measured(): { subject: Subject; sizes: number[] } {
    const [subject, sizes] = [new Subject(), [] as number[]]
    subject.half.decoder = {
      push: (_bytes, start, end) => sizes.push(end - start),
      gap: (size) => sizes.push(-size),
      end: () => {},
    }
    return { subject: subject.syn().say(0, 'ab', 2), sizes }
  }

  test('are believed when the next segment goes on there: the capture lost a long stretch', () => {
    const { subject, sizes } = measured()
    subject
      .say(FAR, 'ef', 3)
      .say(FAR + 2, 'gh', 4)
      .close(9)
    expect(sizes).toEqual([2, -FAR, 2])
  })

  test('are believed when acknowledgements go on there', () => {
    const { subject, sizes } = measured()
    subject
      .acknowledge(FAR, 3)
      .acknowledge(FAR + 2, 4)
      .say(FAR, 'ef', 5)
      .close(9)
    expect(sizes).toEqual([2, 2 - FAR, 2])
  })

  test('of a single acknowledgement or FIN lengthen nothing', () => {
    const subject = new Subject().syn().say(0, 'ab', 2).acknowledge(FAR, 3).fin(FAR, 4).say(2, 'cd', 5)
    expect(subject.close(9).recorder).toMatchObject({ text: 'abcd', ends: 1 })
    expect(subject.half.missingBytes).toBe(0)
  })

  test('of a RST are not believed', () => {
    const subject = new Subject()
    expect(subject.half.isNear(subject.sequence(FAR))).toBe(true)
    subject.syn().say(0, 'ab', 2)
    expect(subject.half.isNear(subject.sequence(2))).toBe(true)
    expect(subject.half.isNear(subject.sequence(2 - FAR))).toBe(false)
    expect(subject.half.isNear(subject.sequence(2 + FAR))).toBe(false)
  })
})

describe('a segment ahead that is not of the stream', () => {
  const withStray = () => new Subject().syn().say(0, 'ab', 2, 1000).say(10_000, 'wild', 3, 2000)

  test('holds nobody up as long as the stream goes on', () => {
    const subject = withStray()
    subject.say(2, 'cd', 4, HOLE_PATIENCE_NS)
    subject.pool.expire({ packet: 5, timeNs: 3000 + HOLE_PATIENCE_NS })
    expect(subject.say(4, 'ef', 6, 4000 + HOLE_PATIENCE_NS).recorder.text).toBe('abcdef')
  })

  test('is forgotten when the peer, who has all else, never acknowledges it', () => {
    const subject = withStray().acknowledge(2, 4)
    subject.pool.expire({ packet: 5, timeNs: 2001 + HOLE_PATIENCE_NS })
    expect(subject.pool).toMatchObject({ heldBytes: 0 })
    expect(subject.pool.waiting.size).toBe(0)
    expect(subject.say(2, 'cd', 6).recorder.text).toBe('abcd')
  })
})

describe('memory', () => {
  const KIB64 = new Uint8Array(65536)
  const COST = KIB64.length + SEGMENT_OVERHEAD
  const COUNT = Math.floor(REASSEMBLY_BYTES_MAX / COST)
  const REST = REASSEMBLY_BYTES_MAX - COUNT * COST - SEGMENT_OVERHEAD

  /** Early segments behind a hole of one byte that fill the limit up to `below` bytes. */
  function full(pool: ReassemblyPool, below = 0): Subject {
    const subject = new Subject(1, pool).syn()
    subject.half.decoder = { push: () => {}, gap: () => {}, end: () => {} }
    let packet = 2
    for (let i = 0; i < COUNT; i++) subject.segment(1 + i * KIB64.length, KIB64, packet++)
    return subject.segment(1 + COUNT * KIB64.length, new Uint8Array(REST - below), packet)
  }

  test.each([
    ['one byte below', 1],
    ['at', 0],
  ])('%s the limit of one direction, a hole is kept', (_name, below) => {
    const subject = full(new ReassemblyPool(), below)
    expect(subject.half.missingBytes).toBe(0)
    expect(subject.pool.heldBytes).toBe(REASSEMBLY_BYTES_MAX - below)
  })

  test('one byte above the limit of one direction, it is given up', () => {
    const subject = full(new ReassemblyPool(), -1)
    expect(subject.half.missingBytes).toBe(1)
    expect(subject.pool.heldBytes).toBe(0)
  })

  test('all directions together have a limit too', () => {
    const pool = new ReassemblyPool()
    const count = REASSEMBLY_TOTAL_BYTES_MAX / REASSEMBLY_BYTES_MAX
    const subjects = Array.from({ length: count }, () => full(pool))
    expect(pool.heldBytes).toBe(REASSEMBLY_TOTAL_BYTES_MAX)
    const more = new Subject(1, pool).syn().say(5, 'x', 9)
    expect(more.recorder.text).toBe('_____x')
    expect(pool.heldBytes).toBe(REASSEMBLY_TOTAL_BYTES_MAX)
    for (const subject of subjects) subject.close(99)
    expect(pool.heldBytes).toBe(0)
  })

  test('many tiny segments meet the limit by their number', () => {
    const subject = new Subject().syn()
    subject.half.decoder = { push: () => {}, gap: () => {}, end: () => {} }
    const byte = Uint8Array.of(1)
    for (let i = 0; i < REASSEMBLY_SEGMENTS_MAX; i++) subject.segment(2 * i + 1, byte, i)
    expect(subject.half.missingBytes).toBe(0)
    for (let i = 0; i < 100; i++) subject.segment(2 * (REASSEMBLY_SEGMENTS_MAX + i) + 1, byte, i)
    expect(subject.half.missingBytes).toBe(100)
    expect(subject.pool.heldBytes).toBe(REASSEMBLY_SEGMENTS_MAX * (1 + SEGMENT_OVERHEAD))
  })
})

describe('payload over time', () => {
  test('counts each byte once, at the packet that carried it first', () => {
    const subject = new Subject().syn()
    expect(subject.half.rates).toBeNull()
    const at = (ms: number, offset: number, size: number) =>
      subject.segment(offset, new Uint8Array(size), 1, size, ms * 1e6)
    at(1000, 0, 1000)
    at(1010, 2000, 500) // early
    at(1020, 0, 1000) // seen before
    at(1030, 1000, 1000) // fills the hole
    const bins: [number, number][] = []
    subject.half.rates?.forEach((startNs, bytes) => {
      bins.push([startNs / 1e6, bytes])
    })
    expect(bins).toEqual([
      [1000, 1000],
      [1010, 500],
      [1030, 1000],
    ])
  })
})
