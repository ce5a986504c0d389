import type { BodyBudget } from '../../core/body-budget.ts'
import { u32be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { LIBVIRT_MESSAGE_MAX } from '../../core/limits.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { LibvirtStream } from '../../events/libvirt.ts'
import { Body } from './body.ts'
import { FIELD, HEADER_SIZE, PROTOCOL_VERSION } from './header.ts'
import { callMatters, type Reading, readCall, readError, readResult, resultMatters } from './messages.ts'
import { isTunnelPrepare, KEEPALIVE, MESSAGE_TYPE, PROGRAM, STATUS } from './procedures.ts'
import { isProgram, looksLikeLibvirt } from './signature.ts'

/** Types 4 and 5 start with a count of file descriptors; over TCP it is 0, but the word is there. */
const FD_COUNT_SIZE = 4

export interface LibvirtDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly bodies: BodyBudget
  /** Gets the memory stream of a tunnelled migration, which travels to the server inside stream messages:
   *  its payload, its gaps (bytes passed while sync was lost count as one), and its end. One stream of one
   *  connection: the first that is seen. */
  readonly stream: StreamDecoder | null
  /** The bytes start somewhere inside the connection: the first header is searched for, without a
   *  diagnostic. */
  readonly midStream?: boolean
  readonly witness?: Witness
}

/** What a message turned out to be. */
type Kind = 'call' | 'reply' | 'stream' | 'keepalive' | 'other'

/** libvirt RPC, one direction of a connection. Raises one event for each message, when its last byte has
 *  passed, captured or not. Bodies are kept only of messages that matter; all else is counted past.
 *  @see libvirt src/rpc/virnetprotocol.x, "RPC wire format" */
export class LibvirtDecoder implements StreamDecoder, Unsettled {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #sink: EventSink
  readonly #diagnostics: Diagnostics
  readonly #bodies: BodyBudget
  readonly #stream: StreamDecoder | null
  readonly #witness: Witness | null

  /** The header at hand, kept until its message is over, and the packet of each of its bytes. Without sync,
   *  bytes that may start one, and room for as many more as decide about them. */
  readonly #header = new Uint8Array(2 * HEADER_SIZE)
  readonly #headerAt: Evidence[] = []
  #bodyLeft = 0
  #inBody = false
  #body: Body | null = null

  /** Without sync: searching for a header that all its fields agree on. */
  #lost: boolean
  /** Bytes that passed since sync was lost, those in `#header` not included. */
  #skipped = 0

  /** Serial of the tunnelled stream; null before its first message. */
  #streamSerial: number | null = null
  #streamEnded = false
  /** The body at hand is payload of that stream. */
  #inStream = false

  constructor(options: LibvirtDecoderOptions) {
    this.#connection = options.connection
    this.#direction = options.direction
    this.#sink = options.sink
    this.#diagnostics = options.diagnostics
    this.#bodies = options.bodies
    this.#stream = options.stream
    this.#witness = options.witness ?? null
    this.#lost = options.midStream ?? false
  }

  get unsettled(): number {
    if (!this.#inBody) return this.#headerAt.length
    const size = u32be(this.#header, FIELD.length) - HEADER_SIZE
    return this.#body === null ? 0 : size - this.#bodyLeft
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    let offset = start
    while (offset < end) {
      if (this.#inBody) offset = this.#takeBody(bytes, offset, end, at)
      else if (this.#lost) offset = this.#search(bytes, offset, end, at)
      else offset = this.#takeHeader(bytes, offset, end, at)
    }
  }

  gap(size: number, at: Evidence): void {
    let left = size
    if (left > 0 && this.#inBody) {
      const inside = Math.min(left, this.#bodyLeft)
      if (this.#inStream) this.#stream?.gap(inside, at)
      this.#body?.gap()
      left -= inside
      this.#passed(inside, inside, at)
    }
    if (left <= 0) return
    if (!this.#lost) {
      this.#lost = true
      this.#diagnostics.report('libvirt.gap', 'warning', at, () => {
        return `${left} bytes that hold the header of a libvirt message were not captured; messages may be missing`
      })
    }
    this.#skipped += this.#headerAt.length + left
    this.#headerAt.length = 0
  }

  end(at: Evidence): void {
    if (this.#inBody) {
      const left = this.#bodyLeft
      this.#diagnostics.report('libvirt.unfinished', 'info', at, () => {
        return `the connection ended ${left} bytes before the end of a libvirt message`
      })
    }
    this.#dropBody()
    this.#inBody = false
    this.#skipped += this.#headerAt.length
    this.#headerAt.length = 0
    this.#creditSkipped(at)
    this.#endStream(at)
  }

  /** In sync: fills the header. Gives the new offset, as the others below. */
  #takeHeader(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    const size = Math.min(HEADER_SIZE - this.#headerAt.length, end - start)
    this.#appendHeader(bytes, start, start + size, at)
    if (this.#headerAt.length === HEADER_SIZE) {
      if (this.#headerIsSane()) this.#begin(start + size, at)
      else this.#loseSync()
    }
    return start + size
  }

  #headerIsSane(): boolean {
    const length = u32be(this.#header, FIELD.length)
    return (
      length >= HEADER_SIZE && length <= LIBVIRT_MESSAGE_MAX && isProgram(u32be(this.#header, FIELD.program))
    )
  }

  #loseSync(): void {
    this.#diagnostics.report('libvirt.header', 'error', this.#firstAt(), () => {
      const length = u32be(this.#header, FIELD.length)
      const program = u32be(this.#header, FIELD.program).toString(16)
      return `no libvirt message header: length ${length} (28 … ${LIBVIRT_MESSAGE_MAX} expected), program 0x${program}`
    })
    this.#lost = true
    this.#dropFirst()
    this.#dropUntilPossible(this.#headerAt.length)
  }

  /** Without sync: looks for a header in place, and keeps a possible start of one for the next bytes. */
  #search(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    if (this.#headerAt.length > 0) return this.#searchKept(bytes, start, end, at)
    for (let offset = start; offset < end; offset++) {
      const verdict = looksLikeLibvirt(bytes, offset, end)
      if (verdict === false) continue
      this.#skipped += offset - start
      if (verdict === 'more') {
        this.#appendHeader(bytes, offset, end, at)
        return end
      }
      this.#appendHeader(bytes, offset, offset + HEADER_SIZE, at)
      this.#resume(offset + HEADER_SIZE, at)
      return offset + HEADER_SIZE
    }
    this.#skipped += end - start
    return end
  }

  /** Decides about the bytes that were kept, with as many new ones as that may need; new ones that are not
   *  part of a header stay unread, so that most of them are searched in place. */
  #searchKept(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    const kept = this.#headerAt.length
    const taken = Math.min(HEADER_SIZE, end - start)
    this.#appendHeader(bytes, start, start + taken, at)
    const verdict = this.#dropUntilPossible(kept)
    if (verdict === 'more') return start + taken
    const unread = this.#headerAt.length - (verdict ? HEADER_SIZE : 0)
    this.#headerAt.length -= unread
    if (verdict) this.#resume(start + taken - unread, at)
    return start + taken - unread
  }

  /** Drops up to `most` bytes from the front of the kept ones, until they may start a header. */
  #dropUntilPossible(most: number): boolean | 'more' {
    for (let dropped = 0; dropped < most; dropped++) {
      const verdict = looksLikeLibvirt(this.#header, 0, this.#headerAt.length)
      if (verdict !== false) return verdict
      this.#dropFirst()
    }
    return false
  }

  #resume(index: number, at: Evidence): void {
    this.#lost = false
    this.#begin(index, at)
  }

  #appendHeader(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    const kept = keep(at)
    for (let i = start; i < end; i++) {
      this.#header[this.#headerAt.length] = bytes[i] as number
      this.#headerAt.push(kept)
    }
  }

  #dropFirst(): void {
    this.#header.copyWithin(0, 1)
    this.#headerAt.shift()
    this.#skipped++
  }

  /** The header is whole: decides what its body is for.
   *  @param index where the header ends among the bytes being pushed */
  #begin(index: number, at: Evidence): void {
    const kind = this.#kind()
    this.#bodyLeft = u32be(this.#header, FIELD.length) - HEADER_SIZE
    this.#inBody = true
    this.#inStream = kind === 'stream' && this.#isTunnelPayload()
    this.#creditSkipped(at)
    this.#witness?.element('libvirt.header', this.#header, 0, HEADER_SIZE, index)
    if (this.#bodyMatters(kind)) this.#body = new Body(this.#bodies, this.#bodyLeft)
    if (this.#bodyLeft === 0) this.#passed(0, index, at)
  }

  /** Whether the body is payload of the stream that is passed on. */
  #isTunnelPayload(): boolean {
    if (this.#stream === null || this.#direction !== 'to-server') return false
    if (!isTunnelPrepare(this.#procedure()) || this.#status() !== STATUS.continue) return false
    const serial = this.#serial()
    this.#streamSerial ??= serial
    if (serial === this.#streamSerial) return !this.#streamEnded
    this.#diagnostics.report('libvirt.second-stream', 'warning', this.#firstAt(), () => {
      return `a second tunnelled stream in one connection (serial ${serial}) is counted, but not read`
    })
    return false
  }

  #takeBody(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    const stop = Math.min(end, start + this.#bodyLeft)
    if (this.#inStream) this.#stream?.push(bytes, start, stop, at)
    else this.#body?.push(bytes, start, stop)
    this.#passed(stop - start, stop, at)
    return stop
  }

  /** `size` bytes of the body have passed.
   *  @param index where they end among the bytes being pushed, or in the gap */
  #passed(size: number, index: number, at: Evidence): void {
    this.#bodyLeft -= size
    if (this.#bodyLeft > 0) return
    this.#raise(keep(at))
    if (this.#body !== null && this.#witness !== null) this.#tell(this.#witness, this.#body, index)
    this.#dropBody()
    this.#inBody = false
    this.#headerAt.length = 0
  }

  /** @param index where the body ends */
  #tell(witness: Witness, body: Body, index: number): void {
    witness.element('libvirt.body', body.bytes, 0, body.kept, index - body.size + body.kept)
    if (body.stop !== null) witness.element('libvirt.tail', body.tail, 0, body.tail.length, index)
  }

  #dropBody(): void {
    this.#body?.release()
    this.#body = null
  }

  #kind(): Kind {
    const type = u32be(this.#header, FIELD.type)
    const program = u32be(this.#header, FIELD.program)
    if (u32be(this.#header, FIELD.version) !== PROTOCOL_VERSION) return 'other'
    if (program === PROGRAM.keepalive) {
      const known = this.#procedure() === KEEPALIVE.ping || this.#procedure() === KEEPALIVE.pong
      return known && type === MESSAGE_TYPE.message ? 'keepalive' : 'other'
    }
    // The procedures of another program have other meanings under the same numbers.
    if (program !== PROGRAM.remote) return 'other'
    switch (type) {
      case MESSAGE_TYPE.call:
      case MESSAGE_TYPE.callWithFds:
        return 'call'
      case MESSAGE_TYPE.reply:
      case MESSAGE_TYPE.replyWithFds:
        return 'reply'
      case MESSAGE_TYPE.stream:
        return this.#status() <= STATUS.continue ? 'stream' : 'other'
      default:
        return 'other'
    }
  }

  #bodyMatters(kind: Kind): boolean {
    switch (kind) {
      case 'call':
        return callMatters(this.#procedure())
      case 'reply':
        return this.#status() !== STATUS.ok || resultMatters(this.#procedure())
      case 'stream':
        return this.#status() === STATUS.error
      default:
        return false
    }
  }

  #raise(last: Evidence): void {
    switch (this.#kind()) {
      case 'call':
        this.#raiseCall(last)
        break
      case 'reply':
        this.#raiseReply(last)
        break
      case 'stream':
        this.#raiseStream(last)
        break
      case 'keepalive':
        this.#raiseKeepalive(last)
        break
      case 'other':
        this.#raiseOther(last)
        break
    }
  }

  #raiseCall(last: Evidence): void {
    const body = this.#body
    const procedure = this.#procedure()
    const reading = body === null ? null : readCall(procedure, body, this.#fdCountSize())
    this.#checkReading(reading, last)
    this.#sink({
      type: 'libvirt.call',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstAt(),
      last,
      program: u32be(this.#header, FIELD.program),
      procedure,
      serial: this.#serial(),
      size: u32be(this.#header, FIELD.length),
      arguments: reading?.value ?? null,
    })
  }

  #raiseReply(last: Evidence): void {
    const body = this.#body
    const procedure = this.#procedure()
    const ok = this.#status() === STATUS.ok
    const result = ok && body !== null ? readResult(procedure, body, this.#fdCountSize()) : null
    const error = !ok && body !== null ? readError(body, this.#fdCountSize()) : null
    this.#checkReading(result ?? error, last)
    this.#sink({
      type: 'libvirt.reply',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstAt(),
      last,
      program: u32be(this.#header, FIELD.program),
      procedure,
      serial: this.#serial(),
      size: u32be(this.#header, FIELD.length),
      ok,
      error: error?.value ?? null,
      result: result?.value ?? null,
    })
  }

  #raiseStream(last: Evidence): void {
    const size = u32be(this.#header, FIELD.length) - HEADER_SIZE
    const status = streamStatus(this.#status())
    // A client aborts without saying why.
    const error = this.#body !== null && size > 0 ? readError(this.#body, 0) : null
    this.#checkReading(error, last)
    this.#sink({
      type: 'libvirt.stream',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstAt(),
      last,
      procedure: this.#procedure(),
      serial: this.#serial(),
      status,
      size,
      error: error?.value ?? null,
    })
    if (status !== 'data' && this.#serial() === this.#streamSerial) this.#endStream(last)
  }

  #raiseKeepalive(last: Evidence): void {
    this.#sink({
      type: 'libvirt.keepalive',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstAt(),
      last,
      ping: this.#procedure() === KEEPALIVE.ping,
    })
  }

  #raiseOther(last: Evidence): void {
    this.#sink({
      type: 'libvirt.other',
      connection: this.#connection,
      direction: this.#direction,
      first: this.#firstAt(),
      last,
      program: u32be(this.#header, FIELD.program),
      procedure: this.#procedure(),
      messageType: u32be(this.#header, FIELD.type),
    })
  }

  /** A body that was captured must parse; one that the decoder itself stopped keeping is a limit. */
  #checkReading(reading: Reading<unknown> | null, at: Evidence): void {
    const body = this.#body
    if (body === null || reading === null) return
    const procedure = this.#procedure()
    if (body.stop === 'limit' || body.stop === 'budget') {
      this.#diagnostics.report('libvirt.body-limit', 'warning', at, () => {
        return `only ${body.kept} of the ${body.size} bytes of a message of procedure ${procedure} were read`
      })
    } else if (body.stop === null && !reading.ok) {
      this.#diagnostics.report('libvirt.body', 'warning', at, () => {
        return `the ${body.size} bytes of a message of procedure ${procedure} do not have the form they should`
      })
    }
  }

  /** Tells the inner stream that what passed without sync was, but for some headers, its own. */
  #creditSkipped(at: Evidence): void {
    const active = this.#streamSerial !== null && !this.#streamEnded
    if (active && this.#skipped > 0) this.#stream?.gap(this.#skipped, at)
    this.#skipped = 0
  }

  #endStream(at: Evidence): void {
    if (this.#streamEnded) return
    this.#streamEnded = true
    this.#stream?.end(at)
  }

  #firstAt(): Evidence {
    return this.#headerAt[0] as Evidence // a message has begun: its header is there
  }

  #procedure(): number {
    return u32be(this.#header, FIELD.procedure)
  }

  #serial(): number {
    return u32be(this.#header, FIELD.serial)
  }

  #status(): number {
    return u32be(this.#header, FIELD.status)
  }

  #fdCountSize(): number {
    const type = u32be(this.#header, FIELD.type)
    return type === MESSAGE_TYPE.callWithFds || type === MESSAGE_TYPE.replyWithFds ? FD_COUNT_SIZE : 0
  }
}

function streamStatus(status: number): LibvirtStream['status'] {
  if (status === STATUS.continue) return 'data'
  return status === STATUS.ok ? 'finish' : 'abort'
}
