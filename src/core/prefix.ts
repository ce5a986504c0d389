import type { BodyBudget } from './body-budget.ts'

const CAPACITY_MIN = 256
const NOTHING = new Uint8Array(0)

/** Why the rest is not kept. */
export type PrefixStop = 'gap' | 'limit' | 'budget'

/** Keeps the start of a run of bytes, up to a limit or its first gap. Grows as bytes arrive; what is kept does not
 *  depend on how they were cut. Call `release` once done. */
export class Prefix {
  readonly #budget: BodyBudget
  readonly #max: number
  #bytes = NOTHING
  #kept = 0
  #stop: PrefixStop | null = null

  constructor(budget: BodyBudget, max: number) {
    this.#budget = budget
    this.#max = max
  }

  /** `bytes[0 … kept)`; what follows is undefined. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get kept(): number {
    return this.#kept
  }

  /** Null while everything was kept. */
  get stop(): PrefixStop | null {
    return this.#stop
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let offset = start
    while (offset < end && this.#stop === null) {
      if (this.#kept === this.#bytes.length && !this.#grow(end - offset)) return
      const size = Math.min(end - offset, this.#bytes.length - this.#kept)
      this.#bytes.set(bytes.subarray(offset, offset + size), this.#kept)
      this.#kept += size
      offset += size
    }
  }

  gap(): void {
    this.#stop ??= 'gap'
  }

  release(): void {
    this.#budget.give(this.#bytes.length)
    this.#bytes = NOTHING
    this.#kept = 0
  }

  /** Doubles the capacity until there is room for `more` bytes, or for as many as the limit and the budget allow. Returns
   *  false, with the reason noted, when that is none. */
  #grow(more: number): boolean {
    const old = this.#bytes.length
    if (old === this.#max) this.#stop = 'limit'
    else if (!this.#enlarge(this.#capacityFor(old + more))) this.#stop = 'budget'
    return this.#stop === null
  }

  #capacityFor(size: number): number {
    let capacity = Math.max(CAPACITY_MIN, this.#bytes.length * 2)
    while (capacity < size && capacity < this.#max) capacity *= 2
    return capacity
  }

  #enlarge(most: number): boolean {
    const old = this.#bytes
    for (let capacity = most; capacity > old.length && capacity >= CAPACITY_MIN; capacity /= 2) {
      const size = Math.min(capacity, this.#max)
      if (!this.#budget.take(size - old.length)) continue
      this.#bytes = new Uint8Array(size)
      this.#bytes.set(old)
      return true
    }
    return false
  }
}
