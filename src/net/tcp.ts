import { type Evidence, keep } from '../core/evidence.ts'
import { FLOAT_ZERO } from '../core/float-zero.ts'
import type { Connection, Endpoint, Totals } from '../events/connection.ts'
import type { EventSink } from '../events/event.ts'
import { Ledger } from './ledger.ts'
import { HalfStream, type ReassemblyPool } from './reassembly.ts'

/** @see RFC 9293 section 3.1 */
export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const

/** An end of a connection. Its number is that of the address in the table of addresses. */
export interface NumberedEndpoint extends Endpoint {
  number: number
}

/** One TCP connection. Its two ends are called "low" and "high" by the order of their addresses, until it is known
 *  which of them is the client. */
export class TcpConnection implements Connection {
  readonly id: number
  readonly firstPacket: Evidence
  clientKnownBy: 'syn' | 'content' | 'port' = 'port'
  syn: Evidence | null = null
  synAck: Evidence | null = null
  handshakeAck: Evidence | null = null
  firstFin: Evidence | null = null
  lastFin: Evidence | null = null
  firstRst: Evidence | null = null
  lastRst: Evidence | null = null
  refused = false
  /** False once the table has dropped it: packets that look like its own are another's. */
  followed = true
  /** Null where nobody will ask what belongs to which message. */
  ledger: Ledger | null = null
  /** For the table of connections: another one with the same hash. */
  next: TcpConnection | null = null
  readonly low: NumberedEndpoint
  readonly high: NumberedEndpoint
  readonly fromLow: HalfStream
  readonly fromHigh: HalfStream
  #clientIsLow: boolean
  #opened = false
  #lastPacket = 0
  #lastTimeNs = FLOAT_ZERO

  constructor(
    id: number,
    low: NumberedEndpoint,
    high: NumberedEndpoint,
    clientIsLow: boolean,
    pool: ReassemblyPool,
    at: Evidence,
  ) {
    this.id = id
    this.low = low
    this.high = high
    this.#clientIsLow = clientIsLow
    this.firstPacket = keep(at)
    this.fromLow = new HalfStream(pool)
    this.fromHigh = new HalfStream(pool)
  }

  get client(): Endpoint {
    return this.#clientIsLow ? this.low : this.high
  }

  get server(): Endpoint {
    return this.#clientIsLow ? this.high : this.low
  }

  get toServer(): HalfStream {
    return this.#clientIsLow ? this.fromLow : this.fromHigh
  }

  get toClient(): HalfStream {
    return this.#clientIsLow ? this.fromHigh : this.fromLow
  }

  get lastPacket(): Evidence {
    return { packet: this.#lastPacket, timeNs: this.#lastTimeNs }
  }

  get closed(): boolean {
    return this.firstRst !== null || (this.firstFin !== null && this.firstFin !== this.lastFin)
  }

  /** From now on, remembers what had passed by each of the last `size` packets. */
  keepBooks(size: number): void {
    if (size > 0) this.ledger ??= new Ledger(size)
  }

  totalsAt(packet: number): Totals | null {
    if (this.ledger === null) return null
    const { low, high } = this.ledger.upTo(packet)
    return this.#clientIsLow ? { toServer: low, toClient: high } : { toServer: high, toClient: low }
  }

  /** Nobody asks what passed before any more. */
  forgetRates(beforeNs: number): void {
    this.fromLow.rates?.forget(beforeNs)
    this.fromHigh.rates?.forget(beforeNs)
  }

  /** No longer followed: gives back what it took of the room that all connections share. */
  release(): void {
    this.followed = false
    this.fromLow.rates?.release()
    this.fromHigh.rates?.release()
  }

  /** Says which end is the client. What a SYN said stands. */
  orient(clientIsLow: boolean, by: 'syn' | 'content'): void {
    if (this.clientKnownBy === 'syn') return
    this.#clientIsLow = clientIsLow
    this.clientKnownBy = by
  }

  /** Accounts for a packet with flags that say nothing, of a connection that is open. Returns false when it may not be. */
  pass(at: Evidence): boolean {
    if (!this.#opened || (this.handshakeAck === null && this.synAck !== null)) return false
    this.#lastPacket = at.packet
    this.#lastTimeNs = at.timeNs
    return true
  }

  /** Accounts for a packet from the low end or the high one and raises what its flags say. */
  flags(fromLow: boolean, flags: number, at: Evidence, sink: EventSink): void {
    this.#lastPacket = at.packet
    this.#lastTimeNs = at.timeNs
    if (!this.#opened && (flags & TCP_FLAG.syn) === 0) this.#open(false, sink)
    if (this.handshakeAck === null && this.synAck !== null && fromLow === this.#clientIsLow)
      this.handshakeAck = keep(at)
    if ((flags & (TCP_FLAG.syn | TCP_FLAG.fin | TCP_FLAG.rst)) === 0) return
    if ((flags & TCP_FLAG.syn) !== 0) this.#sawSyn((flags & TCP_FLAG.ack) !== 0, fromLow, at, sink)
    if ((flags & TCP_FLAG.fin) !== 0) this.#sawFin(fromLow, at, sink)
    if ((flags & TCP_FLAG.rst) !== 0) this.#sawRst(fromLow, at, sink)
  }

  /** No more packets: the decoders get what is left. */
  close(at: Evidence): void {
    this.fromLow.close(at)
    this.fromHigh.close(at)
  }

  #sawSyn(isAck: boolean, fromLow: boolean, at: Evidence, sink: EventSink): void {
    this.orient(isAck ? !fromLow : fromLow, 'syn')
    if (isAck) {
      if (this.synAck !== null) return
      this.synAck = keep(at)
      this.#raise('tcp.accept', fromLow, at, sink)
    } else if (this.syn === null) {
      this.syn = keep(at)
      if (!this.#opened) this.#open(true, sink)
    }
  }

  /** A SYN-ACK alone does not open a connection: its SYN may be a packet late. */
  #open(sawSyn: boolean, sink: EventSink): void {
    this.#opened = true
    const at = this.syn ?? this.firstPacket
    sink({ type: 'tcp.open', connection: this, direction: 'to-server', first: at, last: at, sawSyn })
  }

  #sawFin(fromLow: boolean, at: Evidence, sink: EventSink): void {
    this.lastFin = keep(at)
    this.firstFin ??= this.lastFin
    this.#raise('tcp.fin', fromLow, at, sink)
  }

  #sawRst(fromLow: boolean, at: Evidence, sink: EventSink): void {
    this.lastRst = keep(at)
    this.firstRst ??= this.lastRst
    if (!this.refused && this.syn !== null && this.synAck === null && fromLow !== this.#clientIsLow) {
      this.refused = true
      this.#raise('tcp.refuse', fromLow, at, sink)
    }
    this.#raise('tcp.rst', fromLow, at, sink)
  }

  #raise(
    type: 'tcp.accept' | 'tcp.refuse' | 'tcp.fin' | 'tcp.rst',
    fromLow: boolean,
    at: Evidence,
    sink: EventSink,
  ): void {
    const direction = fromLow === this.#clientIsLow ? 'to-server' : 'to-client'
    const evidence = keep(at)
    sink({ type, connection: this, direction, first: evidence, last: evidence })
  }
}
