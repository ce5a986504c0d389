import type { BodyBudget } from '../../core/body-budget.ts'
import type { Diagnostics } from '../../core/diagnostic.ts'
import { ROUND_OVERHEAD, ROUNDS_MAX } from '../../core/limits.ts'
import { PageMap } from '../../core/page-map.ts'
import type { PageCounts } from '../../events/qemu.ts'
import type { RamReader } from './ram.ts'

const STATE = { before: 0, under: 1, over: 2, unknown: 3 } as const
type State = (typeof STATE)[keyof typeof STATE]

/** Facts of one round, as `qemu.round` has them. */
export interface Round {
  readonly index: number
  readonly bytes: number
  readonly pages: PageCounts
  readonly repeatedPages: number | null
  readonly first: { readonly packet: number; readonly timeNs: number }
  readonly last: { readonly packet: number; readonly timeNs: number }
}

/** The rounds of pre-copy in one stream: where the one at hand began, and what has passed since.
 *  @see protocols.md D.7 */
export class Rounds {
  readonly #ram: RamReader
  readonly #budget: BodyBudget
  readonly #diagnostics: Diagnostics
  /** A page has passed. */
  begun = false
  #state: State = STATE.before
  #index = 0
  #position = 0
  #counts: PageCounts = { normal: 0, zero: 0, xbzrle: 0, compressed: 0 }
  /** Until the end of the last section. */
  #pages = 0
  #firstPacket = 0
  #firstTimeNs = 0
  #lastPacket = 0
  #lastTimeNs = 0

  constructor(ram: RamReader, budget: BodyBudget, diagnostics: Diagnostics) {
    this.#ram = ram
    this.#budget = budget
    this.#diagnostics = diagnostics
  }

  /** How many there were; null when that is not known. */
  get count(): number | null {
    return this.#state === STATE.unknown ? null : this.#index
  }

  /** The list of RAM blocks begins. A second list would make the pages seen until now those of other blocks. */
  begin(): void {
    if (!this.begun && this.#state === STATE.before && this.#ram.map === null)
      this.#ram.map = new PageMap(this.#budget)
    else this.drop()
  }

  /** The first page passes.
   *  @param position of its record in the stream */
  start(position: number, packet: number, timeNs: number): void {
    this.begun = true
    if (this.#ram.map === null) {
      this.drop()
      return
    }
    this.#state = STATE.under
    this.#position = position
    this.#firstPacket = packet
    this.#firstTimeNs = timeNs
    this.#lastPacket = packet
    this.#lastTimeNs = timeNs
  }

  /** A section ends, or the stream breaks off in one: with the last page until now, if there were any in it. */
  pause(packet: number, timeNs: number): void {
    if (this.#state !== STATE.under) return
    if (this.#ram.map?.blind === true) {
      this.#loseSight(packet, timeNs)
      return
    }
    const pages = sum(this.#ram.counts())
    if (pages === this.#pages) return
    this.#pages = pages
    this.#lastPacket = packet
    this.#lastTimeNs = timeNs
  }

  /** The round at hand is over: a page at this position repeats one. Null when it goes on all the same. */
  turn(position: number, packet: number, timeNs: number): Round | null {
    const counts = this.#ram.countsBefore
    if (this.#state !== STATE.under || counts === null) return null
    this.#lastPacket = packet
    this.#lastTimeNs = timeNs
    const round = this.#round(position, counts, this.#ram.freshBefore)
    this.#position = position
    this.#counts = counts
    this.#firstPacket = packet
    this.#firstTimeNs = timeNs
    if (this.#index === ROUNDS_MAX - 1 || !this.#budget.take(ROUND_OVERHEAD)) this.#merge(packet, timeNs)
    return round
  }

  /** Pre-copy is over: the last round. */
  finish(position: number): Round | null {
    if (this.#state !== STATE.under) return null
    const fresh = this.#ram.map?.turn() ?? null
    const round = this.#round(position, this.#ram.counts(), fresh)
    this.#state = STATE.over
    this.#forget()
    return round
  }

  /** What passed is not known any more. */
  drop(): void {
    this.#forget()
    if (this.#state !== STATE.over) this.#state = STATE.unknown
  }

  /** No pages at all, or those of post-copy only. */
  close(): void {
    this.#forget()
    if (this.#state === STATE.before) this.#state = STATE.over
  }

  #round(position: number, counts: PageCounts, fresh: number | null): Round {
    const pages = difference(counts, this.#counts)
    return {
      index: this.#index++,
      bytes: position - this.#position,
      pages,
      repeatedPages: fresh === null ? null : sum(pages) - fresh,
      first: { packet: this.#firstPacket, timeNs: this.#firstTimeNs },
      last: { packet: this.#lastPacket, timeNs: this.#lastTimeNs },
    }
  }

  #merge(packet: number, timeNs: number): void {
    this.#forget()
    this.#diagnostics.report(
      'qemu.rounds',
      'warning',
      { packet, timeNs },
      () => `a memory stream with more than ${this.#index} rounds of pre-copy: the rest count as one`,
    )
  }

  #loseSight(packet: number, timeNs: number): void {
    this.drop()
    this.#diagnostics.report(
      'qemu.rounds-unknown',
      'warning',
      { packet, timeNs },
      () =>
        'a guest with more memory or RAM blocks than are tracked: the rounds of pre-copy are not told apart',
    )
  }

  #forget(): void {
    this.#ram.map?.free()
    this.#ram.map = null
  }
}

function sum({ normal, zero, xbzrle, compressed }: PageCounts): number {
  return normal + zero + xbzrle + compressed
}

export function difference(after: PageCounts, before: PageCounts): PageCounts {
  return {
    normal: after.normal - before.normal,
    zero: after.zero - before.zero,
    xbzrle: after.xbzrle - before.xbzrle,
    compressed: after.compressed - before.compressed,
  }
}
