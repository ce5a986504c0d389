import type { BodyBudget } from '../../core/body-budget.ts'
import { text } from '../../core/bytes.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { methodAtEnd } from './signature.ts'

const LF = 0x0a

/** Bytes of a line that are searched: a start line is found when it lies within the last half of that. Paths of
 *  OpenStack's clients have some hundred. */
const WINDOW_SIZE = 4096

export interface FoundStart {
  /** The start line without its line end. */
  readonly line: string
  /** The same as bytes, with what stands before the LF. */
  readonly bytes: Uint8Array
  readonly first: Evidence
}

/** Finds the next start line in bytes that begin anywhere, when its line ends. It may stand anywhere in the line, for
 *  the body before a message need not end with a line end. Cuts make no difference. */
export class StartSearch {
  readonly #budget: BodyBudget
  readonly #startOf: (line: string) => number
  #window: Uint8Array | null = null
  #size = 0
  /** Where in the window a packet begins, ascending. */
  #packets: { from: number; at: Evidence }[] = []

  constructor(budget: BodyBudget, forRequests: boolean) {
    this.#budget = budget
    this.#startOf = forRequests ? requestStart : responseStart
  }

  /** Looks at `bytes[start … end)` up to the end of the first start line. Gives the offset behind what was looked
   *  at, and tells what was found. */
  take(
    bytes: Uint8Array,
    start: number,
    end: number,
    at: Evidence,
  ): { offset: number; found: FoundStart | null } {
    let offset = start
    while (offset < end) {
      const stop = lineEnd(bytes, offset, end)
      this.#append(bytes, offset, stop, at)
      offset = stop
      if (bytes[stop - 1] !== LF) continue
      const found = this.#judge()
      this.#size = 0
      this.#packets = []
      if (found !== null) {
        this.reset()
        return { offset, found }
      }
    }
    return { offset, found: null }
  }

  /** Bytes that may belong to a start line. */
  get held(): number {
    return this.#size
  }

  /** What was seen until now leads to nothing: something was found, or the next bytes are not adjacent. */
  reset(): void {
    if (this.#window !== null) this.#budget.give(WINDOW_SIZE)
    this.#window = null
    this.#size = 0
    this.#packets = []
  }

  #append(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (this.#window === null) {
      if (!this.#budget.take(WINDOW_SIZE)) return
      this.#window = new Uint8Array(WINDOW_SIZE)
    }
    this.#packets.push({ from: this.#size, at: keep(at) })
    for (let offset = start; offset < end; ) {
      if (this.#size === WINDOW_SIZE) this.#dropHalf(this.#window)
      const size = Math.min(end - offset, WINDOW_SIZE - this.#size)
      this.#window.set(bytes.subarray(offset, offset + size), this.#size)
      this.#size += size
      offset += size
    }
  }

  /** When the window is full, which depends on the line alone. */
  #dropHalf(window: Uint8Array): void {
    const dropped = WINDOW_SIZE / 2
    window.copyWithin(0, dropped)
    this.#size -= dropped
    for (const packet of this.#packets) packet.from -= dropped
    const first = this.#packets.findLastIndex((packet) => packet.from <= 0)
    this.#packets.splice(0, Math.max(0, first))
  }

  /** The line at hand is over: whether it ends with a start line. */
  #judge(): FoundStart | null {
    if (this.#window === null) return null
    // One character a byte, so that positions are the same.
    const bytes = this.#window.subarray(0, this.#size)
    const line = String.fromCharCode(...bytes).replace(/\r?\n$/, '')
    const start = this.#startOf(line)
    if (start < 0) return null
    const first = this.#packets.findLast((packet) => packet.from <= start)?.at
    if (first === undefined) return null
    return { line: text(bytes, start, line.length), bytes: bytes.slice(start, -1), first }
  }
}

/** Where in a line a request line starts that goes to its end; -1 when none does. */
function requestStart(line: string): number {
  if (!/ HTTP\/1\.\d$/.test(line.slice(-9))) return -1
  const targetEnd = line.length - 9
  const targetStart = line.lastIndexOf(' ', targetEnd - 1) + 1
  if (targetStart === 0 || targetStart === targetEnd) return -1
  const method = methodAtEnd(line.slice(0, targetStart - 1))
  return method === null ? -1 : targetStart - 1 - method.length
}

function responseStart(line: string): number {
  const start = line.lastIndexOf('HTTP/1.')
  return start >= 0 && /^HTTP\/1\.\d \d{3}( |$)/.test(line.slice(start, start + 13)) ? start : -1
}

/** Behind the first LF, or `end`. */
function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === LF) return i + 1
  return end
}
