import type { Evidence } from '../core/evidence.ts'
import type { RateSeries } from '../core/rate.ts'

export type Direction = 'to-server' | 'to-client'

export interface Endpoint {
  /** As text: dotted IPv4 or RFC 5952 IPv6. */
  readonly address: string
  readonly port: number
}

/** What passed in one direction of a TCP connection, until now. */
export interface DirectionCounts {
  readonly packets: number
  /** Bytes of the frames on the wire, whatever the snap length kept. */
  readonly wireBytes: number
  /** TCP payload on the wire, first transmissions only. */
  readonly payloadBytes: number
  /** TCP payload that had been seen before. */
  readonly retransmittedBytes: number
  /** TCP payload that the peer acknowledged but the capture does not hold: lost, or cut by the snap length. */
  readonly missingBytes: number
  /** `payloadBytes` over time; null before the first of them. */
  readonly rates: RateSeries | null
}

/** What had passed in both directions of a connection at some packet. */
export interface Totals {
  readonly toServer: Pick<DirectionCounts, 'wireBytes' | 'payloadBytes'>
  readonly toClient: Pick<DirectionCounts, 'wireBytes' | 'payloadBytes'>
}

/** One TCP connection, both directions. Live: the fields grow until the connection is over. */
export interface Connection {
  /** 0-based, in the order of first packets. */
  readonly id: number
  readonly client: Endpoint
  readonly server: Endpoint
  /** How it is known which end is the client. */
  readonly clientKnownBy: 'syn' | 'content' | 'port'
  readonly firstPacket: Evidence
  readonly lastPacket: Evidence
  /** First SYN; null when the capture starts later. */
  readonly syn: Evidence | null
  readonly synAck: Evidence | null
  /** The client's first packet after the SYN-ACK. */
  readonly handshakeAck: Evidence | null
  readonly firstFin: Evidence | null
  readonly lastFin: Evidence | null
  readonly firstRst: Evidence | null
  readonly lastRst: Evidence | null
  /** A RST answered the SYN: nobody listened. */
  readonly refused: boolean
  readonly toServer: DirectionCounts
  readonly toClient: DirectionCounts
  /** What had passed up to and including this packet, which must be one of the last with payload; null on connections
   *  that nobody keeps books of. */
  totalsAt(packet: number): Totals | null
}

/** The last FIN or RST packet of the connection, either direction; null while it is open. */
export function termination(connection: Connection): Evidence | null {
  const { lastFin, lastRst } = connection
  if (lastFin === null) return lastRst
  return lastRst !== null && lastRst.packet > lastFin.packet ? lastRst : lastFin
}
