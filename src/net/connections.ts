import type { Packet } from '../capture/packet.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { CLOSED_NS, CONNECTIONS_MAX, IDLE_NS, PASSED_NS } from '../core/limits.ts'
import type { AddressTable } from './address.ts'
import type { IpPayload } from './ip.ts'
import type { ReassemblyPool } from './reassembly.ts'
import { TCP_FLAG, TcpConnection } from './tcp.ts'

/** Who makes room, in this order: connections that are closed, those over which nothing was ever sent, the oldest. */
const EXPENDABLE: readonly ((connection: TcpConnection) => boolean)[] = [
  (connection) => connection.closed,
  ({ fromLow, fromHigh }) => fromLow.payloadBytes + fromHigh.payloadBytes === 0,
  () => true,
]

/** Two addresses as one key: numbers of addresses stay far below 2^26. */
const PAIR_FACTOR = 2 ** 26
const pairOf = (low: number, high: number): number => low * PAIR_FACTOR + high
const lowOf = (pair: number): number => Math.floor(pair / PAIR_FACTOR)
const highOf = (pair: number): number => pair % PAIR_FACTOR

/** The TCP connections that are followed, found by numbers. */
export class ConnectionTable {
  /** Connections seen until now, those no longer tracked included. */
  count = 0
  readonly #addresses: AddressTable
  readonly #pool: ReassemblyPool
  readonly #diagnostics: Diagnostics
  readonly #connected: (connection: TcpConnection) => void
  readonly #over: (connection: TcpConnection) => void
  /** By pair of addresses, then by pair of ports; see `find`. */
  readonly #pairs = new Map<number, Map<number, TcpConnection>>()
  #tracked: { pair: number; ports: number; connection: TcpConnection }[] = []
  /** The connection of the packet before: most packets belong to the same one. */
  #lastPair = -1
  #lastPorts = -1
  #last: TcpConnection | null = null

  /** @param connected called for each connection that appears @param over called for each, when it is not followed any more */
  constructor(
    addresses: AddressTable,
    pool: ReassemblyPool,
    diagnostics: Diagnostics,
    connected: (connection: TcpConnection) => void,
    over: (connection: TcpConnection) => void,
  ) {
    this.#addresses = addresses
    this.#pool = pool
    this.#diagnostics = diagnostics
    this.#connected = connected
    this.#over = over
  }

  /** The capture is over: every connection gets its end. */
  end(at: Evidence): void {
    for (const { connection } of this.#tracked) {
      connection.close(at)
      this.#over(connection)
    }
    this.#tracked = []
    this.#pairs.clear()
  }

  /** The connection of a segment, which may be its first. */
  find(
    packet: Packet,
    ip: IpPayload,
    fromLow: boolean,
    sourcePort: number,
    destinationPort: number,
    flags: number,
    sequence: number,
  ): TcpConnection {
    const low = fromLow ? ip.source : ip.destination
    const high = fromLow ? ip.destination : ip.source
    const lowPort = fromLow ? sourcePort : destinationPort
    const highPort = fromLow ? destinationPort : sourcePort
    const pair = pairOf(low, high)
    const ports = lowPort * 65536 + highPort
    const isSyn = (flags & TCP_FLAG.syn) !== 0
    if (pair === this.#lastPair && ports === this.#lastPorts && !isSyn) return this.#last as TcpConnection

    let byPorts = this.#pairs.get(pair)
    if (byPorts === undefined) {
      byPorts = new Map()
      this.#pairs.set(pair, byPorts)
    }
    let connection = byPorts.get(ports)
    if (connection !== undefined && isSyn && this.#reused(connection, fromLow, flags, sequence)) {
      connection.close(packet)
      connection = undefined
    }
    if (connection === undefined) {
      connection = this.#open(packet, low, high, lowPort, highPort, fromLow, flags)
      byPorts.set(ports, connection)
      // Making room may have dropped the pair.
      this.#pairs.set(pair, byPorts)
      this.#tracked.push({ pair, ports, connection })
      this.#connected(connection)
    }
    this.#lastPair = pair
    this.#lastPorts = ports
    this.#last = connection
    return connection
  }

  /** Whether a SYN begins another connection: its number is another one, or only the tail of the connection before
   *  was captured. */
  #reused(connection: TcpConnection, fromLow: boolean, flags: number, sequence: number): boolean {
    if ((flags & TCP_FLAG.ack) !== 0) return false
    const own = fromLow ? connection.fromLow : connection.fromHigh
    const peer = fromLow ? connection.fromHigh : connection.fromLow
    return own.started ? own.isOtherSyn(sequence) : peer.started && connection.synAck === null
  }

  #open(
    packet: Packet,
    low: number,
    high: number,
    lowPort: number,
    highPort: number,
    fromLow: boolean,
    flags: number,
  ): TcpConnection {
    if (this.#tracked.length >= CONNECTIONS_MAX) this.#evict(packet)
    const lowEnd = { address: this.#addresses.text(low), port: lowPort }
    const highEnd = { address: this.#addresses.text(high), port: highPort }
    const isSyn = (flags & TCP_FLAG.syn) !== 0
    // Without a SYN, servers are taken to have the lower port, until the content says otherwise.
    const clientIsLow = isSyn ? fromLow === ((flags & TCP_FLAG.ack) === 0) : lowPort > highPort
    const connection = new TcpConnection(this.count++, lowEnd, highEnd, clientIsLow, this.#pool, packet)
    return connection
  }

  /** Makes room: closed connections go first, then the half that was opened first. One pass frees half the table, so
   *  that a flood of connections costs linear time. */
  #evict(at: Packet): void {
    this.#diagnostics.report(
      'tcp.connections',
      'warning',
      at,
      () => `more than ${CONNECTIONS_MAX} TCP connections at once: the oldest are no longer followed`,
    )
    const surplus = this.#tracked.length - CONNECTIONS_MAX / 2
    let removed = 0
    for (const expendable of EXPENDABLE) {
      this.#tracked = this.#tracked.filter(({ pair, ports, connection }) => {
        if (removed >= surplus || !expendable(connection)) return true
        removed++
        this.#drop(pair, ports, connection, at)
        return false
      })
    }
    this.#lastPair = -1
  }

  /** Forgets what a trace that goes on needs no more: connections that have been closed for a while, or
   *  silent for long, and what passed long ago on the others.
   *  @param needed whether something still asks for a connection */
  expire(at: Evidence, needed: (connection: TcpConnection) => boolean): void {
    this.#tracked = this.#tracked.filter(({ pair, ports, connection }) => {
      if (needed(connection)) return true
      if (at.timeNs - connection.lastPacket.timeNs <= (connection.closed ? CLOSED_NS : IDLE_NS)) {
        connection.forgetRates(at.timeNs - PASSED_NS)
        return true
      }
      this.#drop(pair, ports, connection, at)
      return false
    })
    this.#lastPair = -1
  }

  #drop(pair: number, ports: number, connection: TcpConnection, at: Evidence): void {
    connection.close(at)
    connection.release()
    this.#over(connection)
    const byPorts = this.#pairs.get(pair)
    if (byPorts?.get(ports) === connection) byPorts.delete(ports)
    if (byPorts?.size === 0) this.#pairs.delete(pair)
  }

  /** Forgets the addresses of connections that are no longer followed. */
  forgetAddresses(): void {
    const used = new Set(this.#tracked.flatMap(({ pair }) => [lowOf(pair), highOf(pair)]))
    const renumbered = this.#addresses.keepOnly([...used].sort((a, b) => a - b))
    this.#pairs.clear()
    for (const entry of this.#tracked) {
      const low = renumbered.get(lowOf(entry.pair)) ?? 0
      entry.pair = pairOf(low, renumbered.get(highOf(entry.pair)) ?? 0)
      const byPorts = this.#pairs.get(entry.pair) ?? new Map<number, TcpConnection>()
      this.#pairs.set(entry.pair, byPorts.set(entry.ports, entry.connection))
    }
    this.#lastPair = -1
  }
}
