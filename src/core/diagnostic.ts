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
  readonly #byCode = new Map<string, Diagnostic>()

  /** @param at the packet concerned, null for the capture as a whole
   *  @param message called for the first occurrence only, so that a repeat costs one map step
   *  @param times how often it happened at once */
  report(code: string, severity: Severity, at: Evidence | null, message: () => string, times = 1): void {
    const known = this.#byCode.get(code)
    if (known !== undefined) known.count += times
    else
      this.#byCode.set(code, { code, severity, count: times, packet: at?.packet ?? null, message: message() })
  }

  /** In the order of first occurrence. */
  list(): readonly Diagnostic[] {
    return [...this.#byCode.values()]
  }
}
