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

/** Where the network layer starts, and what it is. One object is reused. */
export interface LinkPayload {
  /** Ethertype, or 0 for a frame that holds none. */
  etherType: number
  offset: number
}

/** Skips the link header of a packet. Returns false when the link type is unknown or the header was cut off. */
export function readLink(packet: Packet, out: LinkPayload): boolean {
  const { bytes, start } = packet
  const size = packet.end - start
  switch (packet.linkType) {
    case LINK_TYPE.ethernet:
      return readTagged(packet, start + 12, out)
    case LINK_TYPE.linuxSll:
      return readTagged(packet, start + 14, out)
    case LINK_TYPE.linuxSll2:
      if (size < 20) return false
      out.etherType = u16be(bytes, start)
      out.offset = start + 20
      // The rest of the tag, and the ethertype behind it, follow the header.
      return isTag(out.etherType) ? readTagged(packet, start + 22, out) : true
    case LINK_TYPE.raw:
    case LINK_TYPE.rawOld12:
    case LINK_TYPE.rawOld14:
    case LINK_TYPE.ipv4:
    case LINK_TYPE.ipv6:
      if (size < 1) return false
      out.etherType = (bytes[start] as number) >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4
      out.offset = start
      return true
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

/** The ethertype at `offset`, behind any number of VLAN tags. */
function readTagged(packet: Packet, offset: number, out: LinkPayload): boolean {
  const { bytes, end } = packet
  while (offset + 2 <= end) {
    const type = u16be(bytes, offset)
    if (!isTag(type)) {
      out.etherType = type
      out.offset = offset + 2
      return true
    }
    offset += 4
  }
  return false
}

function isTag(type: number): boolean {
  return type === VLAN_TAGS.customer || type === VLAN_TAGS.service || type === VLAN_TAGS.old
}

/** Address families of BSD loopback headers: IPv4 is 2 everywhere, IPv6 differs by system; in either byte order. */
function familyEtherType(bytes: Uint8Array, offset: number): number {
  const big = u32be(bytes, offset)
  const family = big <= 0xff ? big : u32le(bytes, offset)
  if (family === 2) return ETHERTYPE.ipv4
  return family === 10 || family === 24 || family === 28 || family === 30 ? ETHERTYPE.ipv6 : 0
}
