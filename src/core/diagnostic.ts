import type { Evidence } from './evidence.ts'

export type Severity = 'info' | 'warning' | 'error'

/** Something strange in the input: what, where it was first seen, and how often. */
export interface Diagnostic {
  /** `room.noun`, stable: scripts may match on it. */
  readonly code: string
  readonly severity: Severity
  /** How often it happened; repeats are counted, not repeated. */
  count: number
  /** The first packet concerned; null where no packet is. */
  readonly packet: number | null
  /** One sentence about the first occurrence, with the numbers that matter. */
  readonly message: string
}

/** Collects diagnostics, one per code: bounded by the number of codes, whatever the input. */
export class Diagnostics {
  readonly #byCode: Map<string, Diagnostic>
  readonly #numberOf: (packet: number) => number

  constructor(byCode = new Map<string, Diagnostic>(), numberOf = (packet: number): number => packet) {
    this.#byCode = byCode
    this.#numberOf = numberOf
  }

  /** The same collection, for those who know packets by other numbers. */
  renumbered(numberOf: (packet: number) => number): Diagnostics {
    return new Diagnostics(this.#byCode, numberOf)
  }

  /** @param at the packet concerned, null for the capture as a whole
   *  @param message called for the first occurrence only, so that a repeat costs one map step; with the packet's number
   *  @param times how often it happened at once */
  report(
    code: string,
    severity: Severity,
    at: Evidence | null,
    message: (packet: number | null) => string,
    times = 1,
  ): void {
    const known = this.#byCode.get(code)
    if (known !== undefined) {
      known.count += times
      return
    }
    const packet = at === null ? null : this.#numberOf(at.packet)
    this.#byCode.set(code, { code, severity, count: times, packet, message: message(packet) })
  }

  /** In the order of first occurrence. */
  list(): readonly Diagnostic[] {
    return [...this.#byCode.values()]
  }
}
