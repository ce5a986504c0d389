import { text, u32be, u64be } from '../../core/bytes.ts'

/** Bytes kept of one text field; names and error messages are far shorter, and more would not fit a report. */
export const TEXT_SIZE_MAX = 4096

/** Part of the cursor's bytes. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Reads XDR from `bytes[start … end)`. The first read that does not fit clears `ok` for good; that read and
 *  all later ones give null, so that a reader checks once, at its end.
 *  @see RFC 4506 */
export class XdrCursor {
  readonly bytes: Uint8Array
  readonly #end: number
  /** End of the body as its message claims it: past `#end` when the rest was not captured. */
  readonly #claimedEnd: number
  #offset: number
  #ok = true

  constructor(bytes: Uint8Array, start: number, end: number, claimedEnd: number = end) {
    this.bytes = bytes
    this.#offset = start
    this.#end = end
    this.#claimedEnd = claimedEnd
  }

  get ok(): boolean {
    return this.#ok
  }

  u32(): number | null {
    const at = this.skip(4)
    return at === null ? null : u32be(this.bytes, at)
  }

  i32(): number | null {
    const value = this.u32()
    return value === null ? null : value | 0
  }

  u64(): number | null {
    const at = this.skip(8)
    return at === null ? null : u64be(this.bytes, at)
  }

  /** Gives the offset of what was skipped. */
  skip(size: number): number | null {
    if (!this.#ok || size > this.#end - this.#offset) return this.#fail()
    const at = this.#offset
    this.#offset += size
    return at
  }

  /** A variable-length field with its padding. One that was captured in part gives that part, and clears
   *  `ok`; one that claims more than the message holds gives null. */
  opaque(): Range | null {
    const size = this.u32()
    if (size === null) return null
    const padded = size + ((4 - (size % 4)) % 4)
    const start = this.#offset
    if (padded > this.#claimedEnd - start) return this.#fail()
    if (padded > this.#end - start) {
      this.#fail()
      return { start, end: Math.min(start + size, this.#end) }
    }
    this.#offset += padded
    return { start, end: start + size }
  }

  /** Text, cut to TEXT_SIZE_MAX bytes; null when it was not captured whole. */
  string(): string | null {
    const range = this.opaque()
    return range === null || !this.#ok ? null : boundedText(this.bytes, range)
  }

  /** True when an optional value follows. */
  present(): boolean {
    const flag = this.u32()
    if (flag !== null && flag > 1) this.#fail()
    return this.#ok && flag === 1
  }

  /** Null too when the sender gave none. */
  optionalString(): string | null {
    return this.present() ? this.string() : null
  }

  /** Clears `ok`: what follows cannot be told apart. */
  fail(): void {
    this.#fail()
  }

  #fail(): null {
    this.#ok = false
    return null
  }
}

function boundedText(bytes: Uint8Array, range: Range): string {
  let end = Math.min(range.end, range.start + TEXT_SIZE_MAX)
  // Not inside a UTF-8 sequence, whose further bytes are 10xxxxxx.
  if (end < range.end) {
    for (let back = 0; back < 3 && ((bytes[end] as number) & 0xc0) === 0x80; back++) end--
  }
  return text(bytes, range.start, end)
}
