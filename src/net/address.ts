import { u16be, u32be } from '../core/bytes.ts'

/** Small numbers for IP addresses, so that a connection is found by numeric keys. An IPv6 address goes through its
 *  four words one by one: each step is a numeric map look-up (a text key costs ten times as much). */
export class AddressTable {
  readonly #v4 = new Map<number, number>()
  readonly #v6 = new Map<number, number>()
  readonly #text: string[] = []
  #prefixes = 1

  v4(bytes: Uint8Array, offset: number): number {
    const word = u32be(bytes, offset)
    let id = this.#v4.get(word)
    if (id === undefined) {
      id = this.#text.length
      this.#v4.set(word, id)
      this.#text.push(`${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`)
    }
    return id
  }

  v6(bytes: Uint8Array, offset: number): number {
    let prefix = 0
    for (let word = 0; word < 3; word++) prefix = this.#step(prefix, u32be(bytes, offset + 4 * word))
    const key = prefix * 4294967296 + u32be(bytes, offset + 12)
    // Negative keys: full addresses; positive ones: prefixes. Both live in one map.
    let id = this.#v6.get(-1 - key)
    if (id === undefined) {
      id = this.#text.length
      this.#v6.set(-1 - key, id)
      this.#text.push(ipv6Text(bytes, offset))
    }
    return id
  }

  text(id: number): string {
    return this.#text[id] ?? ''
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
