/** Bytes of an input, taken as they are needed. */
export class Intake {
  readonly #raw: AsyncIterator<Uint8Array>
  /** What has come of the input and was not taken, from `at` on; never overwritten, as what was taken is a part of it. */
  #bytes = new Uint8Array(0)
  #at = 0

  constructor(raw: AsyncIterable<Uint8Array>) {
    this.#raw = raw[Symbol.asyncIterator]()
  }

  /** Where `at` points. Only what `has` said to be there may be read. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get at(): number {
    return this.#at
  }

  /** Waits until `size` bytes are there. Returns false when the input ends before. */
  async has(size: number): Promise<boolean> {
    if (this.#left >= size) return true
    const pieces = [this.#bytes.subarray(this.#at)]
    let held = this.#left
    while (held < size) {
      const next = await this.#raw.next()
      if (next.done === true) break
      // A copy: what the input lends is overwritten.
      pieces.push(next.value.slice())
      held += next.value.length
    }
    this.#bytes = joined(pieces, held)
    this.#at = 0
    return held >= size
  }

  /** The next bytes, which are there. They stay what they are. */
  take(size: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + size)
    this.#at += size
    return taken
  }

  /** What there is of the next bytes where the input ended. */
  takeRest(size: number): Uint8Array {
    return this.take(Math.min(size, this.#left))
  }

  /** Steps over bytes without holding them. Returns false when the input ends before. */
  async skip(size: number): Promise<boolean> {
    let left = size
    while (left > 0 && (await this.has(1))) left -= this.take(Math.min(left, this.#left)).length
    return left === 0
  }

  /** Nothing more is taken. */
  async close(): Promise<void> {
    await this.#raw.return?.()
  }

  get #left(): number {
    return this.#bytes.length - this.#at
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
