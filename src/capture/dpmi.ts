import { u16be, u16le, u32be, u32le } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { DPMI_COMMENT_MAX, PACKET_SIZE_MAX } from '../core/limits.ts'
import { CAP_RECORD_HEADER_SIZE, CapRecords } from './cap-record.ts'
import type { PacketSink } from './packet.ts'
import { CountedRecordReader, RESYNC_SECONDS } from './resync.ts'
import type { CaptureSummary } from './summary.ts'

/** First and second word of a file of version 0.7, read big-endian. The format has no mark of its byte order but this. */
const MAGIC = { little: [0x6e9b3dc5, 0x47e21a8f], big: [0x8f1ae247, 0xc53d9b6e] } as const
/** The header of 0.7 without extensions. */
const HEADER_SIZE = 216
const FIELD = { major: 8, minor: 10, headerSize: 12, commentSize: 14 } as const
/** The headers before 0.7 begin with the length of the comment. @see libcap_utils caputils/file.h */
const OLD = { 5: { mpid: 12, headerSize: 212 }, 6: { mpid: 6, headerSize: 208 } } as const
const MPID_SIZE = 200
const ETHERNET = 1
/** Picoseconds. */
const STAMP_NS = 0.001

/** Bytes that tell a DPMI file: the longest header without a magic. */
export const DPMI_HEADER_SIZE = OLD[5].headerSize

export interface DpmiHeader {
  readonly major: number
  readonly minor: number
  readonly bigEndian: boolean
  /** Where the packets begin. */
  readonly packetsAt: number
}

/** The header of a file of DPMI, or null when the bytes are none. Files before 0.7 have no magic: they are known by their
 *  version words, a sane length of the comment, and the name of the measurement point, padded with zeroes.
 *  @see protocols.md A.5; DPMI/libcap_utils src/stream_file.c, stream_file_open */
export function readDpmiHeader(bytes: Uint8Array): DpmiHeader | null {
  if (bytes.length < 16) return null
  const [first, second] = [u32be(bytes, 0), u32be(bytes, 4)]
  if (first === MAGIC.little[0] && second === MAGIC.little[1]) return readHeader7(bytes, false)
  if (first === MAGIC.big[0] && second === MAGIC.big[1]) return readHeader7(bytes, true)
  if (u32le(bytes, 4) === 0 && u32le(bytes, 8) === 5) return readOldHeader(bytes, 5)
  return bytes[4] === 0 && bytes[5] === 6 ? readOldHeader(bytes, 6) : null
}

/** Extensions between the header and the comment say nothing that is needed. */
function readHeader7(bytes: Uint8Array, bigEndian: boolean): DpmiHeader {
  const u16 = bigEndian ? u16be : u16le
  const headerSize = Math.max(u16(bytes, FIELD.headerSize), HEADER_SIZE)
  return {
    major: u16(bytes, FIELD.major),
    minor: u16(bytes, FIELD.minor),
    bigEndian,
    packetsAt: headerSize + u16(bytes, FIELD.commentSize),
  }
}

function readOldHeader(bytes: Uint8Array, minor: 5 | 6): DpmiHeader | null {
  const { mpid, headerSize } = OLD[minor]
  if (bytes.length < headerSize) return null
  const commentSize = u32le(bytes, 0)
  if (commentSize > DPMI_COMMENT_MAX || !isName(bytes, mpid, mpid + MPID_SIZE)) return null
  return { major: 0, minor, bigEndian: false, packetsAt: headerSize + commentSize }
}

/** Printable ASCII, then zeroes to the end. */
function isName(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end && isPrintable(bytes[at] as number)) at++
  while (at < end && bytes[at] === 0) at++
  return at === end
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f
}

/** Reads a capture file of DPMI's measurement points, versions 0.5 to 0.7. Damaged lengths do not stop it: it searches for
 *  the next record whose fields agree. */
export class DpmiReader extends CountedRecordReader {
  wanted = DPMI_HEADER_SIZE
  protected readonly headerSize = CAP_RECORD_HEADER_SIZE
  readonly #sink: PacketSink
  readonly #summary: CaptureSummary
  readonly #records: CapRecords
  #opened = false
  #lastSeconds = 0

  constructor(sink: PacketSink, summary: CaptureSummary, diagnostics: Diagnostics) {
    super(diagnostics)
    this.#sink = sink
    this.#summary = summary
    this.#records = new CapRecords(summary)
    this.packet.linkType = ETHERNET
  }

  protected override get opened(): boolean {
    return this.#opened
  }

  protected override read(bytes: Uint8Array, start: number, end: number): number {
    let packets = start
    if (!this.#opened) {
      const header = readDpmiHeader(bytes.subarray(start, end))
      if (header === null) return start
      if (header.bigEndian) this.#records.useBigEndian()
      this.#opened = true
      packets += header.packetsAt
    }
    if (packets > end) return packets
    // Only now: a file that ends inside its header or its comment has no link type, which tells it.
    this.#summary.addLinkType(ETHERNET)
    this.#summary.addResolution(STAMP_NS)
    return this.readRecords(bytes, packets, end)
  }

  protected override deliver(bytes: Uint8Array, offset: number, captured: number): void {
    const records = this.#records
    const packet = this.packet
    if (packet.packet === 0) {
      records.startAt(bytes, offset)
      this.#summary.startEpochNs = records.epochNs(bytes, offset)
    }
    this.#lastSeconds = records.seconds(bytes, offset)
    records.noteNames(bytes, offset)
    packet.packet++
    packet.timeNs = records.timeNs(bytes, offset)
    packet.start = offset + CAP_RECORD_HEADER_SIZE
    packet.end = packet.start + captured
    const original = records.length(bytes, offset)
    packet.originalLength = Math.max(original, captured)
    this.#summary.count(captured, original)
    this.#sink(packet)
  }

  protected override capturedLength(bytes: Uint8Array, offset: number): number {
    return this.#records.captured(bytes, offset)
  }

  protected override believable(bytes: Uint8Array, offset: number): boolean {
    const records = this.#records
    const captured = records.captured(bytes, offset)
    const length = records.length(bytes, offset)
    return (
      captured > 0 &&
      captured <= length &&
      length <= PACKET_SIZE_MAX * 2 &&
      Math.abs(records.seconds(bytes, offset) - this.#lastSeconds) <= RESYNC_SECONDS &&
      records.hasTime(bytes, offset)
    )
  }
}
