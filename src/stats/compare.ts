import { assert } from '../core/assert.ts'
import { finite, meanOf, sumOfSquares } from './describe.ts'
import { normalCdf, tCdf, tQuantile } from './distributions.ts'
import { rank } from './ranks.ts'

/** Below this p a difference is called one. */
export const ALPHA = 0.05

/** Values a side below which a comparison comes with a warning. */
const FEW_SAMPLES_BELOW = 5

/** Up to this many values a side the distribution of U is counted out (about 10 ms), as in R's wilcox.test. */
const EXACT_MAX = 49

/** A two-sided test of equal means, variances not assumed equal. */
export interface WelchTest {
  /** Positive when the candidate's mean is larger. */
  readonly t: number
  /** Welch–Satterthwaite, a fraction. */
  readonly df: number
  readonly p: number
  /** 95 % confidence interval of the candidate's mean less the baseline's. */
  readonly ci95_low: number
  readonly ci95_high: number
}

/** A two-sided test of ranks: does one side tend to larger values? */
export interface MannWhitneyTest {
  /** Pairs in which the candidate's value is the larger one, ties counting half. */
  readonly u: number
  readonly p: number
  /** `exact`, or `normal`: approximated, corrected for ties and continuity. */
  readonly method: 'exact' | 'normal'
}

/** Why a comparison should be read with care; `COMPARISON_WARNINGS` has the sentences. */
export type ComparisonWarning = keyof typeof COMPARISON_WARNINGS

export const COMPARISON_WARNINGS = {
  no_test: 'One side has no values: nothing can be said. Measure both.',
  few_samples:
    'Fewer than 5 values on a side: only large differences show, and one odd run decides. Repeat the measurement.',
  no_spread: 'Neither side varies, so only the ranks were tested.',
  tests_disagree:
    'The test of the means and the test of the ranks disagree: look for outliers or two clusters of runs.',
} as const

/** One metric of a candidate against that of a baseline. */
export interface Comparison {
  readonly id: string
  readonly n_baseline: number
  readonly n_candidate: number
  readonly mean_baseline: number | null
  readonly mean_candidate: number | null
  /** Candidate less baseline, in the unit of the values. */
  readonly difference: number | null
  /** Candidate over baseline; null unless both means are positive. */
  readonly ratio: number | null
  /** 100 (ratio − 1). */
  readonly percent: number | null
  /** Null below 2 values a side, and where neither side varies. */
  readonly welch: WelchTest | null
  /** Null without values on both sides. */
  readonly mann_whitney: MannWhitneyTest | null
  /** Of Welch's test; where there is none, of Mann and Whitney's. */
  readonly p: number | null
  /** The same, corrected for the number of metrics compared. Decides. */
  readonly p_holm: number | null
  /** `~`: no difference was shown, which does not say that there is none. Null when nothing could be tested. */
  readonly verdict: 'different' | '~' | null
  readonly warnings: readonly ComparisonWarning[]
}

/** Samples of one metric, finite numbers in any order. */
export interface Pair {
  readonly id: string
  readonly baseline: readonly number[]
  readonly candidate: readonly number[]
}

/** Compares metric by metric. All pairs of one question belong into one call: the correction depends on their number.
 *  @see docs/statistics.md, "Two samples" */
export function compareMetrics(pairs: readonly Pair[], alpha = ALPHA): Comparison[] {
  const single = pairs.map((pair) => comparePair(pair, alpha))
  const corrected = holm(single.map(({ p }) => p))
  return single.map((comparison, index) => {
    const p = corrected[index] ?? null
    return { ...comparison, p_holm: p, verdict: p === null ? null : p < alpha ? 'different' : '~' }
  })
}

type Uncorrected = Omit<Comparison, 'p_holm' | 'verdict'>

function comparePair({ id, baseline, candidate }: Pair, alpha: number): Uncorrected {
  assert([...baseline, ...candidate].every(Number.isFinite), 'a sample holds finite numbers only')
  const before = baseline.length === 0 ? null : finite(meanOf(baseline))
  const after = candidate.length === 0 ? null : finite(meanOf(candidate))
  const ratio = before === null || after === null || before <= 0 || after <= 0 ? null : finite(after / before)
  const welch = welchTest(baseline, candidate)
  const ranks = mannWhitneyTest(baseline, candidate)
  return {
    id,
    n_baseline: baseline.length,
    n_candidate: candidate.length,
    mean_baseline: before,
    mean_candidate: after,
    difference: before === null || after === null ? null : finite(after - before),
    ratio,
    percent: ratio === null ? null : finite(100 * (ratio - 1)),
    welch,
    mann_whitney: ranks,
    p: welch?.p ?? ranks?.p ?? null,
    warnings: warningsOf(baseline.length, candidate.length, welch, ranks, alpha),
  }
}

function warningsOf(
  n1: number,
  n2: number,
  welch: WelchTest | null,
  ranks: MannWhitneyTest | null,
  alpha: number,
): ComparisonWarning[] {
  if (ranks === null) return ['no_test']
  const warnings: ComparisonWarning[] = []
  if (Math.min(n1, n2) < FEW_SAMPLES_BELOW) warnings.push('few_samples')
  if (welch === null && Math.min(n1, n2) > 1) warnings.push('no_spread')
  // With very few values no order of them is rare enough to be a finding: that is no disagreement.
  const canShow = smallestP(n1, n2) < alpha
  if (welch !== null && canShow && welch.p < alpha !== ranks.p < alpha) warnings.push('tests_disagree')
  return warnings
}

/** The two-sided p of ranks when every value of one side exceeds all of the other: one of the two extreme choices of n1
 *  ranks. */
function smallestP(n1: number, n2: number): number {
  let p = 2
  for (let i = 1; i <= n1; i++) p *= i / (n2 + i)
  return p
}

/** Null below 2 values a side, and where neither side varies.
 *  @see Welch 1947 */
export function welchTest(baseline: readonly number[], candidate: readonly number[]): WelchTest | null {
  if (baseline.length < 2 || candidate.length < 2) return null
  const before = squaredError(baseline)
  const after = squaredError(candidate)
  const error = Math.sqrt(before + after)
  const difference = meanOf(candidate) - meanOf(baseline)
  // Shares instead of squares: squares of small errors could vanish.
  const share = before / (before + after)
  const df = 1 / (share ** 2 / (baseline.length - 1) + (1 - share) ** 2 / (candidate.length - 1))
  const t = difference / error
  const half = tQuantile(0.975, df) * error
  const test = {
    t,
    df,
    p: 2 * tCdf(-Math.abs(t), df),
    ci95_low: difference - half,
    ci95_high: difference + half,
  }
  return Object.values(test).every(Number.isFinite) ? test : null
}

/** Square of the mean's standard error. */
function squaredError(values: readonly number[]): number {
  return sumOfSquares(values) / (values.length - 1) / values.length
}

/** Null without values on both sides. Where all values are equal, p is 1.
 *  @see Mann & Whitney 1947 */
export function mannWhitneyTest(
  baseline: readonly number[],
  candidate: readonly number[],
): MannWhitneyTest | null {
  const n1 = baseline.length
  const n2 = candidate.length
  if (n1 === 0 || n2 === 0) return null
  const { ranks, ties } = rank([...baseline, ...candidate])
  const rankSum = ranks.subarray(n1).reduce((sum, value) => sum + value, 0)
  const u = rankSum - (n2 * (n2 + 1)) / 2
  if (ties === 0 && Math.max(n1, n2) <= EXACT_MAX) {
    return { u, p: Math.min(1, 2 * lowerTail(n1, n2, Math.min(u, n1 * n2 - u))), method: 'exact' }
  }
  const n = n1 + n2
  const variance = ((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1)))
  const distance = Math.max(0, Math.abs(u - (n1 * n2) / 2) - 0.5)
  return { u, p: distance === 0 ? 1 : 2 * normalCdf(-distance / Math.sqrt(variance)), method: 'normal' }
}

/** P(U ≤ u) for values that all differ, by the largest of them: it belongs to either side in proportion to the sizes, and
 *  exceeds all values of the other side. Only sums of positive terms, so nothing cancels. */
function lowerTail(n1: number, n2: number, u: number): number {
  // of[j] holds P(U = 0), P(U = 1), … for i values against j; for i = 0, U is 0.
  let of = Array.from({ length: n2 + 1 }, () => Float64Array.of(1))
  for (let i = 1; i <= n1; i++) {
    const next = [Float64Array.of(1)]
    for (let j = 1; j <= n2; j++) {
      const row = new Float64Array(Math.min(i * j, u) + 1)
      addShifted(row, of[j] ?? NOTHING, j, i / (i + j))
      addShifted(row, next[j - 1] ?? NOTHING, 0, j / (i + j))
      next.push(row)
    }
    of = next
  }
  return (of[n2] ?? NOTHING).reduce((sum, probability) => sum + probability, 0)
}

const NOTHING = new Float64Array()

/** Adds `weight` times the terms, moved up by `shift`; what falls off the end is not asked for. */
function addShifted(row: Float64Array, terms: Float64Array, shift: number, weight: number): void {
  for (let k = 0; k < terms.length && k + shift < row.length; k++) {
    row[k + shift] = (row[k + shift] ?? 0) + weight * (terms[k] ?? 0)
  }
}

/** Holm's step-down correction, in the order given; null stays null and does not count.
 *  @see Holm 1979 */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const ascending = ps.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p)
  const corrected: (number | null)[] = ps.map(() => null)
  let floor = 0
  ascending.forEach(({ p, index }, place) => {
    floor = Math.max(floor, Math.min(1, p * (ascending.length - place)))
    corrected[index] = floor
  })
  return corrected
}
