import { text, u32be, u64be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { MultifdPacket } from '../../events/multifd.ts'
import {
  COMPRESSION,
  COMPRESSION_MASK,
  DEVICE_STATE,
  FLAG,
  HEADER,
  INITIAL,
  MAGIC,
  PACKET_PAGES_SIZE,
  PAGE_COUNT_DEFAULT,
  PAGE_COUNT_MAX,
  PAGES,
  VERSION,
} from './format.ts'

export interface MultifdDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly witness?: Witness
}

/** Fields of `multifd.packet` that its head tells. */
interface Pages {
  readonly number: number
  readonly sync: boolean
  readonly pageCount: number
  readonly normal: number
  readonly zero: number
  readonly contentSize: number
}

/** One additional channel of a parallel migration, source to destination. The heads of packets are read, names of blocks and
 *  offsets too; contents are counted past. Bytes missing among contents are harmless. Where some of a name or offsets are
 *  missing, it is not known which pages these were; where a head is missing, the packets behind it cannot be found again, and
 *  the pages of the channel cannot be counted.
 *  @see protocols.md D.5
 *  @see QEMU migration/multifd.c */
export class MultifdDecoder implements StreamDecoder, Unsettled {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics
  readonly #witness: Witness | null

  /** The head at hand, as far as it came; made longer for the offsets that follow one. */
  #head = new Uint8Array(DEVICE_STATE.size)
  #have = 0
  #need: number = INITIAL.size
  #headAt: Evidence = { packet: 0, timeNs: 0 }
  /** What the numbers of the head at hand say, once they are all there. */
  #pages: Pages | null = null
  /** Bytes of its name or offsets are missing. */
  #blank = false
  #skip = 0
  /** Raised when the bytes that are skipped have passed. */
  #packet: MultifdPacket | null = null
  #opened = false
  #lost = false
  #begun: Evidence | null = null
  #last: Evidence = { packet: 0, timeNs: 0 }
  #ended = false

  #bytes = 0
  #packets = 0
  #normal = 0
  #zero = 0
  #pageCount = PAGE_COUNT_DEFAULT
  #compression: string | null = null

  constructor(options: MultifdDecoderOptions) {
    this.#connection = options.connection
    this.#direction = options.direction
    this.#sink = options.sink
    this.#diagnostics = options.diagnostics
    this.#witness = options.witness ?? null
  }

  get unsettled(): number {
    return this.#lost ? 0 : this.#have
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#advance(end - start, at)
    let o = start
    while (o < end && !this.#lost) {
      if (this.#skip > 0) {
        o += this.#pass(end - o)
        continue
      }
      if (this.#have === 0) this.#headAt = this.#last
      const size = Math.min(this.#need - this.#have, end - o)
      this.#head.set(bytes.subarray(o, o + size), this.#have)
      this.#have += size
      o += size
      if (this.#have === this.#need) this.#readHead(o)
    }
  }

  gap(size: number, at: Evidence): void {
    if (size <= 0) return
    this.#advance(size, at)
    let left = size
    while (left > 0) {
      if (this.#skip > 0) left -= this.#pass(left)
      else if (this.#pages !== null) left -= this.#miss(left, this.#pages)
      else {
        this.#lose('multifd.lost', 'the head of a packet was not captured')
        return
      }
    }
  }

  end(at: Evidence): void {
    if (this.#ended) return
    this.#ended = true
    this.#raise()
    const first = this.#begun ?? keep(at)
    this.#sink({
      type: 'multifd.end',
      connection: this.#connection,
      direction: this.#direction,
      first,
      last: this.#begun === null ? first : this.#last,
      bytes: this.#bytes,
      packets: this.#packets,
      pages: this.#lost || !this.#opened ? null : pageCounts(this.#normal, this.#zero),
      compression: this.#compression,
      complete: this.#opened && !this.#lost && this.#skip === 0 && this.#have === 0,
    })
  }

  /** Skips what a packet ends with. */
  #pass(size: number): number {
    const passed = Math.min(this.#skip, size)
    this.#skip -= passed
    if (this.#skip === 0) this.#raise()
    return passed
  }

  /** Bytes of a name or of offsets are not there. */
  #miss(size: number, pages: Pages): number {
    const missed = Math.min(this.#need - this.#have, size)
    this.#have += missed
    this.#blank = true
    if (this.#have === this.#need) this.#endPages(pages)
    return missed
  }

  #raise(): void {
    if (this.#packet === null) return
    this.#sink({ ...this.#packet, last: this.#last })
    this.#packet = null
  }

  #advance(size: number, at: Evidence): void {
    this.#last = keep(at)
    this.#begun ??= this.#last
    this.#bytes += size
  }

  /** As many bytes as were needed are there.
   *  @param index where they end among the bytes being pushed */
  #readHead(index: number): void {
    if (this.#pages !== null) {
      if (!this.#blank) this.#witness?.element('multifd.head', this.#head, PAGES.read, this.#have, index)
      this.#endPages(this.#pages)
    } else if (u32be(this.#head, HEADER.magic) !== MAGIC || u32be(this.#head, HEADER.version) !== VERSION)
      this.#lose('multifd.desync', 'no packet begins where one should')
    else if (!this.#opened) this.#readInitial(index)
    else if (this.#have === HEADER.size) this.#need = this.#isDeviceState() ? DEVICE_STATE.size : PAGES.read
    else if (this.#isDeviceState()) {
      this.#witness?.element('multifd.head', this.#head, 0, this.#have, index)
      this.#endPacket(u32be(this.#head, DEVICE_STATE.nextSize))
    } else this.#readNumbers(index)
  }

  #isDeviceState(): boolean {
    return (u32be(this.#head, HEADER.flags) & FLAG.deviceState) !== 0
  }

  #readInitial(index: number): void {
    this.#opened = true
    this.#witness?.element('multifd.initial', this.#head, 0, INITIAL.size, index)
    this.#have = 0
    this.#need = HEADER.size
    this.#sink({
      type: 'multifd.channel',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#headAt,
      last: this.#last,
      channel: this.#head[INITIAL.channel] as number,
      uuid: uuidText(this.#head, INITIAL.uuid),
    })
  }

  #readNumbers(index: number): void {
    const head = this.#head
    const allocated = u32be(head, PAGES.allocated)
    const normal = u32be(head, PAGES.normal)
    const zero = u32be(head, PAGES.zero)
    const flags = u32be(head, HEADER.flags)
    // A SYNC of QEMU 10 does not say how many offsets its list has room for; it has them all the same.
    const pageCount = allocated === 0 ? this.#pageCount : allocated
    const method = flags & COMPRESSION_MASK
    // Without pages the size is a stale one, and nothing follows.
    const contentSize = normal > 0 ? u32be(head, PAGES.nextSize) : 0
    if (
      pageCount > PAGE_COUNT_MAX ||
      normal + zero > pageCount ||
      !fits(contentSize, normal, pageCount, method)
    ) {
      this.#lose('multifd.desync', 'a packet whose numbers do not fit each other')
      return
    }
    this.#witness?.element('plain', head, 0, PAGES.read, index)
    this.#pageCount = pageCount
    this.#normal += normal
    this.#zero += zero
    if (method !== 0 && normal > 0) this.#compression = COMPRESSION.get(method) ?? `method ${method}`
    const sync = (flags & FLAG.sync) !== 0
    const number = u64be(head, PAGES.number)
    const pages = { number, sync, pageCount, normal, zero, contentSize }
    this.#blank = false
    if (normal + zero === 0) this.#endPages(pages)
    else {
      this.#pages = pages
      this.#need = PAGES.size + 8 * (normal + zero)
      if (this.#head.length < this.#need) this.#lengthenHead(PAGES.size + 8 * pageCount)
    }
  }

  #lengthenHead(size: number): void {
    const longer = new Uint8Array(size)
    longer.set(this.#head)
    this.#head = longer
  }

  /** The name and the offsets have passed. */
  #endPages({ number, sync, pageCount, normal, zero, contentSize }: Pages): void {
    const known = !this.#blank
    const size = PAGES.size + 8 * pageCount + contentSize
    this.#packet = {
      type: 'multifd.packet',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#headAt,
      last: this.#headAt,
      number,
      sync,
      block: known && normal + zero > 0 ? blockName(this.#head) : '',
      pageSizeBytes: PACKET_PAGES_SIZE / pageCount,
      offsets: known ? readOffsets(this.#head, normal + zero) : null,
      normal,
      zero,
      size,
    }
    this.#pages = null
    this.#endPacket(size - this.#have)
  }

  /** @param rest bytes of the packet behind the head that was read */
  #endPacket(rest: number): void {
    this.#packets++
    this.#have = 0
    this.#need = HEADER.size
    this.#skip = rest
    if (rest === 0) this.#raise()
  }

  #lose(code: string, reason: string): void {
    if (!this.#lost) {
      this.#diagnostics.report(
        code,
        'warning',
        this.#last,
        () => `channel of a parallel migration, ${reason}: its pages cannot be counted`,
      )
    }
    this.#lost = true
  }
}

/** Whether contents of this size hold so many pages. Compression may make a page a little larger, never twice. */
function fits(size: number, normal: number, pageCount: number, method: number): boolean {
  const pageSize = PACKET_PAGES_SIZE / pageCount
  return method === 0 ? size === normal * pageSize : size <= 2 * normal * pageSize
}

function blockName(head: Uint8Array): string {
  const end = head.subarray(PAGES.block, PAGES.size).indexOf(0)
  return text(head, PAGES.block, end < 0 ? PAGES.size : PAGES.block + end)
}

function readOffsets(head: Uint8Array, count: number): Float64Array {
  const offsets = new Float64Array(count)
  for (let i = 0; i < count; i++) offsets[i] = u64be(head, PAGES.size + 8 * i)
  return offsets
}

function pageCounts(
  normal: number,
  zero: number,
): { normal: number; zero: number; xbzrle: number; compressed: number } {
  return { normal, zero, xbzrle: 0, compressed: 0 }
}

function uuidText(bytes: Uint8Array, start: number): string {
  let text = ''
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-'
    text += (bytes[start + i] as number).toString(16).padStart(2, '0')
  }
  return text
}
