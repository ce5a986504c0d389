import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { CHUNK_PAGES, PageMap } from '../../../src/core/page-map.ts'
import { RamReader } from '../../../src/protocols/qemu-migration/ram.ts'
import { ByteWriter } from '../../support/qemu-stream.ts'

const ZERO = 0x22
const PAGE = 0x28
/** Of x86, and of larger ones, in which a chunk of the map goes across 4 GiB. */
const BITS = [12, 16, 30] as const

interface Run {
  /** First page; those of a run follow one another. */
  readonly page: number
  readonly count: number
  readonly flags: typeof ZERO | typeof PAGE
}

/** Around the ends of chunks and of 4 GiB, so that runs go across them and meet. */
const runs = (bits: number): fc.Arbitrary<Run[]> => {
  const perHigh = 2 ** (32 - bits)
  const page = fc
    .tuple(
      fc.constantFrom(0, CHUNK_PAGES, 3 * CHUNK_PAGES, perHigh, 2 * perHigh),
      fc.integer({ min: -4, max: 4 }),
    )
    .map(([base, offset]) => Math.max(0, base + offset))
  const count = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 200 }))
  const flags = fc.constantFrom<Run['flags'][]>(ZERO, ZERO, ZERO, PAGE)
  return fc.array(fc.record({ page, count, flags }), { minLength: 1, maxLength: 12 })
}

/** Contents are not written, as a page of 1 GiB would take it: the reader asks to skip them, so that a part ends there. */
function records(bits: number, all: readonly Run[]): Uint8Array[] {
  const parts = [new ByteWriter()]
  for (const { page, count, flags } of all)
    for (let index = 0; index < (flags === PAGE ? 1 : count); index++) {
      const part = parts.at(-1)?.u64((page + index) * 2 ** bits + flags)
      if (flags === ZERO) part?.u8(0)
      else parts.push(new ByteWriter())
    }
  return parts.map((part) => part.bytes())
}

/** Counts, and where rounds turned. */
function read(bits: number, parts: readonly Uint8Array[], bulk: boolean, withMap: boolean) {
  const ram = new RamReader()
  ram.setPageBits(bits)
  ram.map = withMap ? new PageMap(new BodyBudget(2 ** 30)) : null
  const turns: unknown[] = []
  let at = 0
  for (const bytes of parts) {
    let offset = 0
    while (offset < bytes.length) {
      const used = bulk ? ram.read(bytes, offset, bytes.length) : ram.readOne(bytes, offset, bytes.length)
      if (used <= 0) throw new Error(`${used} at ${at + offset}`)
      // A turn is told before the record that begins the round.
      if (ram.turned) turns.push([ram.countsBefore, ram.freshBefore])
      ram.turned = false
      ram.skip = 0
      offset += used
    }
    at += bytes.length
  }
  return { turns, counts: ram.counts() }
}

test.each(BITS)('records by the run give what records one by one give, pages of 2^%i bytes', (bits) => {
  fc.assert(
    fc.property(runs(bits), fc.boolean(), (all, withMap) => {
      const parts = records(bits, all)
      expect(read(bits, parts, true, withMap)).toEqual(read(bits, parts, false, withMap))
    }),
    { seed: 20261128, numRuns: 400 },
  )
})
