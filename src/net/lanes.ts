import type { HalfStream } from './reassembly.ts'
import type { TcpConnection } from './tcp.ts'

/** One direction of a connection over IPv4, by the words of its packets' headers. */
export interface Lane {
  /** Addresses and both ports, as signed words: larger numbers would not be machine integers. */
  readonly source: number
  readonly destination: number
  readonly ports: number
  readonly connection: TcpConnection
  readonly fromLow: boolean
  readonly own: HalfStream
  readonly peer: HalfStream
}

/** A power of two. */
const LANES = 256

/** The connections of the last packets, found by one look where the tables of addresses and connections take four. Each lane
 *  has one place, and gives it up for a later one. */
export class Lanes {
  readonly #lanes: (Lane | null)[] = new Array(LANES).fill(null)

  find(source: number, destination: number, ports: number): Lane | null {
    const lane = this.#lanes[placeOf(source, destination, ports)] as Lane | null
    return lane !== null && lane.ports === ports && lane.source === source && lane.destination === destination
      ? lane
      : null
  }

  /** From now on, packets with these words are of this connection, and so are those of the other direction.
   *  @param fromLow which of the connection's directions it is */
  put(source: number, destination: number, ports: number, connection: TcpConnection, fromLow: boolean): void {
    const { fromLow: low, fromHigh: high } = connection
    const back = (ports << 16) | (ports >>> 16)
    const [own, peer] = fromLow ? [low, high] : [high, low]
    this.#lanes[placeOf(source, destination, ports)] = {
      source,
      destination,
      ports,
      connection,
      fromLow,
      own,
      peer,
    }
    this.#lanes[placeOf(destination, source, back)] = {
      source: destination,
      destination: source,
      ports: back,
      connection,
      fromLow: !fromLow,
      own: peer,
      peer: own,
    }
  }
}

/** @see Knuth, TAOCP vol. 3, 6.4: multiplicative hashing */
function placeOf(source: number, destination: number, ports: number): number {
  const mixed =
    Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 15)) & (LANES - 1)
}
