import { u16be, u16le, u32be, u32le } from '../core/bytes.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import { InputError } from '../core/input-error.ts'
import { INTERFACES_MAX } from '../core/limits.ts'
import { CAP_RECORD_HEADER_SIZE, CapRecords, interfaceName } from './cap-record.ts'
import { DpmiReader, readDpmiHeader } from './dpmi.ts'
import { type ByteReader, FirstBytes } from './first-bytes.ts'
import { isWholeHeader, sniff } from './magic.ts'
import type { Packet } from './packet.ts'
import { PCAP_MAGIC, PcapReader } from './pcap.ts'
import { BLOCK, fcsBytes, PcapngReader } from './pcapng.ts'
import type { InterfaceFields } from './pcapng-writer.ts'
import { RecordStream } from './records.ts'
import { CaptureSummary } from './summary.ts'

const ETHERNET = 1

/** A packet with what its record says: a reader of packets takes check sequences off and corrects lengths. */
export interface RawPacket {
  /** As the reader gives it, borrowed. */
  readonly packet: Packet
  /** The bytes of the record are `packet.bytes[start … end)`. */
  readonly start: number
  readonly end: number
  readonly interface: number
  /** Since 1970, in the interface's resolution; null where the record has no time. */
  readonly ticks: bigint | null
  /** Bytes on the wire, as the record says. */
  readonly originalLength: number
  /** What pcapng calls so: direction, kind of reception, errors of the link; null where nothing says. */
  readonly flags: number | null
  /** Packets lost since the one before; null where nothing says. */
  readonly drops: bigint | null
}

/** Counters of an interface, of pcapng. */
export interface RawStatistics {
  readonly interface: number
  readonly ticks: bigint
  /** Numbers of 64 bits by their code. */
  readonly counters: readonly (readonly [code: number, value: bigint])[]
}

export interface RawSink {
  /** What follows is of another section, with interfaces of its own. */
  section(): void
  /** The next interface of the section. */
  described(fields: InterfaceFields): void
  packet(raw: RawPacket): void
  statistics(statistics: RawStatistics): void
}

interface Pushed extends ByteReader {
  end(): void
}

/** Reads a capture of any format into what pcapng has for it. Give it the bytes of the file with `push`, in any cut, then call
 *  `end`. Numbers of packets are those of the readers. */
export class RawPackets {
  readonly #records: FirstBytes<Pushed>

  constructor(sink: RawSink) {
    this.#records = new FirstBytes((start) => recordsOf(start, sink), isWholeHeader)
  }

  /** @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  /** @throws InputError when there were too few bytes to tell a capture */
  end(): void {
    this.#records.end().end()
  }
}

function recordsOf(start: Uint8Array, sink: RawSink): Pushed {
  const kind = sniff(start)
  if (kind.kind === 'capture' && kind.format === 'pcapng') return new PcapngPackets(sink)
  const pcap = kind.kind === 'capture' && kind.format === 'pcap' ? readPcapHeader(start) : null
  if (pcap !== null) return new PcapPackets(sink, pcap)
  const dpmi = readDpmiHeader(start)
  if (kind.kind === 'capture' && dpmi !== null) return new DpmiPackets(sink, dpmi.bigEndian)
  throw new InputError('is no capture any more: was it changed while it was read?')
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

/** What the modified pcap has besides (interface, protocol and type of each packet) is left out. */
class PcapPackets implements Pushed {
  readonly #sink: RawSink
  readonly #header: PcapHeader
  readonly #u32: (b: Uint8Array, o: number) => number
  readonly #ticksPerSecond: bigint
  readonly #reader: PcapReader
  readonly #records: RecordStream

  constructor(sink: RawSink, header: PcapHeader) {
    this.#sink = sink
    this.#header = header
    this.#u32 = header.bigEndian ? u32be : u32le
    this.#ticksPerSecond = 10n ** BigInt(header.resolution)
    this.#reader = new PcapReader((packet) => this.#packet(packet), new CaptureSummary(), new Diagnostics())
    this.#records = new RecordStream(this.#reader)
    const { linkType, snapLength, resolution, fcsSize } = header
    sink.section()
    sink.described({ linkType, snapLength, resolution, name: null, fcsSize })
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  end(): void {
    this.#records.end()
  }

  #packet(packet: Packet): void {
    const { bytes, start } = packet
    const u32 = this.#u32
    const record = start - this.#header.recordHeaderSize
    this.#sink.packet({
      packet,
      start,
      end: start + this.#reader.capturedLength(bytes, record),
      interface: 0,
      ticks: BigInt(u32(bytes, record)) * this.#ticksPerSecond + BigInt(u32(bytes, record + 4)),
      originalLength: this.#reader.originalLength(bytes, record),
      flags: null,
      drops: null,
    })
  }
}

/** Has an interface for each of each measurement point. Stamps, which have picoseconds, are rounded down to nanoseconds: 64 bits
 *  of picoseconds end in August 1970. */
class DpmiPackets implements Pushed {
  readonly #sink: RawSink
  readonly #fields = new CapRecords(new CaptureSummary())
  readonly #records: RecordStream
  /** Numbers by name. */
  readonly #interfaces = new Map<string | null, number>()

  constructor(sink: RawSink, bigEndian: boolean) {
    this.#sink = sink
    if (bigEndian) this.#fields.useBigEndian()
    const reader = new DpmiReader((packet) => this.#packet(packet), new CaptureSummary(), new Diagnostics())
    this.#records = new RecordStream(reader)
    sink.section()
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  end(): void {
    this.#records.end()
  }

  #packet(packet: Packet): void {
    const { bytes, start } = packet
    const record = start - CAP_RECORD_HEADER_SIZE
    const from = this.#interface(interfaceName(bytes, record))
    this.#sink.packet({
      packet,
      start,
      end: start + this.#fields.captured(bytes, record),
      interface: from,
      ticks: this.#fields.epochNs(bytes, record),
      originalLength: this.#fields.length(bytes, record),
      flags: null,
      drops: null,
    })
  }

  /** An interface is described where its first packet comes. Beyond the limit they share one without a name. */
  #interface(named: string): number {
    const name = this.#interfaces.has(named) || this.#interfaces.size < INTERFACES_MAX - 1 ? named : null
    const known = this.#interfaces.get(name)
    if (known !== undefined) return known
    const number = this.#interfaces.size
    this.#interfaces.set(name, number)
    this.#sink.described({ linkType: ETHERNET, snapLength: 0, resolution: 9, name, fcsSize: null })
    return number
  }
}

const OPTION = {
  end: 0,
  packetFlags: 2,
  packetDrops: 4,
  timestampResolution: 9,
  fcsLength: 13,
  timestampOffset: 14,
} as const
/** Counters of a statistics block. */
const COUNTERS = { first: 4, last: 8 } as const
const DROPS_UNKNOWN = 0xffff
/** An enhanced or obsolete packet block before its data. */
const PACKET_HEADER_SIZE = 28
const TRAILER_SIZE = 4

/** The blocks that tell of packets and interfaces; names of hosts and interfaces, comments, keys and whatever else a file holds are
 *  left out. */
class PcapngPackets implements Pushed {
  readonly #sink: RawSink
  readonly #records: RecordStream
  #packet: Packet | null = null
  #little = true
  #interfaces = 0

  constructor(sink: RawSink) {
    this.#sink = sink
    const reader = new PcapngReader(
      (packet) => {
        this.#packet = packet
      },
      new CaptureSummary(),
      new Diagnostics(),
      null,
      (type, bytes, start, end) => this.#block(type, bytes, start, end),
    )
    this.#records = new RecordStream(reader)
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes)
  }

  end(): void {
    this.#records.end()
  }

  #block(type: number, bytes: Uint8Array, start: number, end: number): void {
    const packet = this.#packet
    this.#packet = null
    if (packet !== null) this.#sink.packet(this.#raw(type, packet, bytes, start, end - TRAILER_SIZE))
    else if (type === BLOCK.sectionHeader) {
      this.#little = bytes[start + 8] !== 0x1a
      this.#interfaces = 0
      this.#sink.section()
    } else if (type === BLOCK.interfaceDescription) this.#describe(bytes, start, end - TRAILER_SIZE)
    else if (type === BLOCK.interfaceStatistics) this.#statistics(bytes, start, end - TRAILER_SIZE)
  }

  #raw(type: number, packet: Packet, bytes: Uint8Array, start: number, end: number): RawPacket {
    if (type === BLOCK.simplePacket) {
      const originalLength = this.#u32(bytes, start + 8)
      const raw = { interface: 0, ticks: null, originalLength, flags: null, drops: null }
      return { ...raw, packet, start: packet.start, end: Math.max(packet.end, packet.start) }
    }
    const isObsolete = type === BLOCK.obsoletePacket
    const data = start + PACKET_HEADER_SIZE
    const captured = Math.min(this.#u32(bytes, start + 20), end - data)
    const options = this.#options(bytes, data + ((captured + 3) & ~3), end)
    const obsoleteDrops = isObsolete ? this.#u16(bytes, start + 10) : DROPS_UNKNOWN
    const flagsAt = options.get(OPTION.packetFlags)
    const dropsAt = options.get(OPTION.packetDrops)
    return {
      packet,
      start: data,
      end: data + captured,
      interface: isObsolete ? this.#u16(bytes, start + 8) : this.#u32(bytes, start + 8),
      ticks: this.#stamp(bytes, start + 12),
      originalLength: this.#u32(bytes, start + 24),
      flags: flagsAt === undefined || flagsAt.size < 4 ? null : this.#u32(bytes, flagsAt.at),
      drops:
        obsoleteDrops !== DROPS_UNKNOWN
          ? BigInt(obsoleteDrops)
          : dropsAt === undefined || dropsAt.size < 8 || isObsolete
            ? null
            : this.#u64(bytes, dropsAt.at),
    }
  }

  #describe(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 16 || this.#interfaces >= INTERFACES_MAX) return
    this.#interfaces++
    const options = this.#options(bytes, start + 16, end)
    const resolution = options.get(OPTION.timestampResolution)
    const fcs = options.get(OPTION.fcsLength)
    const offset = options.get(OPTION.timestampOffset)
    this.#sink.described({
      linkType: this.#u16(bytes, start + 8),
      snapLength: this.#u32(bytes, start + 12),
      resolution: resolution === undefined || resolution.size < 1 ? 6 : (bytes[resolution.at] as number),
      name: null,
      fcsSize: fcs === undefined || fcs.size < 1 ? null : fcsBytes(bytes[fcs.at] as number),
      offsetSeconds: offset === undefined || offset.size < 8 ? 0n : this.#u64(bytes, offset.at),
    })
  }

  #statistics(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 20) return
    const counters: [number, bigint][] = []
    for (const [code, { at, size }] of this.#options(bytes, start + 20, end))
      if (code >= COUNTERS.first && code <= COUNTERS.last && size >= 8)
        counters.push([code, this.#u64(bytes, at)])
    this.#sink.statistics({
      interface: this.#u32(bytes, start + 8),
      ticks: this.#stamp(bytes, start + 12),
      counters,
    })
  }

  /** Where the options are, by code; of several with the same code the last. */
  #options(bytes: Uint8Array, start: number, end: number): Map<number, { at: number; size: number }> {
    const options = new Map<number, { at: number; size: number }>()
    let at = start
    while (end - at >= 4) {
      const code = this.#u16(bytes, at)
      const size = this.#u16(bytes, at + 2)
      if (code === OPTION.end || at + 4 + size > end) break
      options.set(code, { at: at + 4, size })
      at += 4 + ((size + 3) & ~3)
    }
    return options
  }

  /** Two words, the higher one first in either byte order. */
  #stamp(bytes: Uint8Array, offset: number): bigint {
    return (BigInt(this.#u32(bytes, offset)) << 32n) | BigInt(this.#u32(bytes, offset + 4))
  }

  #u64(bytes: Uint8Array, offset: number): bigint {
    const [high, low] = this.#little ? [offset + 4, offset] : [offset, offset + 4]
    return (BigInt(this.#u32(bytes, high)) << 32n) | BigInt(this.#u32(bytes, low))
  }

  #u32(bytes: Uint8Array, offset: number): number {
    return this.#little ? u32le(bytes, offset) : u32be(bytes, offset)
  }

  #u16(bytes: Uint8Array, offset: number): number {
    return this.#little ? u16le(bytes, offset) : u16be(bytes, offset)
  }
}
