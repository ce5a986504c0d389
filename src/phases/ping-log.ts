import { PING_LINE_MAX, PING_LINES_MAX } from '../core/limits.ts'
import type { Exchange } from './echo-ring.ts'

/** What iputils writes; `-O` adds the second kind. @see iputils ping/ping_common.c, print_timestamp and gather_statistics */
const REPLY = /^\[(\d{1,11})\.(\d{1,9})\] \d+ bytes from (.+?): icmp_seq=(\d+) (.*)$/
const NO_ANSWER = /^\[(\d{1,11})\.(\d{1,9})\] no answer yet for icmp_seq=(\d+)/
const UNSTAMPED = /^\d+ bytes from .+: icmp_(?:seq|req)=\d+/
const HEADER = /^PING .*?\(([0-9a-f]*[.:][0-9a-f.:]*)(?:%\S+)?\)/i
const ADDRESS = /\(([0-9a-f]*[.:][0-9a-f.:]*)(?:%\S+)?\)$/i
const ROUND_TRIP = /time[=<](\d+(?:\.\d+)?) ms/
/** Requests with and without a line that are told of; lost ones beyond are left out. */
const EXCHANGES_MAX = 2 * PING_LINES_MAX

/** Whether a line begins another run: several may follow each other in a file. */
export function beginsRun(line: string): boolean {
  return line.startsWith('PING ')
}

/** What a client noted of its echo requests, one run: the output of `ping -D`, with or without `-O`. Give it the text line by line.
 *  Times are nanoseconds after `baseSeconds`. */
export class PingLog {
  /** Seconds since 1970 that times count from; null before the first stamp. */
  baseSeconds: number | null = null
  /** The address that was pinged; null when no line told. */
  target: string | null = null
  /** There are replies without a time stamp: the client ran without `-D`. */
  unstamped = false
  /** The log is longer than what is kept. */
  full = false
  /** By line: unwrapped number, when it was sent, when its reply came (NaN: not known). */
  readonly #numbers: number[] = []
  readonly #sent: number[] = []
  readonly #replies: number[] = []
  #last: number | null = null
  #exchanges: readonly Exchange[] | null = null

  /** Replies that could be read, with those that are missing. */
  get lines(): number {
    return this.#numbers.length
  }

  /** A whole line: one that was cut off may name another number. Lines of other kinds say nothing. */
  line(text: string): void {
    if (text.length > PING_LINE_MAX) return
    const reply = REPLY.exec(text)
    if (reply !== null) {
      this.#reply(reply)
      return
    }
    const unanswered = NO_ANSWER.exec(text)
    if (unanswered !== null) this.#unanswered(unanswered)
    else if (UNSTAMPED.test(text)) this.unstamped = true
    else this.target ??= HEADER.exec(text)?.[1] ?? null
  }

  /** Every request from the first line to the last, in order. When those without a line of their own were sent is not
   *  known: they are spaced evenly between those around them. */
  exchanges(): readonly Exchange[] {
    this.#exchanges ??= withMissing(this.#known())
    return this.#exchanges
  }

  /** Those sent from one instant to another. */
  between(fromNs: number, toNs: number): Exchange[] {
    const all = this.exchanges()
    let low = 0
    let high = all.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((all[middle]?.sentNs ?? 0) < fromNs) low = middle + 1
      else high = middle
    }
    let end = low
    while (end < all.length && (all[end]?.sentNs ?? 0) <= toNs) end++
    return all.slice(low, end)
  }

  #reply([, whole = '', fraction = '', from = '', sequence = '', rest = '']: readonly string[]): void {
    // The line was cut off inside.
    const roundTrip = ROUND_TRIP.exec(rest)?.[1]
    if (roundTrip === undefined) return
    this.target ??= ADDRESS.exec(from)?.[1] ?? from
    const at = this.#time(whole, fraction)
    this.#add(this.#unwrap(Number(sequence)), at - Number(roundTrip) * 1e6, at)
  }

  /** Written when the next request leaves. */
  #unanswered([, whole = '', fraction = '', sequence = '']: readonly string[]): void {
    const at = this.#time(whole, fraction)
    const number = this.#unwrap(Number(sequence))
    this.#add(number, Number.NaN, Number.NaN)
    this.#add(number + 1, at, Number.NaN)
  }

  #time(whole: string, fraction: string): number {
    this.baseSeconds ??= Number(whole)
    return (Number(whole) - this.baseSeconds) * 1e9 + Number(fraction.padEnd(9, '0'))
  }

  #add(number: number, sent: number, reply: number): void {
    if (this.#numbers.length >= PING_LINES_MAX) {
      this.full = true
      return
    }
    this.#numbers.push(number)
    this.#sent.push(sent)
    this.#replies.push(reply)
  }

  #unwrap(sequence: number): number {
    const last = this.#last ?? sequence
    const step = (sequence - last) & 0xffff
    const number = last + (step >= 0x8000 ? step - 0x10000 : step)
    this.#last = Math.max(last, number)
    return number
  }

  /** One for each number: its first reply counts. */
  #known(): Exchange[] {
    const byNumber = new Map<number, Exchange>()
    for (const [line, sequence] of this.#numbers.entries()) {
      const known = byNumber.get(sequence)
      const sentNs = known?.sentNs ?? numberOrNull(this.#sent[line])
      const replyNs = known?.replyNs ?? numberOrNull(this.#replies[line])
      byNumber.set(sequence, { sequence, sentNs, replyNs })
    }
    return [...byNumber.values()].sort((a, b) => a.sequence - b.sequence)
  }
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}

/** @param known in order, each with a time or between two that have one */
function withMissing(known: readonly Exchange[]): Exchange[] {
  const all: Exchange[] = []
  let previous: { readonly sequence: number; readonly sentNs: number } | null = null
  const replies = new Map(known.map(({ sequence, replyNs }) => [sequence, replyNs]))
  for (const { sequence, sentNs, replyNs } of known) {
    if (sentNs === null) continue
    const missing: number = previous === null ? 0 : sequence - previous.sequence - 1
    if (previous !== null && missing > 0 && all.length + missing <= EXCHANGES_MAX) {
      const spacing: number = (sentNs - previous.sentNs) / (missing + 1)
      for (let step = 1; step <= missing; step++) {
        const number = previous.sequence + step
        const sent = previous.sentNs + step * spacing
        all.push({ sequence: number, sentNs: sent, replyNs: replies.get(number) ?? null })
      }
    }
    all.push({ sequence, sentNs, replyNs })
    previous = { sequence, sentNs }
  }
  return all
}
