import { u16be, u32be } from '../core/bytes.ts'
import { IP_PROTOCOL, type IpPayload } from './ip.ts'
import { ETHERTYPE, LINK_TYPE } from './link.ts'

/** Which numbers tell the networks inside of a tunnel apart. */
export const TUNNEL = { none: 0, vxlan: 1, geneve: 2, gre: 3 } as const

/** UDP ports that tunnels are sent to: 8472 is VXLAN of Linux from before there was a number. */
const PORT = { vxlan: 4789, vxlanOld: 8472, geneve: 6081 } as const

/** @see RFC 2784, RFC 2890, draft-foschiano-erspan */
const GRE_FLAG = { checksum: 0x8000, routing: 0x4000, key: 0x2000, sequence: 0x1000, version: 7 } as const
const GRE_TYPE = { ethernet: 0x6558, erspan: 0x88be, erspan3: 0x22eb } as const

/** What a tunnel's header says. One object is reused. */
export interface TunnelPayload {
  /** One of `TUNNEL`; none where all that the tunnel carries belongs to one network, which is also what a mirror's does. */
  kind: number
  /** Number of the network, of 24 or 32 bits; 0 where there is none. */
  id: number
  /** LINKTYPE of the frame at `offset`. */
  linkType: number
  offset: number
}

/** Looks for a tunnel in an IP packet, whose captured bytes end at `end`.
 *  @returns false when there is none, or none that is read */
export function readTunnel(bytes: Uint8Array, ip: IpPayload, end: number, out: TunnelPayload): boolean {
  out.kind = TUNNEL.none
  out.id = 0
  switch (ip.protocol) {
    case IP_PROTOCOL.udp:
      return ip.offset + 16 <= end && readUdp(bytes, ip.offset, out)
    case IP_PROTOCOL.gre:
      return ip.offset + 4 <= end && readGre(bytes, ip.offset, end, out)
    case IP_PROTOCOL.ipv4:
    case IP_PROTOCOL.ipv6:
      out.linkType = LINK_TYPE.raw
      out.offset = ip.offset
      return true
    default:
      return false
  }
}

/** A UDP datagram of which the 16 bytes are there that UDP and tunnel have at least. */
function readUdp(bytes: Uint8Array, offset: number, out: TunnelPayload): boolean {
  const port = u16be(bytes, offset + 2)
  if (port === PORT.vxlan || port === PORT.vxlanOld) return readVxlan(bytes, offset + 8, out)
  return port === PORT.geneve && readGeneve(bytes, offset + 8, out)
}

/** @see RFC 7348 section 5 */
function readVxlan(bytes: Uint8Array, offset: number, out: TunnelPayload): boolean {
  if (((bytes[offset] as number) & 0x08) === 0) return false
  out.kind = TUNNEL.vxlan
  out.id = u32be(bytes, offset + 4) >>> 8
  out.linkType = LINK_TYPE.ethernet
  out.offset = offset + 8
  return true
}

/** @see RFC 8926 section 3.4 */
function readGeneve(bytes: Uint8Array, offset: number, out: TunnelPayload): boolean {
  const first = bytes[offset] as number
  if (first >>> 6 !== 0) return false
  out.kind = TUNNEL.geneve
  out.id = u32be(bytes, offset + 4) >>> 8
  out.offset = offset + 8 + (first & 0x3f) * 4
  return readType(u16be(bytes, offset + 2), out)
}

function readGre(bytes: Uint8Array, offset: number, end: number, out: TunnelPayload): boolean {
  const flags = u16be(bytes, offset)
  if ((flags & (GRE_FLAG.routing | GRE_FLAG.version)) !== 0) return false
  const type = u16be(bytes, offset + 2)
  let at = offset + 4
  if ((flags & GRE_FLAG.checksum) !== 0) at += 4
  if ((flags & GRE_FLAG.key) !== 0) {
    if (at + 4 > end) return false
    out.kind = TUNNEL.gre
    out.id = u32be(bytes, at)
    at += 4
  }
  if ((flags & GRE_FLAG.sequence) !== 0) at += 4
  out.offset = at
  if (type === GRE_TYPE.erspan || type === GRE_TYPE.erspan3) return readErspan(bytes, type, flags, end, out)
  return readType(type, out)
}

/** A mirrored frame: type I has no header, and no sequence number either; II has one of 8 bytes; III has one of 12, of which
 *  the last bit announces 8 more. @see draft-foschiano-erspan-03 section 4 */
function readErspan(
  bytes: Uint8Array,
  type: number,
  flags: number,
  end: number,
  out: TunnelPayload,
): boolean {
  out.kind = TUNNEL.none
  out.id = 0
  out.linkType = LINK_TYPE.ethernet
  if (type === GRE_TYPE.erspan) {
    if ((flags & GRE_FLAG.sequence) !== 0) out.offset += 8
    return true
  }
  if (out.offset + 12 > end) return false
  const hasMore = ((bytes[out.offset + 11] as number) & 1) !== 0
  out.offset += hasMore ? 20 : 12
  return true
}

function readType(type: number, out: TunnelPayload): boolean {
  out.linkType = type === GRE_TYPE.ethernet ? LINK_TYPE.ethernet : LINK_TYPE.raw
  return type === GRE_TYPE.ethernet || type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6
}
