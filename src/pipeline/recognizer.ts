import { type Evidence, keep } from '../core/evidence.ts'
import { SIGNATURE_SIZE_MAX } from '../core/limits.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { Unsettled } from '../core/witness.ts'
import type { HalfStream } from '../net/reassembly.ts'
import type { TcpConnection } from '../net/tcp.ts'
import { amqpFromClient, looksLikeAmqp } from '../protocols/amqp/signature.ts'
import { httpFromClient, looksLikeHttp } from '../protocols/http/signature.ts'
import { looksLikeLibvirt } from '../protocols/libvirt/signature.ts'
import { looksLikeNbdServer } from '../protocols/nbd/signature.ts'
import {
  looksLikeMultifd,
  looksLikeQemuMigration,
  looksLikeRamRecords,
  looksLikeResumedStream,
  looksLikeUrgentChannel,
} from '../protocols/qemu-migration/signature.ts'
import { looksLikeTlsClient } from '../protocols/tls/decoder.ts'

export type Protocol =
  | 'libvirt'
  | 'qemu-migration'
  | 'resumed-stream'
  | 'urgent-channel'
  | 'multifd'
  | 'nbd'
  | 'tls'
  | 'http'
  | 'amqp'

/** Who reads a connection; null where nothing needs to be read. */
export interface Decoders {
  readonly toServer: StreamDecoder | null
  readonly toClient: StreamDecoder | null
}

/** Which directions of a connection are seen from somewhere in the middle. */
export interface MidStream {
  readonly toServer: boolean
  readonly toClient: boolean
}

/** Makes the decoders of a connection that has been recognised. */
export type DecoderFactory = (protocol: Protocol, connection: TcpConnection, midStream: MidStream) => Decoders

/** Bytes of a stream without a known start that are searched for RAM records. One page needs 4 KiB; a run of pages
 *  that tells is found in the first megabyte or the stream is something else. */
const RAM_SEARCH_MAX = 4 * 1024 * 1024

interface Piece {
  readonly bytes: Uint8Array
  readonly at: Evidence
}

/** What holds the decoder of a direction. */
export interface DecoderPlace {
  decoder: StreamDecoder | null
}

/** Finds out what a connection speaks, by its first bytes in either direction and never by its port, and puts the
 *  decoders in its own place. */
export class Recognizer {
  readonly connection: TcpConnection
  readonly #make: DecoderFactory
  readonly #sides: readonly [Side, Side]

  /** @param placeOf where the decoder of a direction is to be put: in the direction itself, unless something stands between */
  constructor(
    connection: TcpConnection,
    make: DecoderFactory,
    placeOf: (half: HalfStream) => DecoderPlace = (half) => half,
  ) {
    this.connection = connection
    this.#make = make
    const { fromLow, fromHigh } = connection
    this.#sides = [new Side(this, fromLow, placeOf(fromLow)), new Side(this, fromHigh, placeOf(fromHigh))]
  }

  /** A side has shown what is spoken.
   *  @param fromClient whether the client sent it; null where the bytes do not tell */
  found(protocol: Protocol, by: Side, fromClient: boolean | null): void {
    const { connection } = this
    if (fromClient !== null) connection.orient((by === this.#sides[0]) === fromClient, 'content')
    const [toServer, toClient] =
      this.#sides[0].half === connection.toServer ? this.#sides : ([this.#sides[1], this.#sides[0]] as const)
    const midStream = { toServer: toServer.midStream, toClient: toClient.midStream }
    const decoders = this.#make(protocol, connection, midStream)
    toServer.handOver(decoders.toServer)
    toClient.handOver(decoders.toClient)
  }
}

/** One direction of a connection that is not recognised yet. */
class Side implements StreamDecoder, Unsettled {
  readonly half: HalfStream
  readonly #place: DecoderPlace
  readonly #owner: Recognizer
  /** The first bytes, until they tell. */
  #pieces: Piece[] = []
  #size = 0
  #lostStart = false
  #searched = 0

  constructor(owner: Recognizer, half: HalfStream, place: DecoderPlace) {
    this.#owner = owner
    this.half = half
    this.#place = place
    place.decoder = this
  }

  /** What is held is read by whoever takes this place. */
  get unsettled(): number {
    return this.#size
  }

  /** The first byte that was seen is not the first that was sent. */
  get midStream(): boolean {
    const { connection } = this.#owner
    return this.#lostStart || (connection.syn === null && connection.synAck === null)
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (this.midStream) {
      this.#searchInside(bytes, start, end, at)
      return
    }
    if (this.#size === 0 && this.#tell(bytes, start, end)) {
      this.#replayTo(bytes, start, end, at)
      return
    }
    if (this.#place.decoder !== this) return
    const taken = Math.min(end, start + SIGNATURE_SIZE_MAX - this.#size)
    this.#pieces.push({ bytes: bytes.slice(start, taken), at: keep(at) })
    this.#size += taken - start
    const joined = this.#joined()
    if (this.#tell(joined, 0, joined.length)) this.#replayTo(bytes, taken, end, at)
  }

  gap(_size: number, _at: Evidence): void {
    this.#lostStart = true
    this.#pieces = []
    this.#size = 0
  }

  end(): void {}

  /** Another decoder takes this place, and gets what was held. */
  handOver(decoder: StreamDecoder | null): void {
    this.#place.decoder = decoder
    for (const { bytes, at } of this.#pieces) this.#place.decoder?.push(bytes, 0, bytes.length, at)
    this.#pieces = []
  }

  #replayTo(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (start < end && this.#place.decoder !== this) this.#place.decoder?.push(bytes, start, end, at)
  }

  /** Looks at a stream's first bytes. Returns true when they were recognised; gives up when they cannot be. */
  #tell(bytes: Uint8Array, start: number, end: number): boolean {
    let undecided = false
    for (const { protocol, test, fromClient } of SIGNATURES) {
      const answer = test(bytes, start, end)
      if (answer === true) {
        this.#owner.found(protocol, this, fromClient(bytes, start))
        return true
      }
      if (answer === 'more') undecided = true
    }
    if (!undecided || end - start >= SIGNATURE_SIZE_MAX) this.#place.decoder = null
    return false
  }

  /** A stream whose start was not captured: segments often begin with a message, and RAM records tell by
   *  themselves. */
  #searchInside(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (looksLikeLibvirt(bytes, start, end) === true)
      this.#owner.found('libvirt', this, libvirtFromClient(bytes, start))
    else if (looksLikeHttp(bytes, start, end) === true)
      this.#owner.found('http', this, httpFromClient(bytes, start))
    else if (looksLikeAmqp(bytes, start, end) === true)
      this.#owner.found('amqp', this, amqpFromClient(bytes, start, end))
    else if (!this.#searchRam(bytes, start, end)) return
    this.#replayTo(bytes, start, end, at)
  }

  #searchRam(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#searched >= RAM_SEARCH_MAX) return false
    this.#searched += end - start
    if (!looksLikeRamRecords(bytes, start, end)) return false
    this.#owner.found('qemu-migration', this, true)
    return true
  }

  #joined(): Uint8Array {
    const joined = new Uint8Array(this.#size)
    let offset = 0
    for (const { bytes } of this.#pieces) {
      joined.set(bytes, offset)
      offset += bytes.length
    }
    return joined
  }
}

interface Signature {
  readonly protocol: Protocol
  readonly test: (bytes: Uint8Array, start: number, end: number) => boolean | 'more'
  /** Whether the bytes that matched were sent by the client. */
  readonly fromClient: (bytes: Uint8Array, start: number) => boolean
}

const SIGNATURES: readonly Signature[] = [
  { protocol: 'qemu-migration', test: looksLikeQemuMigration, fromClient: () => true },
  { protocol: 'libvirt', test: looksLikeLibvirt, fromClient: libvirtFromClient },
  { protocol: 'http', test: looksLikeHttp, fromClient: httpFromClient },
  { protocol: 'amqp', test: startsAmqp, fromClient: () => true },
  { protocol: 'multifd', test: looksLikeMultifd, fromClient: () => true },
  { protocol: 'tls', test: looksLikeTlsClient, fromClient: () => true },
  { protocol: 'resumed-stream', test: looksLikeResumedStream, fromClient: () => true },
  { protocol: 'urgent-channel', test: looksLikeUrgentChannel, fromClient: () => true },
  { protocol: 'nbd', test: looksLikeNbdServer, fromClient: () => false },
]

/** At the start of a connection AMQP says its name; a frame could be anything. */
function startsAmqp(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  return bytes[start] === 0x41 ? looksLikeAmqp(bytes, start, end) : false
}

/** Byte 19 of a libvirt header: the message type, 1 in replies. @see protocols.md C.1 */
function libvirtFromClient(bytes: Uint8Array, start: number): boolean {
  const type = bytes[start + 19]
  return type !== 1 && type !== 2
}
