import type { Packet } from '../capture/packet.ts'
import { BodyBudget } from '../core/body-budget.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import { type Evidence, keep } from '../core/evidence.ts'
import { REDACT_HELD_MAX, REDACT_KEPT_MAX } from '../core/limits.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../core/witness.ts'
import { Network } from '../net/network.ts'
import type { HalfStream } from '../net/reassembly.ts'
import type { TcpConnection } from '../net/tcp.ts'
import { makeDecoders, randomWord } from '../pipeline/decoders.ts'
import { type Decoders, type MidStream, type Protocol, Recognizer } from '../pipeline/recognizer.ts'
import { type Check, makeRight } from './checksums.ts'
import { FrameMask } from './frame.ts'
import { Placed } from './placed.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { StreamRewriter } from './rewriters.ts'
import { Stream } from './stream.ts'
import { Tunnelled } from './tunnelled.ts'

/** What a waiting packet costs beside its bytes. */
const ENTRY_OVERHEAD = 320

const NOTHING = new Uint8Array(0)

/** What was done to the contents of packets. */
export interface Blanked {
  /** Bytes of packets in all, and those of them that were kept, as they were or replaced; the others are zero. */
  bytes: number
  keptBytes: number
  /** Packets that had to be written before it was known what they hold; what was not known of them is zero. */
  undecidedPackets: number
}

/** Payload of a packet that is part of a stream. */
interface Segment {
  readonly stream: Stream
  readonly offset: number
  readonly size: number
  /** In the bytes of the packet. */
  readonly at: number
}

interface Entry<T> {
  readonly record: T
  readonly bytes: Uint8Array
  readonly checks: readonly Check[]
  readonly segments: Segment[]
}

/** Makes copies of packets that say nothing of whoever they are of. A copy begins as zeros: headers are put in with other
 *  addresses, and contents only where a decoder has read them and the value may stay or has a replacement. What a decoder has
 *  not understood therefore never passes, whatever it is.
 *
 *  As an element may end in a later packet, packets wait until all their bytes are decided; the room for that is bounded, and
 *  beyond it the first that waits goes as it is, with zeros for what was not decided. They leave in their order.
 *  @typeParam T what the packet is written with; handed through */
export class Redactor<T> {
  readonly blanked: Blanked = { bytes: 0, keptBytes: 0, undecidedPackets: 0 }
  readonly #pseudonyms: Pseudonyms
  readonly #sink: ((record: T, bytes: Uint8Array) => void) | null
  readonly #mask: FrameMask
  readonly #network: Network
  readonly #shared = {
    sink: (): void => {},
    diagnostics: new Diagnostics(),
    bodies: new BodyBudget(),
    // Rounds are of no interest here.
    maps: new BodyBudget(0),
    salt: [randomWord(), randomWord()] as const,
  }
  readonly #streams = new Map<HalfStream, Stream>()
  /** Streams whose reader changed with the packet at hand. */
  readonly #changed: Stream[] = []
  readonly #waiting = new Queue<Entry<T>>()
  #held = 0
  #kept = 0
  #packet: Packet | null = null
  #first = 0
  #entry: Entry<T> | null = null
  #last: Evidence = { packet: 0, timeNs: 0 }

  /** @param sink takes the packets in their order; the bytes are its own. Null where nothing is to be written, and only what
   *  is read counts */
  constructor(pseudonyms: Pseudonyms, sink: ((record: T, bytes: Uint8Array) => void) | null) {
    this.#pseudonyms = pseudonyms
    this.#sink = sink
    this.#mask = new FrameMask(pseudonyms.addresses)
    this.#network = new Network({
      sink: () => {},
      diagnostics: this.#shared.diagnostics,
      connected: (connection) => this.#connected(connection),
      over: (connection) => this.#over(connection),
      segment: (half, sequence, bytes, start, end) => this.#segment(half, sequence, bytes, start, end),
      rarp: () => {},
      icmp: () => {},
    })
  }

  /** @param packet as read, borrowed @param first where the bytes of its record begin, which may be more than the packet's
   *  @param end where they end */
  packet(packet: Packet, first: number, end: number, record: T): void {
    this.#last = keep(packet)
    if (this.#sink === null) {
      this.#network.packet(packet)
      this.#changed.length = 0
      return
    }
    const bytes = new Uint8Array(end - first)
    const checks = this.#mask.mask(packet, first, bytes)
    const entry: Entry<T> = { record, bytes, checks, segments: [] }
    this.#packet = packet
    this.#first = first
    this.#entry = entry
    this.#network.packet(packet)
    for (const stream of this.#changed) stream.settle(stream.offset)
    this.#changed.length = 0
    this.blanked.bytes += bytes.length
    this.blanked.keptBytes += this.#mask.copied
    this.#held += bytes.length + ENTRY_OVERHEAD
    this.#waiting.push(entry)
    this.#release()
  }

  /** Something else that is written, behind the packets before it. */
  pass(record: T): void {
    if (this.#sink === null) return
    this.#held += ENTRY_OVERHEAD
    this.#waiting.push({ record, bytes: NOTHING, checks: [], segments: [] })
    this.#release()
  }

  /** No more packets. */
  end(): void {
    this.#entry = null
    this.#network.end(this.#last)
    for (const stream of this.#streams.values()) stream.ended = true
    this.#release()
  }

  #connected(connection: TcpConnection): void {
    const [low, high] = [new Stream(), new Stream()]
    this.#streams.set(connection.fromLow, low)
    this.#streams.set(connection.fromHigh, high)
    connection.fromLow.decoder = low
    connection.fromHigh.decoder = high
    new Recognizer(
      connection,
      (protocol, of, midStream) => this.#makeDecoders(protocol, of, midStream),
      (half) => (half === connection.fromLow ? low : high),
    )
  }

  #over(connection: TcpConnection): void {
    for (const half of [connection.fromLow, connection.fromHigh]) {
      const stream = this.#streams.get(half)
      if (stream === undefined) continue
      stream.ended = true
      this.#kept -= stream.kept.size
      this.#streams.delete(half)
    }
  }

  #makeDecoders(protocol: Protocol, connection: TcpConnection, midStream: MidStream): Decoders {
    const toServer = this.#place(connection.toServer, midStream.toServer, true)
    const toClient = this.#place(connection.toClient, midStream.toClient, false)
    const made = makeDecoders(protocol, connection, midStream, this.#shared, {
      ...(toServer === null ? {} : { toServer, tunnelled: (make) => this.#tunnelled(toServer, make) }),
      ...(toClient === null ? {} : { toClient }),
    })
    if (toServer !== null) toServer.decoder = made.toServer
    if (toClient !== null && made.toClient !== null) toClient.decoder = made.toClient
    return {
      toServer: toServer ?? made.toServer,
      toClient: made.toClient === null ? null : (toClient ?? made.toClient),
    }
  }

  /** The place of a decoder in its stream; null when it is not known where its first byte is. */
  #place(half: HalfStream, midStream: boolean, isClient: boolean): Placed | null {
    const stream = this.#streams.get(half)
    if (stream === undefined) return null
    this.#changed.push(stream)
    if (!midStream && stream.missed) return null
    const place = { keep: (offset: number, bytes: Uint8Array) => this.#keep(stream, offset, bytes) }
    const rewriter = new StreamRewriter(this.#pseudonyms, isClient && !midStream)
    return new Placed(place, midStream ? stream.offset : 0, rewriter)
  }

  #tunnelled(outer: Placed, make: (witness: Witness) => StreamDecoder & Unsettled): StreamDecoder {
    const tunnelled = new Tunnelled(outer)
    const inner = new Placed(tunnelled, 0, new StreamRewriter(this.#pseudonyms, false))
    inner.decoder = make(inner)
    tunnelled.decoder = inner
    outer.tunnelled = tunnelled
    return tunnelled
  }

  #keep(stream: Stream, offset: number, bytes: Uint8Array): void {
    if (this.#sink === null) return
    const before = stream.kept.size
    stream.kept.add(offset, bytes)
    this.#kept += stream.kept.size - before
    // What was written is only needed once more where it is sent once more.
    if (this.#kept > REDACT_KEPT_MAX) this.#forget(stream)
  }

  #forget(stream: Stream): void {
    const before = stream.kept.size
    stream.kept.forget(stream.written)
    this.#kept += stream.kept.size - before
  }

  #segment(half: HalfStream, sequence: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#streams.get(half)
    // What was put together from fragments stands in no packet as it is here.
    if (stream === undefined || this.#entry === null || bytes !== this.#packet?.bytes || end <= start) return
    const offset = half.offsetOf(sequence)
    this.#entry.segments.push({ stream, offset, size: end - start, at: start - this.#first })
  }

  #release(): void {
    for (let entry = this.#waiting.first; entry !== null; entry = this.#waiting.first) {
      const isDecided = entry.segments.every(
        ({ stream, offset, size }) => stream.ended || stream.settled >= offset + size,
      )
      if (!isDecided && this.#held <= REDACT_HELD_MAX) return
      if (!isDecided) this.blanked.undecidedPackets++
      this.#waiting.shift()
      this.#held -= entry.bytes.length + ENTRY_OVERHEAD
      this.#write(entry)
    }
  }

  #write({ record, bytes, checks, segments }: Entry<T>): void {
    for (const { stream, offset, size, at } of segments) {
      this.blanked.keptBytes += stream.kept.copy(offset, size, bytes, at)
      stream.written = Math.max(stream.written, offset + size)
    }
    for (const check of checks) makeRight(bytes, check)
    this.#sink?.(record, bytes)
  }
}

/** First in, first out. */
class Queue<T> {
  #items: T[] = []
  #start = 0

  get first(): T | null {
    return this.#items[this.#start] ?? null
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): void {
    this.#start++
    if (this.#start < 1024 || this.#start * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#start)
    this.#start = 0
  }
}
