import { CaptureReader } from '../../capture/open.ts'
import { copyOf, type Packet } from '../../capture/packet.ts'
import { CaptureSummary } from '../../capture/summary.ts'
import { Diagnostics } from '../../core/diagnostic.ts'
import { InputError } from '../../core/input-error.ts'
import { describeCapture, describeMigrations } from '../../report/build.ts'
import type { Analysis, RunFacts } from '../analyzer.ts'
import { PacketOrder } from '../packet-order.ts'
import { Trace } from '../trace.ts'
import type { ClockOffset } from './clock.ts'
import { Duplicates } from './duplicates.ts'
import { Origins } from './origins.ts'
import { compareViews, type PointSource, type PointView, viewOf } from './view.ts'

/** Capture points of one run: more than anybody sets up, and what a packet's origin has bits for. */
export const POINTS_MAX = 15

/** One capture of several that saw the same run. */
export interface CapturePoint {
  /** What the report calls it: a file's path. */
  readonly name: string
  /** Its bytes from the start. Called twice: the clocks are compared before the packets are merged. Each piece must
   *  stay as it is until the next is asked for. */
  readonly open: () => Promise<PointSource>
  /** Seconds to be added to its stamps; null: find out. */
  readonly clockOffset: number | null
  /** What it saw, where somebody looked before: it is read once then. */
  readonly view?: PointView
}

/** Merges the captures of one run by time and analyses them as one trace. A packet that several points saw counts
 *  once, as first seen. Evidence names the capture and the packet number in it.
 *  @param facts logs of pings go by the first point's clock
 *  @throws InputError when a capture cannot be read, or there are too many */
export async function analyzeMerged(
  points: readonly CapturePoint[],
  facts: RunFacts = {},
): Promise<Analysis> {
  if (points.length > POINTS_MAX)
    throw new InputError(`and the others are too many: at most ${POINTS_MAX} are merged`)
  const seen = await seenBy(points)
  const trace = new MergedTrace(points, compareAll(seen))
  for (const [index, point] of seen.entries()) if (point.isOutOfOrder) trace.sort(index)
  const sources = await Promise.all(points.map((point) => named(point, () => point.open())))
  const iterators = sources.map((source) => source.blocks[Symbol.asyncIterator]())
  for (let wanting = trace.wanting(); wanting >= 0; wanting = trace.wanting()) {
    const next = await iterators[wanting]?.next()
    if (next === undefined || next.done === true) trace.endPoint(wanting)
    else trace.push(wanting, next.value)
  }
  return trace.end(
    sources.map((source) => source.compression),
    facts,
  )
}

/** What each point saw; nothing where all clocks are given. */
async function seenBy(points: readonly CapturePoint[]): Promise<PointView[]> {
  if (points.every((point) => point.clockOffset !== null)) return []
  const views: PointView[] = []
  for (const point of points) views.push(point.view ?? (await named(point, () => viewOf(point.open))))
  return views
}

/** The offset of each point to the first one. */
function compareAll(views: readonly PointView[]): (ClockOffset | null)[] {
  const [reference] = views
  return views.map((view, index) =>
    index === 0 || reference === undefined ? null : compareViews(reference, view),
  )
}

/** Says which of the captures cannot be used. */
async function named<T>(point: CapturePoint, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.message, point.name) : error
  }
}

/** Packets of one point that wait for their turn. */
class PointQueue {
  readonly summary = new CaptureSummary()
  readonly diagnostics = new Diagnostics()
  readonly order = new PacketOrder((packet) => this.#keep(packet))
  readonly #reader = new CaptureReader((packet) => this.order.packet(packet), this.summary, this.diagnostics)
  ended = false
  #packets: Packet[] = []
  #next = 0

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    if (!this.order.isSorting && this.summary.isOutOfOrder) this.order.sort(this.summary.packets)
  }

  end(): void {
    this.#reader.end()
    this.order.end(this.diagnostics)
    this.ended = true
  }

  get head(): Packet | null {
    return this.#packets[this.#next] ?? null
  }

  take(): void {
    this.#next++
    if (this.#next < this.#packets.length) return
    this.#packets = []
    this.#next = 0
  }

  #keep(packet: Packet): void {
    const kept = copyOf(packet)
    kept.packet = this.order.inFile(packet.packet)
    this.#packets.push(kept)
  }
}

class MergedTrace {
  readonly #points: readonly CapturePoint[]
  readonly #clocks: readonly (ClockOffset | null)[]
  readonly #queues: readonly PointQueue[]
  readonly #diagnostics = new Diagnostics()
  readonly #trace = new Trace(this.#diagnostics)
  readonly #duplicates = new Duplicates()
  readonly #origins = new Origins()
  /** Start of the merged trace: the first packet of all. */
  #startEpochNs: bigint | null = null
  #shiftsNs: number[] = []
  #packets = 0
  #latestNs = 0

  constructor(points: readonly CapturePoint[], clocks: readonly (ClockOffset | null)[]) {
    this.#points = points
    this.#clocks = clocks
    this.#queues = points.map(() => new PointQueue())
  }

  /** The packets of a point are not in the order of their stamps. */
  sort(point: number): void {
    this.#queues[point]?.order.sort(0)
  }

  /** The point whose next bytes are needed before anything can be merged; -1 when all have ended. */
  wanting(): number {
    return this.#queues.findIndex((queue) => !queue.ended && queue.head === null)
  }

  push(point: number, bytes: Uint8Array): void {
    this.#queues[point]?.push(new Uint8Array(bytes))
    this.#merge()
  }

  endPoint(point: number): void {
    this.#queues[point]?.end()
    this.#merge()
  }

  end(compressions: readonly (string | null)[], facts: RunFacts): Analysis {
    this.#merge()
    const migrations = this.#trace.end(facts.pings ?? [], this.#startEpochNs)
    const captures = this.#queues.map((queue, index) => {
      const diagnostics =
        index === 0 ? [...queue.diagnostics.list(), ...this.#diagnostics.list()] : queue.diagnostics.list()
      const report = describeCapture(
        this.#name(index),
        compressions[index] ?? null,
        queue.summary,
        diagnostics,
      )
      const clock = this.#clocks[index]
      return {
        ...report,
        clock_offset_s: this.#offsetSeconds(index),
        clock_offset_spread_s: this.#points[index]?.clockOffset === null ? (clock?.spread_s ?? null) : null,
      }
    })
    const span = { startEpochNs: this.#startEpochNs, latestNs: this.#latestNs }
    const locate = (packet: number) => {
      const origin = this.#origins.of(packet)
      return { packet: origin.packet, file: this.#name(origin.point) }
    }
    const name = this.#points.map((point) => point.name).join(' + ')
    return {
      captures,
      migrations: describeMigrations(migrations, span, {
        name,
        downtimeLimitS: facts.downtimeLimitS ?? null,
        locate,
      }),
      traffic: this.#trace.traffic,
      frames: this.#queues.map(({ summary }) => summary.facts()),
    }
  }

  #name(point: number): string {
    return this.#points[point]?.name ?? ''
  }

  #offsetSeconds(point: number): number {
    return this.#points[point]?.clockOffset ?? this.#clocks[point]?.offset_s ?? 0
  }

  /** Hands on the earliest packets, as long as every point that goes on has shown its next one. */
  #merge(): void {
    if (this.wanting() >= 0) return
    if (this.#startEpochNs === null) this.#align()
    for (;;) {
      const point = this.#earliest()
      const queue = this.#queues[point]
      const packet = queue?.head
      if (queue === undefined || packet === null || packet === undefined) return
      queue.take()
      this.#hand(packet, point)
      if (queue.head === null && !queue.ended) return
    }
  }

  #earliest(): number {
    let earliest = -1
    let time = Number.POSITIVE_INFINITY
    for (const [index, queue] of this.#queues.entries()) {
      const head = queue.head
      if (head === null) continue
      const shifted = head.timeNs + (this.#shiftsNs[index] ?? 0)
      if (shifted >= time) continue
      earliest = index
      time = shifted
    }
    return earliest
  }

  #hand(packet: Packet, point: number): void {
    packet.timeNs += this.#shiftsNs[point] ?? 0
    if (this.#duplicates.seenElsewhere(packet, point)) {
      this.#diagnostics.report(
        'merge.duplicate',
        'info',
        null,
        () => 'packets that several points saw count once',
      )
      return
    }
    this.#origins.add(point, packet.packet)
    packet.packet = ++this.#packets
    this.#latestNs = Math.max(this.#latestNs, packet.timeNs)
    this.#trace.packet(packet)
  }

  /** Time zero is the earliest first packet, clocks put right. */
  #align(): void {
    const starts = this.#queues.map(
      (queue, index) =>
        (queue.summary.startEpochNs ?? 0n) + BigInt(Math.round(this.#offsetSeconds(index) * 1e9)),
    )
    const present = starts.filter((_, index) => this.#queues[index]?.head !== null)
    const start = present.sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n
    this.#startEpochNs = start
    this.#shiftsNs = starts.map((own) => Number(own - start))
    for (const [index, clock] of this.#clocks.entries()) {
      if (index === 0 || clock !== null || this.#points[index]?.clockOffset !== null) continue
      this.#diagnostics.report(
        'merge.clock',
        'warning',
        null,
        () =>
          `${this.#name(index)} has no packet in common with ${this.#name(0)}: its clock is taken as it is; --clock-offset sets it right`,
      )
    }
  }
}
