import { BodyBudget } from '../../../src/core/body-budget.ts'
import { Diagnostics } from '../../../src/core/diagnostic.ts'
import type { Connection, Direction } from '../../../src/events/connection.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import type { HttpEvent } from '../../../src/events/http.ts'
import { HttpDecoder } from '../../../src/protocols/http/decoder.ts'
import { Exchanges } from '../../../src/protocols/http/exchanges.ts'
import { feed, type Piece, type Subject } from '../../support/any-cut.ts'
import { CONNECTION } from '../libvirt/subject.ts'

const FIN = { packet: 1000, timeNs: 0 }

export interface HttpSubjectOptions {
  readonly direction?: Direction
  readonly midStream?: boolean
  readonly bodies?: BodyBudget
  /** The connection was closed by its ends. */
  readonly closed?: boolean
  /** Requests that came before everything else. */
  readonly asked?: readonly Uint8Array[]
}

/** One decoder, with what the other direction said before. */
export class HttpSubject implements Subject {
  readonly events: HttpEvent[] = []
  readonly diagnostics = new Diagnostics()
  readonly bodies: BodyBudget
  readonly exchanges = new Exchanges()
  readonly decoder: HttpDecoder
  readonly #connection: Connection

  constructor(options: HttpSubjectOptions = {}) {
    this.bodies = options.bodies ?? new BodyBudget()
    this.#connection = options.closed ? { ...CONNECTION, firstFin: FIN, lastFin: FIN } : CONNECTION
    const client = this.#make('to-server', false)
    for (const request of options.asked ?? [])
      client.push(request, 0, request.length, { packet: 0, timeNs: 0 })
    this.decoder = this.#make(options.direction ?? 'to-server', options.midStream ?? false)
  }

  seen(): unknown {
    return { events: this.events, left: this.bodies.used }
  }

  codes(): string[] {
    return this.diagnostics.list().map((diagnostic) => diagnostic.code)
  }

  /** The decoder of the other direction of the same connection. */
  peer(direction: Direction): HttpDecoder {
    return this.#make(direction, false)
  }

  #make(direction: Direction, midStream: boolean): HttpDecoder {
    return new HttpDecoder({
      connection: this.#connection,
      direction,
      sink: (event: ProtocolEvent) => this.events.push(event as HttpEvent), // it raises no others
      diagnostics: this.diagnostics,
      bodies: this.bodies,
      exchanges: this.exchanges,
      salt: [1, 2],
      midStream,
    })
  }
}

/** What a decoder says of the pieces, each a packet. */
export function decode(pieces: readonly Piece[], options: HttpSubjectOptions = {}): HttpSubject {
  const subject = new HttpSubject(options)
  feed(subject.decoder, pieces)
  return subject
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
