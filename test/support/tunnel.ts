import { ETHERTYPE, type Ipv4Header, ipv4, LINK } from './capture.ts'
import { concat } from './libvirt.ts'

/** Headers of tunnels, and datagrams in fragments, as hosts write them. */

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value)
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

export function udp(destinationPort: number, payload: Uint8Array): Uint8Array {
  return concat(u16(49_152), u16(destinationPort), u16(8 + payload.length), u16(0), payload)
}

/** In UDP. @param inner an Ethernet frame @see RFC 7348 section 5 */
export function vxlan(network: number, inner: Uint8Array, port = 4789): Uint8Array {
  return udp(port, concat(u32(0x08000000), u32(network << 8), inner))
}

/** In UDP, with an option of 8 bytes as OVN writes. @see RFC 8926 section 3.4 */
export function geneve(network: number, inner: Uint8Array, type = 0x6558): Uint8Array {
  const option = Uint8Array.of(1, 2, 0x80, 1, 0, 1, 0, 2)
  return udp(6081, concat(Uint8Array.of(2, 0), u16(type), u32(network << 8), option, inner))
}

export interface GreHeader {
  readonly type: number
  readonly checksum?: boolean
  readonly key?: number
  readonly sequence?: number
}

/** Protocol 47. @see RFC 2890 section 2 */
export function gre({ type, checksum = false, key, sequence }: GreHeader, inner: Uint8Array): Uint8Array {
  const flags =
    (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000)
  const word = (value: number | undefined): Uint8Array =>
    value === undefined ? new Uint8Array(0) : u32(value)
  return concat(u16(flags), u16(type), word(checksum ? 0 : undefined), word(key), word(sequence), inner)
}

/** What a switch sends of a frame that it mirrors. @see draft-foschiano-erspan-03 section 4 */
export const erspan = {
  1: (frame: Uint8Array): Uint8Array => gre({ type: 0x88be }, frame),
  2: (frame: Uint8Array): Uint8Array =>
    gre({ type: 0x88be, sequence: 7 }, concat(u32(0x10010001), u32(0), frame)),
  3: (frame: Uint8Array): Uint8Array =>
    gre({ type: 0x22eb, sequence: 7 }, concat(u32(0x20010001), u32(0), u32(0), frame)),
  /** With the header of the platform behind. */
  '3 with more': (frame: Uint8Array): Uint8Array =>
    gre({ type: 0x22eb, sequence: 7 }, concat(u32(0x20010001), u32(0), u32(1), u32(0), u32(0), frame)),
} as const

/** An Ethernet frame with an IPv4 packet. */
export function onEthernet(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  return LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4(header, payload))
}

/** An echo request, or its reply. @see RFC 792 */
export function echo(sequence: number, payload = new Uint8Array(48), type = 8): Uint8Array {
  return concat(Uint8Array.of(type, 0, 0, 0), u16(0x1234), u16(sequence), payload)
}

/** The fragments of an IPv4 datagram, in order.
 *  @param size bytes of payload in each but the last, a multiple of eight */
export function fragments(header: Ipv4Header, payload: Uint8Array, size: number): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += size) {
    const more = at + size < payload.length ? 0x2000 : 0
    packets.push(ipv4({ ...header, fragment: more | (at / 8) }, payload.subarray(at, at + size)))
  }
  return packets
}
