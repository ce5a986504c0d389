import type { BodyBudget } from '../core/body-budget.ts'
import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import {
  CHANNELS_MAX,
  PARALLEL_PACKET_OVERHEAD,
  PARALLEL_PACKETS_MAX,
  RAM_BLOCKS_MAX,
  ROUND_OVERHEAD,
  ROUNDS_MAX,
  TAILS_MAX,
} from '../core/limits.ts'
import { PageMap } from '../core/page-map.ts'
import type { Connection } from '../events/connection.ts'
import type { MultifdEvent, MultifdPacket } from '../events/multifd.ts'
import type { PageCounts, QemuEnd, QemuRound, QemuSection } from '../events/qemu.ts'

/** One round of pre-copy, whether one stream carried it or several channels. */
export type PreCopyRound = Omit<QemuRound, 'type' | 'connection' | 'direction'>

/** Bytes of memory in the pages of a full packet. @see protocols.md D.5 */
const PACKET_PAGES_SIZE = 512 * 1024
/** More than the pages of any block. */
const BLOCK_PAGES = 2 ** 36

/** What tells the rounds. */
export type ParallelEvent = MultifdEvent | QemuSection | QemuEnd

/** The round under way. */
interface Draft {
  /** The packet that was captured first, which need not be the one with the lowest number. */
  first: Evidence
  last: Evidence
  bytes: number
  readonly pages: { normal: number; zero: number; xbzrle: number; compressed: number }
  /** Pages of packets, without twins. Of zero pages on the main channel it is not known which they are. */
  placed: number
}

/** The rounds of pre-copy of a parallel migration: pages none of which repeats, as in one stream. The packets of its channels
 *  are put in the order in which the source numbered them: numbers of one channel never decrease, so that a packet can be
 *  taken once all channels have come as far. The numbers need not be without holes.
 *  @see protocols.md D.5, D.7 */
export class ParallelRounds {
  /** Why the rounds are not known. */
  reason: string | null = null
  readonly #budget: BodyBudget
  readonly #diagnostics: Diagnostics
  /** The last number of each channel; Infinity once it is over. */
  readonly #channels = new Map<Connection, number>()
  #mainEnded = false
  /** Packets that a channel which lags behind may still precede, by number. */
  #waiting: MultifdPacket[] = []
  /** The number of the last packet that was taken. */
  #passed = -1
  readonly #rounds: PreCopyRound[] = []
  /** Rounds that room was taken for. */
  #paid = 0
  #round: Draft | null = null
  /** The pages of the round under way; null when rounds are not told apart any more. */
  #map: PageMap | null
  readonly #blocks = new Map<string, number>()
  /** Last pages of full packets since the last SYNC, by block and page. */
  readonly #tails = new Set<number>()
  #synced = false
  #finished = false

  /** @param budget shared by all migrations: what tells rounds apart, and packets that wait */
  constructor(budget: BodyBudget, diagnostics: Diagnostics) {
    this.#budget = budget
    this.#diagnostics = diagnostics
    this.#map = new PageMap(budget)
  }

  event(event: ParallelEvent): void {
    if (this.reason !== null || this.#finished) return
    switch (event.type) {
      case 'multifd.channel':
        this.#open(event.connection, event.last)
        return
      case 'multifd.packet':
        this.#packet(event)
        return
      case 'multifd.end':
        this.#channels.set(event.connection, Number.POSITIVE_INFINITY)
        if (event.pages === null) this.#giveUp('bytes of a memory channel are missing from the capture')
        else this.#advance()
        break
      case 'qemu.section':
        this.#section(event)
        return
      case 'qemu.end':
        this.#mainEnded = true
    }
    if (this.#mainEnded && this.#lowest() === Number.POSITIVE_INFINITY) this.finish()
  }

  /** No more events: what waits is taken, and the last round is over.
   *  @returns the rounds; null, and `reason` says why, when they are not known */
  finish(): readonly PreCopyRound[] | null {
    if (this.reason === null && !this.#finished) {
      this.#take(this.#waiting.length)
      if (this.reason === null) {
        this.#close()
        this.#orderStarts()
      }
      this.#finished = true
      this.#free()
    }
    return this.reason === null ? this.#rounds : null
  }

  /** Nobody will ask for the rounds any more: their room is another's. */
  release(): void {
    if (this.reason === null) this.#budget.give(this.#paid * ROUND_OVERHEAD)
    this.#paid = 0
    this.#finished = true
    this.#free()
  }

  /** Rounds until now. */
  get count(): number {
    return this.#rounds.length
  }

  #open(channel: Connection, at: Evidence): void {
    if (this.#channels.has(channel)) return
    if (this.#channels.size === CHANNELS_MAX) this.#limit('more channels than QEMU has', at)
    else this.#channels.set(channel, -1)
  }

  #packet(packet: MultifdPacket): void {
    const waiting = this.#waiting
    if (packet.number < this.#passed) {
      // A channel that turned up late. What it said before others had begun is of no matter.
      if (packet.normal + packet.zero > 0)
        this.#giveUp('the packets of its channels could not be put in order')
      return
    }
    if (waiting.length === PARALLEL_PACKETS_MAX || !this.#budget.take(costOf(packet))) {
      this.#limit('one memory channel lags too far behind the others', packet.last)
      return
    }
    let index = waiting.length
    while (index > 0 && (waiting[index - 1] as MultifdPacket).number > packet.number) index--
    waiting.splice(index, 0, packet)
    this.#channels.set(packet.connection, packet.number)
    this.#advance()
  }

  /** Takes what no channel can precede any more. */
  #advance(): void {
    const lowest = this.#lowest()
    const waiting = this.#waiting
    let ready = 0
    while (ready < waiting.length && (waiting[ready] as MultifdPacket).number <= lowest) ready++
    this.#take(ready)
  }

  #lowest(): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const number of this.#channels.values()) if (number < lowest) lowest = number
    return lowest
  }

  #take(count: number): void {
    if (count === 0) return
    for (const packet of this.#waiting.splice(0, count)) {
      this.#budget.give(costOf(packet))
      this.#passed = packet.number
      if (this.reason === null) this.#read(packet)
    }
  }

  /** The next packet in the order of the source. */
  #read(packet: MultifdPacket): void {
    const { offsets } = packet
    if (offsets === null) {
      this.#giveUp('bytes of a memory channel are missing from the capture')
      return
    }
    if (packet.sync) this.#synced = true
    if (offsets.length > 0) this.#readPages(packet, offsets)
    const round = this.#round
    if (round === null) return
    round.bytes += packet.size
    round.last = later(round.last, packet.last)
    if (this.#map?.blind === true)
      this.#limit('a guest with more memory or RAM blocks than are tracked', packet.last)
  }

  #readPages(
    { first, last, sync, block, pageSizeBytes, normal }: MultifdPacket,
    offsets: Float64Array,
  ): void {
    if (this.#synced && !sync) {
      this.#synced = false
      this.#tails.clear()
    }
    let round = this.#round ?? this.#begin(first)
    const key = this.#select(block) * BLOCK_PAGES
    for (let i = 0; i < offsets.length; i++) {
      const page = Math.floor((offsets[i] as number) / pageSizeBytes)
      const twin = i === 0 && this.#tails.has(key + page)
      if (this.#map?.add(page) === false && !twin) {
        round = this.#turn(this.#map, first, last)
        this.#map?.add(page)
      }
      if (i < normal) round.pages.normal++
      else round.pages.zero++
      if (!twin) round.placed++
      if (i === PACKET_PAGES_SIZE / pageSizeBytes - 1) this.#addTail(key + page)
    }
    round.first = earlier(round.first, first)
  }

  #addTail(tail: number): void {
    this.#tails.add(tail)
    if (this.#tails.size <= TAILS_MAX) return
    for (const oldest of this.#tails) {
      this.#tails.delete(oldest)
      return
    }
  }

  /** The pages that follow belong to this block.
   *  @returns its number */
  #select(name: string): number {
    let block = this.#blocks.get(name)
    if (block === undefined) {
      block = this.#blocks.size
      if (block < RAM_BLOCKS_MAX) this.#blocks.set(name, block)
      else if (this.#map !== null) this.#map.blind = true
    }
    this.#map?.select(block)
    return block
  }

  /** Zero pages that the main channel carries, those of machine types before 9.0, count in the round under way at the time. */
  #section({ pages, size, first, last }: QemuSection): void {
    if (pages === null) return
    if (this.#round === null && sum(pages) === 0) return
    const round = this.#round ?? this.#begin(first)
    round.bytes += size
    round.last = later(round.last, last)
    round.pages.normal += pages.normal
    round.pages.zero += pages.zero
    round.pages.xbzrle += pages.xbzrle
    round.pages.compressed += pages.compressed
  }

  #begin(first: Evidence): Draft {
    const pages = { normal: 0, zero: 0, xbzrle: 0, compressed: 0 }
    this.#round = { first, last: first, bytes: 0, pages, placed: 0 }
    return this.#round
  }

  /** A page repeats: the next round. */
  #turn(map: PageMap, first: Evidence, last: Evidence): Draft {
    this.#close()
    if (this.#rounds.length === ROUNDS_MAX - 1 || !this.#budget.take(ROUND_OVERHEAD)) this.#merge(map, last)
    else this.#paid++
    return this.#begin(first)
  }

  #close(): void {
    const round = this.#round
    if (round === null) return
    const fresh = this.#map?.turn() ?? null
    const { first, last, bytes, pages, placed } = round
    const repeatedPages = fresh === null ? null : placed - fresh
    this.#rounds.push({ index: this.#rounds.length, first, last, bytes, pages, repeatedPages })
  }

  /** What was captured of a later round shows that the rounds before had begun, where a channel lags behind. */
  #orderStarts(): void {
    const rounds = this.#rounds
    for (let i = rounds.length - 2; i >= 0; i--) {
      const round = rounds[i] as PreCopyRound
      rounds[i] = { ...round, first: earlier(round.first, (rounds[i + 1] as PreCopyRound).first) }
    }
  }

  #merge(map: PageMap, at: Evidence): void {
    map.free()
    this.#map = null
    this.#diagnostics.report(
      'multifd.rounds',
      'warning',
      at,
      () =>
        `a parallel migration with more than ${this.#rounds.length} rounds of pre-copy: the rest count as one`,
    )
  }

  #limit(reason: string, at: Evidence): void {
    this.#giveUp(reason)
    this.#diagnostics.report(
      'multifd.rounds-unknown',
      'warning',
      at,
      () => `${reason}: the rounds of pre-copy are not told apart`,
    )
  }

  #giveUp(reason: string): void {
    this.reason = reason
    this.#budget.give(this.#paid * ROUND_OVERHEAD)
    this.#rounds.length = 0
    this.#free()
  }

  #free(): void {
    for (const packet of this.#waiting) this.#budget.give(costOf(packet))
    this.#waiting = []
    this.#map?.free()
    this.#map = null
    this.#channels.clear()
    this.#blocks.clear()
    this.#tails.clear()
  }
}

function costOf({ offsets }: MultifdPacket): number {
  return PARALLEL_PACKET_OVERHEAD + (offsets?.byteLength ?? 0)
}

function earlier(a: Evidence, b: Evidence): Evidence {
  return b.timeNs < a.timeNs ? b : a
}

function later(a: Evidence, b: Evidence): Evidence {
  return b.timeNs > a.timeNs ? b : a
}

function sum({ normal, zero, xbzrle, compressed }: PageCounts): number {
  return normal + zero + xbzrle + compressed
}
