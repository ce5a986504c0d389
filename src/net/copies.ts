import type { Packet } from '../capture/packet.ts'
import { u16be } from '../core/bytes.ts'
import {
  COPIES_REMEMBERED,
  COPY_UNIDENTIFIED_WINDOW_NS,
  COPY_WATCH_PACKETS,
  COPY_WATCH_START,
  COPY_WINDOW_NS,
} from '../core/limits.ts'
import { identifyAt } from './identity.ts'
import { IP_PROTOCOL, type IpPayload } from './ip.ts'
import { ETHERTYPE } from './link.ts'

/** Tells copies of packets that one capture holds twice: from a mirror of several ports, or from several interfaces of a
 *  machine. What a host sends again has another identification, or comes later. The first copy counts.
 *
 *  Looking costs some time a packet. For TCP it is done at the start and while there are signs of copies; what is rare is
 *  always looked at. Tunnels make no difference: the same packet may be captured inside and outside of one. */
export class Copies {
  /** Each packet has one place, by its identity; a later one takes it over. */
  readonly #identities = new Float64Array(COPIES_REMEMBERED)
  readonly #timesNs = new Float64Array(COPIES_REMEMBERED)
  /** TCP packets that are still to be looked at. */
  #watch = COPY_WATCH_START
  /** Looks that are still to be taken since a packet was surely a copy. */
  #proven = 0

  /** Whether TCP packets are looked at. */
  get watching(): boolean {
    return this.#watch > 0
  }

  /** TCP may be copied: something passed twice. */
  suspect(): void {
    this.#watch = COPY_WATCH_PACKETS
  }

  /** Whether a TCP packet is a copy, as far as there are signs of any. */
  isTcpCopy(packet: Packet, ip: IpPayload): boolean {
    if (this.#watch === 0) return false
    this.#watch--
    return this.isIpCopy(packet, ip)
  }

  isIpCopy(packet: Packet, ip: IpPayload): boolean {
    const isV4 = ip.version === 4
    // Padding differs from link to link.
    const end = Math.min(packet.end, ip.wireEnd)
    const identified = isV4 && u16be(packet.bytes, ip.start + 4) !== 0
    const windowNs = identified ? COPY_WINDOW_NS : COPY_UNIDENTIFIED_WINDOW_NS
    if (this.#proven > 0) this.#proven--
    if (!this.#isRepeated(packet, isV4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6, ip.start, end, windowNs))
      return false
    // A host that resets a connection answers each late segment with the same.
    if (!identified && isBareTcp(packet, ip)) return this.#proven > 0
    this.#proven = COPY_WATCH_PACKETS
    this.#watch = COPY_WATCH_PACKETS
    return true
  }

  /** Something without numbers, which may as well be sent twice: a copy only where others are.
   *  @param offset behind the link header */
  isFrameCopy(packet: Packet, etherType: number, offset: number): boolean {
    return this.#isRepeated(packet, etherType, offset, packet.end, COPY_WINDOW_NS) && this.#proven > 0
  }

  #isRepeated(packet: Packet, etherType: number, offset: number, end: number, windowNs: number): boolean {
    const identity = identifyAt(packet.bytes, etherType, offset, end)
    if (identity === null) return false
    const place = identity % COPIES_REMEMBERED
    const isSame = this.#identities[place] === identity
    if (isSame && Math.abs(packet.timeNs - (this.#timesNs[place] as number)) <= windowNs) return true
    this.#identities[place] = identity
    this.#timesNs[place] = packet.timeNs
    return false
  }
}

/** A segment without payload. */
function isBareTcp({ bytes }: Packet, ip: IpPayload): boolean {
  if (ip.protocol !== IP_PROTOCOL.tcp) return false
  return ip.offset + ((bytes[ip.offset + 12] as number) >>> 4) * 4 >= ip.wireEnd
}
