import { BlockView } from '../core/block-view.ts'
import { u32be } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { PACKET_SIZE_MAX } from '../core/limits.ts'
import type { Packet, PacketSink } from './packet.ts'
import { PcapStretch, RECORD, RECORD_HEADER_SIZE } from './pcap-stretch.ts'
import { CountedRecordReader, RESYNC_SECONDS } from './resync.ts'
import { ManyAtOnce, type StretchSink } from './stretch.ts'
import type { CaptureSummary } from './summary.ts'

/** Magic numbers as a big-endian word of the first four bytes.
 *  @see draft-ietf-opsawg-pcap "File Header"; libpcap sf-pcap.c for the modified form */
export const PCAP_MAGIC = {
  microsecondsBig: 0xa1b2c3d4,
  microsecondsLittle: 0xd4c3b2a1,
  nanosecondsBig: 0xa1b23c4d,
  nanosecondsLittle: 0x4d3cb2a1,
  modifiedBig: 0xa1b2cd34,
  modifiedLittle: 0x34cdb2a1,
} as const

const FILE_HEADER_SIZE = 24
/** The last minor version of 2 in which a record may have its two lengths the other way round.
 *  @see libpcap sf-pcap.c, "lengths_swapped" */
const SWAPPED_MINOR_MAX = 3
/** The "modified" pcap of A. Kuznetsov has interface, protocol and packet type behind the usual fields. */
const MODIFIED_RECORD_HEADER_SIZE = 24

/** Bytes that stand before the frame and were not on the wire, by link type, where there is more than the frame.
 *  @see Wireshark wiretap/pcap-common.c, "pseudo_header" */
const PSEUDO_HEADER_SIZES: ReadonlyMap<number, number> = new Map([
  [123, 4], // SUNATM
  [139, 4], // MTP2_WITH_PHDR
  [144, 16], // LINUX_IRDA
  [177, 16], // LINUX_LAPD
  [196, 5], // SITA
  [201, 4], // BLUETOOTH_HCI_H4_WITH_PHDR
  [204, 1], // PPP_WITH_DIR
  [209, 5], // I2C_LINUX
  [245, 2], // NFC_LLCP
  [254, 4], // BLUETOOTH_LINUX_MONITOR
])

/** Bytes of a captured packet of this link type that were not on the wire. */
export function pseudoHeaderSize(linkType: number): number {
  return PSEUDO_HEADER_SIZES.get(linkType) ?? 0
}

/** Reads a pcap file: µs or ns, either byte order. Damaged lengths do not stop it: it searches for the next record
 *  whose fields agree. */
export class PcapReader extends CountedRecordReader {
  wanted = FILE_HEADER_SIZE
  protected headerSize: number = RECORD_HEADER_SIZE
  readonly #sink: PacketSink
  readonly #summary: CaptureSummary
  readonly #view = new BlockView()
  #littleEndian = true
  #nsPerFraction = 1000
  #headerRead = false
  #lastSeconds = 0
  #fcsSize = 0
  #pseudoSize = 0
  #maybeSwapped = false
  readonly #stretch = new PcapStretch(this.packet)
  readonly #many: ManyAtOnce | null

  /** @param takeMany who takes ordinary packets by the hundred */
  constructor(
    sink: PacketSink,
    summary: CaptureSummary,
    diagnostics: Diagnostics,
    takeMany: StretchSink | null = null,
  ) {
    super(diagnostics)
    this.#sink = sink
    this.#summary = summary
    this.#many = takeMany === null ? null : new ManyAtOnce(this.#stretch, takeMany, summary)
  }

  protected override get opened(): boolean {
    return this.#headerRead
  }

  protected override read(bytes: Uint8Array, start: number, end: number): number {
    if (this.#headerRead) return this.readRecords(bytes, start, end)
    if (end - start < FILE_HEADER_SIZE) return start
    this.#readFileHeader(bytes, start)
    return this.readRecords(bytes, start + FILE_HEADER_SIZE, end)
  }

  #readFileHeader(bytes: Uint8Array, offset: number): void {
    const magic = u32be(bytes, offset)
    const big =
      magic === PCAP_MAGIC.microsecondsBig ||
      magic === PCAP_MAGIC.nanosecondsBig ||
      magic === PCAP_MAGIC.modifiedBig
    this.#littleEndian = !big
    if (magic === PCAP_MAGIC.nanosecondsBig || magic === PCAP_MAGIC.nanosecondsLittle) this.#nsPerFraction = 1
    if (magic === PCAP_MAGIC.modifiedBig || magic === PCAP_MAGIC.modifiedLittle)
      this.headerSize = MODIFIED_RECORD_HEADER_SIZE
    const view = this.#view.of(bytes)
    this.#maybeSwapped = view.getUint16(offset + 6, !big) <= SWAPPED_MINOR_MAX
    const linkWord = view.getUint32(offset + 20, !big)
    this.packet.linkType = linkWord & 0xffff
    if ((linkWord & 0x04000000) !== 0) this.#fcsSize = (linkWord >>> 28) * 2
    this.#pseudoSize = pseudoHeaderSize(this.packet.linkType)
    this.#summary.addLinkType(this.packet.linkType)
    this.#summary.addResolution(this.#nsPerFraction)
    this.#headerRead = true
    this.#stretch.littleEndian = !big
    this.#stretch.nsPerFraction = this.#nsPerFraction
  }

  protected override deliverMany(bytes: Uint8Array, offset: number, end: number): number {
    if (this.#many === null || this.packet.packet === 0 || !this.#isPlain()) return offset
    const next = this.#many.take(offset, end)
    if (next > offset) this.#lastSeconds = this.#secondsAt(bytes, this.packet.start - RECORD_HEADER_SIZE)
    return next
  }

  #secondsAt(bytes: Uint8Array, offset: number): number {
    return this.#view.of(bytes).getUint32(offset + RECORD.seconds, this.#littleEndian)
  }

  /** Records of the usual form, with frames and nothing more. */
  #isPlain(): boolean {
    return (
      this.headerSize === RECORD_HEADER_SIZE &&
      this.#fcsSize === 0 &&
      this.#pseudoSize === 0 &&
      !this.#maybeSwapped
    )
  }

  /** The record at `offset` is the first. */
  #start(bytes: Uint8Array, offset: number): void {
    const seconds = this.#secondsAt(bytes, offset)
    const fraction = this.#view.of(bytes).getUint32(offset + RECORD.fraction, this.#littleEndian)
    this.#stretch.startAt(seconds, fraction)
    this.#summary.startEpochNs = BigInt(seconds) * 1_000_000_000n + BigInt(fraction * this.#nsPerFraction)
  }

  protected override deliver(bytes: Uint8Array, offset: number, captured: number): void {
    const packet = this.packet
    const original = this.originalLength(bytes, offset)
    if (packet.packet === 0) this.#start(bytes, offset)
    this.#lastSeconds = this.#secondsAt(bytes, offset)
    packet.packet++
    packet.timeNs = this.#stretch.timeAt(this.#view.of(bytes), offset)
    packet.start = offset + this.headerSize
    packet.end = packet.start + captured
    packet.originalLength = Math.max(original, captured)
    this.#summary.count(captured, original - this.#pseudoSize)
    if (this.#fcsSize > 0) trimFcs(packet, this.#fcsSize)
    this.#sink(packet)
  }

  /** As the record at `offset` says. */
  override capturedLength(bytes: Uint8Array, offset: number): number {
    const view = this.#view.of(bytes)
    const captured = view.getUint32(offset + RECORD.captured, this.#littleEndian)
    if (!this.#maybeSwapped) return captured
    return Math.min(captured, view.getUint32(offset + RECORD.original, this.#littleEndian))
  }

  /** Of the frame on the wire, as the record says: it may be less than what was captured. */
  originalLength(bytes: Uint8Array, offset: number): number {
    const view = this.#view.of(bytes)
    const original = view.getUint32(offset + RECORD.original, this.#littleEndian)
    if (!this.#maybeSwapped) return original
    return Math.max(original, view.getUint32(offset + RECORD.captured, this.#littleEndian))
  }

  protected override believable(bytes: Uint8Array, offset: number): boolean {
    const view = this.#view.of(bytes)
    const captured = this.capturedLength(bytes, offset)
    const original = this.originalLength(bytes, offset)
    const seconds = view.getUint32(offset + RECORD.seconds, this.#littleEndian)
    const fraction = view.getUint32(offset + RECORD.fraction, this.#littleEndian)
    return (
      captured > 0 &&
      captured <= original &&
      original <= PACKET_SIZE_MAX * 2 &&
      Math.abs(seconds - this.#lastSeconds) <= RESYNC_SECONDS &&
      fraction * this.#nsPerFraction < 1e9
    )
  }
}

/** Takes the frame check sequence off the end of a frame, as far as it was captured. */
export function trimFcs(packet: Packet, fcsSize: number): void {
  const payload = Math.max(0, packet.originalLength - fcsSize)
  packet.originalLength = payload
  if (packet.end - packet.start > payload) packet.end = packet.start + payload
}
