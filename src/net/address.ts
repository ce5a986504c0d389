import { u16be, u32be } from '../core/bytes.ts'

/** The prefix below which the networks inside of tunnels are numbered: no address begins there. */
const NETWORKS = 1
/** Of the number of a network in the key of an IPv4 address. Numbers stay far below 2^21, so keys are exact. */
const NETWORK_FACTOR = 2 ** 32

/** Small numbers for IP addresses, so that a connection is found by numeric keys. An IPv6 address goes through its
 *  four words one by one: each step is a numeric map look-up (a text key costs ten times as much). The
 *  same address inside and outside of a tunnel has two numbers, and one text. */
export class AddressTable {
  /** By word, and 2^32 times the number of the network. */
  #v4 = new Map<number, number>()
  #v6 = new Map<number, number>()
  #text: string[] = []
  /** The network and the words of IPv6 addresses, by number. */
  #v6Words = new Map<number, readonly number[]>()
  #prefixes = NETWORKS + 1
  /** Kind and number of the networks inside of tunnels, by the prefix that stands for them. */
  #networks = new Map<number, readonly [kind: number, id: number]>()
  /** The network of the packet at hand: 0 outside of tunnels. */
  #network = 0

  /** What counts for the memory: addresses, and networks. */
  get size(): number {
    return this.#text.length + this.#networks.size
  }

  /** Whether addresses are those outside of all tunnels. */
  get outside(): boolean {
    return this.#network === 0
  }

  /** From now on, addresses are those of a network inside of a tunnel.
   *  @param kind small, from 1 @param id below 2^32 */
  enter(kind: number, id: number): void {
    this.#network = this.#step(this.#step(NETWORKS, kind), id)
    if (!this.#networks.has(this.#network)) this.#networks.set(this.#network, [kind, id])
  }

  /** Addresses are again those outside of all tunnels. */
  leave(): void {
    this.#network = 0
  }

  /** Forgets all other addresses. Those that are kept stay in order, but get new numbers.
   *  @param kept numbers, ascending
   *  @returns the new number of each */
  keepOnly(kept: readonly number[]): ReadonlyMap<number, number> {
    const old = {
      keys: new Map([...this.#v4].map(([key, id]) => [id, key])),
      v6: this.#v6Words,
      text: this.#text,
      networks: this.#networks,
    }
    this.#v4 = new Map()
    this.#v6 = new Map()
    this.#v6Words = new Map()
    this.#text = []
    this.#prefixes = NETWORKS + 1
    this.#networks = new Map()
    const renumbered = new Map<number, number>()
    for (const id of kept) {
      const [network = 0, ...words] = old.v6.get(id) ?? []
      const key = old.keys.get(id)
      const text = old.text[id] ?? ''
      this.#reenter(old.networks.get(key === undefined ? network : Math.floor(key / NETWORK_FACTOR)))
      if (key !== undefined) renumbered.set(id, this.#numberV4(key % NETWORK_FACTOR, text))
      else if (words.length > 0) renumbered.set(id, this.#numberV6(words, text))
    }
    this.leave()
    return renumbered
  }

  v4(bytes: Uint8Array, offset: number): number {
    const word = u32be(bytes, offset)
    return this.#v4.get(this.#keyOf(word)) ?? this.#numberV4(word, ipv4Text(word))
  }

  v6(bytes: Uint8Array, offset: number): number {
    let prefix = this.#network
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

  #reenter(network: readonly [kind: number, id: number] | undefined): void {
    if (network === undefined) this.leave()
    else this.enter(...network)
  }

  #numberV4(word: number, text: string): number {
    const id = this.#text.push(text) - 1
    this.#v4.set(this.#keyOf(word), id)
    return id
  }

  /** Outside of tunnels the word itself: the sum would be a floating-point number, which maps find more slowly. */
  #keyOf(word: number): number {
    return this.#network === 0 ? word : this.#network * NETWORK_FACTOR + word
  }

  #numberV6(words: readonly number[], text: string): number {
    const [first = 0, second = 0, third = 0, last = 0] = words
    const prefix = this.#step(this.#step(this.#step(this.#network, first), second), third)
    const id = this.#text.push(text) - 1
    this.#v6.set(-1 - (prefix * 4294967296 + last), id)
    this.#v6Words.set(id, [this.#network, ...words])
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
