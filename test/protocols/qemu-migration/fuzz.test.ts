import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RAM_BLOCKS_MAX } from '../../../src/core/limits.ts'
import { fuzz } from '../../support/fuzz.ts'
import {
  type Decoded,
  decodePieces,
  facts,
  type Kind,
  type Piece,
  segments,
} from '../../support/qemu-cuts.ts'
import { QemuStream, ReturnStream } from '../../support/qemu-stream.ts'

const MIB = 0x100000
const SEED = 20260101

const modern = new QemuStream()
  .header()
  .configuration('pc-q35-9.0', { pageBits: 12, capabilities: ['multifd'] })
  .command(1)
  .blockStart()
  .ramStart([
    { name: 'pc.ram', size: MIB },
    { name: 'vga.vram', size: MIB },
  ])
  .ram('part', (ram) => {
    for (let page = 0; page < 60; page++) ram.zero('pc.ram', page * 4096)
    ram.page('vga.vram', 0x1000, 0x08).page('pc.ram', 0).page('pc.ram', 0x1000, 0x22).zero('pc.ram', 0x2000)
    ram.xbzrle('pc.ram', 0, new Uint8Array(100)).compressed('pc.ram', 0x1000, new Uint8Array(50).fill(1))
  })
  .opaqueStart('dirty-bitmap', 7, 0x7e)
  .packaged((inner) => inner.command(4).full('timer', 3))
  .ram('end')
  .full('cpu', 0x7e)
  .eof()
  .vmDescription()
  .bytes()

const old = new QemuStream({ footers: false })
  .header()
  .ramStart([{ name: 'pc.ram', size: MIB }])
  .ram('part', (ram) => ram.zero('pc.ram', 0, 0xcc).page('pc.ram', 0x1000).zero('pc.ram', 0x2000))
  .ram('end')
  .full('timer', 0)
  .eof()
  .bytes()

const back = new ReturnStream()
  .pong(1)
  .requestPages(0, 4096, 'pc.ram')
  .requestPages(4096, 4096)
  .shut()
  .bytes()

/** Where bytes are overwritten, by what, and where bytes are missing. */
const mutation = fc.record({
  writes: fc.array(
    fc.tuple(fc.nat(100_000), fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 0x10, 0x22, 0x28, 0x7e, 0xff)),
    {
      maxLength: 8,
    },
  ),
  gaps: fc.array(fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 9000 })), { maxLength: 4 }),
  segment: fc.constantFrom(1, 5, 64, 536, 1448, 100_000),
})

interface Mutation {
  readonly writes: readonly (readonly [number, number])[]
  readonly gaps: readonly (readonly [number, number])[]
  readonly segment: number
}

function mutate(bytes: Uint8Array, { writes, gaps, segment }: Mutation): [Piece[], Piece[]] {
  const copy = bytes.slice()
  for (const [at, value] of writes) copy[at % copy.length] = value
  const holes = new Uint8Array(copy.length)
  for (const [at, size] of gaps) holes.fill(1, at % copy.length, (at % copy.length) + size)
  const runs: Piece[] = []
  for (let o = 0; o < copy.length; ) {
    let end = o
    while (end < copy.length && holes[end] === holes[o]) end++
    runs.push(holes[o] === 1 ? end - o : copy.subarray(o, end))
    o = end
  }
  const cut = runs.flatMap<Piece>((run) => (typeof run === 'number' ? [run] : segments(run, segment)))
  return [runs, cut]
}

function expectSane(decoded: Decoded, size: number): void {
  const ends = decoded.events.filter(({ type }) => type === 'qemu.end')
  expect(ends).toHaveLength(1)
  expect(decoded.events.at(-1)?.type).toBe('qemu.end')
  expect(decoded.end?.bytes).toBe(size)
  expect(decoded.events.length).toBeLessThan(size + 2)
  for (const event of decoded.events) expect(event.first.packet).toBeLessThanOrEqual(event.last.packet)
}

describe('a damaged stream', () => {
  it.each<[string, Uint8Array, Kind]>([
    ['of today', modern, 'migration'],
    ['of old', old, 'migration'],
    ['joined under way', modern.subarray(300), 'mid-stream'],
    ['of old, joined under way', old.subarray(70), 'mid-stream'],
  ])('%s throws nothing, ends once, and gives the same facts however it is cut', (_name, bytes, kind) => {
    fc.assert(
      fc.property(mutation, (damage) => {
        const [runs, cut] = mutate(bytes, damage)
        const whole = decodePieces(runs, kind)
        expectSane(whole, bytes.length)
        const again = decodePieces(cut, kind)
        expectSane(again, bytes.length)
        expect(facts(again)).toEqual(facts(whole))
        expect(again.diagnostics.map(({ message }) => message)).toEqual(
          whole.diagnostics.map(({ message }) => message),
        )
      }),
      fuzz(1500, SEED),
    )
  })

  it('of the return path does not either', () => {
    fc.assert(
      fc.property(mutation, (damage) => {
        const [runs, cut] = mutate(back, {
          ...damage,
          gaps: damage.gaps.map(([at, size]) => [at, (size % 30) + 1]),
        })
        expect(facts(decodePieces(cut, 'return-path'))).toEqual(facts(decodePieces(runs, 'return-path')))
      }),
      fuzz(1500, SEED),
    )
  })

  it('of anything at all is survived', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, behindHeader) => {
        const head = behindHeader ? modern.subarray(0, 200) : modern.subarray(0, 8)
        expectSane(decodePieces([head, bytes]), head.length + bytes.length)
        expectSane(decodePieces([bytes], 'mid-stream'), bytes.length)
        decodePieces([bytes], 'return-path')
      }),
      fuzz(1500, SEED),
    )
  })
})

describe('limits', () => {
  const listOf = (count: number) => {
    const blocks = Array.from({ length: count }, (_each, index) => ({ name: `block${index}`, size: 4096 }))
    return decodePieces(
      segments(
        new QemuStream()
          .header()
          .ramStart(blocks)
          .ram('end', (ram) => ram.zero(`block${count - 1}`, 0))
          .eof()
          .bytes(),
        1448,
      ),
    )
  }

  it.each([
    [RAM_BLOCKS_MAX - 1, RAM_BLOCKS_MAX - 1, []],
    [RAM_BLOCKS_MAX, RAM_BLOCKS_MAX, []],
    [RAM_BLOCKS_MAX + 1, RAM_BLOCKS_MAX, ['qemu.ram-blocks', 'qemu.rounds-unknown']],
  ])('of %i RAM blocks %i are listed', (count, listed, codes) => {
    const decoded = listOf(count)
    const list = decoded.events.find((event) => event.type === 'qemu.ram-blocks')
    expect(list?.blocks).toHaveLength(listed)
    expect(list?.totalBytes).toBe(count * 4096)
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(codes)
    expect(decoded.end).toMatchObject({ complete: true, pages: { zero: 1 } })
  })

  it('believes no machine name over 255 bytes', () => {
    const named = (size: number) =>
      decodePieces([new QemuStream().header().configuration('m'.repeat(size)).command(1).bytes()])
    expect(named(255).events.map(({ type }) => type)).toContain('qemu.configuration')
    expect(named(256).diagnostics.map(({ code }) => code)).toEqual(['qemu.desync'])
  })

  it('looks at each byte a bounded number of times, whatever it looks like', () => {
    // Streams made to keep the search busy: each takes a few milliseconds per MiB.
    const size = 4 * MIB
    const patterns = [
      '00 00 00 00 00 00 00 28',
      '7e 00 00',
      '00',
      '7e 00 00 00 03',
      '00 00 00 00 00 00 00 10',
      '22',
    ]
    for (const pattern of patterns) {
      const one = pattern.split(' ').map((byte) => Number.parseInt(byte, 16))
      const bytes = Uint8Array.from({ length: size }, (_each, o) => one[o % one.length] ?? 0)
      const time = (pieces: Piece[]) => {
        const start = performance.now()
        decodePieces(pieces, 'mid-stream')
        return performance.now() - start
      }
      time(segments(bytes.subarray(0, MIB), 1448))
      const quarter = time(segments(bytes.subarray(0, MIB), 1448))
      const whole = time(segments(bytes, 1448))
      expect(whole, pattern).toBeLessThan(20 * quarter + 200)
    }
  })
})
