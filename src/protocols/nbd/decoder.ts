import type { Diagnostics } from '../../core/diagnostic.ts'
import type { Evidence } from '../../core/evidence.ts'
import { keep } from '../../core/evidence.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Direction } from '../../events/connection.ts'
import type { NbdConversation } from './conversation.ts'
import { EXTENDED_REQUEST, MAGIC_SIZE } from './format.ts'
import type { Messages } from './messages.ts'
import { Replies } from './replies.ts'
import { Requests } from './requests.ts'

/** Any head that holds no name. */
const HEAD_SIZE = EXTENDED_REQUEST.size

/** Of a head that is cut: before any name. */
const PARTIAL_SIZE = 16

export interface NbdDecoderOptions {
  readonly direction: Direction
  readonly diagnostics: Diagnostics
  /** Shared by the two decoders of a connection. */
  readonly conversation: NbdConversation
  /** The start of the stream was not captured. */
  readonly midStream: boolean
  readonly witness?: Witness
}

/** One direction of an NBD connection. Heads of messages are read, what a disk holds is counted past. Bytes missing there
 *  are harmless; where a head is missing, the next one that makes sense is looked for, and the counts are lower bounds.
 *  @see protocols.md D.10
 *  @see NBD doc/proto.md */
export class NbdDecoder implements StreamDecoder, Unsettled {
  readonly #direction: Direction
  readonly #diagnostics: Diagnostics
  readonly #conversation: NbdConversation
  readonly #messages: Messages
  readonly #witness: Witness | null
  /** Behind the last byte of the head at hand, among the bytes being pushed. */
  #index = 0
  /** 1 for each byte that begins a magic. */
  readonly #starts = new Uint8Array(256)

  #head = new Uint8Array(HEAD_SIZE)
  #have = 0
  #need: number = MAGIC_SIZE
  /** Bytes of the body at hand that are still to come. */
  #skip = 0
  /** Of the message at hand. */
  #size = 0
  /** Bytes that passed and belong to no message that has passed as a whole. */
  #unread = 0
  #searching: boolean
  /** No message is missing until now. */
  #whole: boolean
  /** The message at hand. */
  readonly #span = { first: { packet: 0, timeNs: 0 }, last: { packet: 0, timeNs: 0 } }
  #begun: Evidence | null = null

  constructor(options: NbdDecoderOptions) {
    this.#direction = options.direction
    this.#diagnostics = options.diagnostics
    this.#conversation = options.conversation
    this.#witness = options.witness ?? null
    this.#messages =
      options.direction === 'to-server'
        ? new Requests(options.conversation)
        : new Replies(options.conversation)
    for (const magic of this.#messages.magics) this.#starts[magic >>> 24] = 1
    this.#searching = options.midStream
    this.#whole = !options.midStream
    if (options.midStream) this.#messages.lose()
  }

  get unsettled(): number {
    return this.#have
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#advance(end - start, at)
    let o = start
    while (o < end) {
      if (this.#skip > 0) {
        const size = Math.min(this.#skip, end - o)
        o += size
        this.#pass(size)
      } else if (this.#searching && this.#have < MAGIC_SIZE) {
        o = this.#search(bytes, o, end)
      } else {
        o += this.#fill(bytes, o, end)
      }
    }
  }

  gap(size: number, at: Evidence): void {
    if (size <= 0) return
    this.#advance(size, at)
    this.#tellPartial()
    const skipped = Math.min(this.#skip, size)
    if (skipped > 0) this.#pass(skipped)
    if (skipped < size) this.#lose('nbd.lost', 'the head of a message was not captured')
  }

  end(at: Evidence): void {
    this.#tellPartial()
    const last = keep(this.#span.last)
    const span = this.#begun === null ? null : { first: this.#begun, last }
    const whole = this.#whole && this.#have === 0 && this.#skip === 0
    this.#conversation.ended(this.#direction, { span, whole, unreadBytes: this.#unread }, at)
  }

  /** Tells what is there of a head whose rest does not come: its first words, which had to make sense. */
  #tellPartial(): void {
    if (this.#have < MAGIC_SIZE) return
    const looked = Math.min(this.#have, PARTIAL_SIZE)
    this.#witness?.element('nbd.head', this.#head, 0, looked, looked - this.#have)
  }

  #advance(size: number, at: Evidence): void {
    this.#unread += size
    this.#span.last.packet = at.packet
    this.#span.last.timeNs = at.timeNs
    this.#begun ??= keep(at)
  }

  /** The head at hand starts in the packet at hand. */
  #start(): void {
    this.#span.first.packet = this.#span.last.packet
    this.#span.first.timeNs = this.#span.last.timeNs
  }

  /** Takes what the head needs. Returns the number of bytes used. */
  #fill(bytes: Uint8Array, start: number, end: number): number {
    if (this.#have === 0) this.#start()
    const size = Math.min(this.#need - this.#have, end - start)
    this.#head.set(bytes.subarray(start, start + size), this.#have)
    this.#have += size
    this.#index = start + size
    if (this.#have === this.#need) this.#measure()
    return size
  }

  #measure(): void {
    const need = this.#messages.measure(this.#head, this.#have)
    if (need > this.#have) this.#reserve(need)
    else if (need === 0 || (this.#searching && !this.#messages.believable(this.#head)))
      this.#lose('nbd.desync', 'no message begins where one should')
    else this.#begin()
  }

  #reserve(need: number): void {
    this.#need = need
    if (need <= this.#head.length) return
    const larger = new Uint8Array(need)
    larger.set(this.#head)
    this.#head = larger
  }

  #begin(): void {
    this.#searching = false
    this.#witness?.element('nbd.head', this.#head, 0, this.#have, this.#index)
    this.#skip = this.#messages.begin(this.#head, this.#have, this.#span)
    this.#size = this.#have + this.#skip
    this.#reset()
    if (this.#skip === 0) this.#finish()
  }

  /** No head is at hand. */
  #reset(): void {
    this.#have = 0
    this.#need = MAGIC_SIZE
    if (this.#head.length > HEAD_SIZE) this.#head = new Uint8Array(HEAD_SIZE)
  }

  #pass(size: number): void {
    this.#skip -= size
    if (this.#skip === 0) this.#finish()
  }

  #finish(): void {
    this.#unread -= this.#size
    this.#messages.finish(this.#span)
  }

  /** Looks for the first word of a message. Returns where it stopped. */
  #search(bytes: Uint8Array, start: number, end: number): number {
    const starts = this.#starts
    let o = start
    if (this.#have === 0) while (o < end && starts[bytes[o] as number] === 0) o++
    if (o < end) {
      this.#index = o + 1
      this.#try(bytes[o++] as number)
    }
    return o
  }

  /** No magic begins inside of itself, so that after a byte that does not fit only that byte can begin another. */
  #try(byte: number): void {
    this.#head[this.#have++] = byte
    if (!this.#beginsMagic()) {
      this.#head[0] = byte
      this.#have = this.#starts[byte] as number
    }
    if (this.#have === 1) this.#start()
    if (this.#have === MAGIC_SIZE) this.#measure()
  }

  #beginsMagic(): boolean {
    const last = this.#have - 1
    for (const magic of this.#messages.magics) {
      let fits = true
      for (let i = last; i >= 0 && fits; i--) fits = this.#head[i] === ((magic >>> (24 - 8 * i)) & 0xff)
      if (fits) return true
    }
    return false
  }

  #lose(code: string, reason: string): void {
    if (!this.#searching) {
      this.#diagnostics.report(
        code,
        'warning',
        this.#span.last,
        () => `NBD connection, ${reason}: requests or replies may be missing from the counts`,
      )
      this.#messages.lose()
    }
    this.#whole = false
    this.#searching = true
    this.#skip = 0
    this.#reset()
  }
}
