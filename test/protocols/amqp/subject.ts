import { BodyBudget } from '../../../src/core/body-budget.ts'
import { Diagnostics } from '../../../src/core/diagnostic.ts'
import type { AmqpEvent } from '../../../src/events/amqp.ts'
import type { Direction } from '../../../src/events/connection.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import { AmqpDecoder } from '../../../src/protocols/amqp/decoder.ts'
import { feed, type Piece, type Subject } from '../../support/any-cut.ts'
import { CONNECTION } from '../libvirt/subject.ts'

export interface AmqpSubjectOptions {
  readonly direction?: Direction
  readonly midStream?: boolean
  readonly bodies?: BodyBudget
}

export class AmqpSubject implements Subject {
  readonly events: AmqpEvent[] = []
  readonly diagnostics = new Diagnostics()
  readonly bodies: BodyBudget
  readonly decoder: AmqpDecoder

  constructor(options: AmqpSubjectOptions = {}) {
    this.bodies = options.bodies ?? new BodyBudget()
    this.decoder = new AmqpDecoder({
      connection: CONNECTION,
      direction: options.direction ?? 'to-server',
      sink: (event: ProtocolEvent) => this.events.push(event as AmqpEvent), // it raises no others
      diagnostics: this.diagnostics,
      bodies: this.bodies,
      midStream: options.midStream ?? false,
    })
  }

  seen(): unknown {
    return { events: this.events, methods: [...this.decoder.methods], left: this.bodies.used }
  }

  codes(): string[] {
    return this.diagnostics.list().map((diagnostic) => diagnostic.code)
  }
}

/** What a decoder says of the pieces, each a packet. */
export function decode(pieces: readonly Piece[], options: AmqpSubjectOptions = {}): AmqpSubject {
  const subject = new AmqpSubject(options)
  feed(subject.decoder, pieces)
  return subject
}
