/** Finds values by their keys: a value may have several, and a key several values. */
export class KeyIndex<K, V> {
  readonly #values = new Map<K, Set<V>>()
  readonly #keys = new Map<V, Set<K>>()

  /** In the order in which they were added. */
  get(key: K): Iterable<V> {
    return this.#values.get(key) ?? []
  }

  add(key: K, value: V): void {
    addTo(this.#values, key, value)
    addTo(this.#keys, value, key)
  }

  remove(value: V): void {
    for (const key of this.#keys.get(value) ?? []) {
      const values = this.#values.get(key)
      values?.delete(value)
      if (values?.size === 0) this.#values.delete(key)
    }
    this.#keys.delete(value)
  }
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([value]))
  else known.add(value)
}
