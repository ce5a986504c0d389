import { INTERFACE_NAMES_MAX } from '../core/limits.ts'
import type { Packet } from './packet.ts'

export type CaptureFormat = 'pcap' | 'pcapng' | 'dpmi'

/** What a capture holds, whatever its packets mean. Grows while it is read. */
export class CaptureSummary {
  /** Known once the first bytes were read. */
  format: CaptureFormat | null = null
  readonly linkTypes: number[] = []
  /** Names of the interfaces it was captured on, as far as the file names them: `eth0`, or `d00@mp1` (interface at
   *  measurement point) for DPMI. Text from the file. */
  readonly interfaces: string[] = []
  packets = 0
  /** Bytes of the capture itself, decompressed. */
  fileBytes = 0
  /** Sum of the frames' lengths on the wire. */
  wireBytes = 0
  /** Sum of what was kept of them. */
  capturedBytes = 0
  /** Packets of which only a part was kept. */
  cutPackets = 0
  /** Nanoseconds since 1970 of the first packet in the file, which is time zero. */
  startEpochNs: bigint | null = null
  earliestNs = 0
  latestNs = 0
  /** Packets that the capturing machine says it dropped; null when the file does not say. */
  droppedPackets: number | null = null

  addLinkType(linkType: number): void {
    if (!this.linkTypes.includes(linkType)) this.linkTypes.push(linkType)
  }

  addInterface(name: string): void {
    if (this.interfaces.length < INTERFACE_NAMES_MAX && !this.interfaces.includes(name))
      this.interfaces.push(name)
  }

  /** Counts a packet of the file whose lengths are complete. */
  count(packet: Packet): void {
    const captured = packet.end - packet.start
    this.packets++
    this.wireBytes += packet.originalLength
    this.capturedBytes += captured
    if (captured < packet.originalLength) this.cutPackets++
  }

  /** Takes note of the time of a frame that is handed on. */
  span(timeNs: number): void {
    if (timeNs > this.latestNs) this.latestNs = timeNs
    else if (timeNs < this.earliestNs) this.earliestNs = timeNs
  }
}
