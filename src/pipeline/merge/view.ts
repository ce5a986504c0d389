import { CaptureReader } from '../../capture/open.ts'
import { CaptureSummary } from '../../capture/summary.ts'
import { Diagnostics } from '../../core/diagnostic.ts'
import { type ClockOffset, compareClocks, Sightings } from './clock.ts'

/** The bytes of a capture from the start. */
export interface PointSource {
  readonly compression: string | null
  readonly blocks: AsyncIterable<Uint8Array>
}

/** What one point saw, and when its first packet was on its own clock. */
export interface PointView {
  readonly seen: Sightings
  readonly startEpochNs: bigint
  readonly isOutOfOrder: boolean
}

/** @throws InputError when it is no capture */
export async function viewOf(open: () => Promise<PointSource>): Promise<PointView> {
  const seen = new Sightings()
  const summary = new CaptureSummary()
  const { blocks } = await open()
  const reader = new CaptureReader((packet) => seen.add(packet, packet.timeNs), summary, new Diagnostics())
  for await (const block of blocks) reader.push(new Uint8Array(block))
  reader.end()
  return { seen, startEpochNs: summary.startEpochNs ?? 0n, isOutOfOrder: summary.isOutOfOrder }
}

/** How far the clock of a point is off against a reference. Null when they have no packet in common. */
export function compareViews(reference: PointView, other: PointView): ClockOffset | null {
  return compareClocks(reference.seen, other.seen, Number(other.startEpochNs - reference.startEpochNs))
}
