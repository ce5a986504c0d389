import { describe } from './describe.ts'

/** How much a metric depends on what is varied (treatments), and how much on chance; in the metric's unit. What too few
 *  values do not give is null.
 *  @see Salfner, Tröger & Polze 2011, "Downtime Analysis of Virtual Machine Live Migration", table II */
export interface Variability {
  /** Those with values. */
  readonly treatments: number
  /** Values of all treatments together. */
  readonly n: number
  readonly mean: number | null
  /** Largest mean of a treatment over the smallest; large when what is varied matters. */
  readonly max_min_ratio_of_treatment_means: number | null
  /** Largest value over the smallest. */
  readonly max_min_ratio_overall: number | null
  /** Largest standard deviation within a treatment; large when chance matters. */
  readonly treatment_max_sd: number | null
  /** Standard deviation of all values. */
  readonly overall_sd: number | null
}

/** @param treatments the values of each, finite numbers; empty ones do not count */
export function variability(treatments: readonly (readonly number[])[]): Variability {
  const each = treatments.filter((values) => values.length > 0).map((values) => describe(values))
  const means = describe(each.flatMap(({ mean }) => mean ?? []))
  const all = describe(treatments.flat())
  return {
    treatments: each.length,
    n: all.n,
    mean: all.mean,
    max_min_ratio_of_treatment_means: means.max_min_ratio,
    max_min_ratio_overall: all.max_min_ratio,
    treatment_max_sd: describe(each.flatMap(({ sd }) => sd ?? [])).max,
    overall_sd: all.sd,
  }
}
