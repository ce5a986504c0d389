import { u32be, u32le } from '../core/bytes.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import { InputError } from '../core/input-error.ts'
import { INTERFACES_MAX, PACKET_SIZE_MAX } from '../core/limits.ts'
import { VERSION } from '../core/version.ts'
import { CAP_RECORD_HEADER_SIZE, CapRecords, interfaceName } from './cap-record.ts'
import { DpmiReader, readDpmiHeader } from './dpmi.ts'
import { MAGIC_SIZE, sniff } from './magic.ts'
import type { Packet } from './packet.ts'
import { PCAP_MAGIC, PcapReader } from './pcap.ts'
import { BLOCK, PcapngReader } from './pcapng.ts'
import {
  type ByteSink,
  enhancedPacket,
  enhanceSimple,
  interfaceDescription,
  sectionHeader,
  withComments,
  withoutLength,
} from './pcapng-writer.ts'
import { type RecordParser, RecordStream } from './records.ts'
import { CaptureSummary } from './summary.ts'

const ETHERNET = 1
const APPLICATION = `mig-phases ${VERSION}`

export interface CopyOptions {
  /** By packet number, as the readers count. */
  readonly comments: ReadonlyMap<number, readonly string[]>
  /** Leaves all other packets out. */
  readonly onlyMarked: boolean
}

/** A copy of one format. */
interface Copy {
  push(bytes: Uint8Array): void
  end(): void
}

/** Copies a capture as pcapng and puts comments on packets. Give it the bytes of the file with `push`, in any cut, then call
 *  `end`. What is pcapng already stays as it is, byte for byte, but for the packets that get comments and the lengths of
 *  sections, which are made unknown. Memory is bounded by the largest block. */
export class AnnotatedCopy {
  readonly #job: Job
  #start = new Uint8Array(0)
  #copy: Copy | null = null

  constructor(options: CopyOptions, sink: ByteSink) {
    this.#job = new Job(options, sink)
  }

  /** Packets that got comments until now. */
  get marked(): number {
    return this.#job.marked
  }

  /** @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    if (this.#copy !== null) {
      this.#copy.push(bytes)
      return
    }
    const start = new Uint8Array(this.#start.length + bytes.length)
    start.set(this.#start)
    start.set(bytes, this.#start.length)
    this.#start = start
    if (start.length >= MAGIC_SIZE) this.#open()
  }

  /** @throws InputError when there were too few bytes to tell a capture */
  end(): void {
    if (this.#copy === null) this.#open()
    this.#copy?.end()
  }

  #open(): void {
    const start = this.#start
    this.#start = new Uint8Array(0)
    this.#copy = copyOf(start, this.#job)
    this.#copy.push(start)
  }
}

function copyOf(start: Uint8Array, job: Job): Copy {
  const kind = sniff(start)
  if (kind.kind === 'capture' && kind.format === 'pcapng') return new PcapngCopy(job)
  const pcap = kind.kind === 'capture' && kind.format === 'pcap' ? readPcapHeader(start) : null
  if (pcap !== null) return new PcapConversion(job, pcap)
  const dpmi = readDpmiHeader(start)
  if (kind.kind === 'capture' && dpmi !== null) return new DpmiConversion(job, dpmi.bigEndian)
  throw new InputError('is no capture any more: was it changed while it was read?')
}

/** What is to be done, and how much of it is. */
class Job {
  readonly onlyMarked: boolean
  readonly sink: ByteSink
  marked = 0
  readonly #comments: ReadonlyMap<number, readonly string[]>

  constructor({ comments, onlyMarked }: CopyOptions, sink: ByteSink) {
    this.#comments = comments
    this.onlyMarked = onlyMarked
    this.sink = sink
  }

  commentsOf(packet: number): readonly string[] {
    return this.#comments.get(packet) ?? []
  }
}

/** Blocks that stay when only marked packets are kept: what tells how packets are to be read. */
const KEPT_BLOCKS: ReadonlySet<number> = new Set([
  BLOCK.sectionHeader,
  BLOCK.interfaceDescription,
  BLOCK.nameResolution,
  BLOCK.interfaceStatistics,
  BLOCK.decryptionSecrets,
])

/** The first interface of a section, which is that of its simple packet blocks. */
interface FirstInterface {
  /** Bytes; 0: no limit. */
  readonly snapLength: number
  /** The two words of the last stamp on it. */
  readonly stamp: Uint8Array
}

/** Copies all bytes, but for the blocks that are replaced. Stands between the stream of records and their reader, so that it
 *  knows which bytes the reader is done with. */
class PcapngCopy implements Copy, RecordParser {
  readonly #job: Job
  readonly #summary = new CaptureSummary()
  readonly #reader: PcapngReader
  readonly #records: RecordStream
  #little = true
  #packets = 0
  #first: FirstInterface | null = null
  /** Of the bytes that are read at the moment, those before it are copied. */
  #copied = 0
  /** The piece at hand, and offsets in the file: where it starts, up to where all is copied, and up to where all is read. The
   *  last two differ by what the reader skips. */
  #piece: Uint8Array = new Uint8Array(0)
  #pieceAt = 0
  #copiedTo = 0
  #readTo = 0

  constructor(job: Job) {
    this.#job = job
    this.#reader = new PcapngReader(
      () => {},
      this.#summary,
      new Diagnostics(),
      (type, bytes, start, end) => this.#block(type, bytes, start, end),
    )
    this.#records = new RecordStream(this)
  }

  get wanted(): number {
    return this.#reader.wanted
  }

  push(piece: Uint8Array): void {
    this.#piece = piece
    this.#records.push(piece)
    const next = this.#pieceAt + piece.length
    this.#copySkipped(Math.min(this.#readTo, next))
    this.#pieceAt = next
  }

  end(): void {
    this.#records.end()
  }

  parse(bytes: Uint8Array, start: number, end: number): number {
    this.#copySkipped(this.#readTo)
    this.#copied = start
    const stopped = this.#reader.parse(bytes, start, end)
    const passed = Math.min(stopped, end)
    this.#copyUpTo(bytes, passed)
    this.#copiedTo += passed - start
    this.#readTo += stopped - start
    return stopped
  }

  /** What is cut off is copied too. */
  finish(bytes: Uint8Array, end: number): boolean {
    this.#copied = 0
    const whole = this.#reader.finish(bytes, end)
    this.#copyUpTo(bytes, end)
    return whole
  }

  /** Copies what the reader has skipped; all of it is in the piece at hand. */
  #copySkipped(upTo: number): void {
    if (upTo <= this.#copiedTo) return
    this.#copyBytes(this.#piece.subarray(this.#copiedTo - this.#pieceAt, upTo - this.#pieceAt))
    this.#copiedTo = upTo
  }

  #copyUpTo(bytes: Uint8Array, end: number): void {
    if (end > this.#copied) this.#copyBytes(bytes.subarray(this.#copied, end))
    this.#copied = end
  }

  #copyBytes(bytes: Uint8Array): void {
    if (!this.#job.onlyMarked) this.#job.sink(bytes)
  }

  #block(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === BLOCK.sectionHeader) this.#startSection(bytes, start)
    else if (type === BLOCK.interfaceDescription) this.#noteInterface(bytes, start, end)
    const numbered = this.#summary.packets > this.#packets
    this.#packets = this.#summary.packets
    const instead = numbered
      ? this.#packet(type, bytes.subarray(start, end))
      : this.#other(type, bytes, start, end)
    if (instead === null) return
    this.#copyUpTo(bytes, start)
    this.#job.sink(instead)
    this.#copied = end
  }

  /** What is written in place of a block that is no packet; null: what all bytes become. */
  #other(type: number, bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (type === BLOCK.sectionHeader && end - start >= 28) return withoutLength(bytes.subarray(start, end))
    return this.#job.onlyMarked && KEPT_BLOCKS.has(type) ? bytes.subarray(start, end) : null
  }

  /** What is written in place of a packet; null: what all bytes become. */
  #packet(type: number, block: Uint8Array): Uint8Array | null {
    const comments = this.#job.commentsOf(this.#packets)
    const marked = comments.length === 0 ? null : this.#mark(type, block, comments)
    if (marked !== null) this.#job.marked++
    this.#noteStamp(type, block)
    return marked
  }

  #mark(type: number, block: Uint8Array, comments: readonly string[]): Uint8Array | null {
    if (type !== BLOCK.simplePacket) return withComments(block, comments, this.#little)
    const { snapLength, stamp } = this.#first ?? { snapLength: 0, stamp: new Uint8Array(8) }
    const limit = snapLength === 0 ? PACKET_SIZE_MAX : snapLength
    const captured = Math.min(this.#u32(block, 8), limit, block.length - 16)
    return enhanceSimple(block, captured, stamp, comments, this.#little)
  }

  #startSection(bytes: Uint8Array, start: number): void {
    this.#little = bytes[start + 8] !== 0x1a
    this.#first = null
  }

  #noteInterface(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 20) return
    this.#first ??= { snapLength: this.#u32(bytes, start + 12), stamp: new Uint8Array(8) }
  }

  #noteStamp(type: number, block: Uint8Array): void {
    if (type === BLOCK.simplePacket || this.#first === null) return
    const obsolete = type === BLOCK.obsoletePacket
    // An obsolete block has its interface in half a word.
    const [high, low] = this.#little ? [block[9], block[8]] : [block[8], block[9]]
    const from = obsolete ? (high as number) * 256 + (low as number) : this.#u32(block, 8)
    if (from === 0) this.#first.stamp.set(block.subarray(12, 20))
  }

  #u32(bytes: Uint8Array, offset: number): number {
    return this.#little ? u32le(bytes, offset) : u32be(bytes, offset)
  }
}

interface PcapHeader {
  readonly bigEndian: boolean
  /** Stamps count 10^-resolution seconds. */
  readonly resolution: 6 | 9
  readonly recordHeaderSize: number
  readonly snapLength: number
  readonly linkType: number
  readonly fcsSize: number | null
}

/** @see draft-ietf-opsawg-pcap, "File Header" */
function readPcapHeader(bytes: Uint8Array): PcapHeader | null {
  if (bytes.length < 24) return null
  const bigEndian = u32be(bytes, 0) >>> 24 === 0xa1
  const u32 = bigEndian ? u32be : u32le
  const magic = u32(bytes, 0)
  const link = u32(bytes, 20)
  return {
    bigEndian,
    resolution: magic === PCAP_MAGIC.nanosecondsBig ? 9 : 6,
    recordHeaderSize: magic === PCAP_MAGIC.modifiedBig ? 24 : 16,
    snapLength: u32(bytes, 16),
    linkType: link & 0xffff,
    fcsSize: (link & 0x04000000) === 0 ? null : (link >>> 28) * 2,
  }
}

/** Makes pcapng of pcap. What the modified pcap has besides (interface, protocol and type of each packet) is left out. */
class PcapConversion implements Copy {
  readonly #job: Job
  readonly #header: PcapHeader
  readonly #u32: (b: Uint8Array, o: number) => number
  readonly #ticksPerSecond: bigint
  readonly #reader: PcapReader
  readonly #records: RecordStream

  constructor(job: Job, header: PcapHeader) {
    this.#job = job
    this.#header = header
    this.#u32 = header.bigEndian ? u32be : u32le
    this.#ticksPerSecond = 10n ** BigInt(header.resolution)
    this.#reader = new PcapReader((packet) => this.#packet(packet), new CaptureSummary(), new Diagnostics())
    this.#records = new RecordStream(this.#reader)
    job.sink(sectionHeader({ application: APPLICATION, comment: null }))
    job.sink(interfaceDescription({ ...header, name: null }))
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  end(): void {
    this.#records.end()
  }

  /** Reads the record itself: the reader takes check sequences off and corrects lengths. */
  #packet({ packet, bytes, start }: Packet): void {
    const comments = this.#job.commentsOf(packet)
    if (comments.length > 0) this.#job.marked++
    else if (this.#job.onlyMarked) return
    const u32 = this.#u32
    const record = start - this.#header.recordHeaderSize
    this.#job.sink(
      enhancedPacket({
        interface: 0,
        ticks: BigInt(u32(bytes, record)) * this.#ticksPerSecond + BigInt(u32(bytes, record + 4)),
        originalLength: this.#reader.originalLength(bytes, record),
        data: bytes.subarray(start, start + this.#reader.capturedLength(bytes, record)),
        comments,
      }),
    )
  }
}

/** Makes pcapng of a capture file of DPMI, an interface for each of each measurement point. Stamps, which have picoseconds, are
 *  rounded down to nanoseconds: 64 bits of picoseconds end in August 1970. */
class DpmiConversion implements Copy {
  readonly #job: Job
  readonly #fields = new CapRecords(new CaptureSummary())
  readonly #records: RecordStream
  /** Numbers by name. */
  readonly #interfaces = new Map<string | null, number>()

  constructor(job: Job, bigEndian: boolean) {
    this.#job = job
    if (bigEndian) this.#fields.useBigEndian()
    const reader = new DpmiReader((packet) => this.#packet(packet), new CaptureSummary(), new Diagnostics())
    this.#records = new RecordStream(reader)
    const comment = 'mig-phases: from a DPMI capture; its picoseconds are rounded down to nanoseconds'
    job.sink(sectionHeader({ application: APPLICATION, comment }))
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  end(): void {
    this.#records.end()
  }

  #packet({ packet, bytes, start }: Packet): void {
    const comments = this.#job.commentsOf(packet)
    if (comments.length > 0) this.#job.marked++
    else if (this.#job.onlyMarked) return
    const record = start - CAP_RECORD_HEADER_SIZE
    const data = bytes.subarray(start, start + this.#fields.captured(bytes, record))
    const from = this.#interface(interfaceName(bytes, record))
    this.#job.sink(
      enhancedPacket({
        interface: from,
        ticks: this.#fields.epochNs(bytes, record),
        originalLength: this.#fields.length(bytes, record),
        data,
        comments,
      }),
    )
  }

  /** An interface is described where its first packet comes. Beyond the limit they share one without a name. */
  #interface(named: string): number {
    const name = this.#interfaces.has(named) || this.#interfaces.size < INTERFACES_MAX - 1 ? named : null
    const known = this.#interfaces.get(name)
    if (known !== undefined) return known
    const number = this.#interfaces.size
    this.#interfaces.set(name, number)
    this.#job.sink(
      interfaceDescription({ linkType: ETHERNET, snapLength: 0, resolution: 9, name, fcsSize: null }),
    )
    return number
  }
}
