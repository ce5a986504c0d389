import type { Evidence } from '../core/evidence.ts'
import type { StreamDecoder } from '../core/stream-decoder.ts'
import type { ElementKind, Unsettled, Witness } from '../core/witness.ts'

/** Takes bytes that may be written, at offsets of a stream. */
export interface Place {
  keep(offset: number, bytes: Uint8Array): void
}

/** What becomes of what a decoder has read. Bytes are borrowed, the results are not. */
export interface Rewriter {
  /** The bytes to be written from where `bytes[start … end)` starts; of the numbers that a message ends with, up to where they
   *  end. */
  element(kind: ElementKind, bytes: Uint8Array, start: number, end: number): Uint8Array
  /** The same for a text, `bytes[0 … kept)`. */
  text(bytes: Uint8Array, kept: number): Uint8Array
}

/** Texts that are open at once, which is as many as channels are followed. */
const PARTS_MAX = 65_536

/** Says from which offset on bytes may still become part of an element; null without any. */
export interface Pending {
  readonly pendingFrom: number | null
}

interface Part {
  readonly offset: number
  readonly size: number
}

/** A decoder at its place in a stream: counts the bytes that pass through it, and so knows where an element stands that the
 *  decoder tells of. */
export class Placed implements StreamDecoder, Unsettled, Witness, Place {
  readonly #place: Place
  readonly #rewriter: Rewriter
  #decoder: (StreamDecoder & Unsettled) | null = null
  /** What travels inside. */
  #tunnelled: Pending | null = null
  /** Of the next byte, or of the first one while some are being pushed, which is at index `#base`. */
  #offset: number
  #base = 0
  /** Parts of the texts that are not over. */
  readonly #texts = new Map<number, Part[]>()
  #parts = 0

  /** @param offset in the stream of the first byte that the decoder will get */
  constructor(place: Place, offset: number, rewriter: Rewriter) {
    this.#place = place
    this.#offset = offset
    this.#rewriter = rewriter
  }

  set decoder(decoder: StreamDecoder & Unsettled) {
    this.#decoder = decoder
  }

  set tunnelled(tunnelled: Pending) {
    this.#tunnelled = tunnelled
  }

  get unsettled(): number {
    let least = this.#offset - (this.#decoder?.unsettled ?? 0)
    least = Math.min(least, this.#tunnelled?.pendingFrom ?? least)
    for (const [first] of this.#texts.values()) if (first !== undefined) least = Math.min(least, first.offset)
    return this.#offset - least
  }

  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void {
    this.#base = start
    this.#decoder?.push(bytes, start, end, at)
    this.#advance(end - start)
  }

  gap(size: number, at: Evidence): void {
    this.#base = 0
    this.#decoder?.gap(size, at)
    this.#advance(size)
  }

  end(at: Evidence): void {
    this.#decoder?.end(at)
    this.#texts.clear()
  }

  #advance(size: number): void {
    this.#offset += size
    this.#base = 0
  }

  /** Where an index of the bytes that are being pushed is in the stream. */
  offsetOf(index: number): number {
    return this.#offset + index - this.#base
  }

  keep(offset: number, bytes: Uint8Array): void {
    this.#place.keep(offset, bytes)
  }

  element(kind: ElementKind, bytes: Uint8Array, start: number, end: number, at: number): void {
    const kept = this.#rewriter.element(kind, bytes, start, end)
    const size = kind === 'libvirt.tail' ? kept.length : end - start
    this.#place.keep(this.offsetOf(at) - size, kept)
  }

  part(text: number, from: number, to: number): void {
    if (to <= from || this.#parts >= PARTS_MAX) return
    const parts = this.#texts.get(text) ?? []
    if (parts.length === 0) this.#texts.set(text, parts)
    parts.push({ offset: this.offsetOf(from), size: to - from })
    this.#parts++
  }

  whole(text: number, bytes: Uint8Array | null, kept: number): void {
    const parts = this.#texts.get(text) ?? []
    this.#texts.delete(text)
    this.#parts -= parts.length
    if (bytes === null || kept === 0) return
    const replaced = this.#rewriter.text(bytes, kept)
    let done = 0
    for (const { offset, size } of parts) {
      if (done >= replaced.length) return
      this.#place.keep(offset, replaced.subarray(done, done + size))
      done += size
    }
  }
}
