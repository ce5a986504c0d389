import { u16be, u16le, u32be, u32le } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { BLOCK_SIZE_MAX, INTERFACES_MAX, PACKET_SIZE_MAX } from '../core/limits.ts'
import { Packet, type PacketSink } from './packet.ts'
import { trimFcs } from './pcap.ts'
import type { RecordParser } from './records.ts'
import type { CaptureSummary } from './summary.ts'

/** @see draft-ietf-opsawg-pcapng, "Block Types" */
export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const OPTION = {
  end: 0,
  timestampResolution: 9,
  fcsLength: 13,
  timestampOffset: 14,
  interfaceDrops: 5,
  systemDrops: 7,
} as const
/** Type, total length, and the total length again behind the body. */
const BLOCK_FRAME_SIZE = 12

/** One interface of the section at hand. Stamps are kept relative to the interface's first one, so that they stay
 *  exact in a double. */
interface Interface {
  readonly linkType: number
  readonly snapLength: number
  readonly nsPerTick: number
  readonly ticksPerSecond: bigint
  readonly offsetSeconds: bigint
  readonly fcsSize: number
  /** First stamp as two words; null before it. */
  base: { high: number; low: number; timeNs: number } | null
  drops: number
}

/** Reads a pcapng file: any number of sections, each with its own byte order and interfaces. */
export class PcapngReader implements RecordParser {
  wanted = BLOCK_FRAME_SIZE
  readonly #sink: PacketSink
  readonly #summary: CaptureSummary
  readonly #diagnostics: Diagnostics
  readonly #packet = new Packet()
  #interfaces: Interface[] = []
  #u16: (b: Uint8Array, o: number) => number = u16le
  #u32: (b: Uint8Array, o: number) => number = u32le
  #dead = false

  constructor(sink: PacketSink, summary: CaptureSummary, diagnostics: Diagnostics) {
    this.#sink = sink
    this.#summary = summary
    this.#diagnostics = diagnostics
  }

  parse(bytes: Uint8Array, start: number, end: number): number {
    if (this.#dead) return end
    let offset = start
    this.#packet.bytes = bytes
    while (end - offset >= BLOCK_FRAME_SIZE) {
      if (u32be(bytes, offset) === BLOCK.sectionHeader) this.#chooseByteOrder(bytes, offset)
      const type = this.#u32(bytes, offset)
      const size = this.#u32(bytes, offset + 4)
      if (size < BLOCK_FRAME_SIZE || size % 4 !== 0) return this.#damaged(size, end)
      if (!needed(type)) {
        offset += size
        continue
      }
      if (size > BLOCK_SIZE_MAX) return this.#damaged(size, end)
      if (offset + size > end) {
        this.wanted = size
        return offset
      }
      this.#readBlock(type, bytes, offset + 8, offset + size - 4)
      offset += size
    }
    if (offset < end) this.wanted = BLOCK_FRAME_SIZE
    return offset
  }

  #chooseByteOrder(bytes: Uint8Array, offset: number): void {
    const big = u32be(bytes, offset + 8) === BYTE_ORDER_MAGIC
    this.#u16 = big ? u16be : u16le
    this.#u32 = big ? u32be : u32le
  }

  #damaged(size: number, end: number): number {
    this.#dead = true
    const after = this.#packet.packet
    this.#diagnostics.report(
      'capture.block-length',
      'error',
      { packet: after, timeNs: 0 },
      () =>
        `after packet ${after} a pcapng block claims ${size} bytes: the file is damaged there and nothing behind it was read`,
    )
    return end
  }

  #readBlock(type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case BLOCK.sectionHeader:
        this.#interfaces = []
        break
      case BLOCK.interfaceDescription:
        this.#readInterface(bytes, start, end)
        break
      case BLOCK.enhancedPacket:
        if (end - start >= 20) this.#readStamped(this.#u32(bytes, start), bytes, start, end)
        break
      case BLOCK.obsoletePacket:
        if (end - start >= 20) this.#readStamped(this.#u16(bytes, start), bytes, start, end)
        break
      case BLOCK.simplePacket:
        this.#readSimple(bytes, start, end)
        break
      case BLOCK.interfaceStatistics:
        this.#readStatistics(bytes, start, end)
        break
    }
  }

  #readInterface(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 8 || this.#interfaces.length >= INTERFACES_MAX) return
    let resolution = 6
    let offsetSeconds = 0n
    let fcsSize = 0
    this.#eachOption(bytes, start + 8, end, (code, at, length) => {
      if (code === OPTION.timestampResolution && length >= 1) resolution = bytes[at] as number
      else if (code === OPTION.fcsLength && length >= 1) fcsSize = bytes[at] as number
      else if (code === OPTION.timestampOffset && length >= 8) offsetSeconds = this.#i64(bytes, at)
    })
    const exponent = BigInt(resolution & 0x7f)
    const ticksPerSecond = (resolution & 0x80) !== 0 ? 2n ** exponent : 10n ** exponent
    const linkType = this.#u16(bytes, start)
    this.#summary.addLinkType(linkType)
    this.#interfaces.push({
      linkType,
      snapLength: this.#u32(bytes, start + 4),
      nsPerTick: 1e9 / Number(ticksPerSecond),
      ticksPerSecond,
      offsetSeconds,
      fcsSize,
      base: null,
      drops: 0,
    })
  }

  /** Enhanced and obsolete packet blocks differ in the interface field only. */
  #readStamped(index: number, bytes: Uint8Array, start: number, end: number): void {
    const u32 = this.#u32
    const from = this.#interfaces[index]
    if (from === undefined) {
      this.#unknownInterface(index)
      return
    }
    const captured = Math.min(u32(bytes, start + 12), end - start - 20, PACKET_SIZE_MAX)
    const original = u32(bytes, start + 16)
    this.#stamp(from, u32(bytes, start + 4), u32(bytes, start + 8))
    this.#deliver(from, start + 20, captured, original)
  }

  #unknownInterface(index: number): void {
    const packet = this.#packet.packet
    this.#diagnostics.report(
      'capture.interface',
      'error',
      { packet, timeNs: 0 },
      () =>
        `a packet after packet ${packet} names interface ${index}, which the file does not describe; such packets are left out`,
    )
  }

  /** Simple packet blocks carry no time: they get that of the packet before them. */
  #readSimple(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#interfaces[0]
    if (from === undefined) {
      this.#unknownInterface(0)
      return
    }
    const original = this.#u32(bytes, start)
    const limit = from.snapLength === 0 ? PACKET_SIZE_MAX : from.snapLength
    const captured = Math.min(original, limit, end - start - 4)
    const packet = this.#packet.packet + 1
    this.#diagnostics.report(
      'capture.no-time',
      'warning',
      { packet, timeNs: 0 },
      () => 'packets without time stamps (simple packet blocks): durations around them mean nothing',
    )
    this.#deliver(from, start + 4, captured, original)
  }

  #stamp(from: Interface, high: number, low: number): void {
    if (from.base === null) {
      const ticks = (BigInt(high) << 32n) | BigInt(low)
      const epochNs = (ticks * 1_000_000_000n) / from.ticksPerSecond + from.offsetSeconds * 1_000_000_000n
      if (this.#summary.startEpochNs === null) this.#summary.startEpochNs = epochNs
      from.base = { high, low, timeNs: Number(epochNs - this.#summary.startEpochNs) }
    }
    const base = from.base
    const ticks = (high - base.high) * 4294967296 + (low - base.low)
    this.#packet.timeNs = base.timeNs + ticks * from.nsPerTick
  }

  #deliver(from: Interface, start: number, captured: number, original: number): void {
    const packet = this.#packet
    packet.packet++
    packet.linkType = from.linkType
    packet.start = start
    packet.end = start + captured
    packet.originalLength = Math.max(original, captured)
    this.#summary.count(packet)
    if (from.fcsSize > 0) trimFcs(packet, from.fcsSize)
    this.#sink(packet)
  }

  /** The last statistics block of an interface counts; interfaces are added up. */
  #readStatistics(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 12) return
    const from = this.#interfaces[this.#u32(bytes, start)]
    if (from === undefined) return
    let drops: number | null = null
    this.#eachOption(bytes, start + 12, end, (code, at, length) => {
      if ((code === OPTION.interfaceDrops || code === OPTION.systemDrops) && length >= 8)
        drops = (drops ?? 0) + Number(this.#i64(bytes, at))
    })
    if (drops === null) return
    this.#summary.droppedPackets = (this.#summary.droppedPackets ?? 0) + drops - from.drops
    from.drops = drops
  }

  #eachOption(
    bytes: Uint8Array,
    start: number,
    end: number,
    visit: (code: number, at: number, length: number) => void,
  ): void {
    let offset = start
    while (end - offset >= 4) {
      const code = this.#u16(bytes, offset)
      const length = this.#u16(bytes, offset + 2)
      if (code === OPTION.end || offset + 4 + length > end) return
      visit(code, offset + 4, length)
      offset += 4 + ((length + 3) & ~3)
    }
  }

  #i64(bytes: Uint8Array, offset: number): bigint {
    const little = this.#u32 === u32le
    const high = this.#u32(bytes, little ? offset + 4 : offset)
    const low = this.#u32(bytes, little ? offset : offset + 4)
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
  }
}

function needed(type: number): boolean {
  return (
    type === BLOCK.enhancedPacket ||
    type === BLOCK.interfaceDescription ||
    type === BLOCK.simplePacket ||
    type === BLOCK.obsoletePacket ||
    type === BLOCK.interfaceStatistics ||
    type === BLOCK.sectionHeader
  )
}
