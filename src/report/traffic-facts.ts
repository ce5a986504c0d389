/** What a capture's connections carry, in a few numbers. Connections without payload count in `connections` of the whole
 *  only. */
export interface TrafficFacts {
  /** TCP connections, those without payload included. */
  readonly connections: number
  /** ICMP and ICMPv6. */
  readonly echoRequests: number
  /** Connections by server port. */
  readonly serverPorts: ReadonlyMap<number, number>
  /** Connections by what they speak, as far as that was recognised. */
  readonly protocols: ReadonlyMap<string, number>
  /** By the same; `unknown` for the rest. */
  readonly sums: ReadonlyMap<string, ConnectionSums>
}

/** Sums over connections that carried payload. */
export interface ConnectionSums {
  readonly connections: number
  /** Those of which only the packets of one side are there. */
  readonly oneWay: number
  /** Those without SYN and SYN-ACK. */
  readonly withoutSyn: number
  /** Bytes of TCP payload on the wire, as far as their packets are there. */
  readonly payloadBytes: number
  /** Of those, bytes that were cut off when the packets were captured. */
  readonly cutBytes: number
  /** Bytes that passed, but whose packets are not there. */
  readonly lostBytes: number
}
