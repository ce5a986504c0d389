import type { Packet } from '../capture/packet.ts'
import type { Stretch } from '../capture/stretch.ts'
import { BodyBudget } from '../core/body-budget.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { ROUND_MAPS_TOTAL_MAX } from '../core/limits.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { Network } from '../net/network.ts'
import type { TcpConnection } from '../net/tcp.ts'
import type { JoinedMigration } from '../phases/join.ts'
import { applyPingLogs, type NamedPingLog } from '../phases/ping-match.ts'
import { MigrationTracker } from '../phases/tracker.ts'
import { decodeIcmp } from '../protocols/icmp/decoder.ts'
import { decodeRarp } from '../protocols/rarp/decoder.ts'
import { makeDecoders, randomWord, type SharedByDecoders } from './decoders.ts'
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
  readonly #shared: SharedByDecoders
  readonly #tracker: MigrationTracker
  readonly #network: Network
  readonly #queue: EventQueue
  #last: Evidence = { packet: 0, timeNs: 0 }
  #expiredNs = 0
  /** The last one: events wait until the packet that they came with is accounted for. */
  #stretch: Stretch | null = null
  readonly #sink = (event: ProtocolEvent): void => this.#event(event)

  constructor(diagnostics: Diagnostics) {
    const maps = new BodyBudget(ROUND_MAPS_TOTAL_MAX)
    const salt = [randomWord(), randomWord()] as const
    this.#shared = { sink: this.#sink, diagnostics, bodies: new BodyBudget(), maps, salt }
    this.#tracker = new MigrationTracker(diagnostics, maps)
    this.#network = new Network({
      sink: this.#sink,
      diagnostics,
      connected: (connection) => new Recognizer(connection, this.#makeDecoders),
      over: (connection) => this.traffic.over(connection),
      forgotten: (connection) => this.#tracker.forget(connection),
      rarp: (bytes, offset, end, at) => decodeRarp(bytes, offset, end, at, this.#sink),
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

  /** Ordinary packets, many at once. */
  stretch(stretch: Stretch): void {
    if (this.#queue.size > 0) return
    this.#stretch = stretch
    stretch.interrupted = false
    this.#network.stretch(stretch)
    this.#last = stretch.packet
    if (this.#queue.size > 0) this.#queue.release()
  }

  /** Migrations that are in the capture now, and were not taken out. */
  get migrations(): JoinedMigration[] {
    return this.#tracker.migrations
  }

  /** How many there are at the most: the two sides of one may be counted apart. */
  get held(): number {
    return this.#tracker.held
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
    if (this.#stretch !== null) this.#stretch.interrupted = true
  }

  readonly #makeDecoders = (
    protocol: Protocol,
    connection: TcpConnection,
    midStream: MidStream,
  ): Decoders => {
    this.traffic.recognised(protocol, connection)
    connection.keepBooks(BOOKS[protocol])
    return makeDecoders(protocol, connection, midStream, this.#shared)
  }
}

/** The connections that carry a migration's memory and disks. */
function streamsOf({ libvirt }: JoinedMigration): TcpConnection[] {
  // All connections that events tell of come from the network.
  return [...(libvirt?.memory ?? []), ...(libvirt?.storage ?? [])] as TcpConnection[]
}
