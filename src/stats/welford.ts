/** Mean, variance and range of values that come one by one, in constant memory; two of them can be merged.
 *  The mean is kept as a sum of two doubles: what a single one rounds away would spoil the variance of values that differ
 *  little from one another but much from zero.
 *  @see Welford 1962; merging: Chan, Golub & LeVeque 1979; the two doubles: Knuth, TAOCP vol. 2, 4.2.2, theorem B */
export class Welford {
  #n = 0
  #mean = 0
  /** What `#mean` rounded away. */
  #rest = 0
  /** Sum of squared deviations from the mean. */
  #squares = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  get n(): number {
    return this.#n
  }

  /** Null without values. */
  get mean(): number | null {
    return this.#n === 0 ? null : this.#mean
  }

  /** Sample variance (n − 1); null below 2 values. */
  get variance(): number | null {
    return this.#n < 2 ? null : this.#squares / (this.#n - 1)
  }

  /** Null without values. */
  get min(): number | null {
    return this.#n === 0 ? null : this.#min
  }

  /** Null without values. */
  get max(): number | null {
    return this.#n === 0 ? null : this.#max
  }

  /** @param value finite */
  push(value: number): void {
    this.#n++
    const before = value - this.#mean - this.#rest
    this.#shift(before / this.#n)
    this.#squares += before * (value - this.#mean - this.#rest)
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
  }

  /** Takes over what another one has seen, which stays as it is. */
  merge(other: Welford): void {
    if (other.#n === 0) return
    const n = this.#n + other.#n
    if (this.#n === 0) {
      // The way below would round away what the other's mean keeps in its second double.
      this.#mean = other.#mean
      this.#rest = other.#rest
      this.#squares = other.#squares
    } else {
      const difference = other.#mean - this.#mean + (other.#rest - this.#rest)
      this.#squares += other.#squares + difference ** 2 * (this.#n / n) * other.#n
      this.#shift(difference * (other.#n / n))
    }
    this.#n = n
    this.#min = Math.min(this.#min, other.#min)
    this.#max = Math.max(this.#max, other.#max)
  }

  /** Moves the mean without losing what does not fit into one double. */
  #shift(step: number): void {
    const add = this.#rest + step
    const sum = this.#mean + add
    const kept = sum - this.#mean
    this.#rest = this.#mean - (sum - kept) + (add - kept)
    this.#mean = sum
  }
}
