import { blake3 } from '@noble/hashes/blake3.js'

const KEY_SIZE = 32
const ROUNDS = 6
/** Values below it are permuted, so that no two meet; larger ones are hashed, and so many hardly ever meet. */
export const PERMUTED_MAX = 2 ** 48

const utf8 = new TextEncoder()

/** Numbers that follow from a key and from nothing else: who does not have the key can tell neither what was replaced, nor try
 *  all that it might have been.
 *  @see BLAKE3 section 2.3, keyed hashing; a Feistel network with cycle walking (Black and Rogaway 2002) */
export class Keyed {
  readonly #key: Uint8Array

  /** @param secret the key, of any length */
  constructor(secret: Uint8Array) {
    this.#key = blake3(secret, { context: utf8.encode('mig-phases 2026 redaction of captures') })
    if (this.#key.length !== KEY_SIZE) throw new Error('a key of BLAKE3 has 32 bytes')
  }

  /** Bytes that stand for `value`.
   *  @param label what it is: the same value gives others under another label */
  hash(label: string, value: Uint8Array, size: number): Uint8Array {
    const name = utf8.encode(`${label}\0`)
    const input = new Uint8Array(name.length + value.length)
    input.set(name)
    input.set(value, name.length)
    return blake3(input, { key: this.#key, dkLen: size })
  }

  /** Another number below `size`, never the same one when there is a choice: all numbers form one ring, in an order that the
   *  key gives, and each is replaced by the next.
   *  @param size up to PERMUTED_MAX */
  replace(label: string, value: number, size: number): number {
    if (size < 2) return value
    const keys = this.#roundKeys(`${label}/${size}`)
    return walk(keys, (walk(keys, value, size, false) + 1) % size, size, true)
  }

  #roundKeys(label: string): DataView {
    const keys = this.hash(label, new Uint8Array(0), 8 * ROUNDS)
    return new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
  }
}

function walk(keys: DataView, value: number, size: number, backwards: boolean): number {
  const half = 2 ** Math.max(1, Math.ceil(Math.log2(size) / 2))
  let at = value
  do at = backwards ? decrypt(keys, at, half) : encrypt(keys, at, half)
  while (at >= size)
  return at
}

function encrypt(keys: DataView, value: number, half: number): number {
  let left = Math.floor(value / half)
  let right = value % half
  for (let round = 0; round < ROUNDS; round++) {
    const next = (left + mix(keys, round, right)) % half
    left = right
    right = next
  }
  return left * half + right
}

function decrypt(keys: DataView, value: number, half: number): number {
  let left = Math.floor(value / half)
  let right = value % half
  for (let round = ROUNDS - 1; round >= 0; round--) {
    const before = (((right - mix(keys, round, left)) % half) + half) % half
    right = left
    left = before
  }
  return left * half + right
}

/** HalfSipHash-2-4 of one word, 32 bits. @see Aumasson and Bernstein 2012, and their reference implementation */
function mix(keys: DataView, round: number, value: number): number {
  const k0 = keys.getUint32(8 * round)
  const k1 = keys.getUint32(8 * round + 4)
  let v0 = k0
  let v1 = k1
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const turn = (): void => {
    v0 = (v0 + v1) | 0
    v1 = rotate(v1, 5) ^ v0
    v0 = rotate(v0, 16)
    v2 = (v2 + v3) | 0
    v3 = rotate(v3, 8) ^ v2
    v0 = (v0 + v3) | 0
    v3 = rotate(v3, 7) ^ v0
    v2 = (v2 + v1) | 0
    v1 = rotate(v1, 13) ^ v2
    v2 = rotate(v2, 16)
  }
  for (const word of [value, 0x04000000]) {
    v3 ^= word
    turn()
    turn()
    v0 ^= word
  }
  v2 ^= 0xff
  for (let i = 0; i < 4; i++) turn()
  return (v1 ^ v3) >>> 0
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
