import type { Packet } from '../capture/packet.ts'
import { BlockView } from '../core/block-view.ts'
import { u16be, u32be } from '../core/bytes.ts'
import { ETHERTYPE, type LinkPayload, readLink } from './link.ts'

/** Bytes of a frame that take part: IP and transport headers and the start of what they carry. */
const PREFIX = 96
const PROTOCOL = { tcp: 6, udp: 17 } as const

const link: LinkPayload = { etherType: 0, offset: 0 }
const view = new BlockView()

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
  // Its lowest byte is neither protocol's.
  return last - start < 16 ? null : hash(bytes, start, last, etherType << 8, NOWHERE, NOWHERE)
}

/** No position: nothing is left out. */
const NOWHERE = -64

function ofIpv4(bytes: Uint8Array, start: number, end: number): number {
  const transport = start + ((bytes[start] as number) & 15) * 4
  // Time to live (8), protocol (9) and header checksum (10, 11): the protocol is mixed in by itself.
  return hash(bytes, start, end, bytes[start + 9] as number, start + 8, transport)
}

function ofIpv6(bytes: Uint8Array, start: number, end: number): number {
  // Length (4, 5), next header (6) and hop limit (7): the first two are mixed in by themselves.
  const kind = (u16be(bytes, start + 4) << 8) | (bytes[start + 6] as number)
  return hash(bytes, start, end, kind, start + 4, start + 40)
}

/** Leaves out the word at `left`, and the transport's checksum, which offloading cards fill in after the capture. All of a header
 *  lies on words from `start` on: by bytes, this took three times as long.
 *  @param kind its lowest byte is the protocol
 *  @see MurmurHash3, 32-bit, for one half; FNV-1a, of words, for the other */
function hash(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  left: number,
  transport: number,
): number {
  const data = view.of(bytes)
  const protocol = kind & 0xff
  const checksum = transport + (protocol === PROTOCOL.tcp ? 16 : 4)
  const kept = protocol === PROTOCOL.tcp ? 0x0000ffff : protocol === PROTOCOL.udp ? 0xffff0000 : 0xffffffff
  let high = 0x811c9dc5 ^ kind
  let low = 0x01000193 ^ kind
  let i = start
  for (; i + 4 <= end; i += 4) {
    if (i === left) continue
    const word = i === checksum ? data.getInt32(i) & kept : data.getInt32(i)
    high = Math.imul(high ^ word, 0x01000193)
    low = mixed(low, word)
  }
  for (; i < end; i++) {
    high = Math.imul(high ^ (bytes[i] as number), 0x01000193)
    low = mixed(low, bytes[i] as number)
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b)
  low = Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
  return (high >>> 0) * 2097152 + (low >>> 11)
}

function mixed(state: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51)
  const turned = state ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593)
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0
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
