import { SERVER_PORTS_MAX } from '../core/limits.ts'
import type { Connection } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import type { TcpConnection } from '../net/tcp.ts'
import type { ConnectionSums, TrafficFacts } from '../report/traffic-facts.ts'
import type { Protocol } from './recognizer.ts'

/** What a capture holds besides migrations, in a few numbers: for the sentence that says why none was found, and for what
 *  is wrong with the capture. */
export class TrafficSummary implements TrafficFacts {
  connections = 0
  echoRequests = 0
  /** Connections by server port. */
  readonly serverPorts = new Map<number, number>()
  readonly protocols = new Map<Protocol, number>()
  readonly sums = new Map<Protocol | 'unknown', ConnectionSums>()
  readonly #recognised = new WeakMap<Connection, Protocol>()

  event(event: ProtocolEvent): void {
    if (event.type === 'icmp.echo' && event.kind === 'request') this.echoRequests++
    if (event.type !== 'tcp.open') return
    this.connections++
    const { port } = event.connection.server
    const known = this.serverPorts.get(port)
    if (known !== undefined || this.serverPorts.size < SERVER_PORTS_MAX)
      this.serverPorts.set(port, (known ?? 0) + 1)
  }

  recognised(protocol: Protocol, connection: Connection): void {
    if (this.#recognised.has(connection)) return
    this.#recognised.set(connection, protocol)
    this.protocols.set(protocol, (this.protocols.get(protocol) ?? 0) + 1)
  }

  /** No more packets of a connection will come. */
  over(connection: TcpConnection): void {
    const { toServer, toClient } = connection
    if (toServer.payloadBytes + toClient.payloadBytes === 0) return
    const protocol = this.#recognised.get(connection) ?? 'unknown'
    const before = this.sums.get(protocol) ?? NOTHING
    const lost = toServer.lostBytes + toClient.lostBytes
    this.sums.set(protocol, {
      connections: before.connections + 1,
      oneWay: before.oneWay + (toServer.packets === 0 || toClient.packets === 0 ? 1 : 0),
      withoutSyn: before.withoutSyn + (connection.syn === null && connection.synAck === null ? 1 : 0),
      payloadBytes: before.payloadBytes + toServer.payloadBytes + toClient.payloadBytes,
      cutBytes: before.cutBytes + toServer.missingBytes + toClient.missingBytes - lost,
      lostBytes: before.lostBytes + lost,
    })
  }
}

const NOTHING: ConnectionSums = {
  connections: 0,
  oneWay: 0,
  withoutSyn: 0,
  payloadBytes: 0,
  cutBytes: 0,
  lostBytes: 0,
}
