import type { BodyBudget } from '../../core/body-budget.ts'
import { u32be } from '../../core/bytes.ts'
import { LIBVIRT_BODY_MAX } from '../../core/limits.ts'

const CAPACITY_MIN = 1024

/** Flags and the outcome of a finish call are the last 12 bytes of its body. */
const TAIL_SIZE = 12

/** Why the rest of a body is not kept. */
export type BodyStop = 'gap' | 'limit' | 'budget'

/** Keeps the start of one message body, up to its first gap, and its last few bytes. Grows as bytes arrive,
 *  whatever the message claimed. Call `release` once done. */
export class Body {
  readonly #budget: BodyBudget
  /** Bytes that the message claims. */
  readonly size: number
  #bytes = new Uint8Array(0)
  #kept = 0
  #stop: BodyStop | null = null
  readonly #tail = new Uint8Array(TAIL_SIZE)
  #tailKept = 0

  constructor(budget: BodyBudget, size: number) {
    this.#budget = budget
    this.size = size
  }

  /** The contiguous start: `bytes[0 … kept)`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get kept(): number {
    return this.#kept
  }

  get stop(): BodyStop | null {
    return this.#stop
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    this.#keepTail(bytes, start, end)
    if (this.#stop !== null) return
    const room = LIBVIRT_BODY_MAX - this.#kept
    const size = Math.min(end - start, room)
    if (size > 0 && !this.#grow(this.#kept + size)) {
      this.#stop = 'budget'
      return
    }
    this.#bytes.set(bytes.subarray(start, start + size), this.#kept)
    this.#kept += size
    if (size < end - start) this.#stop = 'limit'
  }

  gap(): void {
    this.#tailKept = 0
    this.#stop ??= 'gap'
  }

  /** The word that starts `fromEnd` bytes before the end of the body, if it was captured; 4 … 12. */
  tailWord(fromEnd: number): number | null {
    return fromEnd <= this.#tailKept ? u32be(this.#tail, TAIL_SIZE - fromEnd) : null
  }

  /** The last bytes, as far as they were captured; no more than 12. */
  get tail(): Uint8Array {
    return this.#tail.slice(TAIL_SIZE - this.#tailKept)
  }

  release(): void {
    this.#budget.give(this.#bytes.length)
    this.#bytes = new Uint8Array(0)
    this.#kept = 0
  }

  /** The capacity follows from what is kept, not from how the stream was cut. */
  #grow(needed: number): boolean {
    if (needed <= this.#bytes.length) return true
    let capacity = Math.max(CAPACITY_MIN, this.#bytes.length)
    while (capacity < needed) capacity *= 2
    capacity = Math.min(capacity, this.size, LIBVIRT_BODY_MAX)
    if (!this.#budget.take(capacity)) return false
    const grown = new Uint8Array(capacity)
    grown.set(this.#bytes.subarray(0, this.#kept))
    this.#budget.give(this.#bytes.length)
    this.#bytes = grown
    return true
  }

  #keepTail(bytes: Uint8Array, start: number, end: number): void {
    const size = Math.min(end - start, TAIL_SIZE)
    this.#tail.copyWithin(0, size)
    this.#tail.set(bytes.subarray(end - size, end), TAIL_SIZE - size)
    this.#tailKept = Math.min(this.#tailKept + size, TAIL_SIZE)
  }
}
