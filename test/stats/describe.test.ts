import fc from 'fast-check'
import { expect, it, describe as suite } from 'vitest'
import { describe } from '../../src/stats/describe.ts'
import { sampleWith } from '../support/samples.ts'

/** Univariate data sets of NIST's Statistical Reference Datasets, with certified mean and standard deviation. Each is a first
 *  value, then two others in turn. @see NIST StRD, NumAcc1 to NumAcc4 */
const NIST = [
  { name: 'NumAcc1', values: [10000001, 10000003, 10000002], mean: 10000002, sd: 1 },
  { name: 'NumAcc2', values: [1.2, ...turns(1.1, 1.3)], mean: 1.2, sd: 0.1 },
  { name: 'NumAcc3', values: [1000000.2, ...turns(1000000.1, 1000000.3)], mean: 1000000.2, sd: 0.1 },
  { name: 'NumAcc4', values: [10000000.2, ...turns(10000000.1, 10000000.3)], mean: 10000000.2, sd: 0.1 },
] as const

function turns(one: number, other: number): number[] {
  return Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? one : other))
}

suite('a sample', () => {
  it.each(NIST)('has the certified mean and standard deviation: $name', ({ values, mean, sd }) => {
    const description = describe(values)
    expect(description.n).toBe(values.length)
    expect(description.mean).toBeCloseTo(mean, 14 - Math.ceil(Math.log10(mean)))
    // What the decimal fractions lose as doubles is all that is lost.
    expect(Math.abs((description.sd as number) / sd - 1)).toBeLessThan(1e-8)
  })

  it('has the figures of a worked example', () => {
    // ss = 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, t(7) = 2.3646
    const description = describe([2, 4, 4, 4, 5, 5, 7, 9])
    expect(description).toMatchObject({ n: 8, mean: 5, median: 4.5, min: 2, max: 9, max_min_ratio: 4.5 })
    expect(description.sd).toBeCloseTo(Math.sqrt(32 / 7), 12)
    expect(description.cov).toBeCloseTo(Math.sqrt(32 / 7) / 5, 12)
    expect(description.ci95_half_width).toBeCloseTo(2.36462425 * Math.sqrt(32 / 7 / 8), 6)
    expect(description.ci95_low).toBeCloseTo(5 - 2.36462425 * Math.sqrt(32 / 7 / 8), 6)
    expect(description.ci95_high).toBeCloseTo(5 + 2.36462425 * Math.sqrt(32 / 7 / 8), 6)
  })

  it('has a wider interval by t than by the normal distribution', () => {
    // Published 97.5 % quantiles: t(4) = 2.776, t(29) = 2.045, normal 1.960.
    const widths = (n: number) =>
      (['t', 'normal'] as const).map(
        (ci) => describe(sampleWith(10, Math.sqrt(n), n), ci).ci95_half_width ?? 0,
      )
    expect(widths(5)[0]).toBeCloseTo(2.776, 3)
    expect(widths(5)[1]).toBeCloseTo(1.959964, 12)
    expect(widths(30)[0]).toBeCloseTo(2.045, 3)
    expect(widths(30)[1]).toBeCloseTo(1.959964, 12)
  })

  it('has the type 7 median', () => {
    expect(describe([9, 1, 5]).median).toBe(5)
    expect(describe([9, 1, 5, 6]).median).toBe(5.5)
  })

  it('is not put in order', () => {
    const values = Object.freeze([3, 1, 2])
    describe(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('without values has no figures', () => {
    const { n, outliers, ...rest } = describe([])
    expect({ n, outliers }).toEqual({ n: 0, outliers: [] })
    expect(Object.values(rest).every((figure) => figure === null)).toBe(true)
    expect(Object.keys(describe([])).sort()).toEqual(Object.keys(describe([1])).sort())
  })

  it('of one value has no spread', () => {
    expect(describe([3])).toEqual({
      ...describe([]),
      n: 1,
      mean: 3,
      median: 3,
      min: 3,
      max: 3,
    })
  })

  it('of equal values has exactly no spread', () => {
    // The sum of these three, divided by 3, is not 0.1 again.
    expect(describe([0.1, 0.1, 0.1])).toMatchObject({
      mean: 0.1,
      sd: 0,
      ci95_low: 0.1,
      ci95_high: 0.1,
      cov: 0,
    })
  })

  it('has its standard deviation also where the mean had to be rounded', () => {
    // The mean is a third more than 2^52, which no double holds; the sum of squares is 2/3.
    expect(describe([2 ** 52, 2 ** 52, 2 ** 52 + 1]).sd).toBeCloseTo(Math.sqrt(1 / 3), 12)
  })

  it('has no ratios where zero is among them or below', () => {
    expect(describe([0, 1, 2])).toMatchObject({ max_min_ratio: null, cov: 1 })
    expect(describe([-1, 0, 1])).toMatchObject({ max_min_ratio: null, cov: null })
    expect(describe([-3, -2, -1])).toMatchObject({ max_min_ratio: null, cov: null })
  })

  it('holds finite numbers', () => {
    expect(() => describe([1, Number.NaN])).toThrow('finite')
    expect(() => describe([1, Number.POSITIVE_INFINITY])).toThrow('finite')
  })
})

suite('outliers', () => {
  it('lie more than 1.5 interquartile ranges beyond the quartiles', () => {
    // Quartiles (type 7) of 1 … 9 with one replaced: 3 and 7, fences -3 and 13.
    expect(describe([13, 2, 3, 4, 5, 6, 7, 8, 1]).outliers).toEqual([])
    expect(describe([13.01, 2, 3, 4, 5, 6, 7, 8, 1]).outliers).toEqual([0])
    expect(describe([9, 2, 3, 4, 5, 6, 7, 8, -3.01]).outliers).toEqual([8])
  })

  it('are part of all other figures', () => {
    expect(describe([1, 1, 1, 1, 1, 7])).toMatchObject({ n: 6, mean: 2, max: 7, outliers: [5] })
  })

  it('are not looked for below 5 values', () => {
    expect(describe([1, 1, 1, 1000]).outliers).toEqual([])
    expect(describe([1, 1, 1, 1, 1000]).outliers).toEqual([4])
  })
})

suite('for any sample', () => {
  const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true })
  const time = fc.double({ min: 1e-6, max: 1e4, noNaN: true })

  it('a figure is a finite number or null', () => {
    fc.assert(
      fc.property(fc.array(anyNumber), fc.constantFrom('t' as const, 'normal' as const), (values, ci) => {
        const { outliers, ...figures } = describe(values, ci)
        for (const figure of Object.values(figures)) {
          expect(figure === null || Number.isFinite(figure), JSON.stringify(figures)).toBe(true)
        }
        expect(outliers.every((place) => place in values)).toBe(true)
      }),
    )
  })

  it('twice the values have twice the figures', () => {
    fc.assert(
      fc.property(fc.array(time), (values) => {
        const one = describe(values)
        const two = describe(values.map((value) => 2 * value))
        for (const name of ['mean', 'sd', 'ci95_half_width', 'median', 'min', 'max'] as const) {
          expect(two[name]).toBe(one[name] === null ? null : 2 * one[name])
        }
        expect([two.cov, two.max_min_ratio, two.outliers]).toEqual([one.cov, one.max_min_ratio, one.outliers])
      }),
    )
  })

  it('mean and median lie between the smallest and the largest value, within rounding', () => {
    fc.assert(
      fc.property(fc.array(time, { minLength: 1 }), (values) => {
        const { mean, median, min, max } = describe(values)
        for (const middle of [mean, median]) {
          expect(middle).toBeGreaterThanOrEqual((min as number) * (1 - 1e-15))
          expect(middle).toBeLessThanOrEqual((max as number) * (1 + 1e-15))
        }
      }),
    )
  })
})

suite('a made sample', () => {
  it.each([2, 3, 5, 15, 30])('of %i has the mean and the standard deviation it was made for', (n) => {
    const values = sampleWith(0.1244, 0.0755, n)
    const description = describe(values)
    expect(values).toHaveLength(n)
    expect(new Set(values).size).toBe(n)
    expect(description.mean).toBeCloseTo(0.1244, 14)
    expect(description.sd).toBeCloseTo(0.0755, 14)
    expect(description.outliers).toEqual([])
    expect(description.min).toBeGreaterThan(0)
  })
})
