/** The few functions of jstat that are used; the package brings no types.
 *  @see jstat src/special.js, src/distribution.js */
declare module 'jstat' {
  const jStat: {
    /** Regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1. */
    ibeta(x: number, a: number, b: number): number
    /** Regularised lower incomplete gamma function P(a, x). */
    lowRegGamma(a: number, x: number): number
    readonly normal: { cdf(x: number, mean: number, sd: number): number }
    readonly studentt: { inv(p: number, df: number): number }
  }
  export default jStat
}
