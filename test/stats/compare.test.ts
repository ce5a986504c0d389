import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Comparison,
  compareMetrics,
  holm,
  mannWhitneyTest,
  type Pair,
  welchTest,
} from '../../src/stats/compare.ts'
import { sampleWith } from '../support/samples.ts'
import { OZONE, SLEEP } from './published.ts'

describe("Welch's test", () => {
  it('gives what R prints for two drugs', () => {
    // ?t.test: t.test(extra ~ group, data = sleep), which subtracts the second group from the first.
    const test = welchTest(SLEEP.second, SLEEP.first)
    expect(test?.t).toBeCloseTo(-1.8608, 4)
    expect(test?.df).toBeCloseTo(17.776, 3)
    expect(test?.p).toBeCloseTo(0.07939, 5)
    expect(test?.ci95_low).toBeCloseTo(-3.3654832, 6)
    expect(test?.ci95_high).toBeCloseTo(0.2054832, 6)
  })

  it('has an interval that holds 0 just when p is above 0.05', () => {
    const limit = (difference: number) => welchTest(sampleWith(10, 1, 8), sampleWith(10 + difference, 2, 5))
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (difference) => {
        const test = limit(difference)
        if (test === null || Math.abs(test.p - 0.05) < 1e-6) return
        expect(test.ci95_low < 0 && test.ci95_high > 0).toBe(test.p > 0.05)
      }),
    )
  })

  it('needs two values a side, and some spread', () => {
    expect(welchTest([1], [1, 2, 3])).toBeNull()
    expect(welchTest([1, 2, 3], [])).toBeNull()
    expect(welchTest([1, 1, 1], [2, 2])).toBeNull()
    expect(welchTest([1, 1, 1], [2, 3])?.df).toBe(1)
  })
})

describe("Mann and Whitney's test", () => {
  // ?wilcox.test, permeability of membranes (Hollander & Wolfe 1973): W = 35, one-sided p = 0.1272
  const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
  const early = [1.15, 0.88, 0.9, 0.74, 1.21]

  it('gives the exact p that R prints for values without ties', () => {
    const test = mannWhitneyTest(early, term)
    expect(test).toMatchObject({ u: 35, method: 'exact' })
    expect(test?.p).toBeCloseTo(2 * 0.1272, 4)
  })

  it('gives the approximate p that R prints for values with ties', () => {
    // ?wilcox.test: Ozone ~ Month of May and August: W = 127.5, p-value = 0.0001208
    const test = mannWhitneyTest(OZONE.august, OZONE.may)
    expect(test).toMatchObject({ u: 127.5, method: 'normal' })
    expect(test?.p).toBeCloseTo(0.0001208, 7)
  })

  it('counts the pairs that the candidate wins', () => {
    expect(mannWhitneyTest([1, 2], [3, 4, 5])?.u).toBe(6)
    expect(mannWhitneyTest([3, 4, 5], [1, 2])?.u).toBe(0)
    expect(mannWhitneyTest([1, 3], [1, 2, 3])?.u).toBe(3)
  })

  it.each([
    [1, 1],
    [2, 3],
    [4, 4],
    [5, 3],
    [3, 6],
  ])('of %i and %i values has the p that counting all orders gives', (n1, n2) => {
    const orders = subsets(n1 + n2, n2)
    const us = orders.map((places) => places.reduce((sum, place, i) => sum + place - i, 0))
    for (const [index, candidate] of orders.entries()) {
      const u = us[index] as number
      const baseline = Array.from({ length: n1 + n2 }, (_, i) => i).filter((i) => !candidate.includes(i))
      const asFar = us.filter(
        (other) => Math.abs(other - (n1 * n2) / 2) >= Math.abs(u - (n1 * n2) / 2),
      ).length
      const test = mannWhitneyTest(baseline, candidate)
      expect(test?.u).toBe(u)
      expect(test?.p).toBeCloseTo(asFar / orders.length, 12)
    }
  })

  it('is exact up to 49 values a side', () => {
    const ramp = (n: number, start: number) => Array.from({ length: n }, (_, i) => start + 2 * i)
    const exact = mannWhitneyTest(ramp(49, 0), ramp(49, 21))
    const normal = mannWhitneyTest(ramp(50, 0), ramp(49, 21))
    expect([exact?.method, normal?.method]).toEqual(['exact', 'normal'])
    // scipy 1.17.1: mannwhitneyu(…, method='exact')
    expect(exact?.p).toBeCloseTo(0.0009595747152989116, 15)
  })

  it('of equal values shows nothing', () => {
    expect(mannWhitneyTest([2, 2, 2], [2, 2, 2, 2])).toEqual({ u: 6, p: 1, method: 'normal' })
  })

  it('needs a value a side', () => {
    expect(mannWhitneyTest([], [1, 2])).toBeNull()
    expect(mannWhitneyTest([1, 2], [])).toBeNull()
  })
})

describe("Holm's correction", () => {
  it('gives what R gives', () => {
    // p.adjust(p, 'holm')
    expect(rounded(holm([0.01, 0.02, 0.03, 0.04, 0.05]))).toEqual([0.05, 0.08, 0.09, 0.09, 0.09])
    expect(rounded(holm([0.01, 0.04, 0.03, 0.005]))).toEqual([0.03, 0.06, 0.06, 0.02])
  })

  it('does not count what was not tested', () => {
    expect(rounded(holm([null, 0.02, null, 0.04]))).toEqual([null, 0.04, null, 0.04])
  })

  it('keeps the order, never lowers a p and ends at 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
        const corrected = holm(ps) as number[]
        ps.forEach((p, i) => {
          expect(corrected[i]).toBeGreaterThanOrEqual(p)
          expect(corrected[i]).toBeLessThanOrEqual(1)
          ps.forEach((other, j) => {
            if (p < other) expect(corrected[i]).toBeLessThanOrEqual(corrected[j] as number)
          })
        })
      }),
    )
  })
})

describe('a comparison', () => {
  it('gives difference, ratio and percent of the candidate against the baseline', () => {
    const comparison = compareOne(sampleWith(2, 0.1, 10), sampleWith(3, 0.1, 12))
    expect(comparison).toMatchObject({ n_baseline: 10, n_candidate: 12, verdict: 'different', warnings: [] })
    expect(comparison.difference).toBeCloseTo(1, 12)
    expect(comparison.ratio).toBeCloseTo(1.5, 12)
    expect(comparison.percent).toBeCloseTo(50, 10)
    expect(comparison.p).toBe(comparison.welch?.p)
    expect(comparison.welch?.t).toBeGreaterThan(0)
    expect(comparison.mann_whitney?.u).toBe(120)
  })

  it('shows no difference where chance explains it', () => {
    expect(compareOne(SLEEP.first, SLEEP.second).verdict).toBe('~')
  })

  it('is decided after correction for the number of metrics', () => {
    const near = { id: 'near', baseline: sampleWith(10, 1, 10), candidate: sampleWith(11, 1, 10) }
    const same = { id: 'same', baseline: sampleWith(5, 1, 10), candidate: sampleWith(5, 1, 10) }
    expect(compareMetrics([near])[0]).toMatchObject({ id: 'near', verdict: 'different' })
    const [first, second] = compareMetrics([near, same])
    expect(first?.p).toBeLessThan(0.05)
    expect(first?.p_holm).toBeCloseTo(2 * (first?.p as number), 12)
    expect(first?.verdict).toBe('~')
    expect(second?.verdict).toBe('~')
    expect(compareMetrics([near, same], 0.1)[0]?.verdict).toBe('different')
  })

  it('has no ratio where a mean is not positive', () => {
    expect(compareOne([0, 0, 0, 0, 0], [1, 2, 3, 4, 5])).toMatchObject({
      difference: 3,
      ratio: null,
      percent: null,
    })
  })

  it('without values on a side says nothing', () => {
    expect(compareOne([], [1, 2, 3])).toMatchObject({
      mean_baseline: null,
      difference: null,
      welch: null,
      mann_whitney: null,
      p: null,
      p_holm: null,
      verdict: null,
      warnings: ['no_test'],
    })
  })

  it('warns of fewer than 5 values a side', () => {
    expect(compareOne(sampleWith(1, 0.1, 4), sampleWith(9, 0.1, 5))).toMatchObject({
      verdict: 'different',
      warnings: ['few_samples'],
    })
    expect(compareOne(sampleWith(1, 0.1, 5), sampleWith(9, 0.1, 5)).warnings).toEqual([])
    expect(compareOne([1], [2]).warnings).toEqual(['few_samples'])
  })

  it('of sides that do not vary is decided by the ranks', () => {
    const [low, high] = [Array(6).fill(100), Array(6).fill(101)]
    expect(compareOne(low, high)).toMatchObject({
      welch: null,
      verdict: 'different',
      warnings: ['no_spread'],
    })
    expect(compareOne(low, low)).toMatchObject({ welch: null, p: 1, verdict: '~', warnings: ['no_spread'] })
  })

  it('warns where means and ranks disagree, as they do when one run is far off', () => {
    const baseline = [1, 1.01, 1.02, 1.03, 1.04, 1.05]
    const candidate = [1.1, 1.11, 1.12, 1.13, 1.14, 30]
    expect(compareOne(baseline, candidate)).toMatchObject({ verdict: '~', warnings: ['tests_disagree'] })
  })

  it('does not hold against the ranks that so few values cannot show anything', () => {
    // The rarest order of 3 and 4 values has p = 2/35.
    const comparison = compareOne(sampleWith(1, 0.1, 3), sampleWith(9, 0.1, 4))
    expect(comparison.mann_whitney?.p).toBeCloseTo(2 / 35, 12)
    expect(comparison).toMatchObject({ verdict: 'different', warnings: ['few_samples'] })
  })

  it('of the same two samples the other way round is the same, turned round', () => {
    const time = fc.array(fc.double({ min: 0.001, max: 1000, noNaN: true }), { maxLength: 12 })
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [there, back] = [compareOne(one, other), compareOne(other, one)]
        expect(there.p ?? -1).toBeCloseTo(back.p ?? -1, 9)
        expect(there.difference).toBe(back.difference === null ? null : 0 - back.difference)
        expect(there.warnings).toEqual(back.warnings)
        for (const p of [there.p, there.p_holm]) expect(p === null || (p >= 0 && p <= 1)).toBe(true)
      }),
    )
  })

  it('has finite numbers only, whatever the values', () => {
    const any = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 })
    fc.assert(
      fc.property(any, any, (one, other) => {
        for (const value of numbersOf(compareOne(one, other))) expect(Number.isFinite(value)).toBe(true)
      }),
    )
  })
})

function compareOne(baseline: Pair['baseline'], candidate: Pair['candidate']): Comparison {
  return compareMetrics([{ id: 'transfer', baseline, candidate }])[0] as Comparison
}

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersOf) : []
}

/** All choices of `k` of the numbers below n, ascending. */
function subsets(n: number, k: number): number[][] {
  if (k === 0) return [[]]
  if (n < k) return []
  return [...subsets(n - 1, k), ...subsets(n - 1, k - 1).map((rest) => [...rest, n - 1])]
}

function rounded(ps: readonly (number | null)[]): (number | null)[] {
  return ps.map((p) => (p === null ? null : Number(p.toFixed(10))))
}
