import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Welford } from '../../src/stats/welford.ts'

/** Values are whole multiples of this, so that sums of them can be had exactly. */
const GRAIN = 2 ** -20

/** Mean and sample variance by exact arithmetic, rounded once at the end. */
function exact(values: readonly number[]): { mean: number; variance: number } {
  const n = BigInt(values.length)
  const grains = values.map((value) => BigInt(value / GRAIN))
  const sum = grains.reduce((total, grain) => total + grain, 0n)
  const squares = grains.reduce((total, grain) => total + grain * grain, 0n)
  return {
    mean: ratio(sum, n) * GRAIN,
    variance: ratio(n * squares - sum * sum, n * (n - 1n)) * GRAIN ** 2,
  }
}

function ratio(numerator: bigint, denominator: bigint): number {
  return Number((numerator << 80n) / denominator) / 2 ** 80
}

function welford(values: readonly number[]): Welford {
  const seen = new Welford()
  for (const value of values) seen.push(value)
  return seen
}

function expectExact(seen: Welford, values: readonly number[]): void {
  const { mean, variance } = exact(values)
  expect(seen.n).toBe(values.length)
  expect(Math.abs((seen.mean as number) - mean)).toBeLessThanOrEqual(1e-12 * Math.abs(mean))
  expect(Math.abs((seen.variance as number) - variance)).toBeLessThanOrEqual(1e-12 * variance)
  expect(seen.min).toBe(values.reduce((one, other) => Math.min(one, other)))
  expect(seen.max).toBe(values.reduce((one, other) => Math.max(one, other)))
}

/** Fractions of a second, spread without a pattern that matters. */
const small = Array.from({ length: 10_560 }, (_, i) => ((i * 7919) % 10_007) * 2 ** -14)

describe.each([
  ['small numbers', small],
  ['a billion and a little', small.map((value) => 1e9 + value)],
  ['a trillion less a little', small.map((value) => -(1e12 + Math.round(value * 64) / 64))],
  ['nothing, then a billion and a little', [0, ...small.map((value) => 1e9 + value)]],
  ['a billion and very little', small.map((value) => 1e9 + Math.round(value * 8) * GRAIN)],
])('%s', (_, values) => {
  it('one by one give the exact mean and variance to twelve digits', () => {
    expectExact(welford(values), values)
  })

  it('merged give what they give one by one', () => {
    const merged = new Welford()
    for (let start = 0; start < values.length; start += 997) {
      merged.merge(welford(values.slice(start, start + 997)))
    }
    expectExact(merged, values)
  })
})

it('any two parts merge to the whole', () => {
  const value = fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((grains) => grains * GRAIN)
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (one, other) => {
      const merged = welford(one)
      merged.merge(welford(other))
      const values = [...one, ...other]
      if (values.length < 2) return
      const { mean, variance } = exact(values)
      const reach = Math.max(...values.map(Math.abs))
      expect(Math.abs((merged.mean as number) - mean)).toBeLessThanOrEqual(1e-14 * reach)
      expect(Math.abs((merged.variance as number) - variance)).toBeLessThanOrEqual(1e-12 * variance)
    }),
  )
})

it('merging leaves the other as it was', () => {
  const other = welford([1, 2, 3])
  welford([10, 20]).merge(other)
  expect([other.n, other.mean, other.variance, other.min, other.max]).toEqual([3, 2, 1, 1, 3])
})

it('too few values are unknown, not zero', () => {
  const none = new Welford()
  expect([none.n, none.mean, none.variance, none.min, none.max]).toEqual([0, null, null, null, null])
  const one = welford([7])
  expect([one.n, one.mean, one.variance, one.min, one.max]).toEqual([1, 7, null, 7, 7])
  one.merge(none)
  none.merge(one)
  expect([none.n, none.mean, none.variance, none.min, none.max]).toEqual([1, 7, null, 7, 7])
})
