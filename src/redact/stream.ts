import type { Evidence } from '../core/evidence.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { Unsettled } from '../core/witness.ts'
import { KeptBytes } from './kept-bytes.ts'

/** One direction of a connection: how far it was read, and what may be written of it. Stands between the reassembly and who
 *  reads: `decoder` changes when a protocol is recognised. */
export class Stream implements StreamDecoder {
  readonly kept = new KeptBytes()
  decoder: StreamDecoder | null = null
  /** Bytes that have passed before those at hand. */
  offset = 0
  /** All before it is decided. */
  settled = 0
  /** No more will be decided. */
  ended = false
  /** Bytes passed while nobody read them. */
  missed = false
  /** Packets that wait and hold bytes of it. */
  waiting = 0
  /** Bytes before this offset are in no packet that waits. */
  written = 0

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    if (this.decoder === null) this.missed = true
    this.decoder?.push(bytes, start, end, at)
    this.#passed(end - start)
  }

  gap(size: number, at: Evidence): void {
    if (this.decoder === null) this.missed = true
    this.decoder?.gap(size, at)
    this.#passed(size)
  }

  end(at: Evidence): void {
    this.decoder?.end(at)
    this.decoder = null
    this.ended = true
  }

  /** Says anew what is decided: another one reads from now on, who was given what was held. */
  settle(offset: number): void {
    const decoder = this.decoder as (StreamDecoder & Partial<Unsettled>) | null
    this.settled = Math.max(this.settled, offset - (decoder?.unsettled ?? 0))
  }

  #passed(size: number): void {
    this.offset += size
    this.settle(this.offset)
  }
}
