import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyBudget } from '../../src/core/body-budget.ts'
import { RATE_BINS_MAX } from '../../src/core/limits.ts'
import { PEAK_BIN_NS, peakRate, RATE_BIN_NS, RateSeries, sumRates } from '../../src/core/rate.ts'

const MS = 1e6

function series(points: readonly (readonly [number, number])[], budget = new BodyBudget()): RateSeries {
  const rates = new RateSeries(budget)
  for (const [ms, bytes] of points) rates.add(ms * MS, bytes)
  return rates
}

function total(rates: RateSeries): number {
  let sum = 0
  rates.forEach((_, bytes) => {
    sum += bytes
  })
  return sum
}

describe('a series', () => {
  test('adds up what falls into the same bin', () => {
    const bins: number[][] = []
    series([
      [12, 1],
      [19, 2],
      [20, 4],
      [15, 8],
      [-1, 16],
    ]).forEach((startNs, bytes) => {
      bins.push([startNs / MS, bytes])
    })
    expect(bins).toEqual([
      [10, 3],
      [20, 4],
      [10, 8],
      [-10, 16],
    ])
  })

  test('loses nothing when its bins get wider', () => {
    const rates = new RateSeries(new BodyBudget())
    const count = RATE_BINS_MAX + 1
    for (let i = 0; i < count; i++) rates.add(i * RATE_BIN_NS, 3)
    expect(rates.widthNs).toBe(10 * RATE_BIN_NS)
    expect(total(rates)).toBe(3 * count)
  })

  test.each([
    [RATE_BINS_MAX - 1, RATE_BIN_NS],
    [RATE_BINS_MAX, RATE_BIN_NS],
    [RATE_BINS_MAX + 1, 10 * RATE_BIN_NS],
  ])('of %i bins is %i ns wide', (count, width) => {
    const rates = new RateSeries(new BodyBudget())
    for (let i = 0; i < count; i++) rates.add(i * RATE_BIN_NS, 1)
    expect(rates.widthNs).toBe(width)
  })

  test('does with what room there is', () => {
    const budget = new BodyBudget(1000)
    const all = Array.from({ length: 10 }, () => new RateSeries(budget))
    for (let i = 0; i < 5000; i++) for (const rates of all) rates.add(i * 7 * MS, 1)
    expect(budget.used).toBeLessThanOrEqual(1000)
    for (const rates of all) expect(total(rates)).toBe(5000)
  })

  test('gives its room back and stays readable', () => {
    const budget = new BodyBudget()
    const rates = series(
      Array.from({ length: 1000 }, (_, i) => [i * 10, 1] as const),
      budget,
    )
    expect(budget.used).toBeGreaterThan(0)
    rates.release()
    expect(budget.used).toBe(0)
    expect(total(rates)).toBe(1000)
  })
})

describe('the sum of series', () => {
  test('begins on the grid of the bins, and bins without bytes are zero', () => {
    const one = series([
      [1005, 10],
      [1350, 20],
    ])
    const other = series([[1109, 5]])
    expect(sumRates([one, other], 1004 * MS, 100 * MS)).toEqual({
      startNs: 1000 * MS,
      widthNs: 100 * MS,
      bytes: [10, 5, 0, 20],
    })
  })

  test('counts what lies before its start to the first bin', () => {
    expect(sumRates([series([[10, 1]])], 500 * MS, 100 * MS).bytes).toEqual([1])
  })

  test('of nothing has no bins', () => {
    expect(sumRates([], 0, 100 * MS).bytes).toEqual([])
  })

  test('holds every byte, however the series are cut', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: -500, max: 1e6 }), fc.integer({ min: 1, max: 1e9 })))
    fc.assert(
      fc.property(fc.array(points, { maxLength: 4 }), fc.integer({ min: 0, max: 1e6 }), (lists, from) => {
        const all = lists.map((list) => series(list))
        const { bytes } = sumRates(all, from * MS, PEAK_BIN_NS)
        const sum = lists.flat().reduce((before, [, size]) => before + size, 0)
        expect(bytes.reduce((before, size) => before + size, 0)).toBe(sum)
      }),
    )
  })
})

test('a peak is that of the best 100 ms of all series together, from the start on', () => {
  const one = series([
    [1000, 1000],
    [1099, 1000],
  ])
  const other = series([
    [1050, 500],
    [1100, 2400],
  ])
  expect(peakRate([one], 1000 * MS)).toBe(2000 * 80)
  expect(peakRate([one, other], 1000 * MS)).toBe(2500 * 80)
  expect(peakRate([one, other], 1050 * MS)).toBe((2000 + 500 + 2400) * 80)
  expect(peakRate([], 0)).toBe(0)
})

describe('a series of a capture that goes on', () => {
  test('tells bytes since an instant', () => {
    const series = new RateSeries(new BodyBudget(1e6))
    for (let ms = 0; ms < 3000; ms += 10) series.add(ms * 1e6, 100)
    expect(series.since(2e9)).toBe(100 * 100)
    expect(series.since(2.995e9)).toBe(0)
    expect(series.since(-1)).toBe(300 * 100)
    expect(new RateSeries(new BodyBudget(1e6)).since(0)).toBe(0)
  })

  test('forgets what was before, gives its room back, and goes on', () => {
    const budget = new BodyBudget(1e6)
    const series = new RateSeries(budget)
    for (let ms = 0; ms < 10_000; ms += 10) series.add(ms * 1e6, 1)
    const full = budget.used
    series.forget(9.9e9)
    expect(budget.used).toBeLessThan(full / 8)
    const left: number[] = []
    series.forEach((startNs) => {
      left.push(startNs / 1e6)
    })
    expect(left).toEqual([9900, 9910, 9920, 9930, 9940, 9950, 9960, 9970, 9980, 9990])
    series.add(9.995e9, 1)
    series.add(10e9, 5)
    expect(series.since(9.99e9)).toBe(2 + 5)
    series.forget(99e9)
    expect(series.since(0)).toBe(0)
    series.add(100e9, 7)
    expect(series.since(0)).toBe(7)
    series.release()
    expect(budget.used).toBe(0)
  })
})
