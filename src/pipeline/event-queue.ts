import type { Diagnostics } from '../core/diagnostic.ts'
import { EVENTS_PENDING_MAX } from '../core/limits.ts'
import type { EventSink, ProtocolEvent } from '../events/event.ts'

/** Hands events on in the order of the packets that complete them. A message whose last segment is late is decoded
 *  late, after later messages of other directions; what could still be overtaken waits here. */
export class EventQueue {
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics
  /** The first packet of the oldest hole, Infinity without one. */
  readonly #horizon: () => number
  /** By last packet, ascending. */
  #pending: ProtocolEvent[] = []

  constructor(sink: EventSink, horizon: () => number, diagnostics: Diagnostics) {
    this.#sink = sink
    this.#horizon = horizon
    this.#diagnostics = diagnostics
  }

  get size(): number {
    return this.#pending.length
  }

  add(event: ProtocolEvent): void {
    const pending = this.#pending
    let index = pending.length
    while (index > 0 && (pending[index - 1] as ProtocolEvent).last.packet > event.last.packet) index--
    pending.splice(index, 0, event)
    if (pending.length > EVENTS_PENDING_MAX) this.#overflow()
  }

  /** Hands on what nothing can precede any more. */
  release(): void {
    const horizon = this.#horizon()
    const pending = this.#pending
    let ready = 0
    while (ready < pending.length && (pending[ready] as ProtocolEvent).last.packet < horizon) ready++
    this.#hand(ready)
  }

  flush(): void {
    this.#hand(this.#pending.length)
  }

  #overflow(): void {
    this.#diagnostics.report(
      'events.order',
      'warning',
      this.#pending[0]?.last ?? null,
      () => `more than ${EVENTS_PENDING_MAX} events wait for missing segments: some are taken out of order`,
    )
    this.#hand(EVENTS_PENDING_MAX / 2)
  }

  #hand(count: number): void {
    if (count === 0) return
    const ready = this.#pending.splice(0, count)
    for (const event of ready) this.#sink(event)
  }
}
