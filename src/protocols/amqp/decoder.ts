import type { BodyBudget } from '../../core/body-budget.ts'
import { u16be, u32be, u64be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { AMQP_CHANNELS_MAX, AMQP_FRAME_MAX, SERVICE_TEXT_MAX } from '../../core/limits.ts'
import { withoutSecrets } from '../../core/redact.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { AmqpMessage } from '../../events/amqp.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import { ArgumentReader } from './arguments.ts'
import { Content } from './content.ts'
import { FRAME, FRAME_END, FRAME_HEADER_SIZE, METHOD, PROTOCOL_HEADER } from './methods.ts'
import { isFrameType, looksLikeAmqp, METHOD_START_SIZE, startsMessage } from './signature.ts'

/** The longest arguments that are read, those of a delivery, have 781 bytes. */
const ARGUMENTS_SIZE = 784

/** Class and method. */
const METHOD_SIZE = 4

const END_OCTET = Uint8Array.of(FRAME_END)

/** Methods counted apart; AMQP 0-9-1 has some 60. */
const METHODS_MAX = 128

export interface AmqpDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly bodies: BodyBudget
  /** The bytes start somewhere inside the connection, the ordinary case: the first message is searched for,
   *  without a diagnostic. */
  readonly midStream?: boolean
  readonly witness?: Witness
}

/** What the next byte belongs to. In `lost`, to nothing that is known. */
type State = 'header' | 'payload' | 'end' | 'lost'

/** AMQP 0-9-1, one direction of a connection. Raises one event for each message with content, when its last frame
 *  has passed, captured or not. The start of each body is kept until then; of methods, only the arguments that are
 *  read, so that nobody's login is.
 *  @see AMQP 0-9-1 section 4.2; protocols.md E.1 */
export class AmqpDecoder implements StreamDecoder, Unsettled {
  /** Methods that passed, by `class * 65536 + method`. */
  readonly methods = new Map<number, number>()
  readonly #options: AmqpDecoderOptions
  readonly #contents = new Map<number, Content>()
  #state: State

  /** The frame header at hand; without sync, bytes that may start a message, each with its packet. */
  readonly #head = new Uint8Array(METHOD_START_SIZE)
  #headSize = 0
  #headAt: Evidence[] = []
  #type = 0
  #channel = 0
  #frameSize = 0
  #frameFirst: Evidence = { packet: 0, timeNs: 0 }
  /** Payload bytes of the frame that are still to pass. */
  #left = 0
  /** The start of a method's or content header's payload, without holes. */
  #arguments: Uint8Array | null = null
  #argumentsKept = 0
  #argumentsCut = false
  /** Nothing was pushed yet. */
  #isFirst = true
  /** The packet that was seen last. */
  readonly #seen = { packet: 0, timeNs: 0 }

  constructor(options: AmqpDecoderOptions) {
    this.#options = options
    this.#state = options.midStream ? 'lost' : 'header'
  }

  /** Bodies, which are told in parts, do not count. */
  get unsettled(): number {
    if (this.#state === 'header' || this.#state === 'lost') return this.#headSize
    if (this.#type === FRAME.body) return 0
    return this.#type === 0 ? FRAME_HEADER_SIZE : this.#frameSize - this.#left
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (this.#isFirst && this.#options.witness !== undefined)
      this.#tellSignature(this.#options.witness, bytes, start, end)
    this.#isFirst = false
    let offset = start
    while (offset < end) {
      switch (this.#state) {
        case 'header':
          offset = this.#takeHeader(bytes, offset, end, at)
          break
        case 'payload':
          offset = this.#takePayload(bytes, offset, end)
          break
        case 'end':
          this.#takeEnd(bytes[offset++], offset, at)
          break
        case 'lost':
          offset = this.#search(bytes, offset, end, at)
      }
    }
    this.#seen.packet = at.packet
    this.#seen.timeNs = at.timeNs
  }

  gap(size: number, at: Evidence): void {
    let left = size
    if (this.#state === 'payload') {
      const inside = Math.min(left, this.#left)
      this.#argumentsCut = true
      if (this.#type === FRAME.body) this.#contents.get(this.#channel)?.gap()
      left -= inside
      this.#passed(inside)
    }
    if (left > 0 && this.#state === 'end') {
      left--
      this.#frameOver(at)
    }
    if (left <= 0) return
    this.#headSize = 0
    if (this.#state === 'lost') return
    this.#options.diagnostics.report('amqp.gap', 'warning', at, () => {
      return `${left} bytes that hold the header of an AMQP frame were not captured; messages may be missing`
    })
    this.#lose(at)
  }

  end(_at: Evidence): void {
    this.#lose(this.#seen)
  }

  /** In sync. Gives the new offset, as the others below. */
  #takeHeader(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    if (this.#headSize === 0) this.#frameFirst = keep(at)
    const stop = Math.min(end, start + FRAME_HEADER_SIZE - this.#headSize)
    this.#head.set(bytes.subarray(start, stop), this.#headSize)
    this.#headSize += stop - start
    if (this.#headSize < FRAME_HEADER_SIZE) return stop
    if (this.#isProtocolHeader()) this.#beginProtocolHeader()
    else if (this.#headIsSane()) this.#beginFrame(stop)
    else this.#loseSync(at)
    return stop
  }

  /** Without its last byte, the protocol header is as long as a frame's. */
  #isProtocolHeader(): boolean {
    for (let i = 0; i < FRAME_HEADER_SIZE; i++) if (this.#head[i] !== PROTOCOL_HEADER[i]) return false
    return true
  }

  #beginProtocolHeader(): void {
    this.#headSize = 0
    this.#type = 0
    this.#state = 'end'
  }

  #headIsSane(): boolean {
    return isFrameType(this.#head[0]) && u32be(this.#head, 3) <= AMQP_FRAME_MAX
  }

  /** @param index where the header ends among the bytes being pushed */
  #beginFrame(index: number): void {
    this.#options.witness?.element('plain', this.#head, 0, FRAME_HEADER_SIZE, index)
    this.#type = this.#head[0] as number // in range
    this.#channel = u16be(this.#head, 1)
    this.#frameSize = u32be(this.#head, 3)
    this.#left = this.#frameSize
    this.#headSize = 0
    this.#argumentsKept = 0
    this.#argumentsCut = false
    this.#state = this.#left > 0 ? 'payload' : 'end'
  }

  #takePayload(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left)
    if (this.#type === FRAME.body) this.#takeBody(bytes, start, stop)
    else if (this.#type !== FRAME.heartbeat) this.#keepArguments(bytes, start, stop)
    this.#passed(stop - start)
    return stop
  }

  #takeBody(bytes: Uint8Array, start: number, end: number): void {
    const content = this.#contents.get(this.#channel)
    if (content === undefined) return
    content.push(bytes, start, end)
    this.#options.witness?.part(this.#channel, start, end)
  }

  #passed(size: number): void {
    this.#left -= size
    if (this.#left === 0) this.#state = 'end'
  }

  #keepArguments(bytes: Uint8Array, start: number, end: number): void {
    if (this.#argumentsCut) return
    this.#arguments ??= new Uint8Array(ARGUMENTS_SIZE)
    let offset = start
    while (offset < end) {
      const room = this.#argumentsWanted() - this.#argumentsKept
      if (room <= 0) return
      const stop = Math.min(end, offset + room)
      this.#arguments.set(bytes.subarray(offset, stop), this.#argumentsKept)
      this.#argumentsKept += stop - offset
      offset = stop
    }
  }

  /** Class and method tell whether more is needed. */
  #argumentsWanted(): number {
    if (this.#type === FRAME.method && this.#argumentsKept < METHOD_SIZE) return METHOD_SIZE
    return this.#type === FRAME.method && !argumentsMatter(this.#method()) ? METHOD_SIZE : ARGUMENTS_SIZE
  }

  /** @param index behind the octet, among the bytes being pushed */
  #takeEnd(octet: number | undefined, index: number, at: Evidence): void {
    const isProtocolHeader = this.#type === 0
    if (octet === (isProtocolHeader ? PROTOCOL_HEADER[FRAME_HEADER_SIZE] : FRAME_END)) {
      if (this.#options.witness !== undefined) this.#tell(this.#options.witness, index)
      this.#frameOver(at)
    } else this.#loseSync(at)
  }

  /** What a connection is recognised by in the middle may be a frame that is of no further interest. */
  #tellSignature(witness: Witness, bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== 'lost' || looksLikeAmqp(bytes, start, end) !== true) return
    const size = bytes[start] === FRAME.method ? METHOD_START_SIZE : FRAME_HEADER_SIZE
    const octet = start + FRAME_HEADER_SIZE + u32be(bytes, start + 3)
    if (start + size <= end) witness.element('plain', bytes, start, start + size, start + size)
    if (octet < end) witness.element('plain', bytes, octet, octet + 1, octet + 1)
  }

  /** A frame is over: its end, and its arguments. */
  #tell(witness: Witness, index: number): void {
    if (this.#type === 0) {
      witness.element('plain', PROTOCOL_HEADER, 0, PROTOCOL_HEADER.length, index)
      return
    }
    witness.element('plain', END_OCTET, 0, 1, index)
    const kept = this.#type === FRAME.body || this.#type === FRAME.heartbeat ? 0 : this.#argumentsKept
    if (this.#arguments === null || kept === 0) return
    const kind = this.#type === FRAME.method ? 'amqp.method' : 'amqp.content-header'
    witness.element(kind, this.#arguments, 0, kept, index - 1 - this.#frameSize + kept)
  }

  #frameOver(at: Evidence): void {
    this.#state = 'header'
    switch (this.#type) {
      case FRAME.method:
        if (this.#argumentsKept >= METHOD_SIZE) this.#methodOver(at)
        break
      case FRAME.header:
        this.#contentHeaderOver(at)
        break
      case FRAME.body:
        this.#bodyFrameOver(at)
    }
  }

  #method(): number {
    return this.#arguments === null ? 0 : u32be(this.#arguments, 0)
  }

  #methodOver(at: Evidence): void {
    const method = this.#method()
    const count = this.methods.get(method)
    if (count !== undefined || this.methods.size < METHODS_MAX) this.methods.set(method, (count ?? 0) + 1)
    // A new method ends what went before on its channel, whole or not.
    this.#finish(this.#channel, at)
    const args = new ArgumentReader(this.#arguments ?? new Uint8Array(0), METHOD_SIZE, this.#argumentsKept)
    switch (method) {
      case METHOD.publish:
        args.u16()
        this.#beginContent('publish', args.shortString(), args.shortString())
        break
      case METHOD.deliver:
        args.shortString()
        args.u64()
        args.u8()
        this.#beginContent('deliver', args.shortString(), args.shortString())
        break
      case METHOD.getOk:
        args.u64()
        args.u8()
        this.#beginContent('get', args.shortString(), args.shortString())
        break
      case METHOD.return:
        args.u16()
        args.shortString()
        this.#beginContent('return', args.shortString(), args.shortString())
        break
      case METHOD.ack:
      case METHOD.nack:
        this.#confirm(args, method === METHOD.ack, at)
        break
      case METHOD.connectionClose:
        this.#close('connection', args, at)
        break
      case METHOD.channelClose:
        this.#close('channel', args, at)
    }
  }

  #beginContent(kind: AmqpMessage['kind'], exchange: string | null, routingKey: string | null): void {
    if (this.#contents.size >= AMQP_CHANNELS_MAX) return
    const content = new Content(kind, this.#frameFirst, exchange, routingKey, this.#options.bodies)
    this.#contents.set(this.#channel, content)
  }

  #contentHeaderOver(at: Evidence): void {
    const content = this.#contents.get(this.#channel)
    if (content === undefined || this.#arguments === null || this.#argumentsKept < 12) return
    content.size = u64be(this.#arguments, 4)
    if (content.whole) this.#finish(this.#channel, at)
  }

  #bodyFrameOver(at: Evidence): void {
    const content = this.#contents.get(this.#channel)
    if (content === undefined) return
    content.received += this.#frameSize
    if (content.whole) this.#finish(this.#channel, at)
    else content.seenUntil = keep(at)
  }

  /** The message at hand on a channel is over, or no more of it will be seen. */
  #finish(channel: number, at: Evidence): void {
    const content = this.#contents.get(channel)
    if (content === undefined) return
    this.#contents.delete(channel)
    this.#checkLimit(content, at)
    this.#options.sink({
      type: 'amqp.message',
      connection: this.#options.connection,
      direction: this.#options.direction,
      first: content.first,
      last: content.whole ? keep(at) : (content.seenUntil ?? keep(at)),
      kind: content.kind,
      channel,
      exchange: content.exchange,
      routingKey: content.routingKey,
      size: content.size,
      complete: content.whole,
      rpc: content.read(),
    })
    this.#options.witness?.whole(channel, content.body.bytes, content.body.kept)
    content.release()
  }

  #checkLimit(content: Content, at: Evidence): void {
    if (content.stop !== 'limit' && content.stop !== 'budget') return
    this.#options.diagnostics.report('amqp.body-limit', 'warning', at, () => {
      return `only the start of an AMQP message of ${content.size ?? 'unknown'} bytes was read`
    })
  }

  /** From the broker, an acknowledgement tells a publisher; from the client, it is a consumer's. */
  #confirm(args: ArgumentReader, ok: boolean, at: Evidence): void {
    if (this.#options.direction === 'to-server') return
    const deliveryTag = args.u64()
    const bits = args.u8()
    if (deliveryTag === null || bits === null) return
    this.#options.sink({
      type: 'amqp.confirm',
      connection: this.#options.connection,
      direction: this.#options.direction,
      first: this.#frameFirst,
      last: keep(at),
      channel: this.#channel,
      deliveryTag,
      multiple: (bits & 1) !== 0,
      ok,
    })
  }

  #close(scope: 'connection' | 'channel', args: ArgumentReader, at: Evidence): void {
    const code = args.u16()
    const text = args.shortString()
    this.#options.sink({
      type: 'amqp.close',
      connection: this.#options.connection,
      direction: this.#options.direction,
      first: this.#frameFirst,
      last: keep(at),
      scope,
      channel: this.#channel,
      code,
      text: text === null ? null : withoutSecrets(text, SERVICE_TEXT_MAX),
    })
  }

  #loseSync(at: Evidence): void {
    this.#options.diagnostics.report('amqp.frame', 'error', at, () => {
      return 'no AMQP frame where one was expected, or one without its end octet: messages may be missing'
    })
    this.#lose(at)
  }

  /** What is known of the messages at hand is raised; from here on the start of one is searched for. */
  #lose(at: Evidence): void {
    for (const channel of [...this.#contents.keys()]) this.#finish(channel, at)
    this.#state = 'lost'
    this.#headSize = 0
    this.#headAt = []
  }

  /** Without sync: looks for the start of a message in place, and keeps what may be one for the next bytes. */
  #search(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    if (this.#headSize > 0) return this.#searchKept(bytes, start, at)
    for (let offset = start; offset < end; offset++) {
      const verdict = startsMessage(bytes, offset, end)
      if (verdict === false) continue
      if (verdict === true) {
        this.#state = 'header'
        return this.#takeHeader(bytes, offset, end, at)
      }
      this.#head.set(bytes.subarray(offset, end))
      this.#headSize = end - offset
      this.#headAt = new Array<Evidence>(this.#headSize).fill(keep(at))
      return end
    }
    return end
  }

  /** Decides about the kept bytes and one more. */
  #searchKept(bytes: Uint8Array, start: number, at: Evidence): number {
    this.#head[this.#headSize++] = bytes[start] as number // in range
    this.#headAt.push(keep(at))
    while (this.#headSize > 0) {
      const verdict = startsMessage(this.#head, 0, this.#headSize)
      if (verdict === 'more') break
      if (verdict) {
        this.#resume(start + 1)
        break
      }
      this.#head.copyWithin(0, 1)
      this.#headSize--
      this.#headAt.shift()
    }
    return start + 1
  }

  /** The kept bytes are a frame header, class and method. */
  #resume(index: number): void {
    this.#frameFirst = this.#headAt[0] ?? this.#frameFirst
    this.#headAt = []
    this.#beginFrame(index - METHOD_SIZE)
    this.#takePayload(this.#head, FRAME_HEADER_SIZE, METHOD_START_SIZE)
  }
}

function argumentsMatter(method: number): boolean {
  switch (method) {
    case METHOD.publish:
    case METHOD.deliver:
    case METHOD.getOk:
    case METHOD.return:
    case METHOD.ack:
    case METHOD.nack:
    case METHOD.connectionClose:
    case METHOD.channelClose:
      return true
    default:
      return false
  }
}
