import type { Packet } from '../capture/packet.ts'
import { BodyBudget } from '../core/body-budget.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { ROUND_MAPS_TOTAL_MAX } from '../core/limits.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { Network } from '../net/network.ts'
import type { TcpConnection } from '../net/tcp.ts'
import type { JoinedMigration } from '../phases/join.ts'
import { applyPingLogs, type NamedPingLog } from '../phases/ping-match.ts'
import { MigrationTracker } from '../phases/tracker.ts'
import { AmqpDecoder } from '../protocols/amqp/decoder.ts'
import { HttpDecoder } from '../protocols/http/decoder.ts'
import { Exchanges } from '../protocols/http/exchanges.ts'
import { decodeIcmp } from '../protocols/icmp/decoder.ts'
import { LibvirtDecoder } from '../protocols/libvirt/decoder.ts'
import { MultifdDecoder } from '../protocols/multifd/decoder.ts'
import { NbdConversation } from '../protocols/nbd/conversation.ts'
import { NbdDecoder } from '../protocols/nbd/decoder.ts'
import { QemuMigrationDecoder } from '../protocols/qemu-migration/decoder.ts'
import { ReturnPathDecoder } from '../protocols/qemu-migration/return-path.ts'
import { UrgentChannelDecoder } from '../protocols/qemu-migration/urgent-channel.ts'
import { decodeRarp } from '../protocols/rarp/decoder.ts'
import { TlsDecoder } from '../protocols/tls/decoder.ts'
import { EventQueue } from './event-queue.ts'
import { type Decoders, type MidStream, type Protocol, Recognizer } from './recognizer.ts'
import { TrafficSummary } from './traffic.ts'

/** Packets with payload that are remembered of a connection, so that bytes can be told by message and by phase. The longest
 *  stretch of libvirt's that is looked back on is from the end of CONNECT_OPEN to the end of the prepare call: 20 packets, and
 *  those of a domain description. Of bulk data nobody asks. */
const BOOKS: Readonly<Record<Protocol, number>> = {
  libvirt: 64,
  tls: 64,
  http: 16,
  amqp: 16,
  'qemu-migration': 0,
  'resumed-stream': 0,
  'urgent-channel': 0,
  multifd: 0,
  nbd: 0,
}

/** How often it is looked what can be forgotten, by the capture's clock: that takes some milliseconds where there are many
 *  connections. */
const EXPIRE_EVERY_NS = 10e9

/** From packets to migrations: wires the network, the decoders and the tracker. The packets are those of one capture, or
 *  of several that were merged. */
export class Trace {
  /** What was there besides migrations. */
  readonly traffic = new TrafficSummary()
  readonly #diagnostics: Diagnostics
  readonly #bodies = new BodyBudget()
  readonly #maps = new BodyBudget(ROUND_MAPS_TOTAL_MAX)
  /** Makes fingerprints of tokens meaningless outside of this run. */
  readonly #salt = [randomWord(), randomWord()] as const
  readonly #tracker: MigrationTracker
  readonly #network: Network
  readonly #queue: EventQueue
  #last: Evidence = { packet: 0, timeNs: 0 }
  #expiredNs = 0
  #ended = false
  readonly #sink = (event: ProtocolEvent): void => this.#event(event)

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
    this.#tracker = new MigrationTracker(diagnostics, this.#maps)
    this.#network = new Network({
      sink: (event) => this.#event(event),
      diagnostics,
      connected: (connection) => new Recognizer(connection, this.#makeDecoders),
      over: (connection) => {
        this.traffic.over(connection)
        // At the end, all that is known is still asked for.
        if (!this.#ended) this.#tracker.forget(connection)
      },
      rarp: (bytes, offset, end, at) => decodeRarp(bytes, offset, end, at, (event) => this.#event(event)),
      icmp: (bytes, offset, end, version, ends, at) =>
        decodeIcmp(bytes, offset, end, version, ends, at, this.#sink),
    })
    this.#queue = new EventQueue(
      (event) => this.#tracker.event(event),
      () => this.#network.pool.oldestHole(),
      diagnostics,
    )
  }

  packet(packet: Packet): void {
    this.#network.packet(packet)
    if (this.#queue.size > 0) this.#queue.release()
    this.#last = packet
  }

  /** Migrations that are in the capture now, and were not taken out. */
  get migrations(): JoinedMigration[] {
    return this.#tracker.migrations
  }

  /** The capture goes on, and some migrations are over.
   *  @param silenceNs since the last packet
   *  @returns those, to be described and then forgotten, in order of their first packets */
  ripe(silenceNs: number): JoinedMigration[] {
    const { timeNs } = this.#last
    // On a quiet wire, what will not come any more is given up by the clock, not after so many packets.
    if (this.#network.pool.waiting.size > 0) {
      this.#network.pool.expire(this.#last)
      this.#queue.release()
    }
    const ripe = this.#tracker.ripe({ packetNs: timeNs, ns: timeNs + silenceNs })
    const open = ripe.flatMap(streamsOf).filter(({ closed }) => !closed)
    if (open.length === 0) return ripe
    // What their decoders still hold is said now, as it would be at the end.
    for (const connection of open) connection.close(this.#last)
    this.#queue.release()
    return ripe
  }

  /** Forgets migrations that were ripe, and what else is needed no more. */
  release(migrations: readonly JoinedMigration[]): void {
    this.#tracker.release(migrations)
    if (this.#last.timeNs - this.#expiredNs < EXPIRE_EVERY_NS) return
    this.#expiredNs = this.#last.timeNs
    this.#network.expire(this.#last, (connection) => this.#tracker.needs(connection))
  }

  /** No more packets.
   *  @param pings logs of clients that pinged the guests @param startEpochNs nanoseconds since 1970 of time zero */
  end(pings: readonly NamedPingLog[], startEpochNs: bigint | null): JoinedMigration[] {
    this.#ended = true
    this.#network.end(this.#last)
    this.#queue.flush()
    const migrations = this.#tracker.end()
    const followed = migrations.flatMap(({ libvirt }) => (libvirt === null ? [] : [libvirt]))
    if (startEpochNs !== null) applyPingLogs(followed, pings, startEpochNs)
    return migrations
  }

  #event(event: ProtocolEvent): void {
    this.traffic.event(event)
    this.#queue.add(event)
  }

  readonly #makeDecoders = (
    protocol: Protocol,
    connection: TcpConnection,
    midStream: MidStream,
  ): Decoders => {
    this.traffic.recognised(protocol, connection)
    connection.keepBooks(BOOKS[protocol])
    const sink = (event: ProtocolEvent): void => this.#event(event)
    const common = {
      connection,
      sink,
      diagnostics: this.#diagnostics,
      bodies: this.#bodies,
      maps: this.#maps,
    }
    const toServer = { ...common, direction: 'to-server', midStream: midStream.toServer } as const
    const toClient = { ...common, direction: 'to-client', midStream: midStream.toClient } as const
    switch (protocol) {
      case 'libvirt': {
        const stream = new Deferred(() => new QemuMigrationDecoder({ ...toServer, midStream: false }))
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
        const shared = { exchanges: new Exchanges(), salt: this.#salt }
        return {
          toServer: new HttpDecoder({ ...toServer, ...shared }),
          toClient: new HttpDecoder({ ...toClient, ...shared }),
        }
      }
      case 'amqp':
        return { toServer: new AmqpDecoder(toServer), toClient: new AmqpDecoder(toClient) }
      case 'tls':
        return { toServer: new TlsDecoder(toServer), toClient: new TlsDecoder(toClient) }
      case 'nbd': {
        const conversation = new NbdConversation(common)
        return {
          toServer: new NbdDecoder({ ...toServer, conversation }),
          toClient: new NbdDecoder({ ...toClient, conversation }),
        }
      }
      case 'multifd':
        return { toServer: new MultifdDecoder(toServer), toClient: null }
    }
  }
}

/** The connections that carry a migration's memory and disks. */
function streamsOf({ libvirt }: JoinedMigration): TcpConnection[] {
  // All connections that events tell of come from the network.
  return [...(libvirt?.memory ?? []), ...(libvirt?.storage ?? [])] as TcpConnection[]
}

function randomWord(): number {
  return Math.floor(Math.random() * 2 ** 32)
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
