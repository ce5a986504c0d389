import { u32be, u32le } from '../core/bytes.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import { PACKET_SIZE_MAX } from '../core/limits.ts'
import { VERSION } from '../core/version.ts'
import { type ByteReader, FirstBytes } from './first-bytes.ts'
import { isWholeHeader, sniff } from './magic.ts'
import { BLOCK, PcapngReader } from './pcapng.ts'
import {
  type ByteSink,
  enhancedPacket,
  enhanceSimple,
  type InterfaceFields,
  interfaceDescription,
  sectionHeader,
  withComments,
  withoutLength,
} from './pcapng-writer.ts'
import { type RawPacket, RawPackets, type RawSink } from './raw-packets.ts'
import { type RecordParser, RecordStream } from './records.ts'
import { CaptureSummary } from './summary.ts'

/** What the section header of a copy names as its maker. */
export const APPLICATION = `mig-phases ${VERSION}`
const ROUNDED = 'mig-phases: from a DPMI capture; its picoseconds are rounded down to nanoseconds'

export interface CopyOptions {
  /** By packet number, as the readers count. */
  readonly comments: ReadonlyMap<number, readonly string[]>
  /** Leaves all other packets out. */
  readonly onlyMarked: boolean
}

/** A copy of one format. */
interface Copy extends ByteReader {
  end(): void
}

/** Copies a capture as pcapng and puts comments on packets. Give it the bytes of the file with `push`, in any cut, then call
 *  `end`. What is pcapng already stays as it is, byte for byte, but for the packets that get comments and the lengths of
 *  sections, which are made unknown. Memory is bounded by the largest block. */
export class AnnotatedCopy {
  readonly #job: Job
  readonly #copy = new FirstBytes((start) => copyOf(start, this.#job), isWholeHeader)

  constructor(options: CopyOptions, sink: ByteSink) {
    this.#job = new Job(options, sink)
  }

  /** Packets that got comments until now. */
  get marked(): number {
    return this.#job.marked
  }

  /** @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#copy.push(bytes)
  }

  /** @throws InputError when there were too few bytes to tell a capture */
  end(): void {
    this.#copy.end().end()
  }
}

function copyOf(start: Uint8Array, job: Job): Copy {
  const kind = sniff(start)
  if (kind.kind === 'capture' && kind.format === 'pcapng') return new PcapngCopy(job)
  return new Conversion(job, kind.kind === 'capture' && kind.format === 'dpmi' ? ROUNDED : null)
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
      null,
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

/** Makes pcapng of what is none. */
class Conversion implements Copy, RawSink {
  readonly #job: Job
  readonly #packets = new RawPackets(this)
  readonly #comment: string | null

  constructor(job: Job, comment: string | null) {
    this.#job = job
    this.#comment = comment
  }

  push(bytes: Uint8Array): void {
    this.#packets.push(bytes)
  }

  end(): void {
    this.#packets.end()
  }

  section(): void {
    this.#job.sink(sectionHeader({ application: APPLICATION, comment: this.#comment }))
  }

  described(fields: InterfaceFields): void {
    this.#job.sink(interfaceDescription(fields))
  }

  packet({ packet, start, end, interface: from, ticks, originalLength }: RawPacket): void {
    const comments = this.#job.commentsOf(packet.packet)
    if (comments.length > 0) this.#job.marked++
    else if (this.#job.onlyMarked) return
    const data = packet.bytes.subarray(start, end)
    this.#job.sink(enhancedPacket({ interface: from, ticks: ticks ?? 0n, originalLength, data, comments }))
  }

  /** Only pcapng has any. */
  statistics(): void {}
}
