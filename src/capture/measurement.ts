import { BoundedMap } from '../core/bounded-map.ts'
import { u16be, u32be } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { MEASUREMENT_STREAMS_MAX } from '../core/limits.ts'
import { CAP_RECORD_HEADER_SIZE, CapRecords } from './cap-record.ts'
import { Packet, type PacketSink } from './packet.ts'
import type { CaptureSummary } from './summary.ts'

const ETHERNET = 1
const ETHERNET_HEADER_SIZE = 14
/** Ethertype 0x0810. */
const ETHERTYPE = { at: 12, high: 0x08, low: 0x10 } as const
/** Behind the Ethernet header, in network byte order. @see libcap_utils caputils/send.h, struct sendhead */
const FIELD = { sequence: 14, frames: 18, major: 26, minor: 28 } as const
const SEND_HEADER_SIZE = 16
const RECORDS_AT = ETHERNET_HEADER_SIZE + SEND_HEADER_SIZE
const MINOR_MAX = 7
/** Sequence numbers go from 0 to one less. @see libcap_utils src/stream.c, match_inc_seqnr */
const SEQUENCE_MODULUS = 0xffff
/** A frame that is less than this behind came late; one that is more, or ahead by more than half of all numbers, is of a
 *  sender that began anew. */
const LATE_MAX = 256

/** Whether a packet looks like a measurement frame: one look at its ethertype, since every packet is asked. */
export function mayBeMeasurementFrame({ bytes, start, linkType }: Packet): boolean {
  return (
    bytes[start + ETHERTYPE.at + 1] === ETHERTYPE.low &&
    bytes[start + ETHERTYPE.at] === ETHERTYPE.high &&
    linkType === ETHERNET
  )
}

/** Takes the frames out of the measurement frames in which DPMI's measurement points send what they capture. Each inner
 *  frame has its own time and the packet number of the frame that carried it.
 *  @see protocols.md A.6 */
export class MeasurementFrames {
  /** To be added to the times of ordinary packets: not zero where the capture begins with a measurement frame, since time
   *  zero is the first inner frame's then. */
  shiftNs = 0
  readonly #sink: PacketSink
  readonly #summary: CaptureSummary
  readonly #diagnostics: Diagnostics
  readonly #records: CapRecords
  readonly #inner = new Packet()
  /** Next sequence number by sender and receiver. */
  readonly #expected = new BoundedMap<number, number>(MEASUREMENT_STREAMS_MAX)
  #started = false

  constructor(sink: PacketSink, summary: CaptureSummary, diagnostics: Diagnostics) {
    this.#sink = sink
    this.#summary = summary
    this.#diagnostics = diagnostics
    this.#records = new CapRecords(summary)
    this.#inner.linkType = ETHERNET
  }

  /** Returns false for a packet of the right ethertype that is no measurement frame all the same. */
  unwrap(packet: Packet): boolean {
    if (!this.#isOne(packet)) return false
    const { bytes, start, end } = packet
    this.#start(bytes, start + RECORDS_AT)
    this.#follow(packet)
    const announced = u32be(bytes, start + FIELD.frames)
    const wireEnd = start + packet.originalLength
    let offset = start + RECORDS_AT
    let frames = 0
    while (frames < announced && offset + CAP_RECORD_HEADER_SIZE <= end) {
      const next = offset + CAP_RECORD_HEADER_SIZE + this.#records.captured(bytes, offset)
      if (next > wireEnd) break
      this.#deliver(packet, offset, Math.min(next, end))
      offset = next
      frames++
    }
    if (frames < announced || offset > end) this.#reportCut(packet, frames, announced)
    return true
  }

  /** Whether the first record makes sense. */
  #isOne({ bytes, start, end, originalLength }: Packet): boolean {
    if (end - start < RECORDS_AT + CAP_RECORD_HEADER_SIZE || this.#summary.startEpochNs === null) return false
    const first = start + RECORDS_AT
    return (
      u16be(bytes, start + FIELD.major) === 0 &&
      u16be(bytes, start + FIELD.minor) <= MINOR_MAX &&
      u32be(bytes, start + FIELD.frames) > 0 &&
      this.#records.captured(bytes, first) <= originalLength - RECORDS_AT - CAP_RECORD_HEADER_SIZE &&
      this.#records.hasTime(bytes, first)
    )
  }

  /** Time zero is that of the first packet: of the first inner frame, where a measurement frame comes first. */
  #start(bytes: Uint8Array, offset: number): void {
    const { packets, startEpochNs } = this.#summary
    if (this.#started || startEpochNs === null) return
    this.#started = true
    if (packets > 1) {
      this.#records.startAtEpoch(startEpochNs)
      return
    }
    const epochNs = this.#records.epochNs(bytes, offset)
    this.#records.startAt(bytes, offset)
    this.#summary.startEpochNs = epochNs
    this.shiftNs = Number(startEpochNs - epochNs)
  }

  #deliver(carrier: Packet, offset: number, end: number): void {
    const records = this.#records
    const inner = this.#inner
    const { bytes } = carrier
    records.noteNames(bytes, offset)
    inner.bytes = bytes
    inner.packet = carrier.packet
    inner.timeNs = records.timeNs(bytes, offset)
    inner.start = offset + CAP_RECORD_HEADER_SIZE
    inner.end = end
    inner.originalLength = Math.max(records.length(bytes, offset), records.captured(bytes, offset))
    this.#summary.frame(inner)
    this.#sink(inner)
  }

  /** Counts measurement frames that did not arrive. */
  #follow(packet: Packet): void {
    const { bytes, start } = packet
    const stream = streamOf(bytes, start)
    const sequence = u32be(bytes, start + FIELD.sequence)
    const expected = this.#expected.get(stream) ?? sequence % SEQUENCE_MODULUS
    const ahead = (sequence - expected + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
    if (SEQUENCE_MODULUS - ahead < LATE_MAX) return
    this.#expected.set(stream, (sequence + 1) % SEQUENCE_MODULUS)
    if (ahead === 0 || ahead > SEQUENCE_MODULUS / 2) return
    this.#diagnostics.report(
      'capture.measurement-lost',
      'warning',
      packet,
      () =>
        `${ahead} measurement frames are missing before packet ${packet.packet} (number ${sequence} instead of ${expected}): what they carried was lost on its way from the measurement point`,
      ahead,
    )
  }

  #reportCut(packet: Packet, frames: number, announced: number): void {
    this.#diagnostics.report(
      'capture.measurement-cut',
      'warning',
      packet,
      () =>
        `the measurement frame in packet ${packet.packet} announces ${announced} frames and holds ${frames}, or a part of the last: it was cut short or is damaged`,
    )
  }
}

/** A number for the stream: of the last bytes of its destination's and its source's address, which tell them apart. */
function streamOf(bytes: Uint8Array, start: number): number {
  return u32be(bytes, start + 2) * 65536 + u16be(bytes, start + 10)
}
