import type { Diagnostics } from '../core/diagnostic.ts'
import { InputError } from '../core/input-error.ts'
import { DpmiReader } from './dpmi.ts'
import { FirstBytes } from './first-bytes.ts'
import { type FileKind, isTold, sniff } from './magic.ts'
import { MeasurementFrames, mayBeMeasurementFrame } from './measurement.ts'
import type { Packet, PacketSink } from './packet.ts'
import { PcapReader } from './pcap.ts'
import { PcapngReader } from './pcapng.ts'
import { type RecordParser, RecordStream } from './records.ts'
import type { StretchSink } from './stretch.ts'
import type { CaptureFormat, CaptureSummary } from './summary.ts'

/** Reads a capture from bytes in any cut: chooses the reader by magic and hands each packet to `sink`,
 *  frames that came in DPMI measurement frames by themselves. */
export class CaptureReader {
  readonly #sink: PacketSink
  readonly #measurement: MeasurementFrames
  readonly #summary: CaptureSummary
  readonly #diagnostics: Diagnostics
  readonly #takeMany: StretchSink | null
  readonly #bytes = new FirstBytes((start) => this.#open(start), isTold)

  /** @param takeMany who takes ordinary packets by the hundred, past the sink */
  constructor(
    sink: PacketSink,
    summary: CaptureSummary,
    diagnostics: Diagnostics,
    takeMany: StretchSink | null = null,
  ) {
    this.#sink = sink
    this.#summary = summary
    this.#diagnostics = diagnostics
    this.#takeMany = takeMany
    this.#measurement = new MeasurementFrames(sink, summary, diagnostics)
  }

  /** @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#summary.fileBytes += bytes.length
    this.#bytes.push(bytes)
  }

  /** @throws InputError when there were no bytes, too few to tell, or not even a whole header */
  end(): void {
    if (this.#bytes.end().end()) return
    if (this.#summary.linkTypes.length === 0)
      throw new InputError(
        `ends inside its file header (after ${this.#summary.fileBytes} bytes), so that it holds no packet: was the capture stopped too early, or the copy cut?`,
      )
    const after = this.#summary.packets
    this.#diagnostics.report(
      'capture.cut-short',
      'warning',
      { packet: after, timeNs: 0 },
      () =>
        `the capture ends in the middle of a record, after packet ${after}; all packets before it were read`,
    )
  }

  #open(start: Uint8Array): RecordStream {
    const kind = sniff(start)
    if (kind.kind !== 'capture') throw new InputError(refusal(kind, start.length))
    this.#summary.format = kind.format
    return new RecordStream(this.#parser(kind.format))
  }

  #parser(format: CaptureFormat): RecordParser {
    const sink: PacketSink = (packet) => this.#deliver(packet)
    switch (format) {
      case 'pcap':
        return new PcapReader(sink, this.#summary, this.#diagnostics, this.#takeMany && this.#many)
      case 'pcapng':
        return new PcapngReader(sink, this.#summary, this.#diagnostics, this.#takeMany && this.#many)
      case 'dpmi':
        return new DpmiReader(sink, this.#summary, this.#diagnostics)
    }
  }

  readonly #many: StretchSink = (stretch) => {
    // Behind measurement frames, times are others.
    if (this.#measurement.shiftNs === 0) this.#takeMany?.(stretch)
  }

  #deliver(packet: Packet): void {
    if (mayBeMeasurementFrame(packet) && this.#measurement.unwrap(packet)) return
    packet.timeNs += this.#measurement.shiftNs
    this.#summary.frame(packet)
    this.#sink(packet)
  }
}

function refusal(kind: Exclude<FileKind, { kind: 'capture' }>, size: number): string {
  switch (kind.kind) {
    case 'compressed':
      return `is compressed with ${kind.compression}, inside or out: decompress it first`
    case 'unsupported':
      return `is ${kind.name}, which is not read: ${kind.advice}`
    case 'unknown':
      return size === 0
        ? 'is empty: was the capture stopped before anything was written?'
        : 'is not a packet capture (its first bytes are those of neither pcap, pcapng nor DPMI): give a file written by tcpdump, dumpcap or Wireshark'
  }
}
