import type { BodyBudget } from '../../core/body-budget.ts'
import { text, u16be, u32be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import type { Evidence } from '../../core/evidence.ts'
import { FLOAT_ZERO } from '../../core/float-zero.ts'
import { RAM_BLOCKS_MAX } from '../../core/limits.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { ElementKind, Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { PageCounts, QemuSection } from '../../events/qemu.ts'
import { BlockReader } from './block.ts'
import { HeldBytes } from './held.ts'
import { RamReader } from './ram.ts'
import {
  CHAIN_LENGTH,
  FOOTERS,
  type Footers,
  findCandidate,
  isEos,
  matchSeam,
  matchSection,
} from './resync.ts'
import { difference, type Round, Rounds } from './rounds.ts'
import {
  COMMAND,
  FOOTER_SIZE,
  namedHeaderSize,
  printable,
  SECTION,
  SECTION_HEADER_SIZE,
  STREAM_HEADER_SIZE,
  STREAM_MAGIC,
  STREAM_VERSION,
} from './stream-format.ts'

/** What the next byte belongs to. */
const STATE = {
  header: 0,
  /** A section's type byte. */
  section: 1,
  ramBlocks: 2,
  ram: 3,
  block: 4,
  /** Behind the payload of a section that ends itself: a footer, or none. */
  footer: 5,
  /** A payload of unknown length: its end is its footer. */
  opaque: 6,
  /** Device state without footers: its end is the stream's. */
  blob: 7,
  /** The same inside a package, whose size is known. */
  packagedBlob: 8,
  commandData: 9,
  capabilities: 10,
  /** Behind a part of the configuration that is not known. */
  configurationSearch: 11,
  /** Behind EOF: the description of the device state, or nothing. */
  trailer: 12,
  over: 13,
  lost: 14,
  /** A record was found while lost; the next ones have to confirm it. */
  trial: 15,
} as const
type State = (typeof STATE)[keyof typeof STATE]

const MACHINE_NAME_MAX = 255
const CAPABILITIES_MAX = 255
/** Bytes searched for the section behind an unknown part of the configuration. */
const CONFIGURATION_SEARCH_MAX = 64 * 1024
/** Named sections of one stream: one per device, and a guest has some hundreds. */
const SECTION_NAMES_MAX = 4096

/** At the first of these pre-copy is over. @see protocols.md D.6 */
const SWITCH_COMMANDS: ReadonlySet<number> = new Set([
  COMMAND.postcopyRamDiscard,
  COMMAND.packaged,
  COMMAND.postcopyListen,
])

/** What JSON ends in. */
const CLOSING_BRACE = 0x7d

export interface QemuMigrationDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  /** Room for telling rounds apart, of all streams together. */
  readonly maps: BodyBudget
  /** The start of the stream was not captured. */
  readonly midStream: boolean
  /** The stream goes on where one before it broke off (post-copy recovery): it has no header, and no rounds. */
  readonly resumed?: boolean
  readonly witness?: Witness
}

/** A record that is not believed yet, kept for the witness. */
interface Tentative {
  readonly position: number
  readonly bytes: Uint8Array
}

/** QEMU's migration stream, source to destination. Sections are read as far as they describe themselves; page
 *  and disk contents, device state and the description at the end are counted past.
 *
 *  Every element is read by a step: a function of (bytes, start, end) that returns the bytes it used, 0 when
 *  the bytes cannot be what the state expects, or minus the bytes it needs to see. An element that is cut by a
 *  packet's end is held until it is whole, so steps always see elements whole.
 *  @see protocols.md D.1 … D.3
 *  @see QEMU migration/savevm.c */
export class QemuMigrationDecoder implements StreamDecoder, Unsettled {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics

  readonly #witness: Witness | null
  /** Bytes at the start of the last step that the witness hears of, and what they are. */
  #kept = 0
  #keptKind: ElementKind = 'plain'
  #tentative: Tentative[] = []

  readonly #ram = new RamReader()
  readonly #block = new BlockReader()
  readonly #rounds: Rounds
  readonly #held = new HeldBytes()
  /** Bytes needed before the held ones can be read. */
  #need = 0
  #readingHeld = false

  #state: State = STATE.header
  /** Bytes to count past before the state goes on. */
  #skip = 0
  /** Offset in the stream of the next byte to be read or skipped. */
  #position = FLOAT_ZERO

  /** The packet at hand, and others, as plain numbers: objects would be allocated per packet. */
  #packet = 0
  #timeNs = FLOAT_ZERO
  #begun = false
  #beginPacket = 0
  #beginTimeNs = FLOAT_ZERO

  #kind: QemuSection['kind'] | null = null
  #id = -1
  #name: string | null = null
  #sectionPosition = FLOAT_ZERO
  #sectionPacket = 0
  #sectionTimeNs = FLOAT_ZERO
  #sectionPages: PageCounts | null = null
  #payloadEndPacket = 0
  #payloadEndTimeNs = FLOAT_ZERO
  #footers: Footers = FOOTERS.unknown
  readonly #names = new Map<number, string>()
  #ramId = -1
  #blockId = -1

  /** The machine name while the configuration is being read. */
  #machine: string | null = null
  #pageSizeStated = false
  #configurationPacket = 0
  #configurationTimeNs = FLOAT_ZERO
  #configurationLastPacket = 0
  #configurationLastTimeNs = FLOAT_ZERO
  #capabilitiesLeft = 0
  #searchLeft = 0

  #command = 0
  #commandSize = 0
  #commandPacket = 0
  #commandTimeNs = FLOAT_ZERO
  #packageEnd = 0

  #listPacket = 0
  #listTimeNs = FLOAT_ZERO
  #listLastPacket = 0
  #listLastTimeNs = FLOAT_ZERO
  #ramSeen = false
  /** The END of section "ram" was read whole. */
  #ramFinished = false
  #ramEndSeen = false
  #deviceStateSeen = false
  /** Every page up to here was counted. */
  #pagesKnown = true
  /** Nothing but skipped contents is missing, and nothing followed the end. */
  #whole = true
  #trialCount = 0
  #lastByte = -1
  #ended = false

  constructor(options: QemuMigrationDecoderOptions) {
    this.#connection = options.connection
    this.#direction = options.direction
    this.#sink = options.sink
    this.#diagnostics = options.diagnostics
    this.#witness = options.witness ?? null
    this.#rounds = new Rounds(this.#ram, options.maps, options.diagnostics)
    if (options.resumed === true) {
      this.#rounds.drop()
      this.#state = STATE.section
    } else if (options.midStream) {
      this.#rounds.drop()
      this.#state = STATE.lost
      this.#pagesKnown = false
      this.#whole = false
    }
  }

  get unsettled(): number {
    const [first] = this.#tentative
    return this.#held.length + (first === undefined ? 0 : this.#position - first.position)
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#packet = at.packet
    this.#timeNs = at.timeNs
    if (!this.#begun) this.#begin()
    let o = start
    if (this.#skip > 0) o = this.#pass(o, end)
    if (this.#held.length > 0) o = this.#stepHeld(bytes, o, end)
    while (o < end) {
      const used = this.#step(bytes, o, end)
      if (used > 0) {
        if (this.#witness !== null) this.#tell(this.#witness, bytes, o, used, o)
        o += used
        this.#position += used
        if (this.#skip > 0) o = this.#pass(o, end)
      } else if (used < 0) {
        this.#need = -used
        this.#held.append(bytes, o, end, this.#packet, this.#timeNs)
        return
      } else {
        this.#misread()
      }
    }
  }

  gap(size: number, at: Evidence): void {
    if (size <= 0) return
    this.#packet = at.packet
    this.#timeNs = at.timeNs
    if (!this.#begun) this.#begin()
    if (this.#witness !== null) this.#tellPartial(this.#witness)
    if (this.#skip >= size) {
      this.#skip -= size
      this.#position += size
      if (this.#skip === 0) this.#skipped()
      return
    }
    const held = this.#held.length
    this.#held.length = 0
    const missing = size - this.#skip
    this.#position += held + this.#skip
    if (this.#skip > 0) {
      this.#skip = 0
      this.#skipped()
    }
    const from = this.#position
    this.#position += missing
    this.#miss(from)
  }

  end(at: Evidence): void {
    if (this.#ended) return
    this.#ended = true
    if (!this.#begun) {
      this.#packet = at.packet
      this.#timeNs = at.timeNs
      this.#begin()
    }
    if (this.#witness !== null) this.#tellPartial(this.#witness)
    const complete = this.#isComplete()
    this.#endElement()
    this.#position += this.#held.length
    this.#rounds.pause(this.#packet, this.#timeNs)
    this.#finishRounds(0)
    this.#rounds.close()
    const { blocks, pageSize } = this.#ram
    this.#sink({
      type: 'qemu.end',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#beginPacket, timeNs: this.#beginTimeNs },
      last: this.#now(),
      bytes: this.#position,
      pages: this.#pagesKnown ? this.#ram.counts() : null,
      pageSizeBytes: pageSize,
      rounds: this.#rounds.count,
      memoryBytes: blocks.begun ? blocks.totalBytes : null,
      complete,
      storageBytes: this.#block.storageBytes,
    })
  }

  // Bytes in, elements out.

  #begin(): void {
    this.#begun = true
    this.#beginPacket = this.#packet
    this.#beginTimeNs = this.#timeNs
    if (this.#state === STATE.lost) {
      this.#diagnostics.report(
        'qemu.mid-stream',
        'info',
        this.#now(),
        () => 'the start of a migration stream was not captured: its pages are not counted',
      )
    }
  }

  #step(bytes: Uint8Array, start: number, end: number): number {
    this.#kept = 0
    switch (this.#state) {
      case STATE.ram:
        return this.#readRam(bytes, start, end)
      case STATE.lost:
        return this.#search(bytes, start, end)
      case STATE.trial:
        return this.#try(bytes, start, end)
      case STATE.opaque:
        return this.#searchFooter(bytes, start, end)
      case STATE.block:
        return this.#readBlock(bytes, start, end)
      case STATE.section:
        return this.#readSection(bytes, start, end)
      case STATE.footer:
        return this.#readFooter(bytes, start, end)
      case STATE.ramBlocks:
        return this.#readRamBlocks(bytes, start, end)
      case STATE.header:
        return this.#readHeader(bytes, start, end)
      case STATE.capabilities:
        return this.#readCapability(bytes, start, end)
      case STATE.configurationSearch:
        return this.#searchSection(bytes, start, end)
      case STATE.trailer:
        return this.#readTrailer(bytes, start, end)
      case STATE.over:
        return this.#passTrailing(start, end)
      default:
        // Device state without an end mark.
        this.#lastByte = bytes[end - 1] as number
        return end - start
    }
  }

  /** Completes the element that an earlier packet began. Returns where the rest of `bytes` starts. */
  #stepHeld(bytes: Uint8Array, start: number, end: number): number {
    const held = this.#held
    let o = start
    while (held.length > 0) {
      const before = held.length
      // A few bytes more than needed, so that a search leaves the held bytes in one step.
      const wanted = Math.max(this.#need - before, 0) + 32
      const added = held.append(bytes, o, Math.min(end, o + wanted), this.#packet, this.#timeNs)
      this.#readingHeld = true
      const used = this.#step(held.bytes, 0, held.length)
      this.#readingHeld = false
      if (used < 0) {
        this.#need = -used
        o += added
        if (o === end) return end
        continue
      }
      // What was added and not used is read again from `bytes`.
      held.length = before
      if (used === 0) {
        this.#misread()
        continue
      }
      if (this.#witness !== null) this.#tell(this.#witness, held.bytes, 0, used, o - before)
      this.#position += used
      if (used >= before) {
        held.length = 0
        o += used - before
        return this.#skip > 0 ? this.#pass(o, end) : o
      }
      held.drop(used)
    }
    return o
  }

  /** Tells what the last step has read, as soon as it is believed.
   *  @param index where the step starts among the bytes being pushed */
  #tell(witness: Witness, bytes: Uint8Array, start: number, used: number, index: number): void {
    const size = this.#kept
    if (this.#state === STATE.trial) {
      if (size > 0)
        this.#tentative.push({ position: this.#position, bytes: bytes.slice(start, start + size) })
      return
    }
    if (this.#tentative.length > 0) {
      this.#tellTentative(witness, index)
      this.#tentative = []
    }
    if (size > 0) witness.element(this.#keptKind, bytes, start, start + size, index + size)
    else if (this.#state === STATE.blob)
      witness.element('qemu.blob-end', bytes, start + used - 1, start + used, index + used)
    this.#keptKind = 'plain'
  }

  /** Tells what was held for an element whose rest does not come, as far as it was looked at. */
  #tellPartial(witness: Witness): void {
    const { bytes, length } = this.#held
    const looked = length === 0 ? 0 : this.#lookedAt(bytes[0] as number, length)
    if (looked > 0) witness.element('plain', bytes, 0, looked, looked - length)
  }

  /** How many of the bytes that were held had to make sense. */
  #lookedAt(type: number, length: number): number {
    switch (this.#state) {
      case STATE.ram:
      case STATE.block:
        return Math.min(length, 9)
      case STATE.capabilities:
        return 1
      case STATE.section:
        return type === SECTION.subsection ? Math.min(length, 2) : length
      case STATE.header:
      case STATE.ramBlocks:
      case STATE.footer:
      case STATE.trailer:
        return length
      default:
        return 0
    }
  }

  #tellTentative(witness: Witness, index: number): void {
    for (const { position, bytes } of this.#tentative)
      witness.element('plain', bytes, 0, bytes.length, index + position + bytes.length - this.#position)
  }

  /** Counts past contents. */
  #pass(start: number, end: number): number {
    const size = end - start
    if (this.#skip > size) {
      this.#skip -= size
      this.#position += size
      return end
    }
    const next = start + this.#skip
    this.#position += this.#skip
    this.#skip = 0
    this.#skipped()
    return next
  }

  #skipped(): void {
    if (this.#state === STATE.commandData) this.#endCommand()
    else if (this.#state === STATE.packagedBlob) this.#endSection(0, this.#now())
  }

  // Elements.

  #readHeader(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < STREAM_HEADER_SIZE) return -STREAM_HEADER_SIZE
    const version = u32be(bytes, start + 4)
    const known = version >= STREAM_VERSION.min && version <= STREAM_VERSION.max
    if (u32be(bytes, start) !== STREAM_MAGIC || !known) return 0
    this.#state = STATE.section
    this.#kept = STREAM_HEADER_SIZE
    this.#sink({
      type: 'qemu.header',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstByte(),
      last: this.#now(),
      version,
    })
    return STREAM_HEADER_SIZE
  }

  #readSection(bytes: Uint8Array, start: number, end: number): number {
    const type = bytes[start] as number
    if (this.#machine !== null && type !== SECTION.subsection) this.#endConfiguration()
    switch (type) {
      case SECTION.start:
      case SECTION.full:
        return this.#readNamedHeader(bytes, start, end, type)
      case SECTION.part:
      case SECTION.end:
        return this.#readNumberedHeader(bytes, start, end, type)
      case SECTION.command:
        return this.#readCommand(bytes, start, end)
      case SECTION.configuration:
        return this.#readConfiguration(bytes, start, end)
      case SECTION.subsection:
        return this.#machine === null ? 0 : this.#readSubsection(bytes, start, end)
      case SECTION.eof:
        this.#state = STATE.trailer
        this.#kept = 1
        return 1
      default:
        return 0
    }
  }

  /** START of an iterative section, or FULL. */
  #readNamedHeader(bytes: Uint8Array, start: number, end: number, type: number): number {
    const size = namedHeaderSize(bytes, start, end)
    if (size <= 0) return size
    this.#kept = size
    const id = u32be(bytes, start + 1)
    const name = text(bytes, start + 6, start + size - 8)
    this.#beginSection(type === SECTION.start ? 'start' : 'full', id, name)
    if (type === SECTION.full) return this.#beginDeviceState(size)
    if (this.#names.size < SECTION_NAMES_MAX) this.#names.set(id, name)
    if (name === 'ram') {
      this.#ramId = id
      this.#beginRam()
      this.#ram.blocks.begin()
      this.#ram.forgetBlock()
      this.#rounds.begin()
      this.#state = STATE.ramBlocks
    } else if (name === 'block') {
      this.#blockId = id
      this.#state = STATE.block
    } else {
      this.#beginOpaque()
    }
    return size
  }

  /** PART or END of an iterative section. */
  #readNumberedHeader(bytes: Uint8Array, start: number, end: number, type: number): number {
    if (end - start < SECTION_HEADER_SIZE) return -SECTION_HEADER_SIZE
    this.#kept = SECTION_HEADER_SIZE
    const id = u32be(bytes, start + 1)
    const name = this.#names.get(id) ?? null
    // A stream that was joined under way: the section of unknown name is the one that is sent for seconds.
    if (this.#ramId < 0 && name === null) this.#ramId = id
    this.#beginSection(type === SECTION.part ? 'part' : 'end', id, name)
    if (id === this.#ramId) {
      this.#beginRam()
      this.#state = STATE.ram
      if (type === SECTION.end) this.#announceRamEnd()
    } else if (id === this.#blockId) {
      this.#state = STATE.block
    } else {
      this.#beginOpaque()
    }
    return SECTION_HEADER_SIZE
  }

  #beginSection(kind: QemuSection['kind'], id: number, name: string | null): void {
    this.#kind = kind
    this.#id = id
    this.#name = name
    this.#sectionPosition = this.#position
    this.#sectionPacket = this.#firstPacket()
    this.#sectionTimeNs = this.#firstTimeNs()
    this.#sectionPages = null
  }

  #beginRam(): void {
    this.#ramSeen = true
    this.#sectionPages = this.#ram.counts()
  }

  /** FULL. Returns the bytes used, the header's. */
  #beginDeviceState(headerSize: number): number {
    // Devices with early setup (virtio-mem) send theirs before RAM.
    if (this.#ramSeen && !this.#deviceStateSeen) {
      this.#deviceStateSeen = true
      const at = this.#firstByte()
      this.#sink({
        type: 'qemu.device-state',
        connection: this.#connection,
        direction: this.#direction,
        first: at,
        last: at,
      })
    }
    if (this.#footers !== FOOTERS.absent) {
      this.#state = STATE.opaque
      return headerSize
    }
    // Nothing separates this section from the next: one event, without a name, stands for all.
    this.#name = null
    const packagedSize = this.#packageEnd - this.#position - headerSize
    if (packagedSize > 0) {
      this.#skip = packagedSize
      this.#state = STATE.packagedBlob
    } else {
      this.#state = STATE.blob
    }
    return headerSize
  }

  /** An iterative section whose records are not known. */
  #beginOpaque(): void {
    if (this.#footers !== FOOTERS.absent) this.#state = STATE.opaque
    else this.#lose('qemu.section', `section ${this.#id} has neither known records nor a footer`)
  }

  #announceRamEnd(): void {
    if (this.#ramEndSeen) return
    this.#ramEndSeen = true
    const at = this.#firstByte()
    this.#sink({
      type: 'qemu.ram-end',
      connection: this.#connection,
      direction: this.#direction,
      first: at,
      last: at,
    })
  }

  #readRamBlocks(bytes: Uint8Array, start: number, end: number): number {
    const { blocks, pageSize } = this.#ram
    if (!blocks.begun) {
      this.#listPacket = this.#firstPacket()
      this.#listTimeNs = this.#firstTimeNs()
    }
    const used = blocks.read(bytes, start, end, pageSize)
    if (used > 0) {
      this.#kept = used
      this.#listLastPacket = this.#packet
      this.#listLastTimeNs = this.#timeNs
    }
    if (!blocks.known) return used
    this.#announceRamBlocks()
    this.#state = STATE.ram
    return this.#readRam(bytes, start, end)
  }

  #announceRamBlocks(): void {
    const { names, sizes, totalBytes, truncated } = this.#ram.blocks
    this.#ram.forgetBlock()
    const last = { packet: this.#listLastPacket, timeNs: this.#listLastTimeNs }
    if (truncated) {
      this.#diagnostics.report(
        'qemu.ram-blocks',
        'warning',
        last,
        () => `the guest has more than ${RAM_BLOCKS_MAX} RAM blocks: the others are not listed`,
      )
    }
    this.#sink({
      type: 'qemu.ram-blocks',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#listPacket, timeNs: this.#listTimeNs },
      last,
      totalBytes,
      blocks: sizes.map((size, index) => ({ name: names[index] ?? '', size })),
    })
  }

  #readRam(bytes: Uint8Array, start: number, end: number): number {
    const ram = this.#ram
    // Held bytes are another array each time: `read` would make a view of them for one record.
    const single = this.#readingHeld || this.#witness !== null
    const used = single ? ram.readOne(bytes, start, end) : ram.read(bytes, start, end)
    if (used <= 0) return used
    this.#kept = ram.headSize
    if (ram.turned) this.#turnRound()
    else if (!this.#rounds.begun && !ram.ended)
      this.#rounds.start(this.#position, this.#firstPacket(), this.#firstTimeNs())
    if (ram.skip > 0) {
      this.#skip = ram.skip
      ram.skip = 0
    } else if (ram.ended) {
      ram.ended = false
      this.#endPayload(used)
    }
    return used
  }

  #turnRound(): void {
    this.#ram.turned = false
    const round = this.#rounds.turn(this.#position, this.#firstPacket(), this.#firstTimeNs())
    if (round !== null) this.#announceRound(round)
  }

  /** @param used bytes of the step at hand, which `#position` does not hold yet */
  #finishRounds(used: number): void {
    const round = this.#rounds.finish(this.#position + used)
    if (round !== null) this.#announceRound(round)
  }

  #announceRound({ index, bytes, pages, repeatedPages, first, last }: Round): void {
    this.#sink({
      type: 'qemu.round',
      connection: this.#connection,
      direction: this.#direction,
      first,
      last,
      index,
      bytes,
      pages,
      repeatedPages,
    })
  }

  #readBlock(bytes: Uint8Array, start: number, end: number): number {
    const block = this.#block
    const used = block.read(bytes, start, end)
    if (used > 0) {
      this.#kept = block.headSize
      this.#keptKind = 'qemu.block'
    }
    if (block.skip > 0) {
      this.#skip = block.skip
      block.skip = 0
    } else if (block.ended) {
      block.ended = false
      this.#endPayload(used)
    }
    return used
  }

  /** @param used bytes of the step at hand, which `#position` does not hold yet */
  #endPayload(used: number): void {
    this.#payloadEndPacket = this.#packet
    this.#payloadEndTimeNs = this.#timeNs
    if (this.#id === this.#ramId) this.#rounds.pause(this.#packet, this.#timeNs)
    if (this.#footers === FOOTERS.absent) this.#endSection(used, this.#now())
    else this.#state = STATE.footer
  }

  #readFooter(bytes: Uint8Array, start: number, end: number): number {
    if (bytes[start] !== SECTION.footer) {
      if (this.#footers === FOOTERS.present) return 0
      this.#footers = FOOTERS.absent
      this.#endUnfooted()
      return this.#readSection(bytes, start, end)
    }
    if (end - start < FOOTER_SIZE) return -FOOTER_SIZE
    const id = u32be(bytes, start + 1)
    if (this.#id >= 0 && id !== this.#id) return 0
    // The section's header was lost and its records were RAM.
    if (this.#id < 0) this.#ramId = id
    this.#footers = FOOTERS.present
    this.#kept = FOOTER_SIZE
    this.#endSection(FOOTER_SIZE, this.#now())
    return FOOTER_SIZE
  }

  /** Looks for the footer of the section at hand, which is one when a section type or nothing follows. */
  #searchFooter(bytes: Uint8Array, start: number, end: number): number {
    let o = start
    while (o < end && bytes[o] !== SECTION.footer) o++
    if (o > start) return o - start
    if (end - o >= FOOTER_SIZE && u32be(bytes, o + 1) !== this.#id) return 1
    if (end - o <= FOOTER_SIZE) return -FOOTER_SIZE - 1
    if (!isSectionType(bytes[o + FOOTER_SIZE] as number)) return 1
    this.#footers = FOOTERS.present
    this.#kept = FOOTER_SIZE
    this.#endSection(FOOTER_SIZE, this.#byteAt(FOOTER_SIZE - 1))
    return FOOTER_SIZE
  }

  #endUnfooted(): void {
    this.#endSection(0, { packet: this.#payloadEndPacket, timeNs: this.#payloadEndTimeNs })
  }

  /** @param used bytes of the step at hand, which `#position` does not hold yet */
  #endSection(used: number, last: Evidence): void {
    this.#state = STATE.section
    const kind = this.#kind
    // The header of a section that was joined under way is not known.
    if (kind === null) return
    this.#kind = null
    const isRam = this.#id === this.#ramId
    if (isRam && kind === 'end') {
      this.#ramFinished = true
      this.#finishRounds(used)
    }
    this.#sink({
      type: 'qemu.section',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#sectionPacket, timeNs: this.#sectionTimeNs },
      last,
      kind,
      id: this.#id,
      name: this.#name,
      size: this.#position + used - this.#sectionPosition,
      pages: isRam && this.#sectionPages !== null ? difference(this.#ram.counts(), this.#sectionPages) : null,
    })
  }

  // Configuration and commands.

  #readConfiguration(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 5) return -5
    const nameSize = u32be(bytes, start + 1)
    const size = 5 + nameSize
    if (nameSize > MACHINE_NAME_MAX) return 0
    if (!printable(bytes, start + 5, Math.min(end, start + size))) return 0
    if (end - start < size) return -size
    this.#kept = size
    this.#machine = text(bytes, start + 5, start + size)
    this.#configurationPacket = this.#firstPacket()
    this.#configurationTimeNs = this.#firstTimeNs()
    this.#extendConfiguration()
    return size
  }

  #readSubsection(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 2) return -2
    const fieldsAt = start + 2 + (bytes[start + 1] as number) + 4
    if (end < fieldsAt) return start - fieldsAt
    const name = text(bytes, start + 2, fieldsAt - 4)
    let next = fieldsAt
    if (name === 'configuration/target-page-bits') {
      next += 4
      if (end < next) return start - next
      if (!this.#ram.setPageBits(u32be(bytes, fieldsAt))) return 0
      this.#pageSizeStated = true
    } else if (name === 'configuration/capabilities') {
      next += 4
      if (end < next) return start - next
      this.#capabilitiesLeft = u32be(bytes, fieldsAt)
      if (this.#capabilitiesLeft > CAPABILITIES_MAX) return 0
      if (this.#capabilitiesLeft > 0) this.#state = STATE.capabilities
    } else if (name === 'configuration/uuid') {
      next += 16
      if (end < next) return start - next
      this.#keptKind = 'qemu.uuid'
    } else {
      this.#searchLeft = CONFIGURATION_SEARCH_MAX
      this.#state = STATE.configurationSearch
    }
    // The name of what is not known may be anything.
    this.#kept = this.#state === STATE.configurationSearch ? 2 : next - start
    this.#extendConfiguration()
    return next - start
  }

  #readCapability(bytes: Uint8Array, start: number, end: number): number {
    const size = 1 + (bytes[start] as number)
    if (end - start < size) return -size
    this.#kept = size
    this.#capabilitiesLeft--
    if (this.#capabilitiesLeft === 0) this.#state = STATE.section
    this.#extendConfiguration()
    return size
  }

  #searchSection(bytes: Uint8Array, start: number, end: number): number {
    const match = matchSection(bytes, start, end)
    if (match < 0) return match
    if (match > 0) {
      this.#state = STATE.section
      return this.#readSection(bytes, start, end)
    }
    this.#searchLeft--
    if (this.#searchLeft === 0) return 0
    this.#extendConfiguration()
    return 1
  }

  #extendConfiguration(): void {
    this.#configurationLastPacket = this.#packet
    this.#configurationLastTimeNs = this.#timeNs
  }

  #endConfiguration(): void {
    const machine = this.#machine
    if (machine === null) return
    this.#machine = null
    this.#sink({
      type: 'qemu.configuration',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#configurationPacket, timeNs: this.#configurationTimeNs },
      last: { packet: this.#configurationLastPacket, timeNs: this.#configurationLastTimeNs },
      machine,
      pageSizeBytes: this.#pageSizeStated ? this.#ram.pageSize : null,
    })
  }

  #readCommand(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 5) return -5
    const size = u16be(bytes, start + 3)
    // The length of the name behind it is part of what tells a resumed stream.
    const isResumed = this.#witness !== null && u16be(bytes, start + 1) === COMMAND.recvBitmap && size > 0
    if (isResumed && end - start < 6) return -6
    this.#kept = isResumed ? 6 : 5
    this.#command = u16be(bytes, start + 1)
    this.#commandSize = size
    this.#commandPacket = this.#firstPacket()
    this.#commandTimeNs = this.#firstTimeNs()
    if (SWITCH_COMMANDS.has(this.#command)) this.#finishRounds(0)
    if (this.#command === COMMAND.packaged) {
      // What is packaged are sections like any other, so they are simply read on.
      if (size !== 4) return 0
      if (end - start < 9) return -9
      this.#kept = 9
      this.#commandSize = u32be(bytes, start + 5)
      this.#packageEnd = this.#position + 9 + this.#commandSize
      this.#endCommand()
      return 9
    }
    if (size === 0) {
      this.#endCommand()
    } else {
      this.#skip = size
      this.#state = STATE.commandData
    }
    return 5
  }

  #endCommand(): void {
    this.#state = STATE.section
    this.#sink({
      type: 'qemu.command',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#commandPacket, timeNs: this.#commandTimeNs },
      last: this.#now(),
      command: this.#command,
      size: this.#commandSize,
    })
  }

  // The end.

  #readTrailer(bytes: Uint8Array, start: number, end: number): number {
    if (bytes[start] === SECTION.vmDescription) {
      if (end - start < 5) return -5
      this.#kept = 5
      this.#skip = u32be(bytes, start + 1)
      this.#state = STATE.over
      return 5
    }
    this.#state = STATE.over
    return this.#passTrailing(start, end)
  }

  #passTrailing(start: number, end: number): number {
    if (this.#whole) {
      this.#diagnostics.report(
        'qemu.trailing',
        'info',
        this.#now(),
        () => `bytes behind the end of the migration stream, at offset ${this.#position}`,
      )
    }
    this.#whole = false
    return end - start
  }

  #isComplete(): boolean {
    if (!this.#whole || this.#skip > 0 || this.#held.length > 0) return false
    if (this.#state === STATE.trailer || this.#state === STATE.over) return true
    // Machine types of 2.3 have the description but no footers.
    return this.#state === STATE.blob && (this.#lastByte === SECTION.eof || this.#lastByte === CLOSING_BRACE)
  }

  /** Ends what only the end of the stream ends. */
  #endElement(): void {
    this.#endConfiguration()
    const { length, bytes } = this.#held
    if (this.#state === STATE.blob) {
      this.#endSection(0, this.#now())
    } else if (this.#state === STATE.footer && length === 0 && this.#footers === FOOTERS.unknown) {
      this.#endUnfooted()
    } else if (this.#state === STATE.opaque && length === FOOTER_SIZE && u32be(bytes, 1) === this.#id) {
      this.#endSection(FOOTER_SIZE, this.#now())
    }
  }

  // Lost and found.

  /** Missing bytes that are not contents counted past. */
  #miss(from: number): void {
    switch (this.#state) {
      case STATE.over:
      case STATE.trailer:
        this.#state = STATE.over
        this.#whole = false
        return
      case STATE.blob:
        this.#lastByte = -1
        return
      case STATE.lost:
        return
      case STATE.trial:
        this.#tentative = []
        this.#state = STATE.lost
        return
      case STATE.opaque:
        // A footer may be among the missing bytes: harmless when only device state is left.
        if (this.#ramFinished) return
    }
    const packagedLeft = this.#packageEnd - this.#position
    if (packagedLeft > 0) {
      this.#kind = null
      this.#skip = packagedLeft
      this.#state = STATE.packagedBlob
      return
    }
    this.#lose('qemu.lost', `the bytes at offset ${from} were not captured`)
  }

  /** The bytes cannot be what the state expects. */
  #misread(): void {
    this.#tentative = []
    if (this.#state === STATE.trial) this.#state = STATE.lost
    else this.#lose('qemu.desync', `the bytes at offset ${this.#position} fit no record`)
  }

  #lose(code: string, reason: string): void {
    this.#kind = null
    const wasWhole = this.#whole
    this.#whole = false
    if (this.#ramFinished) {
      this.#state = STATE.blob
      if (wasWhole) this.#warn(code, `${reason}: the device state is not read`)
      return
    }
    this.#state = STATE.lost
    this.#rounds.drop()
    if (this.#pagesKnown) this.#warn(code, `${reason}: its pages cannot be counted`)
    this.#pagesKnown = false
  }

  #warn(code: string, what: string): void {
    this.#diagnostics.report(code, 'warning', this.#now(), () => `migration stream, ${what}`)
  }

  /** Looks for a seam between sections or for the first record of a chain. */
  #search(bytes: Uint8Array, start: number, end: number): number {
    const o = findCandidate(bytes, start, end, this.#ram.flagMask)
    if (o > start) return o - start
    if (end - o < 8) return -8
    if (bytes[o] === SECTION.footer || isEos(bytes, o)) {
      const size = matchSeam(bytes, o, end, this.#ramId, this.#footers)
      if (size > 0) {
        this.#kept = size
        this.#resume(bytes, o, size)
      }
      return size === 0 ? 1 : size
    }
    this.#trialCount = 0
    this.#tentative = []
    this.#ram.forgetBlock()
    this.#state = STATE.trial
    return this.#try(bytes, start, end)
  }

  /** At the seam after a section of "ram". */
  #resume(bytes: Uint8Array, start: number, size: number): void {
    const footerAt = start + size - FOOTER_SIZE
    if (size !== 8) {
      this.#footers = FOOTERS.present
      this.#ramId = u32be(bytes, footerAt + 1)
    } else {
      this.#footers = FOOTERS.absent
    }
    this.#ramSeen = true
    this.#state = STATE.section
  }

  /** Reads the next record of a chain that is not yet believed. */
  #try(bytes: Uint8Array, start: number, end: number): number {
    const ram = this.#ram
    if (end - start < 8) return -8
    const enough = this.#trialCount === CHAIN_LENGTH - 1
    const used = isEos(bytes, start) && !enough ? 0 : ram.readOne(bytes, start, end)
    this.#skip = ram.skip
    ram.skip = 0
    if (used > 0) {
      this.#kept = ram.headSize
      if (enough) this.#join(used)
      else this.#trialCount++
    } else if (used === 0 && this.#trialCount === 0) {
      this.#state = STATE.lost
      return 1
    }
    return used
  }

  /** In a section of "ram" whose header is not known. */
  #join(used: number): void {
    this.#ramSeen = true
    this.#kind = null
    // A number that did not come from a START was a guess, and did not help.
    if (!this.#names.has(this.#ramId)) this.#ramId = -1
    this.#id = this.#ramId
    this.#state = STATE.ram
    if (this.#ram.ended) {
      this.#ram.ended = false
      this.#endPayload(used)
    }
  }

  // Evidence.

  #now(): Evidence {
    return { packet: this.#packet, timeNs: this.#timeNs }
  }

  #firstByte(): Evidence {
    return this.#byteAt(0)
  }

  /** Of a byte of the element at hand. */
  #byteAt(index: number): Evidence {
    if (!this.#readingHeld) return this.#now()
    const { packets, times } = this.#held
    return { packet: packets[index] as number, timeNs: times[index] as number }
  }

  #firstPacket(): number {
    return this.#readingHeld ? (this.#held.packets[0] as number) : this.#packet
  }

  #firstTimeNs(): number {
    return this.#readingHeld ? (this.#held.times[0] as number) : this.#timeNs
  }
}

/** What may follow a footer. */
function isSectionType(byte: number): boolean {
  return byte <= SECTION.command && byte !== SECTION.subsection
}
