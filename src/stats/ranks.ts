/** The values' places in ascending order, from 1; equal values share the mean of theirs. */
export interface Ranks {
  /** In the order of the values. */
  readonly ranks: Float64Array
  /** Σ (t³ − t) over runs of t equal values: 0 when all differ. */
  readonly ties: number
}

/** @see Conover 1999, "Practical Nonparametric Statistics", 5.1 (average ranks) */
export function rank(values: readonly number[]): Ranks {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const ranks = new Float64Array(values.length)
  let ties = 0
  for (let start = 0, end = 0; start < order.length; start = end) {
    end = start + 1
    while (end < order.length && order[end]?.value === order[start]?.value) end++
    for (const { index } of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2
    ties += (end - start) ** 3 - (end - start)
  }
  return { ranks, ties }
}
