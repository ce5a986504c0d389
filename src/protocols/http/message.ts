import type { BodyBudget } from '../../core/body-budget.ts'
import { text } from '../../core/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import { parseJson, parseJsonPrefix } from '../../core/json.ts'
import { HTTP_BODY_MAX } from '../../core/limits.ts'
import { Prefix } from '../../core/prefix.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { Exchange, Exchanges } from './exchanges.ts'
import {
  errorMessage,
  publicPath,
  requestBodyMatters,
  responseBodyMatters,
  routeOf,
  serverFacts,
  serviceOf,
  tokenInRequest,
  tokenInResponse,
  tokenUser,
} from './openstack.ts'
import { type PrintSalt, tokenPrint } from './token-print.ts'

/** What the messages of one direction have in common. */
export interface MessageContext {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly bodies: BodyBudget
  readonly exchanges: Exchanges
  readonly salt: PrintSalt
}

/** How far a body goes. `opaque`: what follows is no HTTP. */
export type Framing =
  | { readonly kind: 'length'; readonly size: number }
  | { readonly kind: 'chunked' | 'close' | 'opaque' | 'unknown' }

const NO_BODY: Framing = { kind: 'length', size: 0 }

/** The headers that are read; all others are skipped unread. Names in lower case. */
const HEADERS: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'x-auth-token',
  'x-subject-token',
  'x-openstack-request-id',
  'x-compute-request-id',
])

/** No header name that is read is longer. */
export const HEADER_NAME_MAX = 22

export function headerMatters(name: string): boolean {
  return HEADERS.has(name)
}

const REQUEST_ID = /^req-[0-9a-f-]{36}$/

/** One message, from its start line to its event. */
export abstract class Message {
  readonly first: Evidence
  protected readonly context: MessageContext
  #body: Prefix | null = null
  #contentLength: number | 'bad' | null = null
  #chunked = false
  #requestId: string | null = null
  #computeRequestId: string | null = null
  /** Fingerprint of the token in the header that counts. */
  protected print: string | null = null

  constructor(context: MessageContext, first: Evidence) {
    this.context = context
    this.first = first
  }

  /** Whether the token header of this kind of message has that name. */
  protected abstract readonly tokenHeader: string
  /** The head is over, or what was captured of it: pairs the message. */
  protected abstract pair(): void
  protected abstract framing(): Framing
  protected abstract bodyMatters(): boolean
  /** Raises the event. */
  protected abstract report(body: unknown, last: Evidence, complete: boolean): void

  /** @param value null when the line was too long */
  header(name: string, value: string | null): void {
    switch (name) {
      case 'content-length':
        this.#readLength(value)
        break
      case 'transfer-encoding':
        if (value !== null && /(^|[ ,])chunked$/i.test(value)) this.#chunked = true
        break
      case 'x-openstack-request-id':
        if (value !== null && REQUEST_ID.test(value)) this.#requestId = value
        break
      case 'x-compute-request-id':
        if (value !== null && REQUEST_ID.test(value)) this.#computeRequestId = value
        break
      case this.tokenHeader:
        if (value !== null && value !== '') this.print = tokenPrint(value, this.context.salt)
    }
  }

  /** The head is whole. */
  headEnds(): Framing {
    this.pair()
    const framing = this.framing()
    const empty = framing.kind === 'length' && framing.size === 0
    if (!empty && this.bodyMatters()) this.#body = new Prefix(this.context.bodies, HTTP_BODY_MAX)
    return framing
  }

  body(bytes: Uint8Array, start: number, end: number): void {
    this.#body?.push(bytes, start, end)
  }

  bodyGap(): void {
    this.#body?.gap()
  }

  /** The start of the body; null when it is not read. */
  get kept(): Prefix | null {
    return this.#body
  }

  /** The body's start was kept, but not all of it, and not for a gap. */
  get bodyLimited(): boolean {
    const stop = this.#body?.stop ?? null
    return stop === 'limit' || stop === 'budget'
  }

  /** @param paired the head was whole */
  finish(last: Evidence, complete: boolean, paired: boolean): void {
    if (!paired) this.pair()
    const body = this.#body === null ? undefined : readBody(this.#body, complete)
    this.#body?.release()
    this.#body = null
    this.report(body, last, complete)
  }

  /** The message turned out to be none. */
  drop(): void {
    this.#body?.release()
    this.#body = null
  }

  protected get requestId(): string | null {
    return this.#requestId ?? this.#computeRequestId
  }

  /** @see RFC 9112 section 6.3 */
  protected bodyFraming(otherwise: Framing): Framing {
    if (this.#chunked) return { kind: 'chunked' }
    if (this.#contentLength === 'bad') return { kind: 'unknown' }
    return this.#contentLength === null ? otherwise : { kind: 'length', size: this.#contentLength }
  }

  #readLength(value: string | null): void {
    const size = value !== null && /^\d{1,15}$/.test(value) ? Number(value) : 'bad'
    this.#contentLength = this.#contentLength === null || this.#contentLength === size ? size : 'bad'
  }
}

export class RequestMessage extends Message {
  protected override readonly tokenHeader = 'x-auth-token'
  readonly #method: string
  readonly #target: string
  #exchange: Exchange | null = null

  constructor(context: MessageContext, first: Evidence, method: string, target: string) {
    super(context, first)
    this.#method = method
    this.#target = target
  }

  protected override pair(): void {
    const route = routeOf(this.#method, this.#target)
    this.#exchange = this.context.exchanges.request(this.#method, route, this.first)
  }

  protected override framing(): Framing {
    return this.bodyFraming(NO_BODY)
  }

  protected override bodyMatters(): boolean {
    return this.#exchange?.route ? requestBodyMatters(this.#exchange.route) : false
  }

  protected override report(body: unknown, last: Evidence, complete: boolean): void {
    const exchange = this.#exchange
    if (exchange === null || exchange.route === null) return
    const service = serviceOf(exchange.route, body)
    const token = service.kind === 'keystone.token' ? tokenInRequest(body) : null
    exchange.service = service
    this.context.sink({
      type: 'http.request',
      connection: this.context.connection,
      direction: this.context.direction,
      first: this.first,
      last,
      exchange: exchange.number,
      method: this.#method,
      path: publicPath(this.#target),
      tokenPrint: this.print ?? (token === null ? null : tokenPrint(token, this.context.salt)),
      requestId: this.requestId,
      service,
      complete,
    })
  }
}

export class ResponseMessage extends Message {
  protected override readonly tokenHeader = 'x-subject-token'
  readonly #status: number
  readonly #afterGap: boolean
  #exchange: Exchange | null = null

  /** @param afterGap responses may have been lost before this one */
  constructor(context: MessageContext, first: Evidence, status: number, afterGap: boolean) {
    super(context, first)
    this.#status = status
    this.#afterGap = afterGap
  }

  /** 1xx: the response to the request is still to come. 101 is the last that HTTP says. */
  get interim(): boolean {
    return this.#status < 200 && this.#status !== 101
  }

  protected override pair(): void {
    if (!this.interim) this.#exchange = this.context.exchanges.response(this.first, this.#afterGap)
  }

  protected override framing(): Framing {
    const status = this.#status
    const method = this.#exchange?.method ?? null
    if (status === 101 || (method === 'CONNECT' && status < 300)) {
      this.context.exchanges.opaque = true
      return { kind: 'opaque' }
    }
    if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return NO_BODY
    return this.bodyFraming({ kind: 'close' })
  }

  protected override bodyMatters(): boolean {
    return responseBodyMatters(this.#exchange?.route ?? null, this.#status)
  }

  protected override report(body: unknown, last: Evidence, complete: boolean): void {
    const exchange = this.#exchange
    if (exchange === null) return
    const token = tokenInResponse(body)
    this.context.sink({
      type: 'http.response',
      connection: this.context.connection,
      direction: this.context.direction,
      first: this.first,
      last,
      exchange: exchange.number,
      status: this.#status,
      requestId: this.requestId,
      service: exchange.service,
      userName: tokenUser(body),
      tokenPrint: this.print ?? (token === null ? null : tokenPrint(token, this.context.salt)),
      server: serverFacts(body),
      error: this.#status >= 400 ? errorMessage(body) : null,
      complete,
    })
  }
}

/** The value of a JSON body, or of its start; undefined for anything else. */
function readBody(body: Prefix, whole: boolean): unknown {
  const json = text(body.bytes, 0, body.kept)
  return whole && body.stop === null ? parseJson(json) : parseJsonPrefix(json)
}
