import { text, u16be, u64be } from '../../core/bytes.ts'

/** Reads the arguments of a method one after the other. Once something is missing, all that follows is null. */
export class ArgumentReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number
  #ok = true

  /** Reads `bytes[start … end)`, borrowed. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  u8(): number | null {
    const at = this.#take(1)
    return at === null ? null : (this.#bytes[at] as number) // in range
  }

  u16(): number | null {
    const at = this.#take(2)
    return at === null ? null : u16be(this.#bytes, at)
  }

  u64(): number | null {
    const at = this.#take(8)
    return at === null ? null : u64be(this.#bytes, at)
  }

  /** A length byte and as many bytes of UTF-8. */
  shortString(): string | null {
    const size = this.u8()
    const at = size === null ? null : this.#take(size)
    return at === null || size === null ? null : text(this.#bytes, at, at + size)
  }

  #take(size: number): number | null {
    const at = this.#at
    this.#ok &&= at + size <= this.#end
    if (!this.#ok) return null
    this.#at = at + size
    return at
  }
}
