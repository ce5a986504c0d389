import { text, u16be, u16le, u32be, u32le } from '../core/bytes.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { FLOAT_ZERO } from '../core/float-zero.ts'
import { BLOCK_SIZE_MAX, BLOCK_SKIP_MAX, INTERFACES_MAX, PACKET_SIZE_MAX } from '../core/limits.ts'
import { Packet, type PacketSink } from './packet.ts'
import { pseudoHeaderSize, trimFcs } from './pcap.ts'
import { PcapngStretch, type TimeBase, timeSince } from './pcapng-stretch.ts'
import { FOUND, NOT_HERE, ResyncingReader } from './resync.ts'
import { ManyAtOnce, type StretchSink } from './stretch.ts'
import type { CaptureSummary } from './summary.ts'

/** @see draft-ietf-opsawg-pcapng, "Block Types" */
export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
  custom: 0x0bad,
  customNotCopied: 0x40000bad,
} as const

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const OPTION = {
  end: 0,
  interfaceName: 2,
  timestampResolution: 9,
  fcsLength: 13,
  timestampOffset: 14,
  interfaceDrops: 5,
  systemDrops: 7,
  packetFlags: 2,
  packetDrops: 4,
} as const
/** Type, total length, and the total length again behind the body. */
const BLOCK_FRAME_SIZE = 12
const TRAILER_SIZE = 4
/** Body of an enhanced or obsolete packet block before its data. */
const PACKET_HEADER_SIZE = 20
/** Where a whole enhanced or obsolete packet block has its captured length. */
const CAPTURED_AT = 20
/** Drops of an obsolete packet block that nobody counted. */
const DROPS_UNKNOWN = 0xffff

const PS_PER_SECOND = 1_000_000_000_000n

/** Blocks that a search after damage believes in, and how long they are at least. */
const SIZE_MIN: ReadonlyMap<number, number> = new Map([
  [BLOCK.sectionHeader, 28],
  [BLOCK.interfaceDescription, 20],
  [BLOCK.obsoletePacket, 32],
  [BLOCK.simplePacket, 16],
  [BLOCK.nameResolution, 16],
  [BLOCK.interfaceStatistics, 24],
  [BLOCK.enhancedPacket, 32],
  [BLOCK.decryptionSecrets, 20],
  [BLOCK.custom, 16],
  [BLOCK.customNotCopied, 16],
])

/** One interface of the section at hand. Stamps are kept relative to the interface's first one, so that they stay
 *  exact in a double. */
interface Interface {
  /** In its section. */
  readonly index: number
  readonly linkType: number
  readonly snapLength: number
  readonly nsPerTick: number
  readonly ticksPerSecond: bigint
  readonly offsetSeconds: bigint
  readonly fcsSize: number
  /** Bytes of each packet that were not on the wire. */
  readonly pseudoSize: number
  /** Its packets are frames and nothing more. */
  readonly isPlain: boolean
  /** First stamp as two words; null before it. */
  base: TimeBase | null
  /** As its last statistics block says. */
  statisticsDrops: number
  /** Sum of what its packet blocks say. */
  packetDrops: number
}

/** Told of each whole block behind its reading, packet or not: its type, and where it is. `bytes` is borrowed. */
export type BlockSink = (type: number, bytes: Uint8Array, start: number, end: number) => void

/** Reads a pcapng file: any number of sections, each with its own byte order and interfaces. A block with a damaged length
 *  does not stop it: it searches for the next one whose two lengths agree. */
export class PcapngReader extends ResyncingReader {
  wanted = BLOCK_FRAME_SIZE
  readonly #sink: PacketSink
  readonly #summary: CaptureSummary
  readonly #diagnostics: Diagnostics
  readonly #onBlock: BlockSink | null
  readonly #packet = new Packet()
  #interfaces: Interface[] = []
  #u16: (b: Uint8Array, o: number) => number = u16le
  #u32: (b: Uint8Array, o: number) => number = u32le
  #opened = false
  /** Picoseconds since 1970 of the first stamp. */
  #startPs: bigint | null = null
  #timeNs = FLOAT_ZERO
  readonly #stretch = new PcapngStretch(this.#packet)
  readonly #many: ManyAtOnce | null

  /** @param takeMany who takes ordinary packets by the hundred: of these, `onBlock` is not told */
  constructor(
    sink: PacketSink,
    summary: CaptureSummary,
    diagnostics: Diagnostics,
    takeMany: StretchSink | null = null,
    onBlock: BlockSink | null = null,
  ) {
    super()
    this.#sink = sink
    this.#summary = summary
    this.#diagnostics = diagnostics
    this.#onBlock = onBlock
    this.#many = takeMany === null ? null : new ManyAtOnce(this.#stretch, takeMany, summary)
  }

  protected override get opened(): boolean {
    return this.#opened
  }

  protected override read(bytes: Uint8Array, start: number, end: number): number {
    let offset = start
    this.#packet.bytes = bytes
    while (end - offset >= BLOCK_FRAME_SIZE) {
      offset = this.#takeMany(offset, end)
      if (end - offset < BLOCK_FRAME_SIZE) break
      const section = u32be(bytes, offset) === BLOCK.sectionHeader
      if (section) this.#chooseByteOrder(bytes, offset)
      const type = this.#u32(bytes, offset)
      const size = this.#u32(bytes, offset + 4)
      if (section && !isByteOrderMagic(u32be(bytes, offset + 8)))
        return this.#damaged(offset, size, 'and a byte order that there is not')
      if (size < BLOCK_FRAME_SIZE || size % 4 !== 0 || size > sizeMax(type))
        return this.#damaged(offset, size, 'which no block has')
      if (size > BLOCK_SIZE_MAX) {
        offset += size
        continue
      }
      if (offset + size > end) {
        this.wanted = size
        return offset
      }
      const again = this.#u32(bytes, offset + size - TRAILER_SIZE)
      if (again !== size) return this.#damaged(offset, size, `and ${again} at its end`)
      this.#readBlock(type, bytes, offset + 8, offset + size - TRAILER_SIZE)
      this.#onBlock?.(type, bytes, offset, offset + size)
      offset += size
    }
    this.wanted = BLOCK_FRAME_SIZE
    return offset
  }

  #takeMany(offset: number, end: number): number {
    if (this.#many === null || !this.#stretch.follows) return offset
    const next = this.#many.take(offset, end)
    if (next > offset) this.#timeNs = this.#packet.timeNs
    return next
  }

  #damaged(offset: number, size: number, reason: string): number {
    this.#reportLength(size, reason)
    this.lose()
    return offset
  }

  protected override reportOverrun(bytes: Uint8Array, offset: number): void {
    this.#reportLength(this.#u32(bytes, offset + 4), 'more than are left')
  }

  #reportLength(size: number, reason: string): void {
    const after = this.#packet.packet
    this.#diagnostics.report(
      'capture.block-length',
      'error',
      { packet: after + 1, timeNs: 0 },
      () =>
        `after packet ${after} a pcapng block claims ${size} bytes, ${reason}: the file is damaged there; reading goes on at the next block that makes sense`,
    )
  }

  /** A block of a known type whose lengths agree. */
  protected override recordAt(bytes: Uint8Array, offset: number, end: number): number {
    if (end - offset < BLOCK_FRAME_SIZE) return BLOCK_FRAME_SIZE
    const section = u32be(bytes, offset) === BLOCK.sectionHeader
    if (section && !isByteOrderMagic(u32be(bytes, offset + 8))) return NOT_HERE
    const own = u32be(bytes, offset + 8) === BYTE_ORDER_MAGIC ? u32be : u32le
    const u32 = section ? own : this.#u32
    const type = u32(bytes, offset)
    const size = u32(bytes, offset + 4)
    const least = SIZE_MIN.get(type) ?? Number.POSITIVE_INFINITY
    if (size < least || size % 4 !== 0 || size > BLOCK_SIZE_MAX) return NOT_HERE
    if (offset + size > end) return size
    if (u32(bytes, offset + size - TRAILER_SIZE) !== size) return NOT_HERE
    const stamped = type === BLOCK.enhancedPacket || type === BLOCK.obsoletePacket
    return stamped && u32(bytes, offset + CAPTURED_AT) > size - least ? NOT_HERE : FOUND
  }

  #chooseByteOrder(bytes: Uint8Array, offset: number): void {
    const big = u32be(bytes, offset + 8) === BYTE_ORDER_MAGIC
    this.#u16 = big ? u16be : u16le
    this.#u32 = big ? u32be : u32le
    this.#stretch.littleEndian = !big
  }

  #readBlock(type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case BLOCK.enhancedPacket:
        if (end - start >= PACKET_HEADER_SIZE) this.#readEnhanced(bytes, start, end)
        break
      case BLOCK.sectionHeader:
        this.#readSection(bytes, start, end)
        break
      case BLOCK.interfaceDescription:
        this.#readInterface(bytes, start, end)
        break
      case BLOCK.obsoletePacket:
        if (end - start >= PACKET_HEADER_SIZE) this.#readObsolete(bytes, start, end)
        break
      case BLOCK.simplePacket:
        this.#readSimple(bytes, start, end)
        break
      case BLOCK.interfaceStatistics:
        this.#readStatistics(bytes, start, end)
        break
    }
  }

  #readSection(bytes: Uint8Array, start: number, end: number): void {
    this.#interfaces = []
    this.#stretch.follow(0, null)
    this.#opened = true
    if (end - start < 8 || isSectionVersion(this.#u16(bytes, start + 4), this.#u16(bytes, start + 6))) return
    const packet = this.#packet.packet
    this.#diagnostics.report(
      'capture.section-version',
      'warning',
      { packet, timeNs: 0 },
      () =>
        `after packet ${packet} the file goes on in an unknown version of pcapng, which is read as if it were 1.0`,
    )
  }

  #readInterface(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 8 || this.#interfaces.length >= INTERFACES_MAX) return
    let resolution = 6
    let offsetSeconds = 0n
    let fcsSize = 0
    this.#eachOption(bytes, start + 8, end, (code, at, length) => {
      if (code === OPTION.timestampResolution && length >= 1) resolution = bytes[at] as number
      else if (code === OPTION.fcsLength && length >= 1) fcsSize = fcsBytes(bytes[at] as number)
      else if (code === OPTION.interfaceName) this.#summary.addInterface(text(bytes, at, at + length))
      else if (code === OPTION.timestampOffset && length >= 8) offsetSeconds = this.#i64(bytes, at)
    })
    const exponent = BigInt(resolution & 0x7f)
    const ticksPerSecond = (resolution & 0x80) !== 0 ? 2n ** exponent : 10n ** exponent
    const linkType = this.#u16(bytes, start)
    this.#summary.interfaceCount++
    this.#summary.addLinkType(linkType)
    this.#summary.addResolution(1e9 / Number(ticksPerSecond))
    const pseudoSize = pseudoHeaderSize(linkType)
    this.#interfaces.push({
      index: this.#interfaces.length,
      linkType,
      snapLength: this.#u32(bytes, start + 4),
      nsPerTick: 1e9 / Number(ticksPerSecond),
      ticksPerSecond,
      offsetSeconds,
      fcsSize,
      pseudoSize,
      isPlain: fcsSize === 0 && pseudoSize === 0,
      base: null,
      statisticsDrops: 0,
      packetDrops: 0,
    })
  }

  #readEnhanced(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#interfaces[this.#u32(bytes, start)]
    if (from === undefined) {
      this.#unknownInterface(this.#u32(bytes, start))
      return
    }
    const captured = this.#capturedLength(bytes, start, end)
    const options = start + PACKET_HEADER_SIZE + ((captured + 3) & ~3)
    const fcsSize = end - options < 4 ? 0 : this.#readPacketOptions(from, bytes, options, end)
    this.#deliverStamped(from, bytes, start, captured, fcsSize === 0 ? from.fcsSize : fcsSize)
  }

  #readObsolete(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#interfaces[this.#u16(bytes, start)]
    if (from === undefined) {
      this.#unknownInterface(this.#u16(bytes, start))
      return
    }
    const drops = this.#u16(bytes, start + 2)
    if (drops !== DROPS_UNKNOWN) this.#countDrops(from, from.statisticsDrops, from.packetDrops + drops)
    this.#deliverStamped(from, bytes, start, this.#capturedLength(bytes, start, end), from.fcsSize)
  }

  #capturedLength(bytes: Uint8Array, start: number, end: number): number {
    return Math.min(this.#u32(bytes, start + 12), end - start - PACKET_HEADER_SIZE, PACKET_SIZE_MAX)
  }

  /** Counts what was dropped before the packet. Returns the bytes of frame check sequence that its flags name, 0 for none. */
  #readPacketOptions(from: Interface, bytes: Uint8Array, start: number, end: number): number {
    let fcsSize = 0
    let offset = start
    while (end - offset >= 4) {
      const code = this.#u16(bytes, offset)
      const length = this.#u16(bytes, offset + 2)
      const value = offset + 4
      if (code === OPTION.end || value + length > end) break
      if (code === OPTION.packetFlags && length >= 4) fcsSize = (this.#u32(bytes, value) >>> 5) & 15
      else if (code === OPTION.packetDrops && length >= 8)
        this.#countDrops(from, from.statisticsDrops, from.packetDrops + this.#count(bytes, value))
      offset = value + ((length + 3) & ~3)
    }
    return fcsSize
  }

  /** Enhanced and obsolete packet blocks are the same behind the interface. */
  #deliverStamped(
    from: Interface,
    bytes: Uint8Array,
    start: number,
    captured: number,
    fcsSize: number,
  ): void {
    const u32 = this.#u32
    const original = u32(bytes, start + 16)
    this.#stamp(from, u32(bytes, start + 4), u32(bytes, start + 8))
    this.#deliver(from, start + PACKET_HEADER_SIZE, captured, original, fcsSize)
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
    if (end - start < 4) return
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
    this.#deliver(from, start + 4, captured, original, from.fcsSize)
  }

  #stamp(from: Interface, high: number, low: number): void {
    if (from.base === null) {
      const ticks = (BigInt(high) << 32n) | BigInt(low)
      const epochPs = (ticks * PS_PER_SECOND) / from.ticksPerSecond + from.offsetSeconds * PS_PER_SECOND
      if (this.#startPs === null) {
        this.#startPs = epochPs
        this.#summary.startEpochNs = epochPs / 1000n
      }
      const afterPs = epochPs - this.#startPs
      const timeNs = Number(afterPs / 1000n) + Number(afterPs % 1000n) / 1000
      from.base = { high, low, timeNs, nsPerTick: from.nsPerTick }
    }
    this.#timeNs = timeSince(from.base, high, low)
  }

  #deliver(from: Interface, start: number, captured: number, original: number, fcsSize: number): void {
    const packet = this.#packet
    packet.packet++
    packet.timeNs = this.#timeNs
    packet.linkType = from.linkType
    packet.start = start
    packet.end = start + captured
    packet.originalLength = Math.max(original, captured)
    this.#summary.count(captured, original - from.pseudoSize)
    if (fcsSize > 0) trimFcs(packet, fcsSize)
    this.#sink(packet)
    this.#stretch.follow(from.index, from.isPlain ? from.base : null)
  }

  /** The last statistics block of an interface counts; interfaces are added up. */
  #readStatistics(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 12) return
    const from = this.#interfaces[this.#u32(bytes, start)]
    if (from === undefined) return
    let drops: number | null = null
    this.#eachOption(bytes, start + 12, end, (code, at, length) => {
      if ((code === OPTION.interfaceDrops || code === OPTION.systemDrops) && length >= 8)
        drops = (drops ?? 0) + this.#count(bytes, at)
    })
    if (drops !== null) this.#countDrops(from, drops, from.packetDrops)
  }

  /** Statistics blocks and packet blocks may tell of the same drops: the larger number counts. */
  #countDrops(from: Interface, statisticsDrops: number, packetDrops: number): void {
    const before = Math.max(from.statisticsDrops, from.packetDrops)
    from.statisticsDrops = statisticsDrops
    from.packetDrops = packetDrops
    const now = Math.max(statisticsDrops, packetDrops)
    this.#summary.droppedPackets = (this.#summary.droppedPackets ?? 0) + now - before
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

  /** A counter of 64 bits; those with the top bit set stand for unknown. */
  #count(bytes: Uint8Array, offset: number): number {
    return Math.max(0, Number(this.#i64(bytes, offset)))
  }

  #i64(bytes: Uint8Array, offset: number): bigint {
    const little = this.#u32 === u32le
    const high = this.#u32(bytes, little ? offset + 4 : offset)
    const low = this.#u32(bytes, little ? offset : offset + 4)
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
  }
}

/** Whether the first word behind a section's length names a byte order, either one. */
function isByteOrderMagic(word: number): boolean {
  return word === BYTE_ORDER_MAGIC || word === 0x4d3c2b1a
}

/** @see draft-ietf-opsawg-pcapng, "Section Header Block": 1.2 is what some tools wrote for 1.0 */
export function isSectionVersion(major: number, minor: number): boolean {
  return major === 1 && (minor === 0 || minor === 2)
}

/** if_fcslen is a number of bits in the tools that write it, and of bytes in the example of its specification.
 *  @see Wireshark wiretap/pcapng.c, which reads it so */
export function fcsBytes(value: number): number {
  return value < 8 ? value : value >>> 3
}

/** What is needed is held and so has to be small, and so has a type that nobody registered: it may be damage.
 *  @see draft-ietf-opsawg-pcapng, "Block Type Codes" */
function sizeMax(type: number): number {
  const registered = type <= 0xffff || type === BLOCK.customNotCopied
  return registered && !needed(type) ? BLOCK_SKIP_MAX : BLOCK_SIZE_MAX
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
