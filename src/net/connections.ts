import type { Packet } from '../capture/packet.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import {
  CLOSED_CONNECTIONS_MAX,
  CLOSED_NS,
  CONNECTIONS_MAX,
  IDLE_NS,
  PASSED_NS,
  UNANSWERED_MAX,
} from '../core/limits.ts'
import type { AddressTable } from './address.ts'
import { ConnectionChains } from './chains.ts'
import type { IpPayload } from './ip.ts'
import type { ReassemblyPool } from './reassembly.ts'
import { TCP_FLAG, TcpConnection } from './tcp.ts'

/** Who makes room, in this order: connections over which nothing was ever sent, the oldest. */
const EXPENDABLE: readonly ((connection: TcpConnection) => boolean)[] = [hasNoPayload, () => true]

/** Dropped connections that the list may hold before it is made anew. */
const DROPPED_KEPT = 1024

/** The TCP connections that are followed, found by numbers.
 *
 *  Of those that are closed, and of those that nobody answered, only the last ones are: most connections of a capture last for
 *  some packets, and those that go early are garbage of the cheap kind. */
export class ConnectionTable {
  /** Connections seen until now, those no longer tracked included. */
  count = 0
  readonly #addresses: AddressTable
  readonly #pool: ReassemblyPool
  readonly #diagnostics: Diagnostics
  readonly #connected: (connection: TcpConnection) => void
  readonly #over: (connection: TcpConnection) => void
  readonly #forgotten: ((connection: TcpConnection) => void) | undefined
  readonly #chains = new ConnectionChains()
  /** In the order in which they were opened, with some that were dropped. */
  #tracked: TcpConnection[] = []
  /** Those of `#tracked` that are still followed. */
  #followed = 0
  readonly #closed: (TcpConnection | undefined)[] = []
  #closedCount = 0
  readonly #unanswered: (TcpConnection | undefined)[] = []
  #unansweredCount = 0

  /** @param connected called for each connection that appears @param over called for each, when it is not followed any more
   *  @param forgotten called for those of them that were not closed, or have been for long */
  constructor(
    addresses: AddressTable,
    pool: ReassemblyPool,
    diagnostics: Diagnostics,
    connected: (connection: TcpConnection) => void,
    over: (connection: TcpConnection) => void,
    forgotten?: (connection: TcpConnection) => void,
  ) {
    this.#addresses = addresses
    this.#pool = pool
    this.#diagnostics = diagnostics
    this.#connected = connected
    this.#over = over
    this.#forgotten = forgotten
  }

  /** The capture is over: every connection gets its end. */
  end(at: Evidence): void {
    for (const connection of this.#tracked) {
      if (!connection.followed) continue
      connection.close(at)
      this.#over(connection)
    }
    this.#tracked = []
    this.#chains.clear()
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
    let connection = this.#chains.find(low, high, lowPort, highPort)
    if (
      connection !== null &&
      (flags & TCP_FLAG.syn) !== 0 &&
      this.#reused(connection, fromLow, flags, sequence)
    ) {
      connection.close(packet)
      connection = null
    }
    return connection ?? this.#open(packet, low, high, lowPort, highPort, fromLow, flags)
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
    if (this.#followed >= CONNECTIONS_MAX) this.#evict(packet)
    const lowEnd = { number: low, address: this.#addresses.text(low), port: lowPort }
    const highEnd = { number: high, address: this.#addresses.text(high), port: highPort }
    const isSyn = (flags & TCP_FLAG.syn) !== 0
    // Without a SYN, servers are taken to have the lower port, until the content says otherwise.
    const clientIsLow = isSyn ? fromLow === ((flags & TCP_FLAG.ack) === 0) : lowPort > highPort
    const connection = new TcpConnection(this.count++, lowEnd, highEnd, clientIsLow, this.#pool, packet)
    this.#chains.add(connection)
    this.#tracked.push(connection)
    this.#followed++
    this.#connected(connection)
    if (isSyn && (flags & TCP_FLAG.ack) === 0) this.#expectAnswer(connection, packet)
    return connection
  }

  /** A connection was closed, as far as its packets tell. */
  closed(connection: TcpConnection, at: Packet): void {
    const place = this.#closedCount++ % CLOSED_CONNECTIONS_MAX
    const oldest = this.#closed[place]
    this.#closed[place] = connection
    if (oldest !== undefined && oldest !== connection) this.#drop(oldest, at)
  }

  #expectAnswer(connection: TcpConnection, at: Packet): void {
    const place = this.#unansweredCount++ % UNANSWERED_MAX
    const oldest = this.#unanswered[place]
    this.#unanswered[place] = connection
    if (oldest === undefined || oldest.synAck !== null || !hasNoPayload(oldest)) return
    if (this.#drop(oldest, at))
      this.#diagnostics.report(
        'tcp.unanswered',
        'info',
        at,
        () =>
          `more than ${UNANSWERED_MAX} connections that nobody answered: the first ones are no longer followed`,
      )
  }

  /** @returns whether it was still followed */
  #drop(connection: TcpConnection, at: Evidence): boolean {
    if (!connection.followed) return false
    this.#chains.remove(connection)
    connection.close(at)
    connection.release()
    this.#over(connection)
    this.#followed--
    if (this.#tracked.length > 2 * this.#followed + DROPPED_KEPT)
      this.#tracked = this.#tracked.filter(({ followed }) => followed)
    return true
  }

  /** Makes room: connections without payload go first, then the half that was opened first. One pass frees half the table, so
   *  that a flood of connections costs linear time. */
  #evict(at: Packet): void {
    this.#diagnostics.report(
      'tcp.connections',
      'warning',
      at,
      () => `more than ${CONNECTIONS_MAX} TCP connections at once: the oldest are no longer followed`,
    )
    let surplus = this.#followed - CONNECTIONS_MAX / 2
    const tracked = this.#tracked
    for (const expendable of EXPENDABLE)
      for (const connection of tracked)
        if (surplus > 0 && expendable(connection) && this.#forget(connection, at)) surplus--
  }

  /** Forgets what a trace that goes on needs no more: connections that have been closed for a while, or
   *  silent for long, and what passed long ago on the others.
   *  @param needed whether something still asks for a connection */
  expire(at: Evidence, needed: (connection: TcpConnection) => boolean): void {
    for (const connection of [...this.#tracked]) {
      if (!connection.followed || needed(connection)) continue
      if (at.timeNs - connection.lastPacket.timeNs > (connection.closed ? CLOSED_NS : IDLE_NS))
        this.#forget(connection, at)
      else connection.forgetRates(at.timeNs - PASSED_NS)
    }
    this.#tracked = this.#tracked.filter(({ followed }) => followed)
    for (const list of [this.#closed, this.#unanswered])
      for (const [place, connection] of list.entries())
        if (connection?.followed === false) list[place] = undefined
  }

  /** Drops a connection, and tells those who may still wait for something from it.
   *  @returns whether it was still followed */
  #forget(connection: TcpConnection, at: Evidence): boolean {
    if (!this.#drop(connection, at)) return false
    this.#forgotten?.(connection)
    return true
  }

  /** Forgets the addresses of connections that are no longer followed. */
  forgetAddresses(): void {
    const followed = this.#tracked.filter((connection) => connection.followed)
    const used = new Set(followed.flatMap(({ low, high }) => [low.number, high.number]))
    const renumbered = this.#addresses.keepOnly([...used].sort((a, b) => a - b))
    this.#chains.clear()
    for (const connection of followed) {
      const { low, high } = connection
      low.number = renumbered.get(low.number) ?? 0
      high.number = renumbered.get(high.number) ?? 0
      this.#chains.add(connection)
    }
  }
}

function hasNoPayload({ fromLow, fromHigh }: TcpConnection): boolean {
  return fromLow.payloadBytes + fromHigh.payloadBytes === 0
}
