import { ATTEMPTS_MAX, ATTEMPTS_OPEN_MAX, LATE_NS, SILENCE_NS } from '../core/limits.ts'
import type { Connection } from '../events/connection.ts'
import type { TcpEvent, TcpOpen } from '../events/tcp.ts'
import type { Now } from './over.ts'

/** Ports of libvirtd: a refused connection to one of them is an attempt to migrate. @see protocols.md C.1 */
const LIBVIRT_PORTS: ReadonlySet<number> = new Set([16509, 16514])

/** A connection to libvirt's port that nobody accepted. */
export interface Attempt {
  readonly connection: Connection
  readonly events: readonly (TcpOpen | TcpEvent)[]
}

/** Connections to libvirt's ports that are not accepted, or not yet. */
export class Attempts {
  readonly #unanswered = new Map<Connection, TcpOpen>()
  #refused: Attempt[] = []

  opened(event: TcpOpen): void {
    const { connection, sawSyn } = event
    if (sawSyn && LIBVIRT_PORTS.has(connection.server.port) && this.#unanswered.size < ATTEMPTS_OPEN_MAX)
      this.#unanswered.set(connection, event)
  }

  /** It was accepted; also where that is not in the capture, but what was said shows that it was. */
  accepted(connection: Connection): void {
    this.#unanswered.delete(connection)
  }

  refused(event: TcpEvent): void {
    const { connection } = event
    const open = this.#unanswered.get(connection)
    this.#unanswered.delete(connection)
    if (open !== undefined && this.#refused.length < ATTEMPTS_MAX)
      this.#refused.push({ connection, events: [open, event] })
  }

  /** The capture goes on: those that came to nothing, of which nothing is waited for any more. They are forgotten. */
  takeOver(now: Now): Attempt[] {
    const over = this.#refused.filter(({ connection }) => now.ns - connection.lastPacket.timeNs > LATE_NS)
    this.#refused = this.#refused.filter((attempt) => !over.includes(attempt))
    for (const [connection, open] of this.#unanswered) {
      if (now.packetNs - connection.lastPacket.timeNs <= SILENCE_NS) continue
      this.#unanswered.delete(connection)
      over.push({ connection, events: [open] })
    }
    return over
  }

  /** The capture is over: all that came to nothing. */
  takeAll(): Attempt[] {
    const open = [...this.#unanswered].map(([connection, event]) => ({ connection, events: [event] }))
    return [...this.#refused, ...open]
  }
}
