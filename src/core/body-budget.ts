import { BODIES_TOTAL_MAX } from './limits.ts'

/** Counts the bytes that all connections keep together: of message bodies, or of what tells the rounds of memory streams
 *  apart. */
export class BodyBudget {
  readonly #max: number
  #used = 0

  constructor(max: number = BODIES_TOTAL_MAX) {
    this.#max = max
  }

  get used(): number {
    return this.#used
  }

  /** False, and nothing taken, when `size` bytes more would pass the limit. */
  take(size: number): boolean {
    if (this.#used + size > this.#max) return false
    this.#used += size
    return true
  }

  give(size: number): void {
    this.#used -= size
  }
}
