import { FLOAT_ZERO } from '../core/float-zero.ts'
import { INTERFACE_NAMES_MAX, ORDER_TOLERANCE_NS, ORDER_WINDOW_NS } from '../core/limits.ts'
import type { Packet } from './packet.ts'

export type CaptureFormat = 'pcap' | 'pcapng' | 'dpmi'

/** Bytes of the longest frame on an Ethernet of MTU 1500: two VLAN tags, or a cooked header, or a check sequence included. */
export const ORDINARY_FRAME_MAX = 1500 + 22
/** The same with the usual jumbo frames, MTU 9000. */
export const JUMBO_FRAME_MAX = 9000 + 22

/** What the frames and stamps of a capture are like, as plain data. */
export interface FrameFacts {
  /** Packets of which only a part was kept, and the most that was kept of one of them, bytes. */
  readonly cutPackets: number
  readonly cutTo: number
  /** Frames longer than `ORDINARY_FRAME_MAX`, and the length of the longest; 0 without any. */
  readonly longFrames: number
  readonly longestFrame: number
  /** Nanoseconds that one step of the stamps stands for, the coarsest of several interfaces; null where nothing says. */
  readonly stampNs: number | null
}

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
  fileBytes = FLOAT_ZERO
  /** Sum of the frames' lengths on the wire. */
  wireBytes = FLOAT_ZERO
  /** Sum of what was kept of them. */
  capturedBytes = FLOAT_ZERO
  /** Packets of which only a part was kept, and the most that was kept of one of them. */
  cutPackets = 0
  cutTo = 0
  /** Frames longer than `ORDINARY_FRAME_MAX`, and the length of the longest; 0 without any. */
  longFrames = 0
  longestFrame = 0
  /** Nanoseconds of one step of the stamps, the coarsest of several interfaces; null until known. */
  stampNs: number | null = null
  /** Nanoseconds since 1970 of the first packet in the file, which is time zero. */
  startEpochNs: bigint | null = null
  earliestNs = FLOAT_ZERO
  latestNs = FLOAT_ZERO
  /** Interfaces that the file describes. */
  interfaceCount = 0
  /** Nanoseconds by which a packet came too late at most, in the order of the file, where the clock was not set. */
  mostLateNs = FLOAT_ZERO
  /** The latest stamp since the clock was set. */
  #newestNs = FLOAT_ZERO
  /** Packets that the capturing machine says it dropped; null when the file does not say. */
  droppedPackets: number | null = null

  addLinkType(linkType: number): void {
    if (!this.linkTypes.includes(linkType)) this.linkTypes.push(linkType)
  }

  addInterface(name: string): void {
    if (this.interfaces.length < INTERFACE_NAMES_MAX && !this.interfaces.includes(name))
      this.interfaces.push(name)
  }

  /** Counts a packet of the file: what was kept of it, and its length on the wire as the file says, bytes. */
  count(captured: number, original: number): void {
    this.packets++
    this.wireBytes += original
    this.capturedBytes += captured
    if (captured < original) {
      this.cutPackets++
      if (captured > this.cutTo) this.cutTo = captured
    }
  }

  /** Counts packets that follow one another in time and were handed on, all kept whole, none of them long.
   *  @param last the last of them */
  countMany(packets: number, wireBytes: number, { timeNs }: Packet): void {
    this.packets += packets
    this.wireBytes += wireBytes
    this.capturedBytes += wireBytes
    if (timeNs > this.#newestNs) this.#newestNs = timeNs
    if (timeNs > this.latestNs) this.latestNs = timeNs
  }

  /** Takes note of the time and the length of a frame that is handed on. */
  frame({ timeNs, originalLength }: Packet): void {
    if (timeNs < this.#newestNs) this.#behind(timeNs)
    else {
      this.#newestNs = timeNs
      if (timeNs > this.latestNs) this.latestNs = timeNs
    }
    if (originalLength > ORDINARY_FRAME_MAX) this.#long(originalLength)
  }

  /** Whether packets are so far out of the order of their stamps that figures would show it. Of several interfaces, each stamps by
   *  itself, so that any disorder may be between the two directions of a connection. */
  get isOutOfOrder(): boolean {
    const interfaces = Math.max(this.interfaceCount, this.interfaces.length)
    return this.mostLateNs > (interfaces > 1 ? 0 : ORDER_TOLERANCE_NS)
  }

  /** @param ns nanoseconds of one step of an interface's stamps */
  addResolution(ns: number): void {
    this.stampNs = Math.max(this.stampNs ?? 0, ns)
  }

  facts(): FrameFacts {
    const { cutPackets, cutTo, longFrames, longestFrame, stampNs } = this
    return { cutPackets, cutTo, longFrames, longestFrame, stampNs }
  }

  #behind(timeNs: number): void {
    if (timeNs < this.earliestNs) this.earliestNs = timeNs
    const lateNs = this.#newestNs - timeNs
    if (lateNs > ORDER_WINDOW_NS) this.#newestNs = timeNs
    else if (lateNs > this.mostLateNs) this.mostLateNs = lateNs
  }

  #long(length: number): void {
    this.longFrames++
    if (length > this.longestFrame) this.longestFrame = length
  }
}
