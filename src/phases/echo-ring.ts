import { ECHO_REQUESTS_MAX } from '../core/limits.ts'

/** One echo request with what became of it. Times are nanoseconds after the capture's first packet. */
export interface Exchange {
  /** Unwrapped: grows by one with each request. */
  readonly sequence: number
  /** Null when only the reply was seen. */
  readonly sentNs: number | null
  /** The first reply; null without one. */
  readonly replyNs: number | null
}

const SIZE_MIN = 8
/** A number that comes again after so long is a new request, not a copy of the old one that a mirror made. */
const REPEAT_NS = 1e9

/** The last requests of one client to one target, in the order of their unwrapped sequence numbers. */
export class EchoRing {
  #sent = new Float64Array(SIZE_MIN).fill(Number.NaN)
  #reply = new Float64Array(SIZE_MIN).fill(Number.NaN)
  /** Unwrapped numbers `#first … #last` are held; none while `#last` is below `#first`. */
  #first = 0
  #last = -1
  /** From 16 bits to unwrapped numbers. */
  #shift = 0
  #latestNs = 0
  /** The number that the client, as seen here, began with. */
  #begin = 0

  /** The first number seen: 0 or 1 where the client's first request was. */
  get begin(): number {
    return this.#begin
  }

  /** Copies of a request are ignored. */
  request(sequence: number, timeNs: number): void {
    let number = this.#unwrap(sequence)
    const known = this.#sentOf(number)
    const before = known ?? (number < this.#first ? this.#latestNs : null)
    if (before !== null) {
      if (Math.abs(timeNs - before) <= REPEAT_NS) return
      // The client began again with numbers that it had before: they go on behind a gap.
      number = this.#last + 2
      this.#shift = number - sequence
    }
    if (!this.#reach(number)) return
    this.#sent[this.#slot(number)] = timeNs
    this.#latestNs = timeNs
  }

  /** The first reply counts. */
  reply(sequence: number, timeNs: number): void {
    const number = this.#unwrap(sequence)
    if (!this.#reach(number)) return
    const slot = this.#slot(number)
    if (Number.isNaN(this.#reply[slot] as number)) this.#reply[slot] = timeNs
  }

  /** Requests sent, and replies without a request seen, from one instant to another. */
  between(fromNs: number, toNs: number): Exchange[] {
    const exchanges: Exchange[] = []
    for (let sequence = this.#first; sequence <= this.#last; sequence++) {
      const sentNs = this.#sentOf(sequence)
      const reply = this.#reply[this.#slot(sequence)] as number
      const replyNs = Number.isNaN(reply) ? null : reply
      const at = sentNs ?? replyNs
      if (at !== null && at >= fromNs && at <= toNs) exchanges.push({ sequence, sentNs, replyNs })
    }
    return exchanges
  }

  /** The number nearest to the latest one that has these 16 bits. */
  #unwrap(sequence: number): number {
    if (this.#last < this.#first) return sequence
    const step = (sequence + this.#shift - this.#last) & 0xffff
    return this.#last + (step >= 0x8000 ? step - 0x10000 : step)
  }

  #slot(number: number): number {
    return number & (this.#sent.length - 1)
  }

  #sentOf(number: number): number | null {
    if (number < this.#first || number > this.#last) return null
    const sent = this.#sent[this.#slot(number)] as number
    return Number.isNaN(sent) ? null : sent
  }

  /** Makes room for a number. False for one that was forgotten, or is before all. */
  #reach(number: number): boolean {
    if (this.#last < this.#first) {
      this.#begin = number
      this.#first = number
      this.#last = number
      return true
    }
    if (number <= this.#last) return number >= this.#first
    if (number - this.#first >= this.#sent.length) this.#grow(number - this.#first + 1)
    const size = this.#sent.length
    for (let next = Math.max(this.#last + 1, number - size + 1); next <= number; next++) {
      this.#sent[this.#slot(next)] = Number.NaN
      this.#reply[this.#slot(next)] = Number.NaN
    }
    this.#last = number
    this.#first = Math.max(this.#first, number - size + 1)
    return true
  }

  #grow(wanted: number): void {
    let size = this.#sent.length
    while (size < wanted && size < ECHO_REQUESTS_MAX) size *= 2
    if (size === this.#sent.length) return
    const sent = new Float64Array(size).fill(Number.NaN)
    const reply = new Float64Array(size).fill(Number.NaN)
    for (let number = this.#first; number <= this.#last; number++) {
      sent[number & (size - 1)] = this.#sent[this.#slot(number)] as number
      reply[number & (size - 1)] = this.#reply[this.#slot(number)] as number
    }
    this.#sent = sent
    this.#reply = reply
  }
}
