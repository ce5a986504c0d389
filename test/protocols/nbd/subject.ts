import { type Diagnostic, Diagnostics } from '../../../src/core/diagnostic.ts'
import type { Connection, Direction } from '../../../src/events/connection.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import type { NbdEnd, NbdEvent } from '../../../src/events/nbd.ts'
import { NbdConversation } from '../../../src/protocols/nbd/conversation.ts'
import { NbdDecoder } from '../../../src/protocols/nbd/decoder.ts'
import { feed, type Piece, type Subject } from '../../support/any-cut.ts'

const CONNECTION = { id: 0 } as Connection

/** One direction of a connection, whose other direction says what it is told to. */
export class NbdSubject implements Subject {
  readonly events: NbdEvent[] = []
  readonly diagnostics = new Diagnostics()
  readonly decoder: NbdDecoder
  readonly #conversation: NbdConversation

  constructor(direction: Direction, peer: readonly Piece[] = [], midStream = false) {
    const sink = (event: ProtocolEvent) => this.events.push(event as NbdEvent) // it raises no others
    this.#conversation = new NbdConversation({ connection: CONNECTION, sink })
    feed(this.#make(direction === 'to-server' ? 'to-client' : 'to-server', false), peer)
    this.decoder = this.#make(direction, midStream)
  }

  /** Without the packets of writes, which depend on the cut. */
  seen(): unknown {
    const events = this.events.map((event) =>
      event.type === 'nbd.end' ? { ...event, firstWrite: null, lastWrite: null } : event,
    )
    return [events, this.diagnostics.list().map(({ code, count }) => [code, count])]
  }

  #make(direction: Direction, midStream: boolean): NbdDecoder {
    const { diagnostics } = this
    return new NbdDecoder({ direction, diagnostics, conversation: this.#conversation, midStream })
  }
}

export interface Decoded {
  readonly events: readonly NbdEvent[]
  readonly end: NbdEnd
  readonly diagnostics: readonly Diagnostic[]
}

/** What is said of a whole connection; the client's bytes are heard first, or last. */
export function decode(
  client: readonly Piece[],
  server: readonly Piece[] = [],
  heard: 'client first' | 'server first' = 'client first',
  midStream = false,
): Decoded {
  const subject =
    heard === 'client first'
      ? new NbdSubject('to-client', client)
      : new NbdSubject('to-server', server, midStream)
  feed(subject.decoder, heard === 'client first' ? server : client)
  const { events, diagnostics } = subject
  return { events, end: events.at(-1) as NbdEnd, diagnostics: diagnostics.list() }
}
