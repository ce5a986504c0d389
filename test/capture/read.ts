import { CaptureReader } from '../../src/capture/open.ts'
import type { Packet } from '../../src/capture/packet.ts'
import type { StretchSink } from '../../src/capture/stretch.ts'
import { CaptureSummary, ORDINARY_FRAME_MAX } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { CapturedPacket } from '../support/capture.ts'

export interface ReadPacket {
  readonly packet: number
  readonly timeNs: number
  readonly bytes: string
  readonly originalLength: number
  readonly linkType: number
}

export interface Reading {
  readonly packets: readonly ReadPacket[]
  readonly summary: CaptureSummary
  /** Codes. */
  readonly diagnostics: readonly string[]
}

/** Reads a capture that comes in pieces. The pieces are lent: overwritten as soon as they were taken. */
export function read(...pieces: readonly Uint8Array[]): Reading {
  return readInto([], pieces, null)
}

/** The same, many packets at once: all that are offered, as long as time goes on.
 *  @returns how many these were, too */
export function readMany(...pieces: readonly Uint8Array[]): Reading & { readonly taken: number } {
  const packets: ReadPacket[] = []
  let taken = 0
  const reading = readInto(packets, pieces, (stretch) => {
    const { bytes } = stretch.packet
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const latestNs = (): number => packets.reduce((latest, { timeNs }) => Math.max(latest, timeNs), 0)
    for (;;) {
      const timeNs = stretch.look(view)
      // Also false for NaN.
      if (!(timeNs >= latestNs()) || stretch.size > ORDINARY_FRAME_MAX) return
      stretch.take(timeNs)
      packets.push(kept(stretch.packet))
      taken++
    }
  })
  return { ...reading, taken }
}

function readInto(packets: ReadPacket[], pieces: readonly Uint8Array[], many: StretchSink | null): Reading {
  const summary = new CaptureSummary()
  const diagnostics = new Diagnostics()
  const reader = new CaptureReader((packet) => packets.push(kept(packet)), summary, diagnostics, many)
  for (const piece of pieces) {
    const lent = piece.slice()
    reader.push(lent)
    lent.fill(0xdd)
  }
  reader.end()
  return { packets, summary, diagnostics: diagnostics.list().map((each) => each.code) }
}

function kept({ packet, timeNs, bytes, start, end, originalLength, linkType }: Packet): ReadPacket {
  const hex = Buffer.from(bytes.subarray(start, end)).toString('hex')
  return { packet, timeNs, bytes: hex, originalLength, linkType }
}

/** All that must not depend on how the bytes came. */
export function facts({ packets, summary, diagnostics }: Reading): unknown {
  return { packets, summary: { ...summary }, diagnostics }
}

export function singles(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
}

export const START_NS = 1_795_175_111_123_456_789n

/** Frames of different sizes and contents, `stepNs` apart; the third came before the first. */
export function samplePackets(stepNs = 1000n): CapturedPacket[] {
  return [60, 61, 62, 63, 1, 333].map((size, i) => ({
    timeNs: START_NS + (i === 2 ? -7n : BigInt(i)) * stepNs,
    frame: Uint8Array.from({ length: size }, (_, at) => (17 * i + at) & 0xff),
    originalLength: i === 3 ? 1500 : size,
  }))
}

/** What a reader should say of them, times rounded down to `unitNs`. */
export function expected(packets: readonly CapturedPacket[], unitNs = 1n): Omit<ReadPacket, 'linkType'>[] {
  const round = (timeNs: bigint): bigint => timeNs - (timeNs % unitNs)
  const first = round(packets[0]?.timeNs ?? 0n)
  return packets.map(({ timeNs, frame, originalLength }, i) => ({
    packet: i + 1,
    timeNs: Number(round(timeNs) - first),
    bytes: Buffer.from(frame).toString('hex'),
    originalLength: originalLength ?? frame.length,
  }))
}
