import type { Evidence } from '../core/evidence.ts'

/** An ICMP or ICMPv6 echo request or reply, raised once per packet, for fragments at the one that completes it. The errors
 *  that quote an echo raise nothing. @see RFC 792, RFC 4443 section 4 */
export interface IcmpEcho {
  readonly type: 'icmp.echo'
  readonly kind: 'request' | 'reply'
  /** Sender and receiver of this packet, as text: dotted IPv4 or RFC 5952 IPv6. */
  readonly source: string
  readonly destination: string
  /** Lower-case hex with colons; null where the link header has none. */
  readonly sourceMac: string | null
  readonly destinationMac: string | null
  /** Tells the runs of a client apart; 16 bits. */
  readonly identifier: number
  /** 16 bits: wraps around. */
  readonly sequence: number
  readonly first: Evidence
  readonly last: Evidence
}

/** Who sent a packet, and to whom, as text that is made when it is asked for. Valid until the next packet. */
export interface PacketEnds {
  readonly source: string
  readonly destination: string
  readonly sourceMac: string | null
  readonly destinationMac: string | null
}

export type IcmpEvent = IcmpEcho
