import { u32be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
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
}

/** One additional channel of a parallel migration, source to destination. Only the heads of packets are read; names,
 *  offsets and pages are counted past. Bytes missing among those are harmless; where a head is missing, the packets behind
 *  it cannot be found again, and the pages of the channel are unknown.
 *  @see protocols.md D.5
 *  @see QEMU migration/multifd.c */
export class MultifdDecoder implements StreamDecoder {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics

  /** The head at hand, as far as it came. */
  readonly #head = new Uint8Array(DEVICE_STATE.size)
  #have = 0
  #need: number = INITIAL.size
  #headAt: Evidence = { packet: 0, timeNs: 0 }
  #skip = 0
  #opened = false
  #lost = false
  #begun: Evidence | null = null
  #last: Evidence = { packet: 0, timeNs: 0 }
  #ended = false

  #bytes = 0
  #packets = 0
  #normal = 0
  #zero = 0
  #syncedNormal = 0
  #syncedZero = 0
  #pageCount = PAGE_COUNT_DEFAULT
  #compression: string | null = null

  constructor(options: MultifdDecoderOptions) {
    this.#connection = options.connection
    this.#direction = options.direction
    this.#sink = options.sink
    this.#diagnostics = options.diagnostics
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#advance(end - start, at)
    let o = start
    while (o < end && !this.#lost) {
      if (this.#skip > 0) {
        const size = Math.min(this.#skip, end - o)
        this.#skip -= size
        o += size
        continue
      }
      if (this.#have === 0) this.#headAt = this.#last
      const size = Math.min(this.#need - this.#have, end - o)
      this.#head.set(bytes.subarray(o, o + size), this.#have)
      this.#have += size
      o += size
      if (this.#have === this.#need) this.#readHead()
    }
  }

  gap(size: number, at: Evidence): void {
    if (size <= 0) return
    this.#advance(size, at)
    const skipped = Math.min(this.#skip, size)
    this.#skip -= skipped
    if (skipped < size) this.#lose('multifd.lost', 'the head of a packet was not captured')
  }

  end(at: Evidence): void {
    if (this.#ended) return
    this.#ended = true
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

  #advance(size: number, at: Evidence): void {
    this.#last = keep(at)
    this.#begun ??= this.#last
    this.#bytes += size
  }

  /** As many bytes as were needed are there. */
  #readHead(): void {
    if (u32be(this.#head, HEADER.magic) !== MAGIC || u32be(this.#head, HEADER.version) !== VERSION)
      this.#lose('multifd.desync', 'no packet begins where one should')
    else if (!this.#opened) this.#readInitial()
    else if (this.#have === HEADER.size) this.#need = this.#isDeviceState() ? DEVICE_STATE.size : PAGES.read
    else if (this.#isDeviceState()) this.#endPacket(u32be(this.#head, DEVICE_STATE.nextSize))
    else this.#readPages()
  }

  #isDeviceState(): boolean {
    return (u32be(this.#head, HEADER.flags) & FLAG.deviceState) !== 0
  }

  #readInitial(): void {
    this.#opened = true
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

  #readPages(): void {
    const head = this.#head
    const allocated = u32be(head, PAGES.allocated)
    const normal = u32be(head, PAGES.normal)
    const zero = u32be(head, PAGES.zero)
    const flags = u32be(head, HEADER.flags)
    // A SYNC of QEMU 10 does not say how many offsets its list has room for; it has them all the same.
    const pageCount = allocated === 0 ? this.#pageCount : allocated
    const method = flags & COMPRESSION_MASK
    // Without pages the size is a stale one, and nothing follows.
    const size = normal > 0 ? u32be(head, PAGES.nextSize) : 0
    if (pageCount > PAGE_COUNT_MAX || normal + zero > pageCount || !fits(size, normal, pageCount, method)) {
      this.#lose('multifd.desync', 'a packet whose numbers do not fit each other')
      return
    }
    this.#pageCount = pageCount
    this.#normal += normal
    this.#zero += zero
    if (method !== 0 && normal > 0) this.#compression = COMPRESSION.get(method) ?? `method ${method}`
    if ((flags & FLAG.sync) !== 0) this.#announceSync()
    this.#endPacket(PAGES.size - PAGES.read + 8 * pageCount + size)
  }

  /** @param rest bytes of the packet behind the head that was read */
  #endPacket(rest: number): void {
    this.#packets++
    this.#have = 0
    this.#need = HEADER.size
    this.#skip = rest
  }

  #announceSync(): void {
    this.#sink({
      type: 'multifd.sync',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#headAt,
      last: this.#last,
      pages: pageCounts(this.#normal - this.#syncedNormal, this.#zero - this.#syncedZero),
    })
    this.#syncedNormal = this.#normal
    this.#syncedZero = this.#zero
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
