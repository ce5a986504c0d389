import type { Packet } from '../capture/packet.ts'
import { u16be, u32be } from '../core/bytes.ts'
import type { AddressTable } from './address.ts'

export const IP_PROTOCOL = { icmp: 1, ipv4: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58 } as const

/** IPv6 headers between the fixed one and the transport. @see RFC 8200 section 4 */
export const EXTENSION = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destination: 60,
  mobility: 135,
} as const
export const JUMBO_PAYLOAD_OPTION = 0xc2

/** What an IP header says. One object is reused. */
export interface IpPayload {
  version: 4 | 6
  /** Where the IP header starts. */
  start: number
  protocol: number
  source: number
  destination: number
  /** Where the transport header starts, and where the payload ends on the wire: past `packet.end` when the
   *  packet was cut. */
  offset: number
  wireEnd: number
  /** A part of a datagram: what is at `offset` may be no transport header. */
  fragment: boolean
  /** Where the header is that says which part: that of IPv4, or the extension of IPv6. */
  fragmentAt: number
}

/** One to be reused. */
export function newIpPayload(): IpPayload {
  return {
    version: 4,
    start: 0,
    protocol: 0,
    source: 0,
    destination: 0,
    offset: 0,
    wireEnd: 0,
    fragment: false,
    fragmentAt: 0,
  }
}

/** @returns false when the header makes no sense or was cut off */
export function readIpv4(packet: Packet, offset: number, addresses: AddressTable, out: IpPayload): boolean {
  const { bytes, end } = packet
  if (offset + 20 > end) return false
  const first = bytes[offset] as number
  const headerSize = (first & 15) * 4
  if (first >>> 4 !== 4 || headerSize < 20) return false
  // A total length of 0 is a super-frame of a segmentation offload: the frame's own length tells.
  const totalLength = u16be(bytes, offset + 2)
  const frameEnd = packet.start + packet.originalLength
  out.wireEnd = totalLength === 0 ? frameEnd : offset + totalLength
  if (out.wireEnd > frameEnd || offset + headerSize > out.wireEnd) return false
  out.version = 4
  out.start = offset
  out.fragment = (u16be(bytes, offset + 6) & 0x3fff) !== 0
  out.fragmentAt = offset
  out.protocol = bytes[offset + 9] as number
  out.source = addresses.v4(bytes, offset + 12)
  out.destination = addresses.v4(bytes, offset + 16)
  out.offset = offset + headerSize
  return true
}

/** @returns false when the header makes no sense or was cut off */
export function readIpv6(packet: Packet, offset: number, addresses: AddressTable, out: IpPayload): boolean {
  const { bytes, end } = packet
  if (offset + 40 > end || (bytes[offset] as number) >>> 4 !== 6) return false
  const payloadLength = u16be(bytes, offset + 4)
  const frameEnd = packet.start + packet.originalLength
  out.wireEnd = payloadLength === 0 ? frameEnd : offset + 40 + payloadLength
  if (out.wireEnd > frameEnd) return false
  out.version = 6
  out.start = offset
  out.fragment = false
  out.protocol = bytes[offset + 6] as number
  out.source = addresses.v6(bytes, offset + 8)
  out.destination = addresses.v6(bytes, offset + 24)
  out.offset = offset + 40
  return skipExtensions(packet, out)
}

/** Goes on to the transport, or to the part of a datagram that is in this packet.
 *  @returns false when a header was cut off */
export function skipExtensions(packet: Packet, out: IpPayload): boolean {
  const { bytes } = packet
  const end = Math.min(packet.end, out.wireEnd)
  for (;;) {
    const at = out.offset
    switch (out.protocol) {
      case EXTENSION.hopByHop:
      case EXTENSION.routing:
      case EXTENSION.destination:
      case EXTENSION.mobility:
        if (at + 8 > end) return false
        if (out.protocol === EXTENSION.hopByHop && bytes[at + 2] === JUMBO_PAYLOAD_OPTION) {
          const jumboEnd = at + u32be(bytes, at + 4)
          if (jumboEnd <= packet.start + packet.originalLength) out.wireEnd = jumboEnd
        }
        out.offset = at + 8 + (bytes[at + 1] as number) * 8
        break
      case EXTENSION.authentication:
        if (at + 8 > end) return false
        out.offset = at + 8 + (bytes[at + 1] as number) * 4
        break
      case EXTENSION.fragment:
        if (at + 8 > end) return false
        out.offset = at + 8
        if ((u16be(bytes, at + 2) & 0xfff9) === 0) break
        out.protocol = bytes[at] as number
        out.fragment = true
        out.fragmentAt = at
        return true
      default:
        return true
    }
    out.protocol = bytes[at] as number
  }
}
