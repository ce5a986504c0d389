/** A map that forgets its oldest entries beyond a number: for what a capture without end must not pile up.
 *
 *  It begins anew with an empty table every now and then. A map that entries are added to and taken from for long makes one table
 *  after another, each of which refers to the next: one that has become old before it was given up holds all later ones, with
 *  their entries, until V8 looks through its whole heap. With that, a million SYNs took twice the time. */
export class BoundedMap<K, V> {
  #older = new Map<K, V>()
  #newer = new Map<K, V>()
  /** Entries that were added to the newer ones, those that are gone included. */
  #added = 0
  readonly #half: number

  /** @param max entries; of these, at least the newer half is kept */
  constructor(max: number) {
    this.#half = Math.ceil(max / 2)
  }

  has(key: K): boolean {
    return this.#newer.has(key) || this.#older.has(key)
  }

  get(key: K): V | undefined {
    return this.#newer.get(key) ?? this.#older.get(key)
  }

  /** The entry becomes the newest. */
  set(key: K, value: V): void {
    this.delete(key)
    this.#newer.set(key, value)
    if (++this.#added >= this.#half) this.#beginAnew()
  }

  #beginAnew(): void {
    const isFull = this.#newer.size >= this.#half
    if (isFull) this.#older = this.#newer
    this.#newer = new Map(isFull ? [] : this.#newer)
    this.#added = this.#newer.size
  }

  delete(key: K): void {
    if (!this.#newer.delete(key)) this.#older.delete(key)
  }

  deleteWhere(test: (value: V) => boolean): void {
    for (const map of [this.#older, this.#newer])
      for (const [key, value] of map) if (test(value)) map.delete(key)
  }

  /** Oldest first. */
  *values(): Generator<V> {
    yield* this.#older.values()
    yield* this.#newer.values()
  }
}
