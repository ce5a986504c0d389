import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { ROUNDS_MAX } from '../../../src/core/limits.ts'
import { CHUNK_BYTES, PageMap } from '../../../src/core/page-map.ts'
import type { QemuRound } from '../../../src/events/qemu.ts'
import { type Decoded, decodePieces, expectAnyCut, segments, without } from '../../support/qemu-cuts.ts'
import { QemuStream, type RamRecords } from '../../support/qemu-stream.ts'

const PAGE = 4096
const BLOCKS = [
  { name: 'pc.ram', size: 0x1000000 },
  { name: 'vga.vram', size: 0x100000 },
]

const begin = (footers = true) => new QemuStream({ footers }).header().ramStart(BLOCKS)
const rounds = (decoded: Decoded): QemuRound[] =>
  decoded.events.filter((event) => event.type === 'qemu.round')
/** Pages and repeated pages of each round. */
const shape = (decoded: Decoded) =>
  rounds(decoded).map(({ pages, repeatedPages }) => [
    pages.normal + pages.zero + pages.xbzrle + pages.compressed,
    repeatedPages,
  ])

describe('a round', () => {
  it('ends at the first page that repeats, whatever the kind and the section', () => {
    const stream = begin()
      .ram('part', (ram) => ram.page('pc.ram', 0).zero('pc.ram', PAGE).zero('vga.vram', PAGE))
      .ram('part', (ram) => ram.page('pc.ram', 2 * PAGE).xbzrle('pc.ram', 0, new Uint8Array(20)))
      .ram('part', (ram) => ram.compressed('pc.ram', PAGE, new Uint8Array(30)))
      .ram('end', (ram) => ram.page('pc.ram', PAGE))
      .eof()
    const decoded = expectAnyCut([stream.bytes()], 'migration', 7)
    expect(rounds(decoded).map(({ index, pages }) => [index, pages])).toEqual([
      [0, { normal: 2, zero: 2, xbzrle: 0, compressed: 0 }],
      [1, { normal: 0, zero: 0, xbzrle: 1, compressed: 1 }],
      [2, { normal: 1, zero: 0, xbzrle: 0, compressed: 0 }],
    ])
    expect(shape(decoded).map(([, repeated]) => repeated)).toEqual([0, 2, 1])
    expect(decoded.end).toMatchObject({ rounds: 3, complete: true })
    expect(decoded.diagnostics).toEqual([])
  })

  it('may hold pages that no round had sent before', () => {
    const stream = begin().ram('part', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', PAGE))
    stream.ram('end', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', 5 * PAGE)).eof()
    expect(shape(decodePieces([stream.bytes()]))).toEqual([
      [2, 0],
      [2, 1],
    ])
  })

  it('names the packets where it begins and where the next one does, and its bytes', () => {
    const stream = begin().ram('part', (ram) => ram.page('pc.ram', 0))
    const boundary = stream.size + 5
    stream.ram('end', (ram) => ram.page('pc.ram', 0)).eof()
    const bytes = stream.bytes()
    const [first, second] = rounds(decodePieces([bytes.subarray(0, boundary), bytes.subarray(boundary)]))
    expect(first).toMatchObject({ first: { packet: 1 }, last: { packet: 2 } })
    expect(second).toMatchObject({ first: { packet: 2 }, last: { packet: 2 } })
    expect(first?.bytes).toBe(8 + 7 + PAGE + 8 + 5 + 5)
  })

  it('is the last at the switch to post-copy: requested pages begin none', () => {
    const stream = begin().ram('part', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', PAGE))
    stream.command(6, new Uint8Array(20)).packaged((inner) => inner.command(4).full('cpu', 1).command(5))
    stream
      .ram('part', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', 0))
      .ram('end')
      .eof()
    const decoded = expectAnyCut([stream.bytes()])
    expect(shape(decoded)).toEqual([[2, 0]])
    expect(decoded.end?.rounds).toBe(1)
  })

  it('is raised at the end of a stream that breaks off', () => {
    const bytes = begin(false)
      .ram('part', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', 0))
      .bytes()
    expect(shape(decodePieces([bytes.subarray(0, bytes.length - 3)]))).toEqual([
      [1, 0],
      [1, 1],
    ])
  })

  it('does not care for missing contents, but cannot be told where records are missing', () => {
    const stream = begin().ram('part', (ram) => ram.page('pc.ram', 0).page('pc.ram', PAGE))
    const bytes = stream.ram('end', (ram) => ram.page('pc.ram', 0)).bytes()
    expect(decodePieces(without(bytes, 1000, 2000)).end?.rounds).toBe(2)
    expect(decodePieces(without(bytes, 1000, 6000)).end?.rounds).toBeNull()
    expect(decodePieces([bytes.subarray(90)], 'mid-stream').end?.rounds).toBeNull()
  })
})

it('agrees with a plain set of pages', () => {
  const page = fc.tuple(fc.constantFrom('pc.ram', 'vga.vram'), fc.nat(40), fc.boolean())
  fc.assert(
    fc.property(fc.array(fc.array(page, { maxLength: 30 }), { maxLength: 6 }), (sections) => {
      const stream = begin()
      const expected: [number, number][] = []
      const ever = new Set<string>()
      let seen = new Set<string>()
      const write = (ram: RamRecords, pages: (typeof sections)[number]) => {
        for (const [block, number, zero] of pages) {
          const key = `${block} ${number}`
          if (seen.has(key) || expected.length === 0) {
            for (const each of seen) ever.add(each)
            seen = new Set()
            expected.push([0, 0])
          }
          seen.add(key)
          const round = expected.at(-1) as [number, number]
          round[0]++
          if (ever.has(key)) round[1]++
          if (zero) ram.zero(block, number * PAGE)
          else ram.page(block, number * PAGE)
        }
      }
      for (const pages of sections) stream.ram('part', (ram) => write(ram, pages))
      const bytes = stream.ram('end').eof().bytes()
      expect(shape(decodePieces(segments(bytes, 1448)))).toEqual(expected)
    }),
    { seed: 20260101, numRuns: 300 },
  )
})

describe('limits', () => {
  it.each([
    [ROUNDS_MAX - 1, ROUNDS_MAX - 1, []],
    [ROUNDS_MAX, ROUNDS_MAX, ['qemu.rounds']],
    [ROUNDS_MAX + 5, ROUNDS_MAX, ['qemu.rounds']],
  ])('of %i rounds %i are told apart', (count, told, codes) => {
    const stream = begin().ram('part', (ram) => {
      for (let i = 0; i < count; i++) ram.zero('pc.ram', 0)
    })
    const decoded = decodePieces(segments(stream.ram('end').eof().bytes(), 1448))
    expect(decoded.end?.rounds).toBe(told)
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(codes)
    const last = rounds(decoded).at(-1)
    expect(last?.pages.zero).toBe(count - told + 1)
  })

  it('of memory: a page that finds no room makes the map blind', () => {
    const budget = new BodyBudget(2 * CHUNK_BYTES)
    const map = new PageMap(budget)
    for (const page of [0, 1, 16_383, 2 ** 33]) expect(map.add(page)).toBe(true)
    expect([map.add(0), map.add(2 ** 33)]).toEqual([false, false])
    expect(map.blind).toBe(false)
    expect(map.turn()).toBe(4)
    expect(map.add(2 ** 33 + 16_384)).toBe(true)
    expect(map.blind).toBe(true)
    map.free()
    expect(budget.used).toBe(0)
  })

  it.each([
    [2 ** 36 - 1, false],
    [2 ** 36, true],
  ])('of a block: page %i makes the map blind: %s', (page, blind) => {
    const map = new PageMap(new BodyBudget(CHUNK_BYTES))
    map.add(page)
    expect(map.blind).toBe(blind)
  })
})
