import { u16be, u32be } from '../core/bytes.ts'

/** Words of a row: the network's number, the version of IP, and four words of address, of which IPv4 has the last. */
const ROW = 6
const ROWS_AT_FIRST = 256
/** Places a row: few enough are taken that a search ends after one or two steps. */
const PLACES = 4
const FREE = -1
/** Of the kind of a tunnel in the key of its network. */
const KIND_FACTOR = 2 ** 32

/** Small numbers for IP addresses, so that a connection is found by numeric keys. The same address inside and outside of a
 *  tunnel has two numbers, and one text.
 *
 *  A table of its own, since maps take keys beyond 2^31, which half of all IPv4 addresses are, at ten times the cost.
 *  @see Knuth, TAOCP vol. 3, 6.4: open addressing, linear probing */
export class AddressTable {
  #rows = new Int32Array(ROW * ROWS_AT_FIRST)
  #places = new Int32Array(PLACES * ROWS_AT_FIRST).fill(FREE)
  #count = 0
  /** Numbers of the networks inside of tunnels, from 1, by kind and id, in their order. */
  #networks = new Map<number, number>()
  /** The network of the packet at hand: 0 outside of tunnels. */
  #network = 0

  /** What counts for the memory: addresses, and networks. */
  get size(): number {
    return this.#count + this.#networks.size
  }

  /** Whether addresses are those outside of all tunnels. */
  get outside(): boolean {
    return this.#network === 0
  }

  /** From now on, addresses are those of a network inside of a tunnel.
   *  @param kind small, from 1 @param id below 2^32 */
  enter(kind: number, id: number): void {
    this.#network = this.#numberOf(kind * KIND_FACTOR + id)
  }

  /** Addresses are again those outside of all tunnels. */
  leave(): void {
    this.#network = 0
  }

  /** Forgets all other addresses. Those that are kept stay in order, but get new numbers.
   *  @param kept numbers, ascending
   *  @returns the new number of each */
  keepOnly(kept: readonly number[]): ReadonlyMap<number, number> {
    const rows = this.#rows
    const networks = [0, ...this.#networks.keys()]
    this.#rows = new Int32Array(ROW * ROWS_AT_FIRST)
    this.#places = new Int32Array(PLACES * ROWS_AT_FIRST).fill(FREE)
    this.#count = 0
    this.#networks = new Map()
    const renumbered = new Map<number, number>()
    for (const id of kept) {
      const [network = 0, version = 0, first = 0, second = 0, third = 0, last = 0] = rows.subarray(id * ROW)
      this.#network = network === 0 ? 0 : this.#numberOf(networks[network] ?? 0)
      renumbered.set(id, this.#find(version, first, second, third, last))
    }
    this.leave()
    return renumbered
  }

  v4(bytes: Uint8Array, offset: number): number {
    return this.#find(4, 0, 0, 0, u32be(bytes, offset) | 0)
  }

  v6(bytes: Uint8Array, offset: number): number {
    const first = u32be(bytes, offset) | 0
    const second = u32be(bytes, offset + 4) | 0
    const third = u32be(bytes, offset + 8) | 0
    return this.#find(6, first, second, third, u32be(bytes, offset + 12) | 0)
  }

  text(id: number): string {
    if (id < 0 || id >= this.#count) return ''
    const at = id * ROW
    const last = this.#rows[at + 5] as number
    if (this.#rows[at + 1] === 4) return ipv4Text(last)
    const view = new DataView(new ArrayBuffer(16))
    for (let word = 0; word < 4; word++) view.setInt32(4 * word, this.#rows[at + 2 + word] as number)
    return ipv6Text(new Uint8Array(view.buffer), 0)
  }

  #numberOf(key: number): number {
    let number = this.#networks.get(key)
    if (number === undefined) {
      number = this.#networks.size + 1
      this.#networks.set(key, number)
    }
    return number
  }

  /** The number of an address, which may be a new one. */
  #find(version: number, first: number, second: number, third: number, last: number): number {
    const network = this.#network
    const rows = this.#rows
    const places = this.#places
    let place = hash(network, first, second, third, last) & (places.length - 1)
    for (let id = places[place] as number; id !== FREE; id = places[place] as number) {
      const at = id * ROW
      if (
        rows[at + 5] === last &&
        rows[at + 1] === version &&
        rows[at] === network &&
        rows[at + 2] === first &&
        rows[at + 3] === second &&
        rows[at + 4] === third
      )
        return id
      place = (place + 1) & (places.length - 1)
    }
    if ((this.#count + 1) * ROW > rows.length) {
      this.#grow()
      return this.#find(version, first, second, third, last)
    }
    const id = this.#count++
    places[place] = id
    const at = id * ROW
    rows[at] = network
    rows[at + 1] = version
    rows[at + 2] = first
    rows[at + 3] = second
    rows[at + 4] = third
    rows[at + 5] = last
    return id
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2)
    rows.set(this.#rows)
    const places = new Int32Array(this.#places.length * 2).fill(FREE)
    for (let id = 0; id < this.#count; id++) {
      let place = hashOfRow(rows, id * ROW) & (places.length - 1)
      while (places[place] !== FREE) place = (place + 1) & (places.length - 1)
      places[place] = id
    }
    this.#rows = rows
    this.#places = places
  }
}

function hashOfRow(rows: Int32Array, at: number): number {
  const word = (index: number): number => rows[at + index] as number
  return hash(word(0), word(2), word(3), word(4), word(5))
}

/** @see MurmurHash3, 32-bit: the mixing of words and its last step */
function hash(network: number, first: number, second: number, third: number, last: number): number {
  let mixed = Math.imul(network, 0xcc9e2d51) ^ Math.imul(first, 0x1b873593)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) ^ second
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) ^ third
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) ^ last
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
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
