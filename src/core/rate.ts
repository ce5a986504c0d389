import type { BodyBudget } from './body-budget.ts'
import { RATE_BINS_MAX } from './limits.ts'

/** Width of a bin as long as a series is short. */
export const RATE_BIN_NS = 10e6
/** How much wider the bins get when there are too many. */
const COARSER = 10
/** Width over which a peak is taken, and which is reported. */
export const PEAK_BIN_NS = 100e6
const INITIAL_LENGTH = 8

/** Bytes over time: sums over bins of equal width, on a grid that begins at time zero. Only bins that hold something take
 *  room; where there is no more of it, all become ten times as wide. */
export class RateSeries {
  /** Width of a bin, nanoseconds. */
  widthNs = RATE_BIN_NS
  readonly #budget: BodyBudget
  /** Number of the bin on the grid and bytes in it, by turns; in the order in which they came. */
  #bins = new Float64Array(INITIAL_LENGTH)
  #length = 0
  /** The bin at hand. */
  #startNs = Number.POSITIVE_INFINITY
  #endNs = Number.NEGATIVE_INFINITY

  /** @param budget room that all series share */
  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  add(timeNs: number, bytes: number): void {
    if (timeNs >= this.#endNs || timeNs < this.#startNs) this.#enter(timeNs)
    this.#bins[this.#length - 1] = (this.#bins[this.#length - 1] as number) + bytes
  }

  /** Calls back with the start of each bin and the bytes in it. A bin may come twice, where stamps ran backwards. */
  forEach(visit: (startNs: number, bytes: number) => void): void {
    for (let i = 0; i < this.#length; i += 2)
      visit((this.#bins[i] as number) * this.widthNs, this.#bins[i + 1] as number)
  }

  /** Bytes since an instant, of the bins that begin then or later. Takes as long as there are such bins. */
  since(fromNs: number): number {
    let bytes = 0
    for (let i = this.#length - 2; i >= 0 && (this.#bins[i] as number) * this.widthNs >= fromNs; i -= 2)
      bytes += this.#bins[i + 1] as number
    return bytes
  }

  /** Nobody will ask what was before: its room is another's. */
  forget(beforeNs: number): void {
    let kept = 0
    while (kept < this.#length && ((this.#bins[kept] as number) + 1) * this.widthNs <= beforeNs) kept += 2
    if (kept === 0) return
    this.#bins.copyWithin(0, kept, this.#length)
    this.#length -= kept
    if (this.#length === 0) this.#endNs = Number.NEGATIVE_INFINITY
    let size = this.#bins.length
    while (size > INITIAL_LENGTH && this.#length <= size / 4) size /= 2
    this.#budget.give((this.#bins.length - size) * 8)
    this.#bins = this.#bins.slice(0, size)
  }

  /** Nothing is added any more: the room is another's, although what is here stays readable. */
  release(): void {
    this.#budget.give((this.#bins.length - INITIAL_LENGTH) * 8)
  }

  #enter(timeNs: number): void {
    if (this.#length === this.#bins.length) this.#makeRoom()
    const bin = Math.floor(timeNs / this.widthNs)
    this.#startNs = bin * this.widthNs
    this.#endNs = this.#startNs + this.widthNs
    if (this.#length > 0 && this.#bins[this.#length - 2] === bin) return
    this.#bins[this.#length] = bin
    this.#bins[this.#length + 1] = 0
    this.#length += 2
  }

  #makeRoom(): void {
    const { length } = this.#bins
    if (length < 2 * RATE_BINS_MAX && this.#budget.take(length * 8)) {
      const larger = new Float64Array(length * 2)
      larger.set(this.#bins)
      this.#bins = larger
      return
    }
    while (this.#length > length / 2) this.#coarsen()
  }

  #coarsen(): void {
    const sums = new Map<number, number>()
    for (let i = 0; i < this.#length; i += 2) {
      const bin = Math.floor((this.#bins[i] as number) / COARSER)
      sums.set(bin, (sums.get(bin) ?? 0) + (this.#bins[i + 1] as number))
    }
    this.widthNs *= COARSER
    this.#length = 0
    for (const [bin, bytes] of sums) {
      this.#bins[this.#length++] = bin
      this.#bins[this.#length++] = bytes
    }
  }
}

/** Bytes per bin of the sum of several series. */
export interface Rates {
  /** Start of the first bin, nanoseconds after time zero. */
  readonly startNs: number
  /** Width of a bin, nanoseconds. */
  readonly widthNs: number
  readonly bytes: readonly number[]
}

/** Sums series into bins that begin at `fromNs`, rounded down to their grid; what lies before counts to the first bin.
 *  @param widthNs wanted width of the bins, a multiple of `RATE_BIN_NS`; where the series are coarser, or there would be too
 *  many bins, they are wider by powers of ten @param binsMax bins at the most */
export function sumRates(
  series: readonly RateSeries[],
  fromNs: number,
  widthNs: number,
  binsMax = RATE_BINS_MAX,
): Rates {
  const gridNs = Math.max(RATE_BIN_NS, ...series.map((one) => one.widthNs))
  let lastNs = Number.NEGATIVE_INFINITY
  for (const one of series)
    one.forEach((startNs) => {
      lastNs = Math.max(lastNs, startNs)
    })
  const startNs = Math.floor(fromNs / gridNs) * gridNs
  let width = widthNs
  while (width < gridNs || (lastNs - startNs) / width >= binsMax) width *= COARSER
  const count = lastNs < startNs ? 1 : Math.floor((lastNs - startNs) / width) + 1
  const bytes = new Array<number>(lastNs === Number.NEGATIVE_INFINITY ? 0 : count).fill(0)
  for (const one of series)
    one.forEach((binNs, size) => {
      const bin = Math.max(0, Math.floor((binNs - startNs) / width))
      bytes[bin] = (bytes[bin] as number) + size
    })
  return { startNs, widthNs: width, bytes }
}

/** The highest rate over one bin of 100 ms, bits per second; 0 when nothing passed. The bins begin at `fromNs`. */
export function peakRate(series: readonly RateSeries[], fromNs: number): number {
  const { widthNs, bytes } = sumRates(series, fromNs, PEAK_BIN_NS)
  return bytes.reduce((peak, size) => Math.max(peak, size), 0) * (8e9 / widthNs)
}
