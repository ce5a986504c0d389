import type { TlsRecord } from '../events/tls.ts'
import type { Signal, SignalName } from './signal.ts'

/** Sizes of libvirt messages, the 28 bytes of their header included. @see protocols.md D.11 */
const SIZE = {
  /** The byte with which the server accepts the client's certificate. */
  accept: 1,
  /** AUTH_LIST, CLOSE, keepalive; replies of OPEN and of CLOSE. */
  bare: 28,
  /** AUTH_LIST's reply: a count and one mechanism. */
  authListReply: 36,
  /** A prepare call holds a whole domain description; what comes before it is shorter than this. */
  prepareMin: 1024,
} as const

/** What the protection of a record adds: TLS 1.3 (tag and content type), TLS 1.2 with AES-GCM, with ChaCha20. */
const OVERHEADS = [17, 24, 16] as const
/** An error is shorter than a good answer. Against the answer to prepare, the good ones to finish had 0.92 times its size
 *  and more in 68 conversations that can be read, errors 0.51 times and less in 4. */
const ERROR_SHARE = 0.7
/** Records this long are continued in the next. */
const FULL_RECORD = 16_384

type Step = 'handshake' | 'auth' | 'open' | 'queries' | 'preparing' | 'prepared' | 'finishing' | 'over'

/** Reads a libvirt conversation from the lengths of TLS records: libvirt writes one message a record, and the order of
 *  the calls is known. What it says is inferred, not observed. */
export class TlsConversation {
  #step: Step = 'handshake'
  #overhead = 0
  /** First record of a message that fills several. */
  #started: TlsRecord | null = null
  #size = 0
  #prepareReplySize = 0

  /** The call that asks the destination to receive a guest has been seen. */
  get prepares(): boolean {
    return (
      this.#step === 'preparing' ||
      this.#step === 'prepared' ||
      this.#step === 'finishing' ||
      this.#step === 'over'
    )
  }

  /** What a record means; null for most. */
  record(record: TlsRecord): Signal | null {
    if (this.#step === 'handshake') {
      this.#accept(record)
      return null
    }
    const size = record.size - this.#overhead
    this.#size += size
    this.#started ??= record
    if (size >= FULL_RECORD) return null
    const name = this.#message(record.direction === 'to-server', this.#size)
    const { first } = this.#started
    this.#started = null
    this.#size = 0
    return name === null ? null : { name, first, last: record.last, inferred: true }
  }

  /** The server's one-byte record ends the handshake and shows what protection adds. */
  #accept(record: TlsRecord): void {
    const overhead = OVERHEADS.find((bytes) => record.size === bytes + SIZE.accept)
    if (record.direction !== 'to-client' || overhead === undefined) return
    this.#overhead = overhead
    this.#step = 'auth'
  }

  #message(fromClient: boolean, size: number): SignalName | null {
    switch (this.#step) {
      case 'auth':
        if (fromClient) return this.#stay(size === SIZE.bare)
        this.#step = size === SIZE.authListReply ? 'open' : 'handshake'
        return null
      case 'open':
        return !fromClient && size === SIZE.bare ? this.#go('queries', 'open.reply') : null
      case 'queries':
        if (!fromClient) return 'query.reply'
        return size >= SIZE.prepareMin ? this.#go('preparing', 'prepare.call') : null
      case 'preparing':
        if (fromClient || size <= SIZE.bare) return null
        this.#prepareReplySize = size
        return this.#go('prepared', 'prepare.reply')
      case 'prepared':
        return fromClient && size > SIZE.bare ? this.#go('finishing', 'finish.call') : null
      case 'finishing':
        if (fromClient || size <= SIZE.bare) return null
        return this.#go('over', size < ERROR_SHARE * this.#prepareReplySize ? 'finish.error' : 'finish.reply')
      default:
        return null
    }
  }

  #go(step: Step, name: SignalName): SignalName {
    this.#step = step
    return name
  }

  /** A first call of another size than AUTH_LIST is no libvirt client. */
  #stay(fits: boolean): null {
    if (!fits) this.#step = 'handshake'
    return null
  }
}
