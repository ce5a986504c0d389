import { text, u32be, u32le, u64be, u64le } from '../core/bytes.ts'
import { INTERFACE_NAMES_MAX } from '../core/limits.ts'
import type { CaptureSummary } from './summary.ts'

/** Header of a frame in DPMI's files and measurement frames, in the byte order of the measurement point: interface,
 *  measurement point, time, length on the wire, captured length. The frame follows, beginning with Ethernet.
 *  @see DPMI/libcap_utils caputils/capture.h, struct cap_header */
const FIELD = { interface: 0, point: 8, seconds: 16, picoseconds: 20, length: 28, captured: 32 } as const
const NAME_SIZE = 8
export const CAP_RECORD_HEADER_SIZE = 36
const PS_PER_SECOND = 1e12

/** Reads the headers of one file or stream of measurement frames. */
export class CapRecords {
  readonly #summary: CaptureSummary
  #u32: (b: Uint8Array, o: number) => number = u32le
  #u64: (b: Uint8Array, o: number) => number = u64le
  #startSeconds = 0
  #startPicoseconds = 0
  /** Where known names are, as four words each: most packets are of an interface that is known. */
  readonly #names: (readonly [number, number, number, number])[] = []

  constructor(summary: CaptureSummary) {
    this.#summary = summary
  }

  useBigEndian(): void {
    this.#u32 = u32be
    this.#u64 = u64be
  }

  captured(bytes: Uint8Array, offset: number): number {
    return this.#u32(bytes, offset + FIELD.captured)
  }

  length(bytes: Uint8Array, offset: number): number {
    return this.#u32(bytes, offset + FIELD.length)
  }

  seconds(bytes: Uint8Array, offset: number): number {
    return this.#u32(bytes, offset + FIELD.seconds)
  }

  /** Whether the part of the stamp below a second is that. */
  hasTime(bytes: Uint8Array, offset: number): boolean {
    return this.#u64(bytes, offset + FIELD.picoseconds) < PS_PER_SECOND
  }

  /** Nanoseconds since 1970, rounded down. */
  epochNs(bytes: Uint8Array, offset: number): bigint {
    const picoseconds = this.#u64(bytes, offset + FIELD.picoseconds)
    return BigInt(this.seconds(bytes, offset)) * 1_000_000_000n + BigInt(Math.floor(picoseconds / 1000))
  }

  /** Makes the stamp of this record time zero. */
  startAt(bytes: Uint8Array, offset: number): void {
    this.#startSeconds = this.seconds(bytes, offset)
    this.#startPicoseconds = this.#u64(bytes, offset + FIELD.picoseconds)
  }

  startAtEpoch(epochNs: bigint): void {
    this.#startSeconds = Number(epochNs / 1_000_000_000n)
    this.#startPicoseconds = Number(epochNs % 1_000_000_000n) * 1000
  }

  /** Nanoseconds after time zero; a picosecond is 0.001. */
  timeNs(bytes: Uint8Array, offset: number): number {
    const picoseconds = this.#u64(bytes, offset + FIELD.picoseconds) - this.#startPicoseconds
    return (this.seconds(bytes, offset) - this.#startSeconds) * 1e9 + picoseconds / 1000
  }

  /** Tells the summary the interface and measurement point of the record. */
  noteNames(bytes: Uint8Array, offset: number): void {
    const a = u32le(bytes, offset)
    const b = u32le(bytes, offset + 4)
    const c = u32le(bytes, offset + 8)
    const d = u32le(bytes, offset + 12)
    for (const known of this.#names)
      if (known[0] === a && known[1] === b && known[2] === c && known[3] === d) return
    if (this.#names.length >= INTERFACE_NAMES_MAX) return
    this.#names.push([a, b, c, d])
    this.#summary.addInterface(interfaceName(bytes, offset))
  }
}

/** `interface@point` of the record at `offset`. */
export function interfaceName(bytes: Uint8Array, offset: number): string {
  const point = name(bytes, offset + FIELD.point, NAME_SIZE)
  return `${name(bytes, offset + FIELD.interface, NAME_SIZE)}@${point}`
}

/** Text of at most `size` bytes, up to the first NUL. */
function name(bytes: Uint8Array, offset: number, size: number): string {
  const nul = bytes.subarray(offset, offset + size).indexOf(0)
  return text(bytes, offset, offset + (nul < 0 ? size : nul))
}
