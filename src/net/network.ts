import { Packet } from '../capture/packet.ts'
import type { Stretch } from '../capture/stretch.ts'
import { BlockView } from '../core/block-view.ts'
import { u16be, u32be } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { ADDRESSES_MAX, TUNNEL_DEPTH_MAX } from '../core/limits.ts'
import type { EventSink } from '../events/event.ts'
import type { PacketEnds } from '../events/icmp.ts'
import { AddressTable } from './address.ts'
import { ClockWatch } from './clock-watch.ts'
import { ConnectionTable } from './connections.ts'
import { Copies } from './copies.ts'
import { Defragmenter } from './defrag.ts'
import { Ends } from './ends.ts'
import { Express } from './express.ts'
import { IP_PROTOCOL, type IpPayload, newIpPayload, readIpv4, readIpv6, skipExtensions } from './ip.ts'
import { Lanes } from './lanes.ts'
import { ETHERTYPE, type LinkPayload, readLink } from './link.ts'
import { type HalfStream, ReassemblyPool } from './reassembly.ts'
import { TCP_FLAG, type TcpConnection } from './tcp.ts'
import { readTunnel, TUNNEL, type TunnelPayload } from './tunnel.ts'

/** Packets between two looks for holes that will not fill. */
const EXPIRE_EVERY = 256

/** The first byte of an IPv4 header without options. */
const IPV4_PLAIN = 0x45
const IPV4_SIZE = 20
const TCP_SIZE_MIN = 20
const ENDING = TCP_FLAG.fin | TCP_FLAG.rst
const OPENING_OR_ENDING = TCP_FLAG.syn | ENDING

export interface NetworkHandlers {
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  /** A connection appeared: attach decoders. */
  readonly connected: (connection: TcpConnection) => void
  /** Once for each connection: it is not followed any more, and its counts are final. */
  readonly over: (connection: TcpConnection) => void
  /** After that, for one that was given up although it may not be at its end, or that was closed long ago. */
  readonly forgotten?: (connection: TcpConnection) => void
  /** A segment with payload, `bytes[start … end)` of which was captured, also one that is a copy of another: called when its
   *  stream has got it, if it gets it at all. Absent where nobody asks. */
  readonly segment?: (
    half: HalfStream,
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => void
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

/** From packets to ordered byte streams: link, IP, tunnels, TCP. */
export class Network {
  readonly pool = new ReassemblyPool()
  readonly #handlers: NetworkHandlers
  readonly #addresses = new AddressTable()
  readonly #ends = new Ends(this.#addresses)
  readonly #connections: ConnectionTable
  readonly #fragments = new Defragmenter((protocol) => this.#lostDatagram(protocol))
  readonly #copies = new Copies()
  readonly #lanes = new Lanes()
  readonly #view = new BlockView()
  readonly #clock = new ClockWatch()
  readonly #express: Express
  readonly #link: LinkPayload = { etherType: 0, offset: 0 }
  readonly #ip: IpPayload = newIpPayload()
  readonly #tunnel: TunnelPayload = { kind: TUNNEL.none, id: 0, linkType: 0, offset: 0 }
  /** The frame inside of a tunnel. */
  readonly #inner = new Packet()

  constructor(handlers: NetworkHandlers) {
    this.#handlers = handlers
    this.#connections = new ConnectionTable(
      this.#addresses,
      this.pool,
      handlers.diagnostics,
      handlers.connected,
      handlers.over,
      handlers.forgotten,
    )
    this.#express = new Express(this.#lanes, this.#copies, this.pool, this.#clock, handlers.sink)
  }

  packet(packet: Packet): void {
    this.#clock.packet(packet.timeNs, packet)
    if (packet.packet % EXPIRE_EVERY === 0 && this.pool.waiting.size > 0) this.pool.expire(packet)
    this.#frame(packet, 0)
  }

  /** The capture is over: every connection gets its end. */
  end(at: Evidence): void {
    this.#fragments.clear()
    this.#clock.report(this.#handlers.diagnostics)
    this.#connections.end(at)
  }

  /** Forgets what a capture that goes on needs no more.
   *  @param needed whether something still asks for a connection */
  expire(at: Evidence, needed: (connection: TcpConnection) => boolean): void {
    this.#connections.expire(at, needed)
  }

  /** Ordinary packets, many at once. */
  stretch(stretch: Stretch): void {
    if (this.#handlers.segment === undefined) this.#express.take(stretch)
  }

  /** @param depth in how many tunnels */
  #frame(packet: Packet, depth: number): void {
    const link = this.#link
    if (!readLink(packet, link)) {
      this.#undecoded('net.link', packet, `link type ${packet.linkType}`)
      return
    }
    const ip = this.#ip
    switch (link.etherType) {
      case ETHERTYPE.ipv4:
        if (depth === 0 && this.#passInLane(packet, link.offset)) return
        if (this.#addresses.size > ADDRESSES_MAX && depth === 0) this.#forgetAddresses()
        if (readIpv4(packet, link.offset, this.#addresses, ip)) this.#datagram(packet, ip, depth)
        else this.#undecoded('net.ip', packet, 'IPv4')
        return
      case ETHERTYPE.ipv6:
        if (this.#addresses.size > ADDRESSES_MAX && depth === 0) this.#forgetAddresses()
        if (readIpv6(packet, link.offset, this.#addresses, ip)) this.#datagram(packet, ip, depth)
        else this.#undecoded('net.ip', packet, 'IPv6')
        return
      case ETHERTYPE.rarp:
        if (this.#copies.isFrameCopy(packet, link.etherType, link.offset)) this.#copied(packet)
        else this.#handlers.rarp(packet.bytes, link.offset, packet.end, packet)
    }
  }

  #undecoded(code: string, packet: Packet, what: string): void {
    this.#handlers.diagnostics.report(
      code,
      'warning',
      packet,
      (number) =>
        `packet ${number} was not decoded: ${what}, cut short, malformed or of a kind that is not read`,
    )
  }

  #copied(packet: Packet): void {
    this.#handlers.diagnostics.report(
      'net.duplicate',
      'info',
      packet,
      () => 'copies of packets, as of a mirror of several ports or of several interfaces, count once',
    )
  }

  /** UDP is of interest only where it holds a tunnel. */
  #lostDatagram(protocol: number): void {
    if (protocol === IP_PROTOCOL.udp) return
    this.#handlers.diagnostics.report(
      'net.fragment',
      'warning',
      null,
      () => 'IP datagrams were not decoded: some of their fragments are missing or make no sense',
    )
  }

  #datagram(packet: Packet, ip: IpPayload, depth: number): void {
    if (ip.fragment) this.#fragment(packet, ip, depth)
    else if (ip.protocol !== IP_PROTOCOL.tcp) this.#other(packet, ip, depth)
    else if (this.#copies.isTcpCopy(packet, ip)) {
      this.#copied(packet)
      if (this.#handlers.segment !== undefined) this.#copiedSegment(packet, ip)
    } else this.#segment(packet, ip)
  }

  #fragment(packet: Packet, ip: IpPayload, depth: number): void {
    if (this.#copies.isIpCopy(packet, ip)) {
      this.#copied(packet)
      return
    }
    const datagram = this.#fragments.add(packet, ip)
    if (datagram === null) return
    const whole = datagram.packet
    if (ip.version === 6 && !skipExtensions(whole, ip)) this.#undecoded('net.ip', packet, 'IPv6')
    else if (ip.protocol === IP_PROTOCOL.tcp) this.#segment(whole, ip)
    else if (!ip.fragment) this.#content(whole, ip, depth)
    this.#fragments.release(datagram)
  }

  /** What is neither TCP nor a fragment. */
  #other(packet: Packet, ip: IpPayload, depth: number): void {
    const isEcho = ip.protocol === IP_PROTOCOL.icmp || ip.protocol === IP_PROTOCOL.icmpv6
    if (isEcho && this.#copies.isIpCopy(packet, ip)) this.#copied(packet)
    else this.#content(packet, ip, depth)
  }

  /** The content of a datagram that is not TCP. */
  #content(packet: Packet, ip: IpPayload, depth: number): void {
    const end = Math.min(ip.wireEnd, packet.end)
    const version = ip.protocol === IP_PROTOCOL.icmp ? 4 : ip.protocol === IP_PROTOCOL.icmpv6 ? 6 : null
    if (version !== null)
      this.#handlers.icmp(packet.bytes, ip.offset, end, version, this.#ends.of(packet, ip), packet)
    else if (readTunnel(packet.bytes, ip, end, this.#tunnel)) this.#enter(packet, ip, end, depth)
  }

  /** Goes on inside of a tunnel. What is there is of another network than what is outside, unless the tunnel has no
   *  number: the same addresses are other hosts. */
  #enter(packet: Packet, ip: IpPayload, end: number, depth: number): void {
    const { kind, id, linkType, offset } = this.#tunnel
    if (depth >= TUNNEL_DEPTH_MAX || offset > end) {
      this.#undecoded('net.tunnel', packet, 'a tunnel')
      return
    }
    const inner = this.#inner
    inner.packet = packet.packet
    inner.timeNs = packet.timeNs
    inner.bytes = packet.bytes
    inner.start = offset
    inner.end = end
    inner.originalLength = ip.wireEnd - offset
    inner.linkType = linkType
    if (kind !== TUNNEL.none) this.#addresses.enter(kind, id)
    this.#frame(inner, depth + 1)
    this.#addresses.leave()
  }

  #segment(packet: Packet, ip: IpPayload): void {
    const offset = ip.offset
    if (offset + 14 > packet.end) this.#undecoded('net.tcp', packet, 'TCP')
    else {
      const payload = offset + ((packet.bytes[offset + 12] as number) >>> 4) * 4
      if (payload < offset + 20 || payload > ip.wireEnd) this.#undecoded('net.tcp', packet, 'TCP')
      else this.#tcp(packet, ip, payload)
    }
  }

  /** The copy of a segment that its stream has got. */
  #copiedSegment(packet: Packet, ip: IpPayload): void {
    const { bytes } = packet
    const offset = ip.offset
    if (offset + 20 > packet.end) return
    const payload = offset + ((bytes[offset + 12] as number) >>> 4) * 4
    if (payload < offset + 20 || payload >= Math.min(ip.wireEnd, packet.end)) return
    const sourcePort = u16be(bytes, offset)
    const destinationPort = u16be(bytes, offset + 2)
    const fromLow = isFromLow(ip, sourcePort, destinationPort)
    const sequence = u32be(bytes, offset + 4)
    // Without its flags, so that it begins no connection anew.
    const connection = this.#connections.find(packet, ip, fromLow, sourcePort, destinationPort, 0, sequence)
    const own = fromLow ? connection.fromLow : connection.fromHigh
    this.#handlers.segment?.(own, sequence, bytes, payload, Math.min(ip.wireEnd, packet.end))
  }

  /** A segment whose payload, on the wire, is `[payload, ip.wireEnd)`. */
  #tcp(packet: Packet, ip: IpPayload, payload: number): void {
    const { bytes } = packet
    const offset = ip.offset
    const flags = bytes[offset + 13] as number
    const sourcePort = u16be(bytes, offset)
    const destinationPort = u16be(bytes, offset + 2)
    const fromLow = isFromLow(ip, sourcePort, destinationPort)
    const connection = this.#connections.find(
      packet,
      ip,
      fromLow,
      sourcePort,
      destinationPort,
      flags,
      u32be(bytes, offset + 4),
    )
    if (ip.version === 4 && this.#addresses.outside) this.#putLane(packet, ip, connection, fromLow)
    const own = fromLow ? connection.fromLow : connection.fromHigh
    const peer = fromLow ? connection.fromHigh : connection.fromLow
    this.#account(packet, connection, fromLow, own, peer, offset, flags, payload, ip.wireEnd)
  }

  #putLane({ bytes }: Packet, ip: IpPayload, connection: TcpConnection, fromLow: boolean): void {
    const view = this.#view.of(bytes)
    const source = view.getInt32(ip.start + 12)
    this.#lanes.put(source, view.getInt32(ip.start + 16), view.getInt32(ip.offset), connection, fromLow)
  }

  /** The ordinary packet: a plain header of IPv4, TCP of a connection that is known, nothing special about it. What it is not
   *  sure of, it leaves to the others.
   *  @returns whether the packet was taken */
  #passInLane(packet: Packet, offset: number): boolean {
    const { bytes } = packet
    const tcp = offset + IPV4_SIZE
    if (tcp + TCP_SIZE_MIN > packet.end || bytes[offset] !== IPV4_PLAIN) return false
    const flags = bytes[tcp + 13] as number
    if (bytes[offset + 9] !== IP_PROTOCOL.tcp || (flags & OPENING_OR_ENDING) !== 0) return false
    const view = this.#view.of(bytes)
    if ((view.getUint16(offset + 6) & 0x3fff) !== 0) return false
    const lane = this.#lanes.find(view.getInt32(offset + 12), view.getInt32(offset + 16), view.getInt32(tcp))
    if (lane === null || !lane.connection.followed) return false
    const totalLength = view.getUint16(offset + 2)
    const frameEnd = packet.start + packet.originalLength
    const wireEnd = totalLength === 0 ? frameEnd : offset + totalLength
    const payload = tcp + ((bytes[tcp + 12] as number) >>> 4) * 4
    if (wireEnd > frameEnd || payload > wireEnd || payload < tcp + TCP_SIZE_MIN) return false
    if (this.#copies.watching && this.#isCopyInLane(packet, offset, wireEnd)) {
      this.#copied(packet)
      const end = Math.min(wireEnd, packet.end)
      if (payload < end) this.#handlers.segment?.(lane.own, view.getInt32(tcp + 4), bytes, payload, end)
    } else
      this.#account(packet, lane.connection, lane.fromLow, lane.own, lane.peer, tcp, flags, payload, wireEnd)
    return true
  }

  #isCopyInLane(packet: Packet, offset: number, wireEnd: number): boolean {
    const ip = this.#ip
    ip.version = 4
    ip.start = offset
    ip.protocol = IP_PROTOCOL.tcp
    ip.offset = offset + IPV4_SIZE
    ip.wireEnd = wireEnd
    return this.#copies.isTcpCopy(packet, ip)
  }

  /** A segment of a connection; its TCP header is at `offset`, and its payload, on the wire, is `[payload, wireEnd)`. */
  #account(
    packet: Packet,
    connection: TcpConnection,
    fromLow: boolean,
    own: HalfStream,
    peer: HalfStream,
    offset: number,
    flags: number,
    payload: number,
    wireEnd: number,
  ): void {
    const { bytes } = packet
    const view = this.#view.of(bytes)
    own.packets++
    own.wireBytes += packet.originalLength
    connection.flags(fromLow, flags, packet, this.#handlers.sink)
    if ((flags & TCP_FLAG.ack) !== 0) peer.acknowledged(view.getInt32(offset + 8), packet)
    const sequence = view.getInt32(offset + 4)
    let first = sequence
    if ((flags & TCP_FLAG.syn) !== 0) {
      own.syn(sequence)
      first = (sequence + 1) | 0
    }
    const size = wireEnd - payload
    if (size > 0 && (flags & TCP_FLAG.rst) === 0) {
      const start = Math.min(payload, packet.end)
      const repeated = own.retransmittedBytes
      const end = Math.min(wireEnd, packet.end)
      own.segment(first, bytes, start, end, size, packet)
      this.#handlers.segment?.(own, first, bytes, start, end)
      if (own.retransmittedBytes > repeated) this.#copies.suspect()
    }
    if (size > 0) connection.ledger?.add(packet.packet, connection.fromLow, connection.fromHigh)
    if ((flags & TCP_FLAG.fin) !== 0) own.fin((first + size) | 0, packet)
    if ((flags & TCP_FLAG.rst) !== 0 && own.isNear(sequence)) connection.close(packet)
    if ((flags & ENDING) !== 0 && connection.closed) this.#connections.closed(connection, packet)
  }

  /** Forgets the addresses of connections that are no longer followed. */
  #forgetAddresses(): void {
    this.#fragments.clear()
    this.#connections.forgetAddresses()
  }
}

/** Whether a packet comes from the end of its connection that is called low. */
function isFromLow({ source, destination }: IpPayload, sourcePort: number, destinationPort: number): boolean {
  return source < destination || (source === destination && sourcePort <= destinationPort)
}
