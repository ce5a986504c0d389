import { u16be } from '../../core/bytes.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import type { EventSink } from '../../events/event.ts'
import type { PacketEnds } from '../../events/icmp.ts'

/** @see RFC 792; RFC 4443 sections 4.1 and 4.2, which have the same layout */
const FIELD = { type: 0, code: 1, identifier: 4, sequence: 6 } as const
const HEADER_SIZE = 8

const TYPES = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
} as const

/** An ICMP message at `bytes[offset … end)`: raises `icmp.echo` for echo requests and replies. Others are left out, also
 *  "destination unreachable", which quotes a request that stays unanswered anyway.
 *  @param version of IP: the two have different numbers for the same thing */
export function decodeIcmp(
  bytes: Uint8Array,
  offset: number,
  end: number,
  version: 4 | 6,
  ends: PacketEnds,
  at: Evidence,
  sink: EventSink,
): void {
  if (end - offset < HEADER_SIZE) return
  const type = bytes[offset + FIELD.type] as number
  const isRequest = type === TYPES[version].request
  if (!isRequest && type !== TYPES[version].reply) return
  if (bytes[offset + FIELD.code] !== 0) return
  const evidence = keep(at)
  sink({
    type: 'icmp.echo',
    kind: isRequest ? 'request' : 'reply',
    source: ends.source,
    destination: ends.destination,
    sourceMac: ends.sourceMac,
    destinationMac: ends.destinationMac,
    identifier: u16be(bytes, offset + FIELD.identifier),
    sequence: u16be(bytes, offset + FIELD.sequence),
    first: evidence,
    last: evidence,
  })
}
