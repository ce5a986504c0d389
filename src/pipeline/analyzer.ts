import { CaptureReader } from '../capture/open.ts'
import type { Packet } from '../capture/packet.ts'
import { CaptureSummary } from '../capture/summary.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import type { Direction } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { Network } from '../net/network.ts'
import type { TcpConnection } from '../net/tcp.ts'
import { MigrationTracker } from '../phases/tracker.ts'
import type { StreamDecoder } from '../protocols/decoder.ts'
import { BodyBudget } from '../protocols/libvirt/body.ts'
import { LibvirtDecoder } from '../protocols/libvirt/decoder.ts'
import { QemuMigrationDecoder } from '../protocols/qemu-migration/decoder.ts'
import { ReturnPathDecoder } from '../protocols/qemu-migration/return-path.ts'
import { decodeRarp } from '../protocols/rarp/decoder.ts'
import { TlsDecoder } from '../protocols/tls/decoder.ts'
import { describeCapture, describeMigrations } from '../report/build.ts'
import type { CaptureReport, MigrationReport } from '../report/model.ts'
import { EventQueue } from './event-queue.ts'
import { type Protocol, Recognizer } from './recognizer.ts'
import { TrafficSummary } from './traffic.ts'

export interface AnalyzerOptions {
  /** What the report calls the capture: a file's path. */
  readonly name?: string
  /** How the bytes were compressed before they were given, for the report. */
  readonly compression?: string | null
}

/** All that one capture tells. */
export interface Analysis {
  readonly capture: CaptureReport
  readonly migrations: readonly MigrationReport[]
  /** What was in the capture besides, for a user who expected a migration. */
  readonly traffic: TrafficSummary
}

/** Reads one capture and reports the migrations in it. Give it the bytes of the file with `push`, in any cut, then
 *  call `end`. Memory does not grow with the capture. */
export class Analyzer {
  readonly #name: string
  readonly #compression: string | null
  readonly #summary = new CaptureSummary()
  readonly #diagnostics = new Diagnostics()
  readonly #traffic = new TrafficSummary()
  readonly #bodies = new BodyBudget()
  readonly #tracker = new MigrationTracker(this.#diagnostics)
  readonly #network: Network
  readonly #queue: EventQueue
  readonly #reader: CaptureReader
  #last: Evidence = { packet: 0, timeNs: 0 }

  constructor(options: AnalyzerOptions = {}) {
    this.#name = options.name ?? 'capture'
    this.#compression = options.compression ?? null
    this.#network = new Network({
      sink: (event) => this.#event(event),
      diagnostics: this.#diagnostics,
      connected: (connection) => new Recognizer(connection, this.#makeDecoder),
      rarp: (bytes, offset, end, at) => decodeRarp(bytes, offset, end, at, (event) => this.#event(event)),
    })
    this.#queue = new EventQueue(
      (event) => this.#tracker.event(event),
      () => this.#network.pool.oldestHole(),
      this.#diagnostics,
    )
    this.#reader = new CaptureReader((packet) => this.#packet(packet), this.#summary, this.#diagnostics)
  }

  /** Packets read until now. */
  get packets(): number {
    return this.#summary.packets
  }

  /** @param bytes the next bytes of the capture, borrowed until the call returns
   *  @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes)
  }

  /** Adds what the reader of the bytes found wrong with them. */
  report(code: string, message: string): void {
    this.#diagnostics.report(code, 'warning', null, () => message)
  }

  /** No more bytes: the report.
   *  @throws InputError when there were none, or too few to tell */
  end(): Analysis {
    this.#reader.end()
    this.#network.end(this.#last)
    this.#queue.flush()
    this.#tracker.end()
    const capture = describeCapture(this.#name, this.#compression, this.#summary, this.#diagnostics.list())
    return {
      capture,
      migrations: describeMigrations(this.#tracker.migrations, this.#summary, capture),
      traffic: this.#traffic,
    }
  }

  #packet(packet: Packet): void {
    this.#network.packet(packet)
    if (this.#queue.size > 0) this.#queue.release()
    this.#last = packet
  }

  #event(event: ProtocolEvent): void {
    this.#traffic.event(event)
    this.#queue.add(event)
  }

  readonly #makeDecoder = (
    protocol: Protocol,
    connection: TcpConnection,
    direction: Direction,
    midStream: boolean,
  ): StreamDecoder | null => {
    this.#traffic.recognised(protocol, connection)
    const sink = (event: ProtocolEvent): void => this.#event(event)
    const options = { connection, direction, sink, diagnostics: this.#diagnostics, midStream }
    switch (protocol) {
      case 'libvirt': {
        const tunnelled = { ...options, midStream: false }
        const stream =
          direction === 'to-server' ? new Deferred(() => new QemuMigrationDecoder(tunnelled)) : null
        return new LibvirtDecoder({ ...options, bodies: this.#bodies, stream })
      }
      case 'qemu-migration':
        return direction === 'to-server' ? new QemuMigrationDecoder(options) : new ReturnPathDecoder(options)
      case 'nbd': {
        const at = connection.firstPacket
        if (direction === 'to-client')
          sink({ type: 'nbd.greeting', connection, direction, first: at, last: at })
        return null
      }
      case 'tls':
        return new TlsDecoder(options)
      case 'multifd':
        return null
    }
  }
}

/** Analyses a capture that comes piece by piece: a fetch body, a file, a pipe.
 *  @throws InputError when the bytes are those of no capture */
export async function analyze(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: AnalyzerOptions = {},
): Promise<Analysis> {
  const analyzer = new Analyzer(options)
  for await (const piece of pieces) analyzer.push(piece)
  return analyzer.end()
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
