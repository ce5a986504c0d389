import { BoundedMap } from '../../core/bounded-map.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { NBD_READS_MAX } from '../../core/limits.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import type { NbdRequests, NbdUnread } from '../../events/nbd.ts'
import { COMMAND, REQUEST } from './format.ts'

/** The packets with the first and with the last byte of something; lent, like all evidence. */
export interface Span {
  readonly first: Evidence
  readonly last: Evidence
}

/** What one direction was like, once it is over. */
export interface DirectionEnd {
  /** First and last packet with bytes; null when there were none. */
  readonly span: Span | null
  /** Read or counted to the last byte, which was that of a message. */
  readonly whole: boolean
  /** Bytes that were part of no message. */
  readonly unreadBytes: number
}

/** What the two directions of an NBD connection tell together; raises its events. */
export class NbdConversation {
  readonly #connection: Connection
  readonly #sink: EventSink
  #export: { readonly name: string; readonly first: Evidence; readonly last: Evidence } | null = null
  #sizeBytes: number | null = null
  #exportTold = false
  /** Bytes of READ requests by cookie, until their reply. */
  readonly #openReads = new BoundedMap<number, number>(NBD_READS_MAX)

  readonly #writes = new Counter()
  readonly #writeZeroes = new Counter()
  readonly #reads = new Counter()
  readonly #trims = new Counter()
  #flushes = 0
  #blockStatuses = 0
  #others = 0
  #disconnected = false
  /** Requests that want a reply, and replies that were read to their end. */
  #questions = 0
  #answers = 0
  #headSize: number = REQUEST.size
  #errors = 0
  #firstWrite: Evidence | null = null
  #lastWrite: Evidence | null = null

  readonly #ends: { [direction in Direction]: DirectionEnd | null } = { 'to-server': null, 'to-client': null }
  #encrypted = false

  constructor(options: { readonly connection: Connection; readonly sink: EventSink }) {
    this.#connection = options.connection
    this.#sink = options.sink
  }

  greeted({ first, last }: Span): void {
    this.#sink({
      type: 'nbd.greeting',
      connection: this.#connection,
      direction: 'to-client',
      first: keep(first),
      last: keep(last),
    })
  }

  /** The client asks for an export. */
  named(name: string, { first, last }: Span): void {
    this.#export = { name, first: keep(first), last: keep(last) }
  }

  /** The server tells the size of the export that was asked for. */
  sized(sizeBytes: number, { last }: Span): void {
    this.#sizeBytes = sizeBytes
    this.#tellExport(keep(last))
  }

  /** A request begins: what its reply will look like. */
  asked(command: number, cookie: number, length: number, headSize: number): void {
    this.#headSize = headSize
    if (command === COMMAND.read) this.#openReads.set(cookie, length)
    else this.#openReads.delete(cookie)
  }

  /** A request has passed, with its payload. */
  requested(command: number, length: number, span: Span): void {
    this.#tellExport(null)
    if (command !== COMMAND.disconnect) this.#questions++
    switch (command) {
      case COMMAND.write:
        this.#writes.add(length)
        this.#wrote(span)
        return
      case COMMAND.writeZeroes:
        this.#writeZeroes.add(length)
        this.#wrote(span)
        return
      case COMMAND.read:
        this.#reads.add(length)
        return
      case COMMAND.trim:
        this.#trims.add(length)
        return
      case COMMAND.flush:
        this.#flushes++
        return
      case COMMAND.blockStatus:
        this.#blockStatuses++
        return
      case COMMAND.disconnect:
        this.#disconnected = true
        return
      default:
        this.#others++
    }
  }

  /** A simple reply, which does not say how many bytes follow.
   *  @returns how many do */
  replied(cookie: number, error: number): number {
    this.#answers++
    const length = this.#openReads.get(cookie) ?? 0
    this.#openReads.delete(cookie)
    if (error === 0) return length
    this.#errors++
    return 0
  }

  /** A chunk of a structured reply. */
  repliedInPart(isError: boolean, isLast: boolean): void {
    if (isError) this.#errors++
    if (isLast) this.#answers++
  }

  /** The rest is TLS. */
  encrypted(): void {
    this.#encrypted = true
  }

  ended(direction: Direction, end: DirectionEnd, at: Evidence): void {
    this.#ends[direction] = end
    const requests = this.#ends['to-server']
    const replies = this.#ends['to-client']
    if (requests === null || replies === null || this.#encrypted) return
    const { first, last } = union(requests.span, replies.span) ?? { first: at, last: at }
    this.#sink({
      type: 'nbd.end',
      connection: this.#connection,
      direction: 'to-server',
      first: keep(first),
      last: keep(last),
      exportName: this.#export?.name ?? null,
      sizeBytes: this.#sizeBytes,
      writes: this.#writes.total(),
      writeZeroes: this.#writeZeroes.total(),
      reads: this.#reads.total(),
      trims: this.#trims.total(),
      flushes: this.#flushes,
      blockStatuses: this.#blockStatuses,
      others: this.#others,
      disconnected: this.#disconnected,
      errors: replies.whole ? this.#errors : null,
      firstWrite: this.#firstWrite,
      lastWrite: this.#lastWrite,
      complete: requests.whole,
      unread: this.#unread(requests, replies),
    })
  }

  #unread(requests: DirectionEnd, replies: DirectionEnd): NbdUnread {
    // A client takes its leave when it has all replies.
    const known = replies.whole && this.#disconnected && this.#answers >= this.#questions
    const count = known ? this.#answers - this.#questions : null
    return { count, bytes: Math.max(0, requests.unreadBytes - (count ?? 0) * this.#headSize) }
  }

  /** @param sized the packet that told the size, null when a request shows that there is an export */
  #tellExport(sized: Evidence | null): void {
    if (this.#exportTold || this.#export === null) return
    this.#exportTold = true
    const { name, first, last } = this.#export
    this.#sink({
      type: 'nbd.export',
      connection: this.#connection,
      direction: 'to-server',
      first,
      last: sized ?? last,
      name,
      sizeBytes: this.#sizeBytes,
    })
  }

  #wrote({ first, last }: Span): void {
    this.#firstWrite ??= keep(first)
    this.#lastWrite = keep(last)
  }
}

/** Adds up requests of one kind. */
class Counter {
  #count = 0
  #bytes = 0

  add(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  total(): NbdRequests {
    return { count: this.#count, bytes: this.#bytes }
  }
}

function union(a: Span | null, b: Span | null): Span | null {
  if (a === null || b === null) return a ?? b
  return {
    first: a.first.packet <= b.first.packet ? a.first : b.first,
    last: a.last.packet >= b.last.packet ? a.last : b.last,
  }
}
