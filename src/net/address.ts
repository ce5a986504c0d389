import { u16be, u32be } from '../core/bytes.ts'

/** Small numbers for IP addresses, so that a connection is found by numeric keys. An IPv6 address goes through its
 *  four words one by one: each step is a numeric map look-up (a text key costs ten times as much). */
export class AddressTable {
  #v4 = new Map<number, number>()
  #v6 = new Map<number, number>()
  #text: string[] = []
  /** The words of IPv6 addresses, by number. */
  #v6Words = new Map<number, readonly number[]>()
  #prefixes = 1

  get size(): number {
    return this.#text.length
  }

  /** Forgets all other addresses. Those that are kept stay in order, but get new numbers.
   *  @param kept numbers, ascending
   *  @returns the new number of each */
  keepOnly(kept: readonly number[]): ReadonlyMap<number, number> {
    const old = {
      words: new Map([...this.#v4].map(([word, id]) => [id, word])),
      v6: this.#v6Words,
      text: this.#text,
    }
    this.#v4 = new Map()
    this.#v6 = new Map()
    this.#v6Words = new Map()
    this.#text = []
    this.#prefixes = 1
    const renumbered = new Map<number, number>()
    for (const id of kept) {
      const words = old.v6.get(id)
      const word = old.words.get(id)
      const text = old.text[id] ?? ''
      if (words !== undefined) renumbered.set(id, this.#numberV6(words, text))
      else if (word !== undefined) renumbered.set(id, this.#numberV4(word, text))
    }
    return renumbered
  }

  v4(bytes: Uint8Array, offset: number): number {
    const word = u32be(bytes, offset)
    return this.#v4.get(word) ?? this.#numberV4(word, ipv4Text(word))
  }

  v6(bytes: Uint8Array, offset: number): number {
    let prefix = 0
    for (let word = 0; word < 3; word++) prefix = this.#step(prefix, u32be(bytes, offset + 4 * word))
    const key = prefix * 4294967296 + u32be(bytes, offset + 12)
    // Negative keys: full addresses; positive ones: prefixes. Both live in one map.
    const known = this.#v6.get(-1 - key)
    if (known !== undefined) return known
    const words = [0, 4, 8, 12].map((at) => u32be(bytes, offset + at))
    return this.#numberV6(words, ipv6Text(bytes, offset))
  }

  text(id: number): string {
    return this.#text[id] ?? ''
  }

  #numberV4(word: number, text: string): number {
    const id = this.#text.push(text) - 1
    this.#v4.set(word, id)
    return id
  }

  #numberV6(words: readonly number[], text: string): number {
    const [first = 0, second = 0, third = 0, last = 0] = words
    const prefix = this.#step(this.#step(this.#step(0, first), second), third)
    const id = this.#text.push(text) - 1
    this.#v6.set(-1 - (prefix * 4294967296 + last), id)
    this.#v6Words.set(id, words)
    return id
  }

  #step(prefix: number, word: number): number {
    const key = prefix * 4294967296 + word
    let id = this.#v6.get(key)
    if (id === undefined) {
      id = this.#prefixes++
      this.#v6.set(key, id)
    }
    return id
  }
}

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** @see RFC 5952: lower case, the longest run of zero groups (two at least, the first of equals) shortened */
export function ipv6Text(bytes: Uint8Array, offset: number): string {
  const groups: number[] = []
  for (let i = 0; i < 8; i++) groups.push(u16be(bytes, offset + 2 * i))
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let j = i
    while (j < 8 && groups[j] === 0) j++
    if (j - i > length) {
      start = i
      length = j - i
    }
    if (j > i) i = j - 1
  }
  const hex = groups.map((group) => group.toString(16))
  if (start < 0) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
