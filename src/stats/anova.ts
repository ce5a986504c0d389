import { assert } from '../core/assert.ts'
import { finite, meanOf, sumOfSquares } from './describe.ts'
import { chiSquareCdf, fUpperTail } from './distributions.ts'
import { rank } from './ranks.ts'

/** What one source of variation explains. */
export interface Effect {
  /** Sum of squares. */
  readonly ss: number
  readonly df: number
  /** Null, as p is, where values do not vary within treatments, or none was repeated. */
  readonly f: number | null
  readonly p: number | null
  /** SS / total SS; null when nothing varies. */
  readonly eta_squared: number | null
  /** SS / (SS + error SS). */
  readonly partial_eta_squared: number | null
}

/** What is left within treatments, or all there is. */
export interface Residual {
  readonly ss: number
  readonly df: number
}

export interface OneWayAnova {
  readonly n: number
  readonly between: Effect
  readonly within: Residual
  readonly total: Residual
}

/** One-way analysis of variance.
 *  @param groups finite numbers; empty groups do not count
 *  @returns null with fewer than two groups
 *  @see docs/statistics.md, "Several samples" */
export function oneWayAnova(groups: readonly (readonly number[])[]): OneWayAnova | null {
  const filled = groups.filter((group) => group.length > 0)
  if (filled.length < 2) return null
  const all = filled.flat()
  assert(all.every(Number.isFinite), 'a sample holds finite numbers only')
  const grandMean = meanOf(all)
  const ss = filled.reduce((sum, group) => sum + group.length * meanOf(group.map(less(grandMean))) ** 2, 0)
  const within = {
    ss: filled.reduce((sum, group) => sum + sumOfSquares(group), 0),
    df: all.length - filled.length,
  }
  const total = { ss: sumOfSquares(all, grandMean), df: all.length - 1 }
  return {
    n: all.length,
    between: effect({ ss, df: filled.length - 1 }, within, total),
    within,
    total,
  }
}

/** Subtracting first leaves small numbers, whose sums and squares lose nothing. */
function less(mean: number): (value: number) => number {
  return (value) => value - mean
}

function effect(source: Residual, error: Residual, total: Residual): Effect {
  // Without spread within treatments, or without repetition, this divides by nothing.
  const f = finite(source.ss / source.df / (error.ss / error.df))
  return {
    ...source,
    f,
    p: f === null ? null : fUpperTail(f, source.df, error.df),
    eta_squared: total.ss <= 0 ? null : finite(source.ss / total.ss),
    partial_eta_squared: total.ss <= 0 ? null : finite(source.ss / (source.ss + error.ss)),
  }
}

/** A value measured at a level of each of two factors. */
export interface Observation {
  readonly a: string
  readonly b: string
  readonly value: number
}

export interface TwoWayAnova {
  readonly n: number
  readonly a: Effect
  readonly b: Effect
  /** Null when empty cells leave it no degree of freedom. */
  readonly interaction: Effect | null
  readonly error: Residual
  readonly total: Residual
  /** Every combination of levels has the same number of values: the sums of squares add up to the total. */
  readonly balanced: boolean
  /** Combinations of levels without a value. */
  readonly empty_cells: number
}

/** Two-way analysis of variance with interaction, by sums of squares of type II: each factor after the other one, the
 *  interaction after both. With balanced data that is the textbook analysis.
 *  @returns null with fewer than two levels of a factor, or when empty cells split the design into parts that have no level
 *  in common, so that the factors cannot be told apart
 *  @see docs/statistics.md, "Two factors" */
export function twoWayAnova(observations: readonly Observation[]): TwoWayAnova | null {
  const values = observations.map(({ value }) => value)
  assert(values.every(Number.isFinite), 'a sample holds finite numbers only')
  if (values.length === 0) return null
  const grandMean = meanOf(values)
  const cells = filledCells(observations, grandMean)
  const [rows, columns] = [totalsBy(cells, 'a'), totalsBy(cells, 'b')]
  if (rows.size < 2 || columns.size < 2) return null
  const squaresB = squaresOfBAfterA(cells, rows, columns)
  if (squaresB === null) return null
  const squaresA = squaresOf(rows.values())
  const total = { ss: sumOfSquares(values, grandMean), df: values.length - 1 }
  const error = { ss: cells.reduce((sum, { ss }) => sum + ss, 0), df: values.length - cells.length }
  const both = {
    // Rounding can leave a little less than nothing.
    ss: Math.max(0, squaresOf(cells) - squaresA - squaresB),
    df: cells.length - (rows.size + columns.size - 1),
  }
  const alone = Math.max(0, squaresA + squaresB - squaresOf(columns.values()))
  const empty = rows.size * columns.size - cells.length
  return {
    n: values.length,
    a: effect({ ss: alone, df: rows.size - 1 }, error, total),
    b: effect({ ss: squaresB, df: columns.size - 1 }, error, total),
    interaction: both.df < 1 ? null : effect(both, error, total),
    error,
    total,
    balanced: empty === 0 && cells.every(({ n }) => n === cells[0]?.n),
    empty_cells: empty,
  }
}

/** Values of a cell, a row or a column. */
interface Total {
  readonly n: number
  /** Of what the values are more than the grand mean. */
  readonly sum: number
}

interface Cell extends Total {
  readonly a: string
  readonly b: string
  /** Sum of squared deviations from the cell's own mean. */
  readonly ss: number
}

function filledCells(observations: readonly Observation[], grandMean: number): Cell[] {
  const valuesOf = new Map<string, { readonly a: string; readonly b: string; readonly values: number[] }>()
  for (const { a, b, value } of observations) {
    const key = JSON.stringify([a, b])
    const cell = valuesOf.get(key) ?? { a, b, values: [] }
    valuesOf.set(key, cell)
    cell.values.push(value)
  }
  return [...valuesOf.values()].map(({ a, b, values }) => {
    const sum = values.length * meanOf(values.map(less(grandMean)))
    return { a, b, n: values.length, sum, ss: sumOfSquares(values) }
  })
}

function totalsBy(cells: readonly Cell[], factor: 'a' | 'b'): Map<string, Total> {
  const totals = new Map<string, Total>()
  for (const cell of cells) {
    const { n, sum } = totals.get(cell[factor]) ?? { n: 0, sum: 0 }
    totals.set(cell[factor], { n: n + cell.n, sum: sum + cell.sum })
  }
  return totals
}

/** What is explained when each of these has a mean of its own. */
function squaresOf(totals: Iterable<Total>): number {
  let squares = 0
  for (const { n, sum } of totals) squares += sum ** 2 / n
  return squares
}

/** One number a cell. */
type Vector = readonly number[]

/** What b explains after a: the share of the cells' means along the indicators of b's levels, all taken after a, each
 *  indicator after those before it (Gram and Schmidt). The last level follows from the others.
 *  @returns null when an indicator says nothing new: the design falls into parts
 *  @see Searle 1971, "Linear Models", 7.1 */
function squaresOfBAfterA(
  cells: readonly Cell[],
  rows: ReadonlyMap<string, Total>,
  columns: ReadonlyMap<string, Total>,
): number | null {
  const dot = (u: Vector, v: Vector) => cells.reduce((sum, { n }, i) => sum + n * at(u, i) * at(v, i), 0)
  const afterA = (vector: Vector): Vector => {
    const sums = new Map<string, number>()
    cells.forEach(({ a, n }, i) => {
      sums.set(a, (sums.get(a) ?? 0) + n * at(vector, i))
    })
    return cells.map(({ a }, i) => at(vector, i) - (sums.get(a) ?? 0) / (rows.get(a)?.n ?? 1))
  }
  const means = afterA(cells.map(({ sum, n }) => sum / n))
  const basis: Vector[] = []
  let squares = 0
  for (const level of [...columns.keys()].slice(1)) {
    const whole = afterA(cells.map(({ b }) => (b === level ? 1 : 0)))
    const rest = basis.reduce((vector, other) => {
      const along = dot(vector, other) / dot(other, other)
      return vector.map((value, i) => value - along * at(other, i))
    }, whole)
    const length = dot(rest, rest)
    if (length <= DEPENDENT * dot(whole, whole)) return null
    squares += dot(means, rest) ** 2 / length
    basis.push(rest)
  }
  return squares
}

/** What rounding leaves of the square of a vector that the others make up. With n values, one that says something new keeps
 *  at least about 1 / n. */
const DEPENDENT = 1e-9

function at(vector: Vector, index: number): number {
  return vector[index] ?? 0
}

export interface KruskalWallis {
  readonly n: number
  /** Corrected for ties. */
  readonly h: number
  readonly df: number
  /** By the chi² approximation, which is rough below 5 values a group. */
  readonly p: number
  /** (H − k + 1) / (n − k), at least 0: the share of the ranks' variation that the k groups explain. Null when every group
   *  has one value. */
  readonly eta_squared: number | null
}

/** Kruskal and Wallis' test of ranks. Where all values are equal, h is 0 and p is 1.
 *  @param groups finite numbers; empty groups do not count
 *  @returns null with fewer than two groups
 *  @see Kruskal & Wallis 1952; eta²: Tomczak & Tomczak 2014 */
export function kruskalWallis(groups: readonly (readonly number[])[]): KruskalWallis | null {
  const filled = groups.filter((group) => group.length > 0)
  if (filled.length < 2) return null
  const all = filled.flat()
  assert(all.every(Number.isFinite), 'a sample holds finite numbers only')
  const n = all.length
  const { ranks, ties } = rank(all)
  let squares = 0
  let end = 0
  for (const group of filled) {
    const sum = ranks.subarray(end, end + group.length).reduce((total, place) => total + place, 0)
    squares += group.length * (sum / group.length - (n + 1) / 2) ** 2
    end += group.length
  }
  const spread = 1 - ties / (n ** 3 - n)
  const h = spread === 0 ? 0 : ((12 / (n * (n + 1))) * squares) / spread
  const df = filled.length - 1
  const eta = n === filled.length ? null : Math.max(0, (h - df) / (n - filled.length))
  return { n, h, df, p: 1 - chiSquareCdf(h, df), eta_squared: eta }
}
