import type { Diagnostics } from '../../core/diagnostic.ts'
import { type Evidence, keep } from '../../core/evidence.ts'
import type { StreamDecoder } from '../../core/stream-decoder.ts'
import type { Unsettled, Witness } from '../../core/witness.ts'
import type { Connection, Direction } from '../../events/connection.ts'
import type { EventSink } from '../../events/event.ts'
import { HeldBytes } from './held.ts'
import { RamReader } from './ram.ts'

export interface UrgentChannelOptions {
  readonly connection: Connection
  readonly direction: Direction
  readonly sink: EventSink
  readonly diagnostics: Diagnostics
  readonly witness?: Witness
}

/** The additional connection of post-copy on which pages go that the guest waits for (capability postcopy-preempt): RAM records
 *  without any header, each with the name of its block or of the one before. Idle until the switch.
 *  @see protocols.md D.6
 *  @see QEMU migration/ram.c, postcopy_preempt_send_host_page; migration/postcopy-ram.c */
export class UrgentChannelDecoder implements StreamDecoder, Unsettled {
  readonly #options: UrgentChannelOptions
  readonly #ram = new RamReader()
  readonly #held = new HeldBytes()
  #skip = 0
  #bytes = 0
  #lost = false
  #first: Evidence | null = null
  #last: Evidence = { packet: 0, timeNs: 0 }

  constructor(options: UrgentChannelOptions) {
    this.#options = options
  }

  get unsettled(): number {
    return this.#held.length
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#advance(end - start, at)
    let o = start
    while (o < end && !this.#lost) {
      if (this.#skip > 0) {
        const size = Math.min(this.#skip, end - o)
        this.#skip -= size
        o += size
      } else if (this.#held.length > 0) o = this.#complete(bytes, o, end)
      else {
        const used = this.#read(bytes, o, end)
        if (used > 0 && !this.#lost) this.#tell(bytes, o, o)
        if (used >= 0) o += used
        else {
          this.#held.append(bytes, o, end, at.packet, at.timeNs)
          return
        }
      }
    }
  }

  gap(size: number, at: Evidence): void {
    this.#advance(size, at)
    this.#tellPartial()
    const skipped = Math.min(this.#skip, size)
    this.#skip -= skipped
    if (skipped < size) this.#lose('the head of a page was not captured')
  }

  end(at: Evidence): void {
    this.#tellPartial()
    const { connection, direction, sink } = this.#options
    sink({
      type: 'qemu.urgent-end',
      connection,
      direction,
      first: this.#first ?? keep(at),
      last: this.#first === null ? keep(at) : this.#last,
      bytes: this.#bytes,
      pages: this.#lost ? null : this.#ram.counts(),
      complete: !this.#lost && this.#skip === 0 && this.#held.length === 0,
    })
  }

  #advance(size: number, at: Evidence): void {
    this.#last = keep(at)
    this.#first ??= this.#last
    this.#bytes += size
  }

  /** Adds to the record that an earlier packet began, a byte at a time: it is a few dozen. */
  #complete(bytes: Uint8Array, start: number, end: number): number {
    const held = this.#held
    const { packet, timeNs } = this.#last
    let o = start
    while (o < end) {
      held.append(bytes, o, o + 1, packet, timeNs)
      o++
      const used = this.#read(held.bytes, 0, held.length)
      if (used < 0) continue
      if (used > 0 && !this.#lost) this.#tell(held.bytes, 0, o - held.length)
      held.length = 0
      break
    }
    return o
  }

  /** Reads one record: bytes used of those given, or a negative number when there are too few. */
  #read(bytes: Uint8Array, start: number, end: number): number {
    const used = this.#ram.readOne(bytes, start, end)
    this.#skip = this.#ram.skip
    this.#ram.skip = 0
    this.#ram.ended = false
    if (used !== 0) return used
    this.#lose('no page begins where one should')
    return end - start
  }

  /** @param index where the record starts among the bytes being pushed */
  #tell(bytes: Uint8Array, start: number, index: number): void {
    const size = this.#ram.headSize
    this.#options.witness?.element('plain', bytes, start, start + size, index + size)
  }

  /** Tells what is held of a record whose rest does not come, as far as it had to make sense. */
  #tellPartial(): void {
    const { bytes, length } = this.#held
    const looked = Math.min(length, 9)
    if (looked > 0) this.#options.witness?.element('plain', bytes, 0, looked, looked - length)
  }

  #lose(reason: string): void {
    if (!this.#lost)
      this.#options.diagnostics.report(
        'qemu.urgent-lost',
        'warning',
        this.#last,
        () => `channel of urgent pages, ${reason}: its pages cannot be counted`,
      )
    this.#lost = true
  }
}
