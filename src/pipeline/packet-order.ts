import { copyOf, type Packet, type PacketSink } from '../capture/packet.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import { ORDER_BYTES_MAX, ORDER_PACKETS_MAX, ORDER_WINDOW_NS, REORDERED_MAX } from '../core/limits.ts'
import { Origins } from './merge/origins.ts'

/** What a waiting packet costs beside its bytes. */
const PACKET_OVERHEAD = 256

/** Packets on their way from the file to the trace. They pass as they are, at no cost, until somebody finds that their stamps are
 *  out of order and calls `sort`; from then on they wait in a window until no earlier one can be expected, and are numbered
 *  anew, as what comes after relies on numbers that grow. `inFile` tells the number in the file again. */
export class PacketOrder {
  readonly #sink: PacketSink
  #isSorting = false
  /** The number of the last packet that passed as it was, and of the last one that was numbered anew. */
  #passed = 0
  #sorted = 0
  readonly #origins = new Origins()
  readonly #waiting = new PacketHeap()
  #waitingBytes = 0
  #newestNs = Number.NEGATIVE_INFINITY
  #releasedNs = Number.NEGATIVE_INFINITY
  #late = new Lateness()
  #tooLate = new Lateness()

  constructor(sink: PacketSink) {
    this.#sink = sink
  }

  get isSorting(): boolean {
    return this.#isSorting
  }

  /** From now on, packets are put in the order of their stamps.
   *  @param passed the number of the last packet that passed as it was */
  sort(passed: number): void {
    this.#isSorting = true
    this.#passed = passed
    this.#sorted = passed
  }

  packet(packet: Packet): void {
    if (this.#isSorting) this.#hold(packet)
    else this.#sink(packet)
  }

  /** No more packets. */
  end(diagnostics: Diagnostics): void {
    this.#releaseAll()
    const { first, count, mostNs } = this.#late
    if (first !== null)
      diagnostics.report(
        'capture.time-backwards',
        'info',
        { packet: first, timeNs: 0 },
        () =>
          `packets are not in the order of their time stamps, by ${seconds(mostNs)} at most; they were put in order`,
        count,
      )
    const beyond = this.#tooLate
    if (beyond.first !== null)
      diagnostics.report(
        'capture.order',
        'warning',
        { packet: beyond.first, timeNs: 0 },
        () =>
          `packets are further out of order than can be put right in bounded memory (by ${seconds(beyond.mostNs)}): put the file in order first (reordercap IN OUT)`,
        beyond.count,
      )
  }

  /** The number in the file of a packet that the trace knows by this one. */
  inFile(packet: number): number {
    const index = packet - this.#passed
    return this.#isSorting && index > 0 && index <= this.#origins.size
      ? this.#origins.of(index).packet
      : packet
  }

  #hold(packet: Packet): void {
    const { timeNs } = packet
    if (timeNs >= this.#newestNs) this.#newestNs = timeNs
    else if (this.#newestNs - timeNs > ORDER_WINDOW_NS) {
      // The clock was set. What waits is from before.
      this.#releaseAll()
      this.#newestNs = timeNs
      this.#releasedNs = timeNs
    } else this.#late.add(packet.packet, this.#newestNs - timeNs)
    if (timeNs < this.#releasedNs) this.#tooLate.add(packet.packet, this.#releasedNs - timeNs)
    this.#waitingBytes += packet.end - packet.start + PACKET_OVERHEAD
    this.#waiting.add(copyOf(packet))
    while (this.#isFull()) this.#release()
  }

  #isFull(): boolean {
    const earliest = this.#waiting.earliest
    if (earliest === null) return false
    return (
      this.#newestNs - earliest.timeNs > ORDER_WINDOW_NS ||
      this.#waitingBytes > ORDER_BYTES_MAX ||
      this.#waiting.size > ORDER_PACKETS_MAX
    )
  }

  #releaseAll(): void {
    while (this.#waiting.size > 0) this.#release()
  }

  #release(): void {
    const packet = this.#waiting.take()
    if (packet === null) return
    this.#waitingBytes -= packet.end - packet.start + PACKET_OVERHEAD
    this.#releasedNs = packet.timeNs
    if (this.#origins.size < REORDERED_MAX) this.#origins.add(0, packet.packet)
    packet.packet = ++this.#sorted
    this.#sink(packet)
  }
}

/** How often packets came late, which was the first, and by how much at most. */
class Lateness {
  count = 0
  first: number | null = null
  mostNs = 0

  add(packet: number, byNs: number): void {
    this.count++
    this.first ??= packet
    this.mostNs = Math.max(this.mostNs, byNs)
  }
}

/** The earliest packet first; of the same time, the one that came first. */
class PacketHeap {
  readonly #packets: Packet[] = []

  get size(): number {
    return this.#packets.length
  }

  get earliest(): Packet | null {
    return this.#packets[0] ?? null
  }

  add(packet: Packet): void {
    const packets = this.#packets
    let at = packets.length
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = packets[parent] as Packet
      if (!isBefore(packet, above)) break
      packets[at] = above
      at = parent
    }
    packets[at] = packet
  }

  take(): Packet | null {
    const packets = this.#packets
    const earliest = packets[0]
    const last = packets.pop()
    if (earliest === undefined || last === undefined) return null
    if (packets.length > 0) this.#sink(last)
    return earliest
  }

  /** Puts a packet at the top, and moves it down to its place. */
  #sink(packet: Packet): void {
    const packets = this.#packets
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= packets.length) break
      const right = packets[child + 1]
      if (right !== undefined && isBefore(right, packets[child] as Packet)) child++
      const below = packets[child] as Packet
      if (!isBefore(below, packet)) break
      packets[at] = below
      at = child
    }
    packets[at] = packet
  }
}

function isBefore(a: Packet, b: Packet): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.packet < b.packet)
}

function seconds(ns: number): string {
  return `${Number((ns / 1e9).toPrecision(3))} s`
}
