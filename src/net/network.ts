import type { Packet } from '../capture/packet.ts'
import { u16be, u32be } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { ADDRESSES_MAX, CONNECTIONS_MAX } from '../core/limits.ts'
import type { EventSink } from '../events/event.ts'
import type { PacketEnds } from '../events/icmp.ts'
import { AddressTable } from './address.ts'
import { Ends } from './ends.ts'
import { IP_PROTOCOL, type IpPayload, readIpv4, readIpv6 } from './ip.ts'
import { ETHERTYPE, type LinkPayload, readLink } from './link.ts'
import { ReassemblyPool } from './reassembly.ts'
import { TCP_FLAG, TcpConnection } from './tcp.ts'

/** Packets between two looks for holes that will not fill. */
const EXPIRE_EVERY = 256

export interface NetworkHandlers {
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  /** A connection appeared: attach decoders. */
  readonly connected: (connection: TcpConnection) => void
  /** A RARP frame: `bytes[offset … end)` behind the link header. */
  readonly rarp: (bytes: Uint8Array, offset: number, end: number, at: Evidence) => void
  /** An ICMP message, of either version of IP: `bytes[offset … end)` behind the IP header. */
  readonly icmp: (
    bytes: Uint8Array,
    offset: number,
    end: number,
    version: 4 | 6,
    ends: PacketEnds,
    at: Evidence,
  ) => void
}

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

/** From packets to ordered byte streams: link, IP, TCP. */
export class Network {
  readonly pool = new ReassemblyPool()
  /** Connections seen until now, those no longer tracked included. */
  connectionCount = 0
  readonly #handlers: NetworkHandlers
  readonly #addresses = new AddressTable()
  readonly #ends = new Ends(this.#addresses)
  /** By pair of addresses, then by pair of ports; see `#find`. */
  readonly #pairs = new Map<number, Map<number, TcpConnection>>()
  #tracked: { pair: number; ports: number; connection: TcpConnection }[] = []
  readonly #link: LinkPayload = { etherType: 0, offset: 0 }
  readonly #ip: IpPayload = { protocol: 0, source: 0, destination: 0, offset: 0, wireEnd: 0, fragment: false }
  /** The connection of the packet before: most packets belong to the same one. */
  #lastPair = -1
  #lastPorts = -1
  #last: TcpConnection | null = null

  constructor(handlers: NetworkHandlers) {
    this.#handlers = handlers
  }

  packet(packet: Packet): void {
    if (packet.packet % EXPIRE_EVERY === 0 && this.pool.waiting.size > 0) this.pool.expire(packet)
    if (this.#addresses.size > ADDRESSES_MAX) this.#renumber()
    const link = this.#link
    if (!readLink(packet, link)) {
      this.#undecoded('net.link', packet, `link type ${packet.linkType}`)
      return
    }
    const ip = this.#ip
    switch (link.etherType) {
      case ETHERTYPE.ipv4:
        if (readIpv4(packet, link.offset, this.#addresses, ip)) this.#transport(packet, ip)
        else this.#undecoded('net.ip', packet, 'IPv4')
        return
      case ETHERTYPE.ipv6:
        if (readIpv6(packet, link.offset, this.#addresses, ip)) this.#transport(packet, ip)
        else this.#undecoded('net.ip', packet, 'IPv6')
        return
      case ETHERTYPE.rarp:
        this.#handlers.rarp(packet.bytes, link.offset, packet.end, packet)
    }
  }

  /** The capture is over: every connection gets its end. */
  end(at: Evidence): void {
    for (const { connection } of this.#tracked) connection.close(at)
    this.#tracked = []
    this.#pairs.clear()
  }

  #undecoded(code: string, packet: Packet, what: string): void {
    this.#handlers.diagnostics.report(
      code,
      'warning',
      packet,
      () =>
        `packet ${packet.packet} was not decoded: ${what}, cut short, malformed or of a kind that is not read`,
    )
  }

  #transport(packet: Packet, ip: IpPayload): void {
    if (ip.protocol !== IP_PROTOCOL.tcp) {
      this.#datagram(packet, ip)
      return
    }
    const offset = ip.offset
    if (ip.fragment) this.#undecoded('net.fragment', packet, 'a fragmented TCP datagram')
    else if (offset + 14 > packet.end) this.#undecoded('net.tcp', packet, 'TCP')
    else {
      const payload = offset + ((packet.bytes[offset + 12] as number) >>> 4) * 4
      if (payload < offset + 20 || payload > ip.wireEnd) this.#undecoded('net.tcp', packet, 'TCP')
      else this.#tcp(packet, ip, payload)
    }
  }

  #datagram(packet: Packet, ip: IpPayload): void {
    const version = ip.protocol === IP_PROTOCOL.icmp ? 4 : ip.protocol === IP_PROTOCOL.icmpv6 ? 6 : null
    if (version === null || ip.fragment) return
    const end = Math.min(ip.wireEnd, packet.end)
    this.#handlers.icmp(packet.bytes, ip.offset, end, version, this.#ends.of(packet, ip), packet)
  }

  /** A segment whose payload, on the wire, is `[payload, ip.wireEnd)`. */
  #tcp(packet: Packet, ip: IpPayload, payload: number): void {
    const { bytes } = packet
    const offset = ip.offset
    const flags = bytes[offset + 13] as number
    const sourcePort = u16be(bytes, offset)
    const destinationPort = u16be(bytes, offset + 2)
    const fromLow =
      ip.source < ip.destination || (ip.source === ip.destination && sourcePort <= destinationPort)
    const sequence = u32be(bytes, offset + 4)
    const connection = this.#find(packet, ip, fromLow, sourcePort, destinationPort, flags, sequence)

    const own = fromLow ? connection.fromLow : connection.fromHigh
    const peer = fromLow ? connection.fromHigh : connection.fromLow
    own.packets++
    own.wireBytes += packet.originalLength
    connection.flags(fromLow, flags, packet, this.#handlers.sink)
    if ((flags & TCP_FLAG.ack) !== 0) peer.acknowledged(u32be(bytes, offset + 8), packet)
    let first = sequence
    if ((flags & TCP_FLAG.syn) !== 0) {
      own.syn(sequence)
      first = (sequence + 1) >>> 0
    }
    const size = ip.wireEnd - payload
    if (size > 0 && (flags & TCP_FLAG.rst) === 0) {
      const start = Math.min(payload, packet.end)
      own.segment(first, bytes, start, Math.min(ip.wireEnd, packet.end), size, packet)
    }
    if (size > 0) connection.ledger?.add(packet.packet, connection.fromLow, connection.fromHigh)
    if ((flags & TCP_FLAG.fin) !== 0) own.fin((first + size) >>> 0, packet)
    if ((flags & TCP_FLAG.rst) !== 0) connection.close(packet)
  }

  #find(
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
      this.#handlers.connected(connection)
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
    const connection = new TcpConnection(
      this.connectionCount++,
      lowEnd,
      highEnd,
      clientIsLow,
      this.pool,
      packet,
    )
    return connection
  }

  /** Makes room: closed connections go first, then the half that was opened first. One pass frees half the table, so
   *  that a flood of connections costs linear time. */
  #evict(at: Packet): void {
    this.#handlers.diagnostics.report(
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
        connection.close(at)
        connection.release()
        const byPorts = this.#pairs.get(pair)
        if (byPorts?.get(ports) === connection) byPorts.delete(ports)
        if (byPorts?.size === 0) this.#pairs.delete(pair)
        return false
      })
    }
    this.#lastPair = -1
  }

  /** Forgets the addresses of connections that are no longer followed. */
  #renumber(): void {
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
