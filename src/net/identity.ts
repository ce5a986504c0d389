import type { Packet } from '../capture/packet.ts'
import { u16be, u32be } from '../core/bytes.ts'
import { ETHERTYPE, type LinkPayload, readLink } from './link.ts'

/** Bytes of a frame that take part: IP and transport headers and the start of what they carry. */
const PREFIX = 96
const PROTOCOL = { tcp: 6, udp: 17 } as const

const link: LinkPayload = { etherType: 0, offset: 0 }

/** A number that a frame has wherever on its way it is captured, and other frames hardly ever: made of what no switch and no
 *  network card changes (not the link header, VLAN tags, time to live and checksums). Null when too little of the frame
 *  was captured, or its kind is not known.
 *  @see FNV-1a; two runs of 32 bits make 53, so that a day's packets rarely meet */
export function identify(packet: Packet): number | null {
  if (!readLink(packet, link)) return null
  const { bytes } = packet
  return identifyAt(bytes, link.etherType, link.offset, packet.end)
}

/** The same of what follows a link header, whose bytes end at `end`. */
export function identifyAt(bytes: Uint8Array, etherType: number, start: number, end: number): number | null {
  const last = Math.min(end, start + PREFIX)
  if (etherType === ETHERTYPE.ipv4) return last - start < 28 ? null : ofIpv4(bytes, start, last)
  if (etherType === ETHERTYPE.ipv6) return last - start < 48 ? null : ofIpv6(bytes, start, last)
  return last - start < 16 ? null : hash(bytes, start, last, etherType, NOWHERE, NOWHERE)
}

/** No position: nothing is left out. */
const NOWHERE = -1

function ofIpv4(bytes: Uint8Array, start: number, end: number): number {
  const transport = start + ((bytes[start] as number) & 15) * 4
  // Time to live (8), protocol (9) and header checksum (10, 11): the protocol is mixed in by itself.
  const protocol = bytes[start + 9] as number
  return hash(bytes, start, end, protocol, start + 8, checksumOf(protocol, transport))
}

function ofIpv6(bytes: Uint8Array, start: number, end: number): number {
  // Length (4, 5), next header (6) and hop limit (7): the first two are mixed in by themselves.
  const protocol = bytes[start + 6] as number
  const kind = (u16be(bytes, start + 4) << 8) | protocol
  return hash(bytes, start, end, kind, start + 4, checksumOf(protocol, start + 40))
}

/** Where the transport's checksum is; offloading cards fill it in after the capture. */
function checksumOf(protocol: number, transport: number): number {
  if (protocol === PROTOCOL.tcp) return transport + 16
  return protocol === PROTOCOL.udp ? transport + 6 : NOWHERE
}

/** Leaves out the four bytes at `word` and the two at `checksum`. */
function hash(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  word: number,
  checksum: number,
): number {
  let high = 0x811c9dc5 ^ kind
  let low = 0x01000193 ^ kind
  for (let i = start; i < end; i++) {
    if ((i >= word && i < word + 4 && word >= 0) || i === checksum || i === checksum + 1) continue
    const byte = bytes[i] as number
    high = Math.imul(high ^ byte, 0x01000193)
    low = Math.imul(low ^ byte, 0x85ebca6b) ^ (low >>> 13)
  }
  return (high >>> 0) * 2097152 + (low >>> 11)
}

/** The two ends of a frame as one number a direction: source before destination. Zero where there are none. */
export function directionOf(packet: Packet): number {
  if (!readLink(packet, link)) return 0
  const start = link.offset
  if (link.etherType === ETHERTYPE.ipv4 && packet.end - start >= 20)
    return Math.sign(u32be(packet.bytes, start + 12) - u32be(packet.bytes, start + 16))
  if (link.etherType === ETHERTYPE.ipv6 && packet.end - start >= 40) {
    for (let i = 8; i < 24; i++) {
      const difference = (packet.bytes[start + i] as number) - (packet.bytes[start + i + 16] as number)
      if (difference !== 0) return Math.sign(difference)
    }
  }
  return 0
}
