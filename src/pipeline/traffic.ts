import type { Connection } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import type { Protocol } from './recognizer.ts'

/** Server ports that are told apart; the rest are counted together. */
const PORTS_MAX = 1024

/** What a capture holds besides migrations, in a few numbers: for the sentence that says why none was found. */
export class TrafficSummary {
  connections = 0
  /** Connections by server port. */
  readonly serverPorts = new Map<number, number>()
  readonly protocols = new Map<Protocol, number>()
  readonly #seen = new WeakSet<Connection>()

  event(event: ProtocolEvent): void {
    if (event.type !== 'tcp.open') return
    this.connections++
    const { port } = event.connection.server
    const known = this.serverPorts.get(port)
    if (known !== undefined || this.serverPorts.size < PORTS_MAX) this.serverPorts.set(port, (known ?? 0) + 1)
  }

  recognised(protocol: Protocol, connection: Connection): void {
    if (this.#seen.has(connection)) return
    this.#seen.add(connection)
    this.protocols.set(protocol, (this.protocols.get(protocol) ?? 0) + 1)
  }
}
