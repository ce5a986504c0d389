import { Packet } from '../../src/capture/packet.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { Evidence } from '../../src/core/evidence.ts'
import type { ProtocolEvent } from '../../src/events/event.ts'
import { Network } from '../../src/net/network.ts'
import type { HalfStream } from '../../src/net/reassembly.ts'
import type { TcpConnection } from '../../src/net/tcp.ts'
import { decodeIcmp } from '../../src/protocols/icmp/decoder.ts'
import { type CapturedPacket, capture, LINK, type Link, type Passed } from '../support/capture.ts'

type Decoder = NonNullable<HalfStream['decoder']>

/** One byte as it was delivered, by which packet; null for a byte of a gap. */
export type Delivered = readonly [value: number | null, packet: number]

/** Writes down each byte with its evidence. The evidence is lent, so it is copied. */
export class ByteRecorder implements Decoder {
  readonly delivered: Delivered[] = []
  ends = 0

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (this.ends > 0 || end <= start) throw new Error('push after the end, or of nothing')
    for (let i = start; i < end; i++) this.delivered.push([bytes[i] as number, at.packet])
  }

  gap(size: number, at: Evidence): void {
    if (this.ends > 0 || size <= 0) throw new Error('gap after the end, or of nothing')
    for (let i = 0; i < size; i++) this.delivered.push([null, at.packet])
  }

  end(): void {
    this.ends++
  }

  get values(): (number | null)[] {
    return this.delivered.map(([value]) => value)
  }

  /** Bytes as text, each missing one as `_`. */
  get text(): string {
    return this.values.map((value) => (value === null ? '_' : String.fromCharCode(value))).join('')
  }
}

/** What a network made of packets. */
export class Tap {
  readonly diagnostics = new Diagnostics()
  readonly events: ProtocolEvent[] = []
  readonly connections: TcpConnection[] = []
  /** Those that are not followed any more. */
  readonly over: TcpConnection[] = []
  readonly recorders = new Map<HalfStream, ByteRecorder>()
  readonly rarps: number[][] = []
  readonly network: Network
  readonly #packet = new Packet()

  /** @param attach puts decoders on a connection, instead of recorders */
  constructor(attach?: (connection: TcpConnection) => void) {
    this.network = new Network({
      sink: (event) => this.events.push(event),
      diagnostics: this.diagnostics,
      connected: (connection) => {
        this.connections.push(connection)
        if (attach === undefined) this.#record(connection)
        else attach(connection)
      },
      over: (connection) => this.over.push(connection),
      rarp: (bytes, offset, end) => this.rarps.push(Array.from(bytes.subarray(offset, end))),
      icmp: (bytes, offset, end, version, ends, at) =>
        decodeIcmp(bytes, offset, end, version, ends, at, (event) => this.events.push(event)),
    })
  }

  /** Each frame lies inside a larger buffer of other bytes: reads beyond its ends show. */
  feed(packets: readonly CapturedPacket[], linkType = 1): this {
    const first = packets[0]?.timeNs ?? 0n
    for (const { frame, originalLength, timeNs } of packets) {
      const bytes = new Uint8Array(frame.length + 200).fill(0x45)
      bytes.set(frame, 100)
      Object.assign(this.#packet, { bytes, start: 100, end: 100 + frame.length, linkType })
      this.#packet.packet++
      this.#packet.timeNs = Number(timeNs - first)
      this.#packet.originalLength = Math.max(frame.length, originalLength ?? 0)
      this.network.packet(this.#packet)
      bytes.fill(0xdd)
    }
    return this
  }

  pass(passed: readonly Passed[], link: Link = LINK.ethernet, snapLength?: number): this {
    const options = snapLength === undefined ? { link } : { link, snapLength }
    return this.feed(capture(passed, options), link.linkType)
  }

  end(): this {
    this.network.end({ packet: this.#packet.packet, timeNs: this.#packet.timeNs })
    return this
  }

  /** Delivered text, client to server and back, by connection. */
  texts(): [string, string][] {
    return this.connections.map(({ toServer, toClient }) => [this.#text(toServer), this.#text(toClient)])
  }

  /** `type@packet`, in the order of the sink. */
  told(): string[] {
    return this.events.map((event) => `${event.type}@${event.last.packet}`)
  }

  codes(): string[] {
    return this.diagnostics.list().map((each) => each.code)
  }

  ends(): number[] {
    return [...this.recorders.values()].map((recorder) => recorder.ends)
  }

  #record(connection: TcpConnection): void {
    for (const half of [connection.fromLow, connection.fromHigh]) {
      const recorder = new ByteRecorder()
      half.decoder = recorder
      this.recorders.set(half, recorder)
    }
  }

  #text(half: HalfStream): string {
    return this.recorders.get(half)?.text ?? ''
  }
}

export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
