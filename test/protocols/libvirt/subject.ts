import { BodyBudget } from '../../../src/core/body-budget.ts'
import { Diagnostics } from '../../../src/core/diagnostic.ts'
import type { Evidence } from '../../../src/core/evidence.ts'
import type { StreamDecoder } from '../../../src/core/stream-decoder.ts'
import type { Connection, Direction } from '../../../src/events/connection.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import type { LibvirtEvent } from '../../../src/events/libvirt.ts'
import { LibvirtDecoder } from '../../../src/protocols/libvirt/decoder.ts'
import { feed, type Piece, type Subject } from '../../support/any-cut.ts'
import type { Turn } from '../../support/libvirt.ts'

const NOTHING = {
  packets: 0,
  wireBytes: 0,
  payloadBytes: 0,
  retransmittedBytes: 0,
  missingBytes: 0,
  rates: null,
}
const START: Evidence = { packet: 1, timeNs: 0 }

export const CONNECTION: Connection = {
  id: 0,
  client: { address: '10.77.0.11', port: 49290 },
  server: { address: '10.77.0.12', port: 16509 },
  clientKnownBy: 'syn',
  firstPacket: START,
  lastPacket: START,
  syn: START,
  synAck: START,
  handshakeAck: null,
  firstFin: null,
  lastFin: null,
  firstRst: null,
  lastRst: null,
  refused: false,
  toServer: NOTHING,
  toClient: NOTHING,
  totalsAt: () => null,
}

/** Writes down what it is given: neighbouring bytes joined, neighbouring gaps added. */
export class Recorder implements StreamDecoder {
  readonly said: (number[] | { gap: number } | 'end')[] = []

  push(bytes: Uint8Array, start: number, end: number): void {
    const last = this.said.at(-1)
    const run = Array.from(bytes.subarray(start, end))
    if (Array.isArray(last)) last.push(...run)
    else this.said.push(run)
  }

  gap(size: number): void {
    const last = this.said.at(-1)
    if (typeof last === 'object' && !Array.isArray(last)) last.gap += size
    else this.said.push({ gap: size })
  }

  end(): void {
    this.said.push('end')
  }
}

export class LibvirtSubject implements Subject {
  readonly events: LibvirtEvent[] = []
  readonly diagnostics = new Diagnostics()
  readonly inner = new Recorder()
  readonly bodies: BodyBudget
  readonly decoder: LibvirtDecoder

  constructor(options: { direction?: Direction; midStream?: boolean; bodies?: BodyBudget } = {}) {
    this.bodies = options.bodies ?? new BodyBudget()
    this.decoder = new LibvirtDecoder({
      connection: CONNECTION,
      direction: options.direction ?? 'to-server',
      sink: (event: ProtocolEvent) => this.events.push(event as LibvirtEvent), // it raises no others
      diagnostics: this.diagnostics,
      bodies: this.bodies,
      stream: this.inner,
      midStream: options.midStream ?? false,
    })
  }

  seen(): unknown {
    return { events: this.events, inner: this.inner.said, left: this.bodies.used }
  }

  codes(): string[] {
    return this.diagnostics.list().map((diagnostic) => diagnostic.code)
  }
}

/** What a decoder says of the pieces, each a packet. */
export function decode(
  pieces: readonly Piece[],
  options: ConstructorParameters<typeof LibvirtSubject>[0] = {},
): LibvirtSubject {
  const subject = new LibvirtSubject(options)
  feed(subject.decoder, pieces)
  return subject
}

export function only(turns: readonly Turn[], direction: Direction): Uint8Array[] {
  return turns.filter((turn) => turn.direction === direction).map((turn) => turn.bytes)
}
