import type { BodyBudget } from '../core/body-budget.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../core/witness.ts'
import type { Direction } from '../events/connection.ts'
import type { EventSink } from '../events/event.ts'
import type { TcpConnection } from '../net/tcp.ts'
import { AmqpDecoder } from '../protocols/amqp/decoder.ts'
import { HttpDecoder } from '../protocols/http/decoder.ts'
import { Exchanges } from '../protocols/http/exchanges.ts'
import type { PrintSalt } from '../protocols/http/token-print.ts'
import { LibvirtDecoder } from '../protocols/libvirt/decoder.ts'
import { MultifdDecoder } from '../protocols/multifd/decoder.ts'
import { NbdConversation } from '../protocols/nbd/conversation.ts'
import { NbdDecoder } from '../protocols/nbd/decoder.ts'
import { QemuMigrationDecoder } from '../protocols/qemu-migration/decoder.ts'
import { ReturnPathDecoder } from '../protocols/qemu-migration/return-path.ts'
import { UrgentChannelDecoder } from '../protocols/qemu-migration/urgent-channel.ts'
import { TlsDecoder } from '../protocols/tls/decoder.ts'
import type { MidStream, Protocol } from './recognizer.ts'

type Decoder = StreamDecoder & Unsettled

/** What the decoders of all connections share. */
export interface SharedByDecoders {
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly bodies: BodyBudget
  readonly maps: BodyBudget
  /** Makes fingerprints of tokens meaningless outside of the run. */
  readonly salt: PrintSalt
}

/** Who is told what the decoders of a connection read. */
export interface Witnesses {
  readonly toServer?: Witness
  readonly toClient?: Witness
  /** Makes the decoder of a memory stream inside of a libvirt connection one that tells what it reads. */
  readonly tunnelled?: (make: (witness: Witness) => Decoder) => StreamDecoder
}

/** The decoders of a connection that has been recognised. */
export function makeDecoders(
  protocol: Protocol,
  connection: TcpConnection,
  midStream: MidStream,
  shared: SharedByDecoders,
  witnesses: Witnesses = {},
): { readonly toServer: Decoder; readonly toClient: Decoder | null } {
  const toServer = optionsOf(shared, connection, 'to-server', midStream.toServer, witnesses.toServer)
  const toClient = optionsOf(shared, connection, 'to-client', midStream.toClient, witnesses.toClient)
  switch (protocol) {
    case 'libvirt': {
      const inner = optionsOf(shared, connection, 'to-server', false, undefined)
      const stream =
        witnesses.tunnelled?.((witness) => new QemuMigrationDecoder({ ...inner, witness })) ??
        new Deferred(() => new QemuMigrationDecoder(inner))
      return {
        toServer: new LibvirtDecoder({ ...toServer, stream }),
        toClient: new LibvirtDecoder({ ...toClient, stream: null }),
      }
    }
    case 'qemu-migration':
      return { toServer: new QemuMigrationDecoder(toServer), toClient: new ReturnPathDecoder(toClient) }
    case 'resumed-stream':
      return {
        toServer: new QemuMigrationDecoder({ ...toServer, resumed: true }),
        toClient: new ReturnPathDecoder(toClient),
      }
    case 'urgent-channel':
      return { toServer: new UrgentChannelDecoder(toServer), toClient: null }
    case 'http': {
      const exchanges = new Exchanges()
      return {
        toServer: new HttpDecoder({ ...toServer, exchanges }),
        toClient: new HttpDecoder({ ...toClient, exchanges }),
      }
    }
    case 'amqp':
      return { toServer: new AmqpDecoder(toServer), toClient: new AmqpDecoder(toClient) }
    case 'tls':
      return { toServer: new TlsDecoder(toServer), toClient: new TlsDecoder(toClient) }
    case 'nbd': {
      const conversation = new NbdConversation(toServer)
      return {
        toServer: new NbdDecoder({ ...toServer, conversation }),
        toClient: new NbdDecoder({ ...toClient, conversation }),
      }
    }
    case 'multifd':
      return { toServer: new MultifdDecoder(toServer), toClient: null }
  }
}

/** Written out: every small connection takes these, and to spread objects takes longer than to make the decoders. */
function optionsOf<D extends Direction>(
  { sink, diagnostics, bodies, maps, salt }: SharedByDecoders,
  connection: TcpConnection,
  direction: D,
  midStream: boolean,
  witness: Witness | undefined,
) {
  const options = { connection, sink, diagnostics, bodies, maps, salt, direction, midStream }
  return witness === undefined ? options : { ...options, witness }
}

/** A decoder that is made when its first bytes come: most libvirt connections carry no memory stream. */
class Deferred implements StreamDecoder {
  readonly #make: () => StreamDecoder
  #decoder: StreamDecoder | null = null

  constructor(make: () => StreamDecoder) {
    this.#make = make
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#decoder ??= this.#make()
    this.#decoder.push(bytes, start, end, at)
  }

  gap(size: number, at: Evidence): void {
    this.#decoder ??= this.#make()
    this.#decoder.gap(size, at)
  }

  end(at: Evidence): void {
    this.#decoder?.end(at)
  }
}

export function randomWord(): number {
  return Math.floor(Math.random() * 2 ** 32)
}
