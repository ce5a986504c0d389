import type { Diagnostics } from '../core/diagnostic.ts'
import { type Evidence, keep } from '../core/evidence.ts'
import { ORDER_TOLERANCE_NS, ORDER_WINDOW_NS } from '../core/limits.ts'

/** A capture is hardly ever silent for longer; shorter forward steps of a clock cannot be told from silence. */
const FORWARD_STEP_NS = 24 * 3600e9

/** Steps of one kind: how often, where first, and the largest. */
class Steps {
  #count = 0
  #first: Evidence | null = null
  #largestNs = 0

  add(sizeNs: number, at: Evidence): void {
    this.#count++
    this.#first ??= keep(at)
    this.#largestNs = Math.max(this.#largestNs, sizeNs)
  }

  report(diagnostics: Diagnostics, code: string, severity: 'info' | 'warning', what: string): void {
    if (this.#first === null) return
    const size = `${Number((this.#largestNs / 1e9).toPrecision(3))} s at most`
    diagnostics.report(code, severity, this.#first, () => `${what}, by ${size}`, this.#count)
  }
}

/** Follows the stamps of packets in the order of the file, and reports at the end where they do not go on evenly. */
export class ClockWatch {
  readonly #backwards = new Steps()
  readonly #steps = new Steps()
  #lastNs = Number.NaN

  packet(timeNs: number, at: Evidence): void {
    const stepNs = timeNs - this.#lastNs
    this.#lastNs = timeNs
    // Also false for the first packet.
    if (stepNs < -ORDER_TOLERANCE_NS || stepNs > FORWARD_STEP_NS) this.#uneven(stepNs, at)
  }

  /** Takes note of a packet that comes after the one before, by the stamps; of no other. Returns whether it does. */
  goesOn(timeNs: number): boolean {
    const stepNs = timeNs - this.#lastNs
    if (!(stepNs >= 0 && stepNs <= FORWARD_STEP_NS)) return false
    this.#lastNs = timeNs
    return true
  }

  report(diagnostics: Diagnostics): void {
    this.#backwards.report(
      diagnostics,
      'capture.time-backwards',
      'info',
      'packets are not in the order of their time stamps; they are read in the order of the file',
    )
    this.#steps.report(
      diagnostics,
      'capture.clock-step',
      'warning',
      'the clock of the capture was set, or captures were put one behind the other: times across that are wrong',
    )
  }

  #uneven(stepNs: number, at: Evidence): void {
    if (stepNs < 0 && stepNs > -ORDER_WINDOW_NS) this.#backwards.add(-stepNs, at)
    else this.#steps.add(Math.abs(stepNs), at)
  }
}
