import { u16be, u32be, u64be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import { HeldBytes } from './held.ts'
import { RETURN } from './stream-format.ts'

const HEADER_SIZE = 4
const VALUE_SIZE = 4

/** Data sizes of the messages that are believed in a search; of REQ_PAGES_ID the part before the name. */
const REQ_PAGES_ID_SIZE = 13
const DATA_SIZE = new Map<number, number>([
  [RETURN.shut, VALUE_SIZE],
  [RETURN.pong, VALUE_SIZE],
  [RETURN.reqPages, 12],
  [RETURN.resumeAck, VALUE_SIZE],
  [RETURN.switchoverAck, 0],
])

const STATE = { message: 0, data: 1, bitmapSize: 2, bitmap: 3, lost: 4 } as const
type State = (typeof STATE)[keyof typeof STATE]

export interface ReturnPathDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  /** The start of the stream was not captured. */
  readonly midStream: boolean
  readonly witness?: Witness
}

/** The return path, destination to source: type u16, length u16, data. After RECV_BITMAP a bitmap follows that no
 *  length covers: size u64, bitmap, end mark u64.
 *  @see protocols.md D.4
 *  @see QEMU migration/migration.c, migrate_send_rp_message; migration/ram.c, ramblock_recv_bitmap_send */
export class ReturnPathDecoder implements StreamDecoder, Unsettled {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics

  readonly #witness: Witness | null
  readonly #held = new HeldBytes()
  #need = 0
  #readingHeld = false
  #state: State
  #skip = 0
  #packet = 0
  #timeNs = 0
  #message = 0
  #messagePacket = 0
  #messageTimeNs = 0

  constructor(options: ReturnPathDecoderOptions) {
    this.#connection = options.connection
    this.#direction = options.direction
    this.#sink = options.sink
    this.#diagnostics = options.diagnostics
    this.#witness = options.witness ?? null
    this.#state = options.midStream ? STATE.lost : STATE.message
  }

  get unsettled(): number {
    return this.#held.length
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#packet = at.packet
    this.#timeNs = at.timeNs
    let o = this.#pass(start, end)
    while (o < end) {
      if (this.#held.length > 0) {
        o = this.#stepHeld(bytes, o, end)
        continue
      }
      const used = this.#step(bytes, o, end)
      if (used < 0) {
        this.#need = -used
        this.#held.append(bytes, o, end, this.#packet, this.#timeNs)
        return
      }
      this.#tell(bytes, o, used, o)
      o = this.#pass(o + used, end)
    }
  }

  gap(size: number, at: Evidence): void {
    this.#packet = at.packet
    this.#timeNs = at.timeNs
    const contents = Math.min(this.#skip, size)
    this.#skip -= contents
    if (contents > 0 && this.#skip === 0) this.#skipped()
    if (contents === size) return
    this.#tellPartial()
    this.#held.length = 0
    this.#skip = 0
    if (this.#state !== STATE.lost) {
      this.#diagnostics.report(
        'qemu.return-path-lost',
        'warning',
        at,
        () => "bytes of a migration's return path were not captured",
      )
    }
    this.#state = STATE.lost
  }

  end(_at: Evidence): void {
    this.#tellPartial()
    const { bytes, length } = this.#held
    // The last message has no successor to confirm it; it is believed when it fills the stream to its end.
    if (this.#state === STATE.lost && bytes[1] === RETURN.shut) {
      this.#readingHeld = true
      if (messageSize(bytes, 0, length) === length) this.#readMessage(bytes, 0, length)
    }
    this.#held.length = 0
  }

  /** Completes the element that an earlier packet began. Returns where the rest of `bytes` starts. */
  #stepHeld(bytes: Uint8Array, start: number, end: number): number {
    const held = this.#held
    const before = held.length
    const wanted = Math.max(this.#need - before, 0)
    const added = held.append(bytes, start, Math.min(end, start + wanted), this.#packet, this.#timeNs)
    this.#readingHeld = true
    const used = this.#step(held.bytes, 0, held.length)
    this.#readingHeld = false
    if (used < 0) {
      this.#need = -used
      return start + added
    }
    held.length = before
    this.#tell(held.bytes, 0, used, start - before)
    if (used < before) {
      held.drop(used)
      this.#need = 0
      return start
    }
    held.length = 0
    return this.#pass(start + used - before, end)
  }

  /** What a search skips, and what bitmaps hold, is no element.
   *  @param index where the element starts among the bytes being pushed */
  #tell(bytes: Uint8Array, start: number, used: number, index: number): void {
    if (this.#witness === null || this.#state === STATE.lost) return
    this.#witness.element('plain', bytes, start, start + used, index + used)
  }

  /** Tells what is held of a message whose rest does not come: its type and length. */
  #tellPartial(): void {
    const { bytes, length } = this.#held
    if (this.#witness === null || length < HEADER_SIZE || this.#state === STATE.bitmapSize) return
    if (this.#state !== STATE.lost || messageSize(bytes, 0, length) !== 0)
      this.#witness.element('plain', bytes, 0, HEADER_SIZE, HEADER_SIZE - length)
  }

  /** Reads one element: bytes used, or minus the bytes it needs. */
  #step(bytes: Uint8Array, start: number, end: number): number {
    switch (this.#state) {
      case STATE.lost:
        return this.#search(bytes, start, end)
      case STATE.bitmapSize:
        if (end - start < 8) return -8
        this.#skip = u64be(bytes, start) + 8
        this.#state = STATE.bitmap
        return 8
      default:
        return this.#readMessage(bytes, start, end)
    }
  }

  #readMessage(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < HEADER_SIZE) return -HEADER_SIZE
    const message = u16be(bytes, start)
    const size = u16be(bytes, start + 2)
    const hasValue = (message === RETURN.shut || message === RETURN.pong) && size === VALUE_SIZE
    if (hasValue && end - start < HEADER_SIZE + VALUE_SIZE) return -HEADER_SIZE - VALUE_SIZE
    this.#message = message
    this.#messagePacket = this.#readingHeld ? (this.#held.packets[0] as number) : this.#packet
    this.#messageTimeNs = this.#readingHeld ? (this.#held.times[0] as number) : this.#timeNs
    this.#state = STATE.message
    if (hasValue) {
      this.#emit(u32be(bytes, start + HEADER_SIZE), HEADER_SIZE + VALUE_SIZE)
      return HEADER_SIZE + VALUE_SIZE
    }
    if (size === 0) {
      this.#emit(null, HEADER_SIZE)
    } else {
      this.#skip = size
      this.#state = STATE.data
    }
    return HEADER_SIZE
  }

  /** Two messages in a row are believed. */
  #search(bytes: Uint8Array, start: number, end: number): number {
    const size = messageSize(bytes, start, end)
    if (size < 0) return size
    if (size === 0) return 1
    if (end - start < size) return -size - HEADER_SIZE
    const next = messageSize(bytes, start + size, end)
    if (next < 0) return next - size
    if (next === 0) return 1
    if (this.#readMessage(bytes, start, end) < size) {
      this.#skip = 0
      this.#state = STATE.message
      this.#emit(null, size)
    }
    return size
  }

  #pass(start: number, end: number): number {
    if (this.#skip === 0) return start
    const size = Math.min(this.#skip, end - start)
    this.#skip -= size
    if (this.#skip === 0) this.#skipped()
    return start + size
  }

  #skipped(): void {
    if (this.#state === STATE.bitmap) {
      this.#state = STATE.message
      return
    }
    this.#state = this.#message === RETURN.recvBitmap ? STATE.bitmapSize : STATE.message
    this.#emit(null, 0)
  }

  /** @param size of the message when it is at hand as a whole, 0 when its last byte is the latest that passed */
  #emit(value: number | null, size: number): void {
    const held = this.#readingHeld && size > 0
    this.#sink({
      type: 'qemu.return',
      connection: this.#connection,
      direction: this.#direction,
      first: { packet: this.#messagePacket, timeNs: this.#messageTimeNs },
      last: {
        packet: held ? (this.#held.packets[size - 1] as number) : this.#packet,
        timeNs: held ? (this.#held.times[size - 1] as number) : this.#timeNs,
      },
      message: this.#message,
      value,
    })
  }
}

/** Size of a message of known type and length; 0 when it is none, minus the bytes needed to tell. */
function messageSize(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < HEADER_SIZE) return -HEADER_SIZE
  const message = u16be(bytes, start)
  const size = u16be(bytes, start + 2)
  if (message === RETURN.reqPagesId) {
    const nameAt = start + HEADER_SIZE + REQ_PAGES_ID_SIZE
    if (size <= REQ_PAGES_ID_SIZE || size > REQ_PAGES_ID_SIZE + 255) return 0
    if (end < nameAt) return start - nameAt
    return (bytes[nameAt - 1] as number) === size - REQ_PAGES_ID_SIZE ? HEADER_SIZE + size : 0
  }
  return DATA_SIZE.get(message) === size ? HEADER_SIZE + size : 0
}
