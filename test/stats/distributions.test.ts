import { describe, expect, it } from 'vitest'
import { chiSquareCdf, fCdf, fUpperTail, normalCdf, tCdf, tQuantile } from '../../src/stats/distributions.ts'

/** Critical values as printed. @see NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2 (t), .3 (F), .4 (chi²) */
const PRINTED_T = [
  [0.9, 1, 3.078],
  [0.95, 2, 2.92],
  [0.975, 1, 12.706],
  [0.975, 2, 4.303],
  [0.975, 4, 2.776],
  [0.975, 9, 2.262],
  [0.975, 14, 2.145],
  [0.975, 29, 2.045],
  [0.975, 100, 1.984],
  [0.99, 5, 3.365],
  [0.995, 10, 3.169],
] as const

const PRINTED_F = [
  [0.95, 1, 10, 4.965],
  [0.95, 4, 20, 2.866],
  [0.95, 9, 10, 3.02],
  [0.95, 2, 1, 199.5],
  [0.99, 3, 12, 5.953],
] as const

const PRINTED_CHI_SQUARE = [
  [0.95, 1, 3.841],
  [0.95, 2, 5.991],
  [0.95, 4, 9.488],
  [0.99, 10, 23.209],
  [0.999, 3, 16.266],
] as const

describe('printed tables', () => {
  it.each(PRINTED_T)('t: %d quantile with %d degrees of freedom', (p, df, printed) => {
    expect(Math.abs(tQuantile(p, df) - printed)).toBeLessThan(0.00051)
  })

  it.each(PRINTED_F)('F: %d quantile with %d and %d degrees of freedom', (p, df1, df2, printed) => {
    // A printed value lies within half its last digit.
    const step = printed > 100 ? 0.05 : 0.0005
    expect(fCdf(printed - step, df1, df2)).toBeLessThan(p)
    expect(fCdf(printed + step, df1, df2)).toBeGreaterThan(p)
  })

  it.each(PRINTED_CHI_SQUARE)('chi²: %d quantile with %d degrees of freedom', (p, df, printed) => {
    expect(chiSquareCdf(printed - 0.0005, df)).toBeLessThan(p)
    expect(chiSquareCdf(printed + 0.0005, df)).toBeGreaterThan(p)
  })

  it.each([
    [0, 0.5],
    [1, 0.841345],
    [1.959964, 0.975],
    [-1.644854, 0.05],
    [3, 0.99865],
  ])('normal: up to %d', (z, p) => {
    expect(normalCdf(z)).toBeCloseTo(p, 6)
  })
})

describe('integrated densities', () => {
  const degrees = [1, 2, 3, 7, 29, 120]

  it.each(degrees.flatMap((df) => [0.3, 1, 2.045, 6].map((t) => [t, df] as const)))(
    't = %d with %d degrees of freedom',
    (t, df) => {
      const factor = Math.exp(lnGamma(df + 1) - lnGamma(df)) / Math.sqrt(df * Math.PI)
      const inner = integral((x) => factor * (1 + x ** 2 / df) ** (-(df + 1) / 2), t)
      expect(tCdf(t, df)).toBeCloseTo(0.5 + inner, 7)
      expect(tCdf(-t, df)).toBeCloseTo(0.5 - inner, 7)
      expect(tQuantile(tCdf(t, df), df) / t).toBeCloseTo(1, 5)
    },
  )

  it.each(
    degrees.flatMap((df1) => [2, 10, 174].flatMap((df2) => [0.4, 1.2, 5].map((f) => [f, df1, df2] as const))),
  )('F = %d with %d and %d degrees of freedom', (f, df1, df2) => {
    const factor = Math.exp(
      lnGamma(df1 + df2) - lnGamma(df1) - lnGamma(df2) + (df1 / 2) * Math.log(df1 / df2),
    )
    const density = (x: number) => factor * x ** (df1 / 2 - 1) * (1 + (df1 * x) / df2) ** (-(df1 + df2) / 2)
    // With x = y² the density is finite at 0.
    const lower = integral((y) => (y === 0 ? limit(df1, factor) : 2 * y * density(y * y)), Math.sqrt(f))
    expect(fCdf(f, df1, df2)).toBeCloseTo(lower, 7)
    expect(fUpperTail(f, df1, df2)).toBeCloseTo(1 - lower, 7)
  })

  it.each(degrees.flatMap((df) => [0.5, 3.84, 40, 130].map((x) => [x, df] as const)))(
    'chi² = %d with %d degrees of freedom',
    (x, df) => {
      const factor = Math.exp(-lnGamma(df) - (df / 2) * Math.LN2)
      const density = (value: number) => factor * value ** (df / 2 - 1) * Math.exp(-value / 2)
      const lower = integral((y) => (y === 0 ? limit(df, factor) : 2 * y * density(y * y)), Math.sqrt(x))
      expect(chiSquareCdf(x, df)).toBeCloseTo(lower, 7)
    },
  )

  it.each([0.1, 1, 1.96, 4])('normal up to %d', (z) => {
    const inner = integral((x) => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI), z)
    expect(normalCdf(z)).toBeCloseTo(0.5 + inner, 10)
    expect(normalCdf(-z)).toBeCloseTo(0.5 - inner, 10)
  })
})

describe('tails', () => {
  it('of t and F keep their digits where 1 - p would have none', () => {
    // t with 2 degrees of freedom: P(T <= -t) = (1 - t / sqrt(t² + 2)) / 2, for large t about 1 / (2 t²).
    expect(tCdf(-1e9, 2) * 2e18).toBeCloseTo(1, 5)
    // F with 2 and 2: P(F > f) = 1 / (1 + f).
    expect(fUpperTail(1e18, 2, 2) * 1e18).toBeCloseTo(1, 5)
  })

  it('are probabilities, however far out', () => {
    for (const far of [0, 1e-300, 1e3, 1e150, 1e300]) {
      const all = [tCdf(far, 5), tCdf(-far, 5), fUpperTail(far, 3, 7), chiSquareCdf(far, 3), normalCdf(-far)]
      for (const p of all) expect(p >= 0 && p <= 1, `${far}: ${all}`).toBe(true)
    }
  })
})

/** 2 y density(y²) at y = 0. */
function limit(df1: number, factor: number): number {
  return df1 === 1 ? 2 * factor : 0
}

/** ln Γ(half / 2) for a whole number, by Γ(x + 1) = x Γ(x). */
function lnGamma(half: number): number {
  let sum = half % 2 === 0 ? 0 : Math.log(Math.PI) / 2
  for (let x = half / 2 - 1; x > 0; x--) sum += Math.log(x)
  return sum
}

/** From 0 to `end`, by Simpson's rule. */
function integral(density: (x: number) => number, end: number): number {
  const steps = 4000
  const width = end / steps
  let sum = density(0) + density(end)
  for (let i = 1; i < steps; i++) sum += density(i * width) * (i % 2 === 0 ? 2 : 4)
  return (sum * width) / 3
}
