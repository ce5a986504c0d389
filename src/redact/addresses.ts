import { u16be, u32be } from '../core/bytes.ts'
import type { Keyed } from './keyed.ts'

/** Replacements for addresses of the network and of the link. Each has the same number of digits, octet by octet, so that a text
 *  keeps its length; hosts of one network stay in one; private addresses stay private, and what means the same everywhere
 *  (loopback, multicast to all hosts, broadcast, netmasks) stays as it is. */
export class Addresses {
  readonly #keyed: Keyed
  readonly #v4 = new Map<string, readonly number[]>()
  readonly #v6 = new Map<string, readonly number[]>()
  readonly #macs = new Map<string, readonly number[]>()
  /** The same by number, for the headers of packets. */
  readonly #v4Bytes = new Map<number, Uint8Array>()
  readonly #macBytes = new Map<number, Uint8Array>()

  constructor(keyed: Keyed) {
    this.#keyed = keyed
  }

  /** Addresses that were replaced by others, as texts. */
  *replaced(): Generator<readonly [kind: 'ipv4' | 'ipv6' | 'mac', from: string, to: string]> {
    for (const [from, to] of this.#v4) if (from !== to.join('.')) yield ['ipv4', from, to.join('.')]
    for (const [from, to] of this.#v6) {
      const groups = to.map((group) => group.toString(16)).join(':')
      if (from !== groups) yield ['ipv6', from, groups]
    }
    for (const [from, to] of this.#macs) if (from !== hexPairs(to)) yield ['mac', from, hexPairs(to)]
  }

  /** @param octets four */
  v4(octets: readonly number[]): readonly number[] {
    const key = octets.join('.')
    let found = this.#v4.get(key)
    if (found === undefined) {
      found = this.#replaceV4(octets)
      remember(this.#v4, key, found)
    }
    return found
  }

  /** @param groups eight, of 16 bits */
  v6(groups: readonly number[]): readonly number[] {
    const key = groups.map((group) => group.toString(16)).join(':')
    let found = this.#v6.get(key)
    if (found === undefined) {
      found = this.#replaceV6(groups)
      remember(this.#v6, key, found)
    }
    return found
  }

  /** @param octets six */
  mac(octets: readonly number[]): readonly number[] {
    const key = hexPairs(octets)
    let found = this.#macs.get(key)
    if (found === undefined) {
      found = this.#replaceMac(octets)
      remember(this.#macs, key, found)
    }
    return found
  }

  /** Replaces the address at `bytes[offset]` in place. */
  v4At(bytes: Uint8Array, offset: number): void {
    const key = u32be(bytes, offset)
    let found = this.#v4Bytes.get(key)
    if (found === undefined) {
      found = Uint8Array.from(this.v4([...bytes.subarray(offset, offset + 4)]))
      remember(this.#v4Bytes, key, found)
    }
    bytes.set(found, offset)
  }

  v6At(bytes: Uint8Array, offset: number): void {
    const groups: number[] = []
    for (let i = 0; i < 8; i++) groups.push(u16be(bytes, offset + 2 * i))
    bytes.set(
      this.v6(groups).flatMap((group) => [group >>> 8, group & 0xff]),
      offset,
    )
  }

  macAt(bytes: Uint8Array, offset: number): void {
    const key = u16be(bytes, offset) * 2 ** 32 + u32be(bytes, offset + 2)
    let found = this.#macBytes.get(key)
    if (found === undefined) {
      found = Uint8Array.from(this.mac([...bytes.subarray(offset, offset + 6)]))
      remember(this.#macBytes, key, found)
    }
    bytes.set(found, offset)
  }

  #replaceV4(octets: readonly number[]): readonly number[] {
    if (isSameEverywhere(octets)) return octets
    return octets.map((octet, i) => {
      const prefix = octets.slice(0, i)
      return this.#among(`ipv4 ${prefix.join('.')}`, octet, alternatives(prefix, octet))
    })
  }

  #replaceV6(groups: readonly number[]): readonly number[] {
    const [first = 0] = groups
    if (isMapped(groups)) return this.#replaceMapped(groups)
    const isShort = groups.slice(0, 7).every((group) => group === 0)
    if (isShort && (groups[7] ?? 0) <= 1) return groups
    if (first >>> 8 === 0xff && groups.slice(1, 6).every((group) => group === 0)) return groups
    return groups.map((group, i) => {
      if (group === 0) return 0
      const prefix = groups.slice(0, i).join(':')
      if (i === 0) return this.#inRange('ipv6', group, ...firstGroupRange(group))
      // Of the group of all that may be one address: the part that stands for it.
      const isSolicited = first === 0xff02 && i === 6 && group >>> 8 === 0xff
      const digits = group.toString(16).length
      const range = isSolicited ? [0xff00, 0xffff] : [16 ** (digits - 1), 16 ** digits - 1]
      return this.#inRange(`ipv6 ${prefix}`, group, range[0] as number, range[1] as number)
    })
  }

  #replaceMapped(groups: readonly number[]): readonly number[] {
    const [high = 0, low = 0] = groups.slice(6)
    const [a = 0, b = 0, c = 0, d = 0] = this.v4([high >>> 8, high & 0xff, low >>> 8, low & 0xff])
    return [...groups.slice(0, 6), a * 256 + b, c * 256 + d]
  }

  #replaceMac(octets: readonly number[]): readonly number[] {
    const kept = keptOctets(octets)
    if (kept === 6) return octets
    if (kept === 3) return [...octets.slice(0, 3), ...this.#number(octets.slice(3), octets.slice(0, 3))]
    // The two bits of the first octet that say group and local stay.
    const [first = 0] = octets
    const bits = first & 3
    const rest = this.#number([first >>> 2, ...octets.slice(1)], [bits], 2 ** 46)
    return [(rest[0] as number) * 4 + bits, ...rest.slice(1)]
  }

  #number(octets: readonly number[], label: readonly number[], size = 256 ** octets.length): number[] {
    let value = octets.reduce((sum, octet) => sum * 256 + octet, 0)
    value = this.#keyed.replace(`mac ${label.join(':')}`, value, size)
    const replaced: number[] = []
    for (let i = 0; i < octets.length; i++) {
      replaced.unshift(value % 256)
      value = Math.floor(value / 256)
    }
    return replaced
  }

  #among(label: string, value: number, choices: readonly number[]): number {
    const index = choices.indexOf(value)
    if (index < 0) return value
    return choices[this.#keyed.replace(`${label} ${choices[0]}`, index, choices.length)] ?? value
  }

  #inRange(label: string, value: number, low: number, high: number): number {
    return low + this.#keyed.replace(`${label} ${low}`, value - low, high - low + 1)
  }
}

/** Addresses remembered, each kind; the replacements of others are made again. */
const REMEMBERED_MAX = 65_536

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= REMEMBERED_MAX) map.clear()
  map.set(key, value)
}

/** @see RFC 6890: this host, loopback; link-local multicast; what is no host (and looks like a netmask) */
function isSameEverywhere(octets: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = octets
  return a === 0 || a === 127 || a >= 240 || (a === 224 && b === 0 && c === 0)
}

/** First octets of which a part is private, or all. */
const PARTLY_PRIVATE: readonly number[] = [10, 100, 127, 169, 172, 192]

/** What an octet may become, itself included.
 *  @see RFC 1918, RFC 3927, RFC 6598 */
function alternatives(prefix: readonly number[], octet: number): readonly number[] {
  const same = ALL.filter((each) => digitsOf(each) === digitsOf(octet))
  const [first = 0] = prefix
  switch (prefix.length) {
    case 0:
      return octet >= 224 || PARTLY_PRIVATE.includes(octet)
        ? [octet]
        : same.filter((each) => each > 0 && each < 224 && !PARTLY_PRIVATE.includes(each))
    case 1:
      return same.filter((each) => isPrivate(first, each) === isPrivate(first, octet))
    case 2:
      return same
    default:
      // Numbers of networks, and broadcasts.
      return octet === 0 || octet === 255 ? [octet] : same.filter((each) => each !== 0 && each !== 255)
  }
}

const ALL: readonly number[] = Array.from({ length: 256 }, (_, i) => i)

function digitsOf(octet: number): number {
  return String(octet).length
}

function isPrivate(first: number, second: number): boolean {
  switch (first) {
    case 10:
      return true
    case 172:
      return second >= 16 && second <= 31
    case 192:
      return second === 168
    case 169:
      return second === 254
    case 100:
      return second >= 64 && second <= 127
    default:
      return false
  }
}

function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
}

/** @see RFC 4193, RFC 4291 section 2.4 */
function firstGroupRange(group: number): [low: number, high: number] {
  if (group >= 0xfc00 && group <= 0xfdff) return [group & 0xff00, group | 0xff]
  if (group >= 0x2000 && group <= 0x3fff) return [0x2000, 0x3fff]
  return [group, group]
}

/** How many octets at the start of a MAC address belong to no one: all of those of groups that are the same everywhere, or the
 *  prefix of virtual machines (QEMU's, OpenStack's) and of multicast. */
function keptOctets(octets: readonly number[]): 0 | 3 | 6 {
  const text = hexPairs(octets)
  if (text === 'ff:ff:ff:ff:ff:ff' || text === '00:00:00:00:00:00') return 6
  if (text.startsWith('01:80:c2:') || text.startsWith('01:00:5e:00:00:') || text.startsWith('33:33:00:00:'))
    return 6
  const isShared = ['52:54:00', 'fa:16:3e', '01:00:5e', '33:33:ff'].some((prefix) => text.startsWith(prefix))
  return isShared ? 3 : 0
}

function hexPairs(octets: readonly number[]): string {
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')
}
