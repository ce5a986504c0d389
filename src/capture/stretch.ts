import { FLOAT_ZERO } from '../core/float-zero.ts'
import { Packet } from './packet.ts'

/** Records of a pcap file one behind the other, for somebody who takes many at once: on the way of each packet by itself, calls
 *  take more time than what is done with it. One object is reused. */
export class Stretch {
  /** The packet before the first one; the last one that was taken afterwards. */
  packet = new Packet()
  /** The read block with the records in `[offset, end)`. Who takes some moves `offset` on. */
  bytes: Uint8Array = new Uint8Array(0)
  offset = 0
  end = 0
  littleEndian = true
  nsPerFraction = 1
  /** Time zero. */
  startSeconds = FLOAT_ZERO
  startFraction = FLOAT_ZERO
  /** Something that a packet brought is to be seen to before the next one. */
  interrupted = false
  /** Of the packets that were taken: bytes on the wire, all of which were captured. */
  wireBytes = FLOAT_ZERO
}

/** Takes ordinary packets from the start of a stretch, up to the first one that it is not sure of. */
export type StretchSink = (stretch: Stretch) => void
