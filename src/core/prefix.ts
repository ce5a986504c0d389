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
      if (this.#kept === this.#bytes.length && !this.#grow()) return
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

  /** Doubles the capacity. Returns false, with the reason noted, when it may not grow. */
  #grow(): boolean {
    const old = this.#bytes.length
    const capacity = Math.min(Math.max(CAPACITY_MIN, old * 2), this.#max)
    if (capacity === old) this.#stop = 'limit'
    else if (!this.#budget.take(capacity - old)) this.#stop = 'budget'
    if (this.#stop !== null) return false
    const grown = new Uint8Array(capacity)
    grown.set(this.#bytes)
    this.#bytes = grown
    return true
  }
}
