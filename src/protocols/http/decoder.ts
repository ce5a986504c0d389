import type { BodyBudget } from '../../core/body-budget.ts'
import { text } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { HTTP_LINE_MAX } from '../../core/limits.ts'
import { Prefix } from '../../core/prefix.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { ElementKind, Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { Exchanges } from './exchanges.ts'
import {
  HEADER_NAME_MAX,
  headerMatters,
  type Message,
  type MessageContext,
  RequestMessage,
  ResponseMessage,
} from './message.ts'
import { StartSearch } from './search.ts'
import type { PrintSalt } from './token-print.ts'

export interface HttpDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly bodies: BodyBudget
  /** One per connection, the same in both directions. */
  readonly exchanges: Exchanges
  /** Random, the same for all decoders of a run. */
  readonly salt: PrintSalt
  /** The bytes start somewhere inside the connection: the first start line is searched for, without a
   *  diagnostic. */
  readonly midStream?: boolean
  readonly witness?: Witness
}

/** What the next byte belongs to. In `lost`, to nothing that is known; in `opaque`, to another protocol. */
type State =
  | 'start'
  | 'headers'
  | 'length'
  | 'chunk-size'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  | 'close'
  | 'opaque'
  | 'lost'

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a

/** What the lines are that are read in a state. */
const LINE_KIND: { readonly [state in State]?: ElementKind } = {
  start: 'http.start',
  headers: 'http.header',
  'chunk-size': 'http.chunk-size',
  'chunk-end': 'http.header',
  trailers: 'http.header',
}

const REQUEST_LINE = /^([A-Z]{1,20}) (\S+) HTTP\/1\.\d$/
const STATUS_LINE = /^HTTP\/1\.\d (\d{3})(?: |$)/
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/

/** HTTP/1.0 and 1.1, one direction of a connection. Raises one event for each message, when its last byte has
 *  passed, captured or not. Heads are read line by line, and of bodies only the start of those that matter is kept.
 *  @see RFC 9112 */
export class HttpDecoder implements StreamDecoder, Unsettled {
  readonly #context: MessageContext
  readonly #diagnostics: Diagnostics
  readonly #search: StartSearch
  readonly #witness: Witness | null
  #state: State
  #message: Message | null = null
  /** The head of the message at hand is over. */
  #paired = false
  /** The start line was found by search, and nothing has confirmed it yet. */
  #doubtful = false
  /** Messages may have been lost since the last one was paired. */
  #afterGap: boolean
  /** A line that was not whole yet, and its first packet. */
  #line: Prefix | null = null
  #lineFirst: Evidence | null = null
  /** Of the body, or of the chunk. */
  #left = 0
  /** The packet that was seen last. */
  readonly #seen = { packet: 0, timeNs: 0 }
  /** Bytes are missing in a body that ends with the connection. */
  #closeGap = false

  constructor(options: HttpDecoderOptions) {
    this.#context = options
    this.#diagnostics = options.diagnostics
    this.#witness = options.witness ?? null
    this.#search = new StartSearch(options.bodies, options.direction === 'to-server')
    this.#afterGap = options.midStream ?? false
    this.#state = this.#afterGap ? 'lost' : 'start'
  }

  /** Bodies, which are told in parts, do not count. */
  get unsettled(): number {
    return this.#state === 'lost' ? this.#search.held : (this.#line?.kept ?? 0)
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    let offset = start
    while (offset < end) offset = this.#take(bytes, offset, end, at)
    this.#seen.packet = at.packet
    this.#seen.timeNs = at.timeNs
  }

  gap(size: number, at: Evidence): void {
    let left = size
    if (left > 0 && (this.#state === 'length' || this.#state === 'chunk')) {
      const inside = Math.min(left, this.#left)
      this.#message?.bodyGap()
      left -= inside
      this.#passed(inside, at)
    }
    if (left <= 0 || this.#state === 'opaque') return
    if (this.#state === 'close') {
      this.#message?.bodyGap()
      this.#closeGap = true
      return
    }
    this.#search.reset()
    if (this.#state === 'lost') return
    this.#diagnostics.report('http.gap', 'warning', at, () => {
      return `${left} bytes that hold part of an HTTP head were not captured; messages may be missing`
    })
    this.#lose(at)
  }

  end(_at: Evidence): void {
    const { connection } = this.#context
    const closed = connection.firstFin !== null || connection.firstRst !== null
    const complete = this.#state === 'close' && closed && !this.#closeGap
    this.#finish(keep(this.#seen), complete)
    this.#dropLine()
    this.#search.reset()
    this.#state = 'opaque'
  }

  /** Takes what belongs together. Gives the new offset, as the others below. */
  #take(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    switch (this.#state) {
      case 'length':
      case 'chunk': {
        const stop = Math.min(end, start + this.#left)
        this.#takeBody(bytes, start, stop)
        this.#passed(stop - start, at)
        return stop
      }
      case 'close':
        this.#takeBody(bytes, start, end)
        return end
      case 'opaque':
        return end
      case 'lost':
        return this.#seek(bytes, start, end, at)
      default:
        return this.#takeLine(bytes, start, end, at)
    }
  }

  #takeBody(bytes: Uint8Array, start: number, end: number): void {
    this.#message?.body(bytes, start, end)
    if ((this.#message?.kept ?? null) !== null) this.#witness?.part(0, start, end)
  }

  /** `size` bytes of a body have passed. */
  #passed(size: number, at: Evidence): void {
    this.#left -= size
    if (this.#left > 0) return
    if (this.#state === 'chunk') this.#state = 'chunk-end'
    else this.#over(at)
  }

  #seek(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    if (this.#context.exchanges.opaque) return end
    const { offset, found } = this.#search.take(bytes, start, end, at)
    if (found !== null && this.#begin(found.line, found.first)) {
      this.#doubtful = true
      this.#witness?.element('http.start', found.bytes, 0, found.bytes.length, offset - 1)
    }
    return offset
  }

  /** A line is read in place when it is whole, else collected. */
  #takeLine(bytes: Uint8Array, start: number, end: number, at: Evidence): number {
    let stop = start
    while (stop < end && bytes[stop] !== LF) stop++
    const over = stop < end
    if (this.#line === null) {
      if (over && stop - start <= HTTP_LINE_MAX) {
        this.#endLine(bytes, start, stop, false, stop, at, at)
        return stop + 1
      }
      this.#line = new Prefix(this.#context.bodies, HTTP_LINE_MAX)
      this.#lineFirst = keep(at)
    }
    const line = this.#line
    // What never becomes a start line is not waited for.
    const room = this.#state === 'start' ? HTTP_LINE_MAX - line.kept : stop - start
    line.push(bytes, start, Math.min(stop, start + room))
    if (stop - start > room) {
      this.#broken(at, 'a start line')
      return start + room
    }
    if (!over) return stop
    this.#endLine(line.bytes, 0, line.kept, line.stop !== null, stop, this.#lineFirst ?? at, at)
    this.#dropLine()
    return stop + 1
  }

  #dropLine(): void {
    this.#line?.release()
    this.#line = null
    this.#lineFirst = null
  }

  /** A line is over: `bytes[start … stop)` without its LF.
   *  @param index where the LF is among the bytes being pushed */
  #endLine(
    bytes: Uint8Array,
    start: number,
    stop: number,
    cut: boolean,
    index: number,
    first: Evidence,
    at: Evidence,
  ): void {
    const end = stop > start && bytes[stop - 1] === CR ? stop - 1 : stop
    const kind = end === start ? 'http.header' : LINE_KIND[this.#state]
    this.#readLine(bytes, start, end, cut, first, at)
    // Of a line that is too long, only its end is told.
    const from = cut ? stop : start
    if (kind !== undefined && this.#state !== 'lost') this.#witness?.element(kind, bytes, from, stop, index)
  }

  #readLine(
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: boolean,
    first: Evidence,
    at: Evidence,
  ): void {
    switch (this.#state) {
      case 'start':
        // Empty lines before a message are tolerated. @see RFC 9112 section 2.2
        if (end === start) return
        if (this.#context.exchanges.opaque) this.#state = 'opaque'
        else if (!this.#begin(text(bytes, start, end), keep(first))) this.#broken(at, 'a start line')
        return
      case 'headers':
        if (end === start) this.#endHead(at)
        else if (!this.#header(bytes, start, end, cut)) this.#broken(at, 'a header line')
        return
      case 'chunk-size':
        if (!this.#beginChunk(text(bytes, start, end))) this.#broken(at, 'a chunk size')
        return
      case 'chunk-end':
        if (end === start) this.#state = 'chunk-size'
        else this.#broken(at, 'the end of a chunk')
        return
      case 'trailers':
        if (end === start) this.#over(at)
    }
  }

  #begin(line: string, first: Evidence): boolean {
    this.#message =
      this.#context.direction === 'to-server' ? this.#request(line, first) : this.#response(line, first)
    if (this.#message === null) return false
    this.#state = 'headers'
    this.#paired = false
    this.#doubtful = false
    return true
  }

  #request(line: string, first: Evidence): Message | null {
    const [, method, target] = REQUEST_LINE.exec(line) ?? []
    if (method === undefined || target === undefined) return null
    return new RequestMessage(this.#context, first, method, target)
  }

  #response(line: string, first: Evidence): Message | null {
    const status = Number(STATUS_LINE.exec(line)?.[1] ?? 0)
    return status < 100 ? null : new ResponseMessage(this.#context, first, status, this.#afterGap)
  }

  /** Returns false for what is no header line. */
  #header(bytes: Uint8Array, start: number, end: number, cut: boolean): boolean {
    const initial = bytes[start]
    // A folded line goes on with a header that nobody folds. @see RFC 9112 section 5.2
    if (initial === SPACE || initial === TAB) return true
    let colon = start
    while (colon < end && bytes[colon] !== COLON && isNameByte(bytes[colon])) colon++
    if (colon === end) return cut
    if (colon === start || bytes[colon] !== COLON) return false
    this.#doubtful = false
    if (colon - start > HEADER_NAME_MAX) return true
    const name = text(bytes, start, colon).toLowerCase()
    if (headerMatters(name)) this.#message?.header(name, cut ? null : text(bytes, colon + 1, end).trim())
    return true
  }

  #endHead(at: Evidence): void {
    const message = this.#message
    if (message === null) return
    const framing = message.headEnds()
    this.#paired = true
    this.#doubtful = false
    if (!isInterim(message)) this.#afterGap = false
    switch (framing.kind) {
      case 'length':
        this.#left = framing.size
        this.#state = 'length'
        if (framing.size === 0) this.#over(at)
        return
      case 'chunked':
        this.#state = 'chunk-size'
        return
      case 'close':
        this.#state = 'close'
        this.#closeGap = false
        return
      case 'opaque':
        this.#over(at)
        this.#state = 'opaque'
        return
      case 'unknown':
        this.#broken(at, 'a content length')
    }
  }

  #beginChunk(line: string): boolean {
    const digits = CHUNK_SIZE.exec(line)?.[1]
    if (digits === undefined) return false
    this.#left = Number.parseInt(digits, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return true
  }

  /** The message's last byte has passed. */
  #over(at: Evidence): void {
    this.#finish(keep(at), true)
    this.#state = 'start'
  }

  #finish(last: Evidence, complete: boolean): void {
    const message = this.#message
    this.#message = null
    if (message === null) return
    if (message.kept !== null) this.#witness?.whole(0, message.kept.bytes, message.kept.kept)
    if (message.bodyLimited) {
      this.#diagnostics.report('http.body-limit', 'warning', last, () => {
        return 'only the start of a long HTTP body was read'
      })
    }
    if (this.#doubtful) message.drop()
    else message.finish(last, complete, this.#paired)
  }

  #broken(at: Evidence, what: string): void {
    // A found start line that is none is no news.
    if (!this.#doubtful) {
      this.#diagnostics.report('http.message', 'warning', at, () => {
        return `an HTTP message does not have the form it should: ${what} was expected`
      })
    }
    this.#lose(at)
  }

  /** What is known of the message at hand is raised; from here on a start line is searched for. */
  #lose(at: Evidence): void {
    this.#finish(keep(at), false)
    this.#dropLine()
    this.#search.reset()
    this.#state = 'lost'
    this.#afterGap = true
  }
}

function isInterim(message: Message): boolean {
  return message instanceof ResponseMessage && message.interim
}

/** Roughly a token of RFC 9110: neither control, space nor beyond ASCII. */
function isNameByte(byte: number | undefined): boolean {
  return byte !== undefined && byte > SPACE && byte < 0x7f
}
