import type { Evidence } from '../core/evidence.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { Unsettled } from '../core/witness.ts'
import type { Place, Placed } from './placed.ts'

/** Pieces remembered: an element is cut into a few at most. */
const PIECES_MAX = 1024

interface Piece {
  readonly inner: number
  readonly outer: number
  readonly size: number
}

/** A stream that travels in pieces inside of another one: finds the place of its bytes there. */
export class Tunnelled implements StreamDecoder, Place {
  readonly #outer: Placed
  #inner: (StreamDecoder & Unsettled) | null = null
  #pieces: Piece[] = []
  #offset = 0

  /** @param outer what pushes the pieces, in the course of being pushed itself */
  constructor(outer: Placed) {
    this.#outer = outer
  }

  set decoder(decoder: StreamDecoder & Unsettled) {
    this.#inner = decoder
  }

  /** Where in the outer stream the first byte is that may still become part of an element; null when there is none. */
  get pendingFrom(): number | null {
    const size = this.#inner?.unsettled ?? 0
    if (size === 0) return null
    const from = this.#offset - size
    return this.#pieces.find(({ inner, size }) => inner + size > from)?.outer ?? null
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#pieces.push({ inner: this.#offset, outer: this.#outer.offsetOf(start), size: end - start })
    if (this.#pieces.length > PIECES_MAX) this.#pieces = this.#pieces.slice(-PIECES_MAX / 2)
    this.#inner?.push(bytes, start, end, at)
    this.#offset += end - start
  }

  gap(size: number, at: Evidence): void {
    this.#inner?.gap(size, at)
    this.#offset += size
  }

  end(at: Evidence): void {
    this.#inner?.end(at)
  }

  keep(offset: number, bytes: Uint8Array): void {
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const { inner, outer, size } = this.#pieces[i] as Piece // in range
      const from = Math.max(offset, inner)
      const to = Math.min(offset + bytes.length, inner + size)
      if (to > from) this.#outer.keep(outer + from - inner, bytes.subarray(from - offset, to - offset))
      if (inner <= offset) return
    }
  }
}
