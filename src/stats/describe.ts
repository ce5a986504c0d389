import { mean as meanOfSome, quantileSorted } from 'simple-statistics'
import { assert } from '../core/assert.ts'
import { tQuantile } from './distributions.ts'

/** How wide a 95 % confidence interval is in standard errors: by Student's t with n − 1 degrees of freedom, or by the
 *  normal distribution, as published tables have it. */
export type CiMethod = 't' | 'normal'

/** The normal distribution's 97.5 % quantile as it is printed in tables and was used for published ones. */
export const Z_975 = 1.959964

/** Fewer values than this have quartiles that say nothing: none is flagged. */
const OUTLIERS_FROM_N = 5

/** A sample in figures, in the unit of its values and with the names of the output contract. What too few values do not
 *  give, or a double cannot hold, is null. */
export interface Description {
  readonly n: number
  readonly mean: number | null
  /** Sample standard deviation (n − 1); from 2 values on. */
  readonly sd: number | null
  /** Of the mean; from 2 values on. */
  readonly ci95_half_width: number | null
  readonly ci95_low: number | null
  readonly ci95_high: number | null
  /** SD / mean, for a positive mean. A fraction, not percent. */
  readonly cov: number | null
  readonly median: number | null
  readonly min: number | null
  readonly max: number | null
  /** For positive values; from 2 values on. */
  readonly max_min_ratio: number | null
  /** Places (0-based) of values outside Tukey's fences, ascending. They are part of all other figures. */
  readonly outliers: readonly number[]
}

/** @param values finite numbers in any order; not modified
 *  @see docs/statistics.md, "One sample" */
export function describe(values: readonly number[], ci: CiMethod = 't'): Description {
  const n = values.length
  assert(values.every(Number.isFinite), 'a sample holds finite numbers only')
  if (n === 0) return EMPTY
  const sorted = [...values].sort((a, b) => a - b)
  const min = quantileSorted(sorted, 0)
  const max = quantileSorted(sorted, 1)
  const mean = meanOf(values)
  const sd = n < 2 ? null : Math.sqrt(sumOfSquares(values, mean) / (n - 1))
  const half = sd === null ? null : (criticalValue(ci, n) * sd) / Math.sqrt(n)
  return {
    n,
    mean: finite(mean),
    sd: finite(sd),
    ci95_half_width: finite(half),
    ci95_low: half === null ? null : finite(mean - half),
    ci95_high: half === null ? null : finite(mean + half),
    cov: sd === null || mean <= 0 ? null : finite(sd / mean),
    median: finite(quantileSorted(sorted, 0.5)),
    min,
    max,
    max_min_ratio: n < 2 || min <= 0 ? null : finite(max / min),
    outliers: outliersOf(values, sorted),
  }
}

const EMPTY: Description = {
  n: 0,
  mean: null,
  sd: null,
  ci95_half_width: null,
  ci95_low: null,
  ci95_high: null,
  cov: null,
  median: null,
  min: null,
  max: null,
  max_min_ratio: null,
  outliers: [],
}

/** Arithmetic mean; of equal values exactly that value, so that they have no deviation from it.
 *  @param values at least one */
export function meanOf(values: readonly number[]): number {
  const first = values[0]
  return first !== undefined && values.every((value) => value === first) ? first : meanOfSome(values)
}

/** Sum of squared deviations from the mean. The second term would be 0 without rounding; with it, what the rounded mean
 *  does to the first is taken back.
 *  @see Chan, Golub & LeVeque 1983, corrected two-pass algorithm */
export function sumOfSquares(values: readonly number[], mean: number = meanOf(values)): number {
  let squares = 0
  let rest = 0
  for (const value of values) {
    squares += (value - mean) ** 2
    rest += value - mean
  }
  return Math.max(0, squares - rest ** 2 / values.length)
}

function criticalValue(ci: CiMethod, n: number): number {
  return ci === 't' ? tQuantile(0.975, n - 1) : Z_975
}

/** Tukey's fences: 1.5 interquartile ranges beyond the quartiles (type 7), as box plots draw them. */
function outliersOf(values: readonly number[], sorted: readonly number[]): number[] {
  if (values.length < OUTLIERS_FROM_N) return []
  const q1 = quantileSorted(sorted, 0.25)
  const q3 = quantileSorted(sorted, 0.75)
  const reach = 1.5 * (q3 - q1)
  return values.flatMap((value, index) => (value < q1 - reach || value > q3 + reach ? [index] : []))
}

/** What a double cannot hold is unknown. */
export function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
