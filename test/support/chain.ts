import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FILE_HEADER = 24
const RECORD_HEADER = 16
const MAGIC_NS = 0xa1b23c4d

/** A classic little-endian pcap, as far as it is needed to put it behind another one. */
class Classic {
  readonly bytes: Uint8Array
  readonly nanoseconds: boolean
  readonly linkType: number

  constructor(path: string) {
    const packed = readFileSync(path)
    this.bytes = new Uint8Array(path.endsWith('.gz') ? gunzipSync(packed) : packed)
    const view = new DataView(this.bytes.buffer)
    this.nanoseconds = view.getUint32(0, true) === MAGIC_NS
    this.linkType = view.getUint32(20, true)
  }

  /** Records with stamps in nanoseconds, moved so that the first one is at `startNs`. */
  *records(startNs: bigint): Generator<{ readonly timeNs: bigint; readonly bytes: Uint8Array }> {
    let shift: bigint | null = null
    for (let at = FILE_HEADER; at + RECORD_HEADER <= this.bytes.length; ) {
      const view = new DataView(this.bytes.buffer, at)
      const size = RECORD_HEADER + view.getUint32(8, true)
      const fraction = BigInt(view.getUint32(4, true)) * (this.nanoseconds ? 1n : 1000n)
      const stamp = BigInt(view.getUint32(0, true)) * 1_000_000_000n + fraction
      shift ??= startNs - stamp
      yield { timeNs: stamp + shift, bytes: stamped(this.bytes.slice(at, at + size), stamp + shift) }
      at += size
    }
  }
}

function stamped(record: Uint8Array, timeNs: bigint): Uint8Array {
  const view = new DataView(record.buffer)
  view.setUint32(0, Number(timeNs / 1_000_000_000n), true)
  view.setUint32(4, Number(timeNs % 1_000_000_000n), true)
  return record
}

export interface ChainOptions {
  /** Seconds between the end of one capture and the start of the next, and behind the last one. */
  readonly pauseS: number
  /** Milliseconds from one packet to the next in the pauses; none without. */
  readonly beatMs?: number
}

/** Captures one behind the other as one, with packets that mean nothing in the pauses: the wire goes on.
 *  @returns its bytes, in pieces of some packets */
export function* chain(
  paths: readonly string[],
  { pauseS, beatMs = 500 }: ChainOptions,
): Generator<Uint8Array> {
  let nowNs = 1_795_000_000_000_000_000n
  let linkType: number | null = null
  for (const path of paths) {
    const capture = new Classic(path)
    if (linkType === null) yield fileHeader(capture.linkType)
    linkType ??= capture.linkType
    if (linkType !== capture.linkType) throw new Error(`${path} has another link type`)
    let last = nowNs
    for (const { timeNs, bytes } of capture.records(nowNs)) {
      if (timeNs > last) last = timeNs
      yield bytes
    }
    nowNs = last + BigInt(pauseS) * 1_000_000_000n
    const beatNs = BigInt(beatMs) * 1_000_000n
    for (let at = last + beatNs; at < nowNs; at += beatNs) yield beat(at)
  }
}

function fileHeader(linkType: number): Uint8Array {
  const header = new Uint8Array(FILE_HEADER)
  const view = new DataView(header.buffer)
  view.setUint32(0, MAGIC_NS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, 262_144, true)
  view.setUint32(20, linkType, true)
  return header
}

/** A frame of a kind that nobody reads (LLDP). */
function beat(timeNs: bigint): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER + 60)
  const view = new DataView(record.buffer)
  view.setUint32(8, 60, true)
  view.setUint32(12, 60, true)
  view.setUint16(RECORD_HEADER + 12, 0x88cc)
  return stamped(record, timeNs)
}

/** Whether a capture can be a link of a chain: Ethernet, in the oldest format. */
export function isLink(path: string): boolean {
  if (!/\.pcap(\.gz)?$/.test(path)) return false
  return new Classic(path).linkType === 1
}
