import { u16be } from '../../core/bytes.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import { TLS_RECORDS_MAX } from '../../core/limits.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'

/** @see RFC 8446 section 5.1 */
const HEADER_SIZE = 5
const CONTENT_TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
const CLIENT_HELLO = 1
/** Fragment of 2^14 bytes and the most that protection may add. */
const RECORD_SIZE_MAX = 16_384 + 2048

export interface TlsDecoderOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly witness?: Witness
}

/** The record layer of TLS, one direction: lengths and times of protected records, which show the messages inside when
 *  the application writes one message a record. Reads no content. */
export class TlsDecoder implements StreamDecoder, Unsettled {
  readonly #options: TlsDecoderOptions
  readonly #header = new Uint8Array(HEADER_SIZE)
  #headerSize = 0
  #left = 0
  #first: Evidence = { packet: 0, timeNs: 0 }
  #records = 0
  /** Out of step, or enough seen: nothing more is read. */
  #over = false

  constructor(options: TlsDecoderOptions) {
    this.#options = options
  }

  get unsettled(): number {
    return this.#over || this.#left > 0 ? 0 : this.#headerSize
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    let offset = start
    while (offset < end && !this.#over) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - offset)
        offset += taken
        this.#pass(taken, at)
      } else {
        if (this.#headerSize === 0) this.#first = keep(at)
        this.#header[this.#headerSize++] = bytes[offset++] as number
        if (this.#headerSize === HEADER_SIZE) this.#startRecord(offset, at)
      }
    }
  }

  gap(size: number, at: Evidence): void {
    if (this.#over) return
    if (size <= this.#left) this.#pass(size, at)
    else this.#stop(at, 'the header of a TLS record was not captured')
  }

  end(): void {}

  /** @param index where the header ends among the bytes being pushed */
  #startRecord(index: number, at: Evidence): void {
    const type = this.#header[0] as number
    const size = u16be(this.#header, 3)
    const known = type >= CONTENT_TYPE.changeCipherSpec && type <= CONTENT_TYPE.applicationData
    if (!known || size === 0 || size > RECORD_SIZE_MAX) {
      this.#stop(at, 'a TLS record header makes no sense')
      return
    }
    this.#left = size
    this.#options.witness?.element('tls.record', this.#header, 0, HEADER_SIZE, index)
  }

  #pass(size: number, at: Evidence): void {
    this.#left -= size
    if (this.#left > 0) return
    this.#headerSize = 0
    if (this.#header[0] !== CONTENT_TYPE.applicationData) return
    const { connection, direction, sink } = this.#options
    const length = u16be(this.#header, 3)
    sink({ type: 'tls.record', connection, direction, first: this.#first, last: keep(at), size: length })
    this.#records++
    if (this.#records >= TLS_RECORDS_MAX) this.#over = true
  }

  #stop(at: Evidence, why: string): void {
    this.#over = true
    this.#options.diagnostics.report(
      'tls.record',
      'warning',
      at,
      () => `${why}: records of that connection are not followed any further`,
    )
  }
}

/** Whether a connection begins with a TLS ClientHello. 'more' when it may. */
export function looksLikeTlsClient(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  const expected = [CONTENT_TYPE.handshake, 3, null, null, null, CLIENT_HELLO]
  for (const [index, byte] of expected.entries()) {
    if (start + index >= end) return 'more'
    if (byte !== null && bytes[start + index] !== byte) return false
  }
  return true
}
