import type { Packet } from '../capture/packet.ts'
import { u16be, u32be, u32le } from '../core/bytes.ts'

/** LINKTYPE numbers that are read. @see draft-ietf-opsawg-pcap linktypes */
export const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  rawOld12: 12,
  rawOld14: 14,
  raw: 101,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  linuxSll2: 276,
} as const

export const ETHERTYPE = { ipv4: 0x0800, rarp: 0x8035, ipv6: 0x86dd } as const

const VLAN_TAGS = { customer: 0x8100, service: 0x88a8, old: 0x9100 } as const

/** Ethertypes of headers that carry another packet. */
const CARRIER = { mpls: 0x8847, mplsMulticast: 0x8848, pppoeSession: 0x8864 } as const

/** Below it, the field is the length of an LLC frame. @see IEEE 802.3 section 3.2.6 */
const ETHERTYPE_MIN = 0x0600

/** @see RFC 1332, RFC 5072 */
const PPP_PROTOCOL = { ipv4: 0x0021, ipv6: 0x0057 } as const

/** Where the network layer starts, and what it is. One object is reused. */
export interface LinkPayload {
  /** Ethertype, or 0 for a frame that holds none. */
  etherType: number
  offset: number
}

/** A link header in which nothing is put in between, such as a tag: where its ethertype is, and how long it is. */
export interface PlainLink {
  readonly typeAt: number
  readonly size: number
}

const PLAIN_LINKS: ReadonlyMap<number, PlainLink> = new Map([
  [LINK_TYPE.ethernet, { typeAt: 12, size: 14 }],
  [LINK_TYPE.linuxSll, { typeAt: 14, size: 16 }],
  [LINK_TYPE.linuxSll2, { typeAt: 0, size: 20 }],
])

/** Null for other link types. */
export function plainLink(linkType: number): PlainLink | null {
  return PLAIN_LINKS.get(linkType) ?? null
}

/** Skips the link header of a packet. Returns false when the link type is unknown or the header was cut off. */
export function readLink(packet: Packet, out: LinkPayload): boolean {
  const { bytes, start } = packet
  const size = packet.end - start
  switch (packet.linkType) {
    case LINK_TYPE.ethernet:
      return readTyped(packet, start + 12, out)
    case LINK_TYPE.linuxSll:
      return readTyped(packet, start + 14, out)
    case LINK_TYPE.linuxSll2:
      if (size < 20) return false
      // What belongs to the type, the rest of a tag say, follows the header.
      return readBehind(packet, u16be(bytes, start), start + 20, out)
    case LINK_TYPE.raw:
    case LINK_TYPE.rawOld12:
    case LINK_TYPE.rawOld14:
    case LINK_TYPE.ipv4:
    case LINK_TYPE.ipv6:
      return readVersion(packet, start, out)
    case LINK_TYPE.null:
    case LINK_TYPE.loop:
      if (size < 4) return false
      out.etherType = familyEtherType(bytes, start)
      out.offset = start + 4
      return out.etherType !== 0
    default:
      return false
  }
}

/** The ethertype at `offset`, or that of what it carries. */
function readTyped(packet: Packet, offset: number, out: LinkPayload): boolean {
  if (offset + 2 > packet.end) return false
  return readBehind(packet, u16be(packet.bytes, offset), offset + 2, out)
}

/** What follows an ethertype, behind any number of VLAN tags, labels and the like. */
function readBehind(packet: Packet, type: number, offset: number, out: LinkPayload): boolean {
  if (type === ETHERTYPE.ipv4) {
    out.etherType = type
    out.offset = offset
    return true
  }
  if (isTag(type)) return readTyped(packet, offset + 2, out)
  if (type < ETHERTYPE_MIN && isSnap(packet, offset)) return readTyped(packet, offset + 6, out)
  if (type === CARRIER.mpls || type === CARRIER.mplsMulticast) return readLabels(packet, offset, out)
  if (type === CARRIER.pppoeSession) return readPppoe(packet, offset, out)
  out.etherType = type
  out.offset = offset
  return true
}

function isTag(type: number): boolean {
  return type === VLAN_TAGS.customer || type === VLAN_TAGS.service || type === VLAN_TAGS.old
}

/** LLC that names an ethertype behind an organisation of zeroes (or of IEEE 802.1H). @see RFC 1042 */
function isSnap({ bytes, end }: Packet, offset: number): boolean {
  if (offset + 8 > end || u16be(bytes, offset) !== 0xaaaa || bytes[offset + 2] !== 3) return false
  const organisation = bytes[offset + 5]
  return u16be(bytes, offset + 3) === 0 && (organisation === 0 || organisation === 0xf8)
}

/** Labels up to the last, which has a bit set, and IP behind them. Labels do not say what they carry: of other things
 *  than IP, such as Ethernet, nothing is read. @see RFC 3032 section 2.1 */
function readLabels(packet: Packet, offset: number, out: LinkPayload): boolean {
  const { bytes, end } = packet
  while (offset + 4 <= end) {
    const isLast = ((bytes[offset + 2] as number) & 1) !== 0
    offset += 4
    if (isLast) return readVersion(packet, offset, out)
  }
  return false
}

/** IP by its first four bits. */
function readVersion({ bytes, end }: Packet, offset: number, out: LinkPayload): boolean {
  if (offset >= end) return false
  const version = (bytes[offset] as number) >>> 4
  out.etherType = version === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4
  out.offset = offset
  return version === 4 || version === 6
}

/** @see RFC 2516 section 4 */
function readPppoe({ bytes, end }: Packet, offset: number, out: LinkPayload): boolean {
  if (offset + 8 > end) return false
  const protocol = u16be(bytes, offset + 6)
  out.etherType =
    protocol === PPP_PROTOCOL.ipv4 ? ETHERTYPE.ipv4 : protocol === PPP_PROTOCOL.ipv6 ? ETHERTYPE.ipv6 : 0
  out.offset = offset + 8
  return true
}

/** Address families of BSD loopback headers: IPv4 is 2 everywhere, IPv6 differs by system; in either byte order. */
function familyEtherType(bytes: Uint8Array, offset: number): number {
  const big = u32be(bytes, offset)
  const family = big <= 0xff ? big : u32le(bytes, offset)
  if (family === 2) return ETHERTYPE.ipv4
  return family === 10 || family === 24 || family === 28 || family === 30 ? ETHERTYPE.ipv6 : 0
}
