import type { Evidence } from '../core/evidence.ts'
import { FLOAT_ZERO } from '../core/float-zero.ts'

/** The packet at hand. One object is reused for all packets of a capture, so nothing of it outlives the call:
 *  `keep(packet)` copies what is evidence, `copyOf(packet)` all of it. */
export class Packet implements Evidence {
  /** 1-based, as Wireshark counts. */
  packet = 0
  /** Nanoseconds after the first packet of the capture; negative where stamps run backwards. */
  timeNs = FLOAT_ZERO
  /** The read block that holds the frame at `[start, end)`. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  /** Bytes of the frame on the wire, at least `end - start`. */
  originalLength = 0
  /** LINKTYPE number of the interface it was captured on. */
  linkType = 0
}

/** A packet that outlives the call, with its bytes. */
export function copyOf(packet: Packet): Packet {
  const copy = new Packet()
  copy.packet = packet.packet
  copy.timeNs = packet.timeNs
  copy.bytes = packet.bytes.slice(packet.start, packet.end)
  copy.end = copy.bytes.length
  copy.originalLength = packet.originalLength
  copy.linkType = packet.linkType
  return copy
}

export type PacketSink = (packet: Packet) => void
