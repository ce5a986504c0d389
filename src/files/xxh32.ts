import { u32le } from '../core/bytes.ts'

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1
const STRIPE_SIZE = 16

/** The checksum of lz4 frames, with seed 0, over bytes that come in pieces.
 *  @see xxHash doc/xxhash_spec.md, "XXH32 Algorithm Description" */
export class Xxh32 {
  #a = (PRIME_1 + PRIME_2) | 0
  #b: number = PRIME_2 | 0
  #c = 0
  #d = -PRIME_1 | 0
  #size = 0
  readonly #rest = new Uint8Array(STRIPE_SIZE)
  #restSize = 0

  update(bytes: Uint8Array): void {
    this.#size += bytes.length
    let at = 0
    if (this.#restSize > 0) {
      at = Math.min(STRIPE_SIZE - this.#restSize, bytes.length)
      this.#rest.set(bytes.subarray(0, at), this.#restSize)
      this.#restSize += at
      if (this.#restSize < STRIPE_SIZE) return
      this.#stripes(this.#rest, 0, STRIPE_SIZE)
    }
    const whole = at + Math.floor((bytes.length - at) / STRIPE_SIZE) * STRIPE_SIZE
    this.#stripes(bytes, at, whole)
    this.#rest.set(bytes.subarray(whole))
    this.#restSize = bytes.length - whole
  }

  /** Of all until now, as an unsigned number. */
  digest(): number {
    let hash =
      this.#size < STRIPE_SIZE
        ? PRIME_5
        : rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18)
    // The size modulo 2^32.
    hash = (hash + (this.#size % 2 ** 32)) | 0
    let at = 0
    for (; at + 4 <= this.#restSize; at += 4)
      hash = Math.imul(rotate((hash + Math.imul(u32le(this.#rest, at), PRIME_3)) | 0, 17), PRIME_4)
    for (; at < this.#restSize; at++)
      hash = Math.imul(rotate((hash + Math.imul(this.#rest[at] as number, PRIME_5)) | 0, 11), PRIME_1)
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
    return (hash ^ (hash >>> 16)) >>> 0
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d]
    for (let at = start; at < end; at += STRIPE_SIZE) {
      a = round(a, u32le(bytes, at))
      b = round(b, u32le(bytes, at + 4))
      c = round(c, u32le(bytes, at + 8))
      d = round(d, u32le(bytes, at + 12))
    }
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
  }
}

/** @param bytes all of them at once */
export function xxh32(bytes: Uint8Array): number {
  const hash = new Xxh32()
  hash.update(bytes)
  return hash.digest()
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
