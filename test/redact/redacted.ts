import { CaptureReader } from '../../src/capture/open.ts'
import type { Packet } from '../../src/capture/packet.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { u32be } from '../../src/core/bytes.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { StreamDecoder } from '../../src/core/stream-decoder.ts'
import { Network } from '../../src/net/network.ts'
import { type Analysis, Analyzer } from '../../src/pipeline/analyzer.ts'
import { RedactedCopy, type Replacement } from '../../src/redact/redacted-copy.ts'

export const KEY = new TextEncoder().encode('a key for tests alone')

export interface Redacted {
  readonly bytes: Uint8Array
  readonly replacements: readonly Replacement[]
  readonly copy: RedactedCopy
}

/** As the command does it: one pass for the names, one to write.
 *  @param cut bytes of each piece in which the capture is given */
export function redact(capture: Uint8Array, key = KEY, cut = 1 << 20): Redacted {
  const reader = new RedactedCopy({ key }, null)
  push(reader, capture, cut)
  const parts: Uint8Array[] = []
  const copy = new RedactedCopy({ key, names: reader.names }, (bytes) => parts.push(bytes.slice()))
  push(copy, capture, cut)
  return { bytes: Uint8Array.from(Buffer.concat(parts)), replacements: [...copy.replacements()], copy }
}

function push(copy: RedactedCopy, capture: Uint8Array, cut: number): void {
  for (let at = 0; at < capture.length; at += cut) copy.push(capture.subarray(at, at + cut))
  copy.end()
}

export function analyse(capture: Uint8Array): Analysis {
  const analyzer = new Analyzer({ name: 'capture' })
  analyzer.push(capture)
  return analyzer.end()
}

/** Each packet as the reader gives it. */
export function eachPacket(capture: Uint8Array, visit: (packet: Packet) => void): CaptureSummary {
  const summary = new CaptureSummary()
  const reader = new CaptureReader(visit, summary, new Diagnostics())
  reader.push(capture)
  reader.end()
  return summary
}

/** Bytes of a connection up to which it is taken for one of messages; memory streams have more. */
const MESSAGES_MAX = 4 * 1024 * 1024

/** The payload of each direction of a connection, put together, so that nothing is hidden by a cut between two packets; but for
 *  memory streams and disks. */
export function streamsOf(capture: Uint8Array): Buffer {
  const streams: Collector[] = []
  const network = new Network({
    sink: () => {},
    diagnostics: new Diagnostics(),
    connected: (connection) => {
      for (const half of [connection.fromLow, connection.fromHigh]) {
        const collector = new Collector()
        streams.push(collector)
        half.decoder = collector
      }
    },
    over: () => {},
    rarp: () => {},
    icmp: () => {},
  })
  eachPacket(capture, (packet) => network.packet(packet))
  network.end({ packet: 0, timeNs: 0 })
  return Buffer.concat(streams.flatMap(({ parts }) => [...parts, Buffer.alloc(16)]))
}

/** Of the main channel, and of the others. */
const MEMORY_MAGICS = [0x5145564d, 0x11223344]

class Collector implements StreamDecoder {
  parts: Uint8Array[] = []
  #size = 0
  #isMemory = false

  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.#size === 0) this.#isMemory = MEMORY_MAGICS.includes(u32be(bytes, start))
    this.#size += end - start
    if (this.#isMemory || this.#size > MESSAGES_MAX) this.parts = []
    else this.parts.push(bytes.slice(start, end))
  }

  gap(): void {}

  end(): void {}
}

/** What differs between two values of one form, but for texts, which may differ as long as the same becomes the same and others
 *  become others.
 *  @returns the differences that there may not be */
export function differences(before: unknown, after: unknown): string[] {
  const found: string[] = []
  const forth = new Map<string, string>()
  const back = new Map<string, string>()
  const compare = (a: unknown, b: unknown, path: string): void => {
    if (typeof a === 'string' && typeof b === 'string') {
      if (a.length !== b.length) found.push(`${path}: ${a} became ${b}`)
      if ((forth.get(a) ?? b) !== b) found.push(`${path}: ${a} became ${forth.get(a)} and ${b}`)
      if ((back.get(b) ?? a) !== a) found.push(`${path}: ${a} and ${back.get(b)} became ${b}`)
      forth.set(a, b)
      back.set(b, a)
    } else if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      if (a !== b) found.push(`${path}: ${String(a)} became ${String(b)}`)
    } else {
      const [one, other] = [a, b] as Record<string, unknown>[]
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        compare(one?.[key], other?.[key], `${path}.${key}`)
    }
  }
  compare(before, after, '')
  return found
}
