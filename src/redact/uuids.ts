import type { Keyed } from './keyed.ts'

const REMEMBERED_MAX = 65_536

/** Replacements for UUIDs: 16 bytes, which keep their version and variant. */
export class Uuids {
  readonly #keyed: Keyed
  /** By 32 digits. */
  readonly #known = new Map<string, string>()

  constructor(keyed: Keyed) {
    this.#keyed = keyed
  }

  get replaced(): ReadonlyMap<string, string> {
    return this.#known
  }

  /** @param digits 32, in lower case */
  replace(digits: string): string {
    let found = this.#known.get(digits)
    if (found === undefined) {
      found = this.#make(digits)
      if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
      this.#known.set(digits, found)
    }
    return found
  }

  /** Replaces the one at `bytes[offset]` in place. */
  replaceAt(bytes: Uint8Array, offset: number): void {
    const digits = this.replace(digitsOf(bytes.subarray(offset, offset + 16)))
    for (let i = 0; i < 16; i++) bytes[offset + i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  }

  #make(digits: string): string {
    // The one that stands for none.
    if (/^0+$/.test(digits)) return digits
    const bytes = Uint8Array.from(digits, (digit) => digit.charCodeAt(0))
    const made = digitsOf(this.#keyed.hash('uuid', bytes, 16))
    const variant = (
      (Number.parseInt(digits.charAt(16), 16) & 12) |
      (Number.parseInt(made.charAt(16), 16) & 3)
    ).toString(16)
    return made.slice(0, 12) + digits.charAt(12) + made.slice(13, 16) + variant + made.slice(17)
  }
}

function digitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
