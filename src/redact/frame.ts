import { Packet } from '../capture/packet.ts'
import { u16be } from '../core/bytes.ts'
import { TUNNEL_DEPTH_MAX } from '../core/limits.ts'
import { AddressTable } from '../net/address.ts'
import {
  EXTENSION,
  IP_PROTOCOL,
  type IpPayload,
  JUMBO_PAYLOAD_OPTION,
  newIpPayload,
  readIpv4,
  readIpv6,
} from '../net/ip.ts'
import { ETHERTYPE, LINK_TYPE, type LinkPayload, readLink } from '../net/link.ts'
import { readTunnel, TUNNEL, type TunnelPayload } from '../net/tunnel.ts'
import type { Addresses } from './addresses.ts'
import { type Check, isRight } from './checksums.ts'

const ARP = 0x0806
const NOP = 1
/** Options of TCP that say nothing of anybody: end, no operation, segment size, window scale, selective acknowledgements, time. */
const TCP_OPTIONS: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 8])
const ADDRESSES_MAX = 4096
/** Of a transport header that an error quotes. */
const QUOTED_SIZE = 8

const ICMP = { echoReply: 0, unreachable: 3, redirect: 5, echo: 8, exceeded: 11, parameter: 12 } as const
const ICMP6 = {
  unreachable: 1,
  parameter: 4,
  echo: 128,
  echoReply: 129,
  solicitation: 135,
  advertisement: 136,
} as const

/** Copies what may stay of the headers of a frame, with other addresses. What is not known stays zero: contents of all kinds,
 *  unknown protocols and options. */
export class FrameMask {
  readonly #addresses: Addresses
  readonly #table = new AddressTable()
  readonly #link: LinkPayload = { etherType: 0, offset: 0 }
  readonly #ip: IpPayload = newIpPayload()
  readonly #tunnel: TunnelPayload = { kind: TUNNEL.none, id: 0, linkType: 0, offset: 0 }
  #bytes: Uint8Array = new Uint8Array(0)
  /** Where the first byte of `#out` is in `#bytes`. */
  #first = 0
  #out: Uint8Array = new Uint8Array(0)
  #checks: Check[] = []
  /** Bytes of headers that the last frame has kept. */
  copied = 0

  constructor(addresses: Addresses) {
    this.#addresses = addresses
  }

  /** Writes the headers of the frame to `out`, all zero, which stands for the bytes from `first` on.
   *  @returns the checksums that were right and are to be made right again when the contents are there; the last one first */
  mask(packet: Packet, first: number, out: Uint8Array): readonly Check[] {
    this.#bytes = packet.bytes
    this.#first = first
    this.#out = out
    this.#checks = []
    this.copied = 0
    if (this.#table.size > ADDRESSES_MAX) this.#table.keepOnly([])
    this.#frame(packet, 0)
    return this.#checks
  }

  #frame(packet: Packet, depth: number): void {
    const link = this.#link
    if (!readLink(packet, link)) return
    this.#copy(packet.start, Math.min(link.offset, packet.end))
    this.#linkAddresses(packet)
    switch (link.etherType) {
      case ETHERTYPE.ipv4:
        if (readIpv4(packet, link.offset, this.#table, this.#ip)) this.#ipv4(packet, depth)
        return
      case ETHERTYPE.ipv6:
        if (readIpv6(packet, link.offset, this.#table, this.#ip)) this.#ipv6(packet, depth)
        return
      case ARP:
      case ETHERTYPE.rarp:
        this.#arp(link.offset, packet.end)
    }
  }

  #linkAddresses({ linkType, start, end }: Packet): void {
    switch (linkType) {
      case LINK_TYPE.ethernet:
        if (end - start < 12) this.#blank(start, end)
        else for (const at of [start, start + 6]) this.#addresses.macAt(this.#out, at - this.#first)
        return
      case LINK_TYPE.linuxSll:
        this.#cooked(start + 6, u16be(this.#bytes, start + 4), end)
        return
      case LINK_TYPE.linuxSll2:
        this.#cooked(start + 12, this.#bytes[start + 11] as number, end)
    }
  }

  /** An address in the eight bytes that a cooked header has for it. */
  #cooked(at: number, size: number, end: number): void {
    if (at + 8 > end || size !== 6) this.#blank(at, Math.min(at + 8, end))
    else {
      this.#addresses.macAt(this.#out, at - this.#first)
      this.#blank(at + 6, at + 8)
    }
  }

  #arp(at: number, end: number): void {
    if (end - at < 8) return
    this.#copy(at, at + 8)
    const bytes = this.#bytes
    const isEthernet = u16be(bytes, at) === 1 && u16be(bytes, at + 2) === ETHERTYPE.ipv4
    if (!isEthernet || bytes[at + 4] !== 6 || bytes[at + 5] !== 4) return
    for (const offset of [8, 18]) {
      const mac = at + offset
      if (end < mac + 6) return
      this.#copy(mac, mac + 6)
      this.#addresses.macAt(this.#out, mac - this.#first)
      if (end < mac + 10) return
      this.#copy(mac + 6, mac + 10)
      this.#addresses.v4At(this.#out, mac + 6 - this.#first)
    }
  }

  #ipv4(packet: Packet, depth: number): void {
    const ip = this.#ip
    const at = ip.start
    const size = ((this.#bytes[at] as number) & 15) * 4
    const headerEnd = at + size
    this.#copyIpv4Header(at, Math.min(headerEnd, packet.end))
    if (headerEnd > packet.end) return
    this.#check(at + 10, at, headerEnd, -1, 0, 0)
    const isFirst = (u16be(this.#bytes, at + 6) & 0x1fff) === 0
    if (isFirst) this.#transport(packet, depth, at + 12, 8)
  }

  #copyIpv4Header(at: number, end: number): void {
    this.#copy(at, Math.min(at + 20, end))
    this.#blank(at + 10, at + 12)
    this.#addresses.v4At(this.#out, at + 12 - this.#first)
    this.#addresses.v4At(this.#out, at + 16 - this.#first)
    // Options hold routes, or nothing of interest.
    if (end > at + 20) this.#out.fill(NOP, at + 20 - this.#first, end - this.#first)
  }

  #ipv6(packet: Packet, depth: number): void {
    const ip = this.#ip
    const at = ip.start
    this.#copy(at, at + 40)
    this.#addresses.v6At(this.#out, at + 8 - this.#first)
    this.#addresses.v6At(this.#out, at + 24 - this.#first)
    // Of extensions, what tells their length and what follows.
    const end = Math.min(ip.offset, packet.end)
    this.#extensions(at + 40, this.#bytes[at + 6] as number, end)
    const isFirst = !ip.fragment || (u16be(this.#bytes, ip.fragmentAt + 2) & 0xfff8) === 0
    if (isFirst) this.#transport(packet, depth, at + 8, 32)
  }

  #extensions(start: number, first: number, end: number): void {
    let at = start
    let kind = first
    while (at + 8 <= end) {
      const isJumbo = kind === EXTENSION.hopByHop && this.#bytes[at + 2] === JUMBO_PAYLOAD_OPTION
      const isShort = kind !== EXTENSION.fragment && !isJumbo
      // Of a route, how much of it is left.
      this.#copy(at, at + (!isShort ? 8 : kind === EXTENSION.routing ? 4 : 2))
      const units = this.#bytes[at + 1] as number
      const size = kind === EXTENSION.fragment ? 8 : 8 + units * (kind === EXTENSION.authentication ? 4 : 8)
      kind = this.#bytes[at] as number
      at += size
    }
  }

  /** What IP carries. @param addresses where those of IP are, which take `size` bytes together */
  #transport(packet: Packet, depth: number, addresses: number, size: number): void {
    const ip = this.#ip
    const { protocol, offset, wireEnd, fragment } = ip
    const end = Math.min(packet.end, wireEnd)
    const isWhole = !fragment && wireEnd <= packet.end
    const pseudo = protocol + (wireEnd - offset)
    const check = (field: number): void => {
      if (isWhole && offset + field + 2 <= end)
        this.#check(offset + field, offset, wireEnd, addresses, size, (pseudo & 0xffff) + (pseudo >>> 16))
    }
    switch (protocol) {
      case IP_PROTOCOL.tcp:
        this.#tcp(offset, end)
        check(16)
        return
      case IP_PROTOCOL.icmp:
        this.#icmp(offset, end)
        if (isWhole) this.#check(offset + 2, offset, wireEnd, -1, 0, 0)
        return
      case IP_PROTOCOL.icmpv6:
        this.#icmp6(offset, end)
        check(2)
        return
      case IP_PROTOCOL.udp:
        this.#copy(offset, Math.min(offset + 8, end))
        if (offset + 8 <= end && u16be(this.#bytes, offset + 6) !== 0) {
          this.#blank(offset + 6, offset + 8)
          check(6)
        }
        break
      default:
        break
    }
    if (!fragment) this.#tunnelled(packet, end, depth)
  }

  #tunnelled(packet: Packet, end: number, depth: number): void {
    const ip = this.#ip
    const tunnel = this.#tunnel
    if (depth >= TUNNEL_DEPTH_MAX || !readTunnel(this.#bytes, ip, end, tunnel) || tunnel.offset > end) return
    if (ip.protocol === IP_PROTOCOL.gre) {
      this.#copy(ip.offset, tunnel.offset)
      if ((u16be(this.#bytes, ip.offset) & 0x8000) !== 0) this.#blank(ip.offset + 4, ip.offset + 6)
    } else if (ip.protocol === IP_PROTOCOL.udp) {
      // Options of Geneve are of the network's operator.
      this.#copy(ip.offset + 8, Math.min(ip.offset + 16, tunnel.offset))
    }
    const inner = new Packet()
    inner.bytes = packet.bytes
    inner.start = tunnel.offset
    inner.end = end
    inner.originalLength = ip.wireEnd - tunnel.offset
    inner.linkType = tunnel.linkType
    this.#frame(inner, depth + 1)
  }

  #tcp(at: number, end: number): void {
    this.#copy(at, Math.min(at + 20, end))
    if (end - at < 20) {
      this.#blank(at + 16, end)
      return
    }
    this.#blank(at + 16, at + 18)
    const stop = Math.min(at + ((this.#bytes[at + 12] as number) >>> 4) * 4, end)
    let option = at + 20
    while (option < stop) {
      const kind = this.#bytes[option] as number
      const size = kind <= 1 ? 1 : (this.#bytes[option + 1] as number)
      const next = Math.min(stop, option + size)
      if (kind === 0 || size < 1 || (kind > 1 && size < 2)) return
      this.#copy(option, TCP_OPTIONS.has(kind) ? next : Math.min(next, option + 2))
      option = next
    }
  }

  #icmp(at: number, end: number): void {
    if (end - at < 8) return
    const type = this.#bytes[at] as number
    this.#copy(at, at + 2)
    switch (type) {
      case ICMP.echo:
      case ICMP.echoReply:
        this.#copy(at + 4, at + 8)
        return
      case ICMP.redirect:
        this.#copy(at + 4, at + 8)
        this.#addresses.v4At(this.#out, at + 4 - this.#first)
        this.#quoted4(at + 8, end)
        return
      case ICMP.unreachable:
      case ICMP.exceeded:
      case ICMP.parameter:
        this.#copy(at + 4, at + 8)
        this.#quoted4(at + 8, end)
    }
  }

  #icmp6(at: number, end: number): void {
    if (end - at < 8) return
    const type = this.#bytes[at] as number
    this.#copy(at, at + 2)
    if (type === ICMP6.echo || type === ICMP6.echoReply) this.#copy(at + 4, at + 8)
    else if (type >= ICMP6.unreachable && type <= ICMP6.parameter) {
      this.#copy(at + 4, at + 8)
      this.#quoted6(at + 8, end)
    } else if (type === ICMP6.solicitation || type === ICMP6.advertisement) this.#neighbour(at, end)
  }

  /** Whose address is asked for, and the link addresses behind it. @see RFC 4861 section 4 */
  #neighbour(at: number, end: number): void {
    if (end - at < 24) return
    this.#copy(at + 4, at + 24)
    this.#addresses.v6At(this.#out, at + 8 - this.#first)
    let option = at + 24
    while (option + 8 <= end) {
      const kind = this.#bytes[option] as number
      const size = (this.#bytes[option + 1] as number) * 8
      if (size === 0) return
      this.#copy(option, option + 2)
      if ((kind === 1 || kind === 2) && size === 8) {
        this.#copy(option + 2, option + 8)
        this.#addresses.macAt(this.#out, option + 2 - this.#first)
      }
      option += size
    }
  }

  /** The packet that an error is about, as far as it is quoted. Its checksums are of what is not there. */
  #quoted4(at: number, end: number): void {
    if (end - at < 20 || (this.#bytes[at] as number) >>> 4 !== 4) return
    const headerEnd = at + ((this.#bytes[at] as number) & 15) * 4
    if (headerEnd < at + 20 || headerEnd > end) return
    this.#copyIpv4Header(at, headerEnd)
    this.#quotedTransport(this.#bytes[at + 9] as number, headerEnd, end)
  }

  #quoted6(at: number, end: number): void {
    if (end - at < 40 || (this.#bytes[at] as number) >>> 4 !== 6) return
    this.#copy(at, at + 40)
    this.#addresses.v6At(this.#out, at + 8 - this.#first)
    this.#addresses.v6At(this.#out, at + 24 - this.#first)
    this.#quotedTransport(this.#bytes[at + 6] as number, at + 40, end)
  }

  #quotedTransport(protocol: number, at: number, end: number): void {
    const isKnown = protocol === IP_PROTOCOL.tcp || protocol === IP_PROTOCOL.udp
    const isIcmp = protocol === IP_PROTOCOL.icmp || protocol === IP_PROTOCOL.icmpv6
    if ((!isKnown && !isIcmp) || end - at < QUOTED_SIZE) return
    this.#copy(at, at + QUOTED_SIZE)
    if (protocol === IP_PROTOCOL.udp) this.#blank(at + 6, at + 8)
    else if (isIcmp) this.#blank(at + 2, at + 4)
  }

  #check(
    at: number,
    start: number,
    end: number,
    addresses: number,
    addressSize: number,
    pseudo: number,
  ): void {
    const first = this.#first
    const check = {
      at: at - first,
      start: start - first,
      end: end - first,
      addresses: addresses < 0 ? -1 : addresses - first,
      addressSize,
      pseudo,
      isUdp: this.#ip.protocol === IP_PROTOCOL.udp && addresses >= 0,
    }
    if (isRight(this.#bytes, first, check)) this.#checks.unshift(check)
  }

  #copy(start: number, end: number): void {
    if (end <= start) return
    this.#out.set(this.#bytes.subarray(start, end), start - this.#first)
    this.copied += end - start
  }

  #blank(start: number, end: number): void {
    if (end > start) this.#out.fill(0, start - this.#first, end - this.#first)
  }
}
