import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyBudget } from '../../src/core/body-budget.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import {
  CHANNELS_MAX,
  PARALLEL_PACKETS_MAX,
  RAM_BLOCKS_MAX,
  ROUND_MAPS_TOTAL_MAX,
  ROUNDS_MAX,
} from '../../src/core/limits.ts'
import { CHUNK_BYTES } from '../../src/core/page-map.ts'
import type { Connection } from '../../src/events/connection.ts'
import type { MultifdPacket } from '../../src/events/multifd.ts'
import type { QemuSection } from '../../src/events/qemu.ts'
import { ParallelRounds } from '../../src/phases/parallel-rounds.ts'

const PAGE = 65536
/** Pages of a full packet. */
const FULL = 8
const CHANNELS = Array.from({ length: CHANNELS_MAX + 1 }, (_, id) => ({ id }) as Connection)
const MAIN = { id: -1 } as Connection

/** A parallel migration whose packets are captured one after another, at one a microsecond. */
class Scene {
  readonly diagnostics = new Diagnostics()
  readonly rounds: ParallelRounds
  readonly budget: BodyBudget
  readonly #opened: number
  #at = 0

  constructor(channels: number, budget = new BodyBudget(ROUND_MAPS_TOTAL_MAX)) {
    this.budget = budget
    this.rounds = new ParallelRounds(budget, this.diagnostics)
    this.#opened = channels
    for (let id = 0; id < channels; id++) this.open(id)
  }

  open(id: number): this {
    const uuid = ''
    this.rounds.event({ type: 'multifd.channel', ...this.#base(id), channel: id, uuid })
    return this
  }

  packet(id: number, number: number, normal: readonly number[], more: Partial<MultifdPacket> = {}): this {
    this.rounds.event({
      type: 'multifd.packet',
      ...this.#base(id),
      number,
      sync: false,
      block: 'pc.ram',
      pageSizeBytes: PAGE,
      offsets: Float64Array.from(normal, (page) => page * PAGE),
      normal: normal.length,
      zero: 0,
      size: 1000,
      ...more,
    })
    return this
  }

  sync(id: number, number: number, normal: readonly number[] = []): this {
    return this.packet(id, number, normal, { sync: true })
  }

  section(zero: number): this {
    const { connection: _, ...base } = this.#base(0)
    const pages = { normal: 0, zero, xbzrle: 0, compressed: 0 }
    const facts = { kind: 'part', id: 2, name: 'ram', size: 100, pages } as const
    this.rounds.event({ type: 'qemu.section', ...base, connection: MAIN, ...facts } satisfies QemuSection)
    return this
  }

  end(id: number, known = true): this {
    const pages = known ? { normal: 0, zero: 0, xbzrle: 0, compressed: 0 } : null
    const facts = { bytes: 0, packets: 0, pages, compression: null, complete: true }
    this.rounds.event({ type: 'multifd.end', ...this.#base(id), ...facts })
    return this
  }

  /** All channels end, and the main stream. */
  endAll(): this {
    for (let id = 0; id < this.#opened; id++) this.end(id)
    const facts = {
      bytes: 0,
      pages: null,
      pageSizeBytes: PAGE,
      rounds: 0,
      memoryBytes: null,
      storageBytes: 0,
    }
    this.rounds.event({ type: 'qemu.end', ...this.#base(0), connection: MAIN, ...facts, complete: true })
    return this
  }

  /** Pages, and repeated ones, of each round. */
  shape(): unknown {
    const rounds = this.rounds.finish()
    return rounds?.map(({ pages, repeatedPages }) => [pages.normal + pages.zero, repeatedPages]) ?? null
  }

  codes(): string[] {
    return this.diagnostics.list().map(({ code }) => code)
  }

  #base(id: number) {
    const at = { packet: ++this.#at, timeNs: this.#at * 1000 }
    return { connection: CHANNELS[id] as Connection, direction: 'to-server', first: at, last: at } as const
  }
}

describe('packets of several channels', () => {
  it('are one sequence: the first page that repeats begins a round, whichever channel carries it', () => {
    const scene = new Scene(2)
      .packet(0, 0, [0, 1])
      .packet(1, 1, [2, 3])
      .packet(1, 2, [1, 4])
      .packet(0, 3, [5, 2])
    expect(scene.endAll().shape()).toEqual([
      [4, 0],
      [4, 2],
    ])
    expect(scene.rounds.reason).toBeNull()
  })

  it('count by their numbers: a channel that lags behind makes no round', () => {
    // Page 2 of the first round passes last of all.
    const scene = new Scene(2)
    scene.packet(0, 0, [0, 1]).packet(0, 2, [0, 1]).packet(0, 3, [2]).packet(1, 1, [2])
    expect(scene.endAll().shape()).toEqual([
      [3, 0],
      [3, 3],
    ])
  })

  it('wait for one that has only said its name, but not for one that is over', () => {
    const scene = new Scene(2).packet(0, 5, [0]).packet(1, 3, [7])
    scene.end(1).packet(0, 6, [0])
    expect(scene.budget.used).toBeGreaterThan(0)
    expect(scene.endAll().shape()).toEqual([
      [2, 0],
      [1, 1],
    ])
    expect(scene.budget.used).toBeLessThan(CHUNK_BYTES)
  })

  it('need not have all numbers: a SYNC may take one over, and leave its own twice', () => {
    const scene = new Scene(2).sync(0, 0).sync(1, 1).packet(0, 2, [0, 1])
    // Number 3 became 5, which then comes once more.
    scene.sync(0, 4).sync(1, 5, [2, 3]).packet(1, 5, []).packet(1, 6, [0])
    expect(scene.endAll().shape()).toEqual([
      [4, 0],
      [1, 1],
    ])
  })

  it('of a channel that turns up late spoil the order, unless they are empty', () => {
    const late = () => new Scene(1).packet(0, 3, [0]).packet(0, 4, [1]).open(1).sync(1, 1)
    expect(late().packet(1, 5, [0]).endAll().shape()).toHaveLength(2)
    const spoiled = late().packet(1, 2, [9])
    expect(spoiled.endAll().shape()).toBeNull()
    expect(spoiled.rounds.reason).toMatch(/order/)
    expect(spoiled.budget.used).toBe(0)
  })

  it('of different blocks have different pages', () => {
    const scene = new Scene(1).packet(0, 0, [0]).packet(0, 1, [0], { block: 'vga.vram' }).packet(0, 2, [0])
    expect(scene.endAll().shape()).toEqual([
      [2, 0],
      [1, 1],
    ])
  })

  it('agree with a plain list that is dealt to the channels', () => {
    const packets = fc.array(
      fc.tuple(fc.nat(3), fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 5 }), fc.nat(9)),
    )
    fc.assert(
      fc.property(packets, (list) => {
        const plain = new Scene(1)
        for (const [number, [, pages]] of list.entries()) plain.packet(0, number, pages)
        const dealt = new Scene(4)
        const captured = list.map(([channel, pages, lag], number) => ({
          channel,
          pages,
          number,
          at: number + lag,
        }))
        // Each channel keeps its order.
        for (const each of captured)
          for (const other of captured)
            if (other.channel === each.channel && other.number < each.number)
              each.at = Math.max(each.at, other.at)
        captured.sort((a, b) => a.at - b.at || a.number - b.number)
        for (const { channel, number, pages } of captured) dealt.packet(channel, number, pages)
        expect(dealt.endAll().shape()).toEqual(plain.endAll().shape())
      }),
      { seed: 20260101, numRuns: 500 },
    )
  })
})

describe('a page that QEMU sends twice', () => {
  const full = Array.from({ length: FULL }, (_, page) => page)
  const last = FULL - 1

  it('as the last of a full packet and the first of the next one, makes no round', () => {
    const scene = new Scene(1).packet(0, 0, full).packet(0, 1, [last, 20])
    expect(scene.endAll().shape()).toEqual([[FULL + 2, 0]])
  })

  it('does so too when a SYNC put packets between the two', () => {
    const scene = new Scene(2).packet(0, 0, full).sync(0, 3, [30]).sync(1, 4, [last, 20])
    expect(scene.endAll().shape()).toEqual([[FULL + 3, 0]])
  })

  it('but begins a round when it is not the first, or the packet was not full, or a SYNC lies between', () => {
    expect(new Scene(1).packet(0, 0, full).packet(0, 1, [20, last]).endAll().shape()).toHaveLength(2)
    expect(new Scene(1).packet(0, 0, full.slice(1)).packet(0, 1, [last, 20]).endAll().shape()).toHaveLength(2)
    expect(new Scene(1).packet(0, 0, full).sync(0, 1).packet(0, 2, [last]).endAll().shape()).toHaveLength(2)
  })
})

describe('zero pages', () => {
  it('in packets (QEMU 9) are pages like others', () => {
    const offsets = Float64Array.of(3 * PAGE, 0, PAGE)
    const scene = new Scene(1).packet(0, 0, [], { offsets, normal: 1, zero: 2 }).packet(0, 1, [1])
    const rounds = scene.endAll().rounds.finish()
    expect(rounds?.map(({ pages }) => [pages.normal, pages.zero])).toEqual([
      [1, 2],
      [1, 0],
    ])
  })

  it('on the main channel count in the round under way at the time, with their bytes', () => {
    const scene = new Scene(1).section(5).packet(0, 0, [0, 1]).section(7).packet(0, 1, [0]).section(1)
    const rounds = scene.endAll().rounds.finish()
    expect(rounds?.map(({ pages, repeatedPages, bytes }) => [pages.zero, repeatedPages, bytes])).toEqual([
      [12, 0, 1200],
      [1, 1, 1100],
    ])
  })
})

describe('a round begins', () => {
  const firsts = (scene: Scene) =>
    scene
      .endAll()
      .rounds.finish()
      ?.map(({ first }) => first.packet)

  it('where its first packet was captured, which need not be that with the lowest number', () => {
    // The channels open with packets 1 and 2.
    const scene = new Scene(2).packet(0, 0, [0]).packet(0, 1, [1]).packet(0, 3, [0]).packet(1, 2, [1])
    expect(firsts(scene)).toEqual([3, 5])
  })

  it('no later than the next one, whose first packet may overtake its own', () => {
    expect(firsts(new Scene(3).packet(0, 0, [0, 1]).packet(2, 2, [0]).packet(1, 1, [0]))).toEqual([4, 5, 5])
  })

  it('and ends with the last packet that is captured of it', () => {
    const rounds = new Scene(2).packet(0, 0, [0]).packet(0, 2, [1]).packet(1, 1, [2]).endAll().rounds.finish()
    expect(rounds?.map(({ last }) => last.packet)).toEqual([5])
  })
})

describe('are not known', () => {
  it('where the offsets of a packet or the head of one are missing', () => {
    const blank = new Scene(1).packet(0, 0, [0]).packet(0, 1, [], { offsets: null, normal: 3 })
    expect(blank.endAll().shape()).toBeNull()
    const lost = new Scene(2).packet(0, 0, [0]).end(1, false)
    expect(lost.endAll().shape()).toBeNull()
    for (const { rounds } of [blank, lost]) expect(rounds.reason).toMatch(/missing from the capture/)
  })

  it.each([
    [PARALLEL_PACKETS_MAX - 1, false],
    [PARALLEL_PACKETS_MAX, false],
    [PARALLEL_PACKETS_MAX + 1, true],
  ])('where one channel is %i packets behind: %s', (count, unknown) => {
    const scene = new Scene(2)
    for (let number = 1; number <= count; number++) scene.packet(0, number, [number])
    expect(scene.endAll().shape()).toEqual(unknown ? null : [[count, 0]])
    expect(scene.codes()).toEqual(unknown ? ['multifd.rounds-unknown'] : [])
    expect(scene.budget.used).toBe(0)
  })

  it.each([
    [CHANNELS_MAX, false],
    [CHANNELS_MAX + 1, true],
  ])('with %i channels: %s', (count, unknown) => {
    expect(new Scene(count).packet(0, 0, [0]).endAll().rounds.finish() === null).toBe(unknown)
  })

  it.each([
    [RAM_BLOCKS_MAX, false],
    [RAM_BLOCKS_MAX + 1, true],
  ])('with %i blocks: %s', (count, unknown) => {
    const scene = new Scene(1, new BodyBudget(1e9))
    for (let number = 0; number < count; number++) scene.packet(0, number, [0], { block: `${number}` })
    expect(scene.endAll().shape() === null).toBe(unknown)
  })

  it('where the map or the packets that wait find no room, which then is free for others', () => {
    const room = new Scene(1, new BodyBudget(CHUNK_BYTES + 1000)).packet(0, 0, [0])
    expect(room.packet(0, 1, [1]).endAll().shape()).toEqual([[2, 0]])
    const crowded = new Scene(1, new BodyBudget(CHUNK_BYTES + 1000)).packet(0, 0, [0]).packet(0, 1, [2 ** 20])
    const waiting = new Scene(2, new BodyBudget(1000)).packet(0, 0, [0]).packet(0, 1, [1])
    for (const scene of [crowded, waiting]) {
      expect(scene.endAll().shape()).toBeNull()
      expect(scene.codes()).toEqual(['multifd.rounds-unknown'])
      expect(scene.budget.used).toBe(0)
    }
  })
})

it.each([
  [ROUNDS_MAX - 1, ROUNDS_MAX - 1, []],
  [ROUNDS_MAX, ROUNDS_MAX, ['multifd.rounds']],
  [ROUNDS_MAX + 5, ROUNDS_MAX, ['multifd.rounds']],
])('of %i rounds %i are told apart', (count, told, codes) => {
  const scene = new Scene(1)
  for (let number = 0; number < count; number++) scene.packet(0, number, [0])
  const rounds = scene.endAll().rounds.finish()
  expect(rounds).toHaveLength(told)
  expect(rounds?.at(-1)?.pages.normal).toBe(count - told + 1)
  expect(scene.codes()).toEqual(codes)
})
