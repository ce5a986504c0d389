/** What reads the bytes of a capture, once it is known of what kind they are. */
export interface ByteReader {
  push(bytes: Uint8Array): void
}

/** Holds the first bytes of a capture, which may come in any cut, until they tell who reads it. */
export class FirstBytes<T extends ByteReader> {
  /** Null until the bytes told, or their end was said. */
  reader: T | null = null
  readonly #open: (start: Uint8Array) => T
  readonly #isEnough: (start: Uint8Array) => boolean
  #start = new Uint8Array(0)

  /** @param open makes the reader, which then gets all bytes from the first on; throws when there is none for them
   *  @param isEnough whether `open` can do with these */
  constructor(open: (start: Uint8Array) => T, isEnough: (start: Uint8Array) => boolean) {
    this.#open = open
    this.#isEnough = isEnough
  }

  push(bytes: Uint8Array): void {
    if (this.reader !== null) {
      this.reader.push(bytes)
      return
    }
    // As a rule the first piece tells, and is not copied.
    if (this.#start.length === 0 && this.#isEnough(bytes)) {
      this.#begin(bytes)
      return
    }
    const start = new Uint8Array(this.#start.length + bytes.length)
    start.set(this.#start)
    start.set(bytes, this.#start.length)
    this.#start = start
    if (this.#isEnough(start)) this.#begin(start)
  }

  /** No more bytes.
   *  @returns the reader, also where there were too few bytes to tell */
  end(): T {
    return this.reader ?? this.#begin(this.#start)
  }

  #begin(start: Uint8Array): T {
    this.#start = new Uint8Array(0)
    const reader = this.#open(start)
    this.reader = reader
    reader.push(start)
    return reader
  }
}
