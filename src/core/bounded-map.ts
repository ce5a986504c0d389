/** A map that forgets its oldest entries beyond a number: for what a capture without end must not pile up.
 *
 *  Its entries move to an empty map every now and then. A map that entries are added to and taken from for long makes one table
 *  after another, each of which refers to the next: one that has become old before it was given up holds all later ones, with
 *  their entries, until V8 looks through its whole heap: with that, 1.5 million SYNs took twice as long. */
export class BoundedMap<K, V> {
  #entries = new Map<K, V>()
  /** Entries that were added to this map, those that are gone included. */
  #added = 0
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /** The entry becomes the newest. */
  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#forgetOldest()
    if (++this.#added >= 2 * this.#max) this.#move()
  }

  #forgetOldest(): void {
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true) this.#entries.delete(oldest.value)
  }

  #move(): void {
    this.#entries = new Map(this.#entries)
    this.#added = this.#entries.size
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  deleteWhere(test: (value: V) => boolean): void {
    for (const [key, value] of this.#entries) if (test(value)) this.#entries.delete(key)
  }

  /** Oldest first. */
  values(): IterableIterator<V> {
    return this.#entries.values()
  }
}
