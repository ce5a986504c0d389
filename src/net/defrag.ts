import { Packet } from '../capture/packet.ts'
import { u16be, u32be } from '../core/bytes.ts'
import { DATAGRAMS_MAX, FRAGMENT_PATIENCE_NS } from '../core/limits.ts'
import type { IpPayload } from './ip.ts'

/** Bytes of a datagram behind the IP header, and the unit of fragment offsets. @see RFC 791 section 3.1 */
const DATAGRAM_SIZE_MAX = 65_535
const UNIT = 8
const UNITS_MAX = Math.ceil(DATAGRAM_SIZE_MAX / UNIT)

/** Room before the datagram for the start of its frame, which has the MAC addresses. */
const HEADROOM = 64

/** A part of a datagram, as its header says. */
interface Fragment {
  readonly identification: number
  /** In bytes. */
  readonly offset: number
  readonly size: number
  readonly isLast: boolean
}

/** A datagram while parts of it are missing, and then as a whole. Its memory is used again for others. */
export class Datagram {
  /** The whole, in a frame like that of the packet that completed it. */
  readonly packet = new Packet()
  readonly #bytes = new Uint8Array(HEADROOM + DATAGRAM_SIZE_MAX)
  /** One for each unit that came. */
  readonly #seen = new Uint8Array(UNITS_MAX)
  key = ''
  startNs = 0
  /** What the first fragment says, or until that came another one. */
  protocol = -1
  #seenUnits = 0
  /** Behind the last unit that came. */
  #highestUnit = 0
  /** Bytes; -1 until the last fragment came. */
  #size = -1
  /** Where the first byte is that the capture does not hold. */
  #cutAt = Number.POSITIVE_INFINITY
  #wireBytes = 0

  begin(key: string, timeNs: number): void {
    this.key = key
    this.startNs = timeNs
    this.protocol = -1
    this.#seen.fill(0, 0, this.#highestUnit)
    this.#seenUnits = 0
    this.#highestUnit = 0
    this.#size = -1
    this.#cutAt = Number.POSITIVE_INFINITY
    this.#wireBytes = 0
  }

  /** Of bytes that came before, the first ones count. */
  add(packet: Packet, ip: IpPayload, { offset, size, isLast }: Fragment): void {
    this.#wireBytes += packet.originalLength
    if (offset === 0 || this.protocol < 0) this.protocol = ip.protocol
    if (isLast && this.#size < 0) this.#size = offset + size
    const captured = Math.max(0, Math.min(packet.end, ip.wireEnd) - ip.offset)
    for (let done = 0; done < size; done += UNIT) {
      const unit = (offset + done) / UNIT
      if (this.#seen[unit] === 1) continue
      this.#seen[unit] = 1
      this.#seenUnits++
      this.#copy(packet.bytes, ip.offset + done, offset + done, Math.min(UNIT, size - done, captured - done))
      if (Math.min(UNIT, size - done) > captured - done)
        this.#cutAt = Math.min(this.#cutAt, offset + Math.max(done, captured))
    }
    this.#highestUnit = Math.max(this.#highestUnit, Math.ceil((offset + size) / UNIT))
  }

  get isWhole(): boolean {
    return this.#size >= 0 && this.#seenUnits === Math.ceil(this.#size / UNIT) && !this.isNonsense
  }

  /** Parts lie behind the end. */
  get isNonsense(): boolean {
    return this.#size >= 0 && this.#highestUnit > Math.ceil(this.#size / UNIT)
  }

  /** @param packet the last that came, which is the evidence for the whole */
  finish(packet: Packet, ip: IpPayload): void {
    const whole = this.packet
    const headerSize = Math.min(HEADROOM, ip.start - packet.start)
    whole.packet = packet.packet
    whole.timeNs = packet.timeNs
    whole.linkType = packet.linkType
    whole.bytes = this.#bytes
    whole.start = HEADROOM - headerSize
    whole.end = HEADROOM + Math.min(this.#size, this.#cutAt)
    whole.originalLength = this.#wireBytes
    this.#bytes.set(packet.bytes.subarray(packet.start, packet.start + headerSize), whole.start)
    ip.fragment = false
    ip.protocol = this.protocol
    ip.start = HEADROOM
    ip.offset = HEADROOM
    ip.wireEnd = HEADROOM + this.#size
  }

  #copy(bytes: Uint8Array, from: number, to: number, size: number): void {
    for (let i = 0; i < size; i++) this.#bytes[HEADROOM + to + i] = bytes[from + i] as number
  }
}

/** Puts the fragments of IP datagrams together. Memory is bounded, and hostile fragments cost no more time than their
 *  bytes. @see RFC 791 section 3.2, RFC 8200 section 4.5 */
export class Defragmenter {
  /** Oldest first. */
  readonly #open = new Map<string, Datagram>()
  readonly #free: Datagram[] = []
  readonly #lost: (protocol: number) => void

  /** @param lost called for a datagram that is given up, with its protocol */
  constructor(lost: (protocol: number) => void) {
    this.#lost = lost
  }

  /** @param ip of a fragment; when the datagram is whole, of that
   *  @returns the datagram, to be given back with `release` when it was read; null while parts are missing */
  add(packet: Packet, ip: IpPayload): Datagram | null {
    this.#forget(packet.timeNs)
    const fragment = readFragment(packet.bytes, ip)
    if (fragment === null) {
      this.#lost(ip.protocol)
      return null
    }
    const datagram = this.#find(packet, ip, fragment)
    datagram.add(packet, ip, fragment)
    if (datagram.isNonsense) this.#giveUp(datagram)
    if (!datagram.isWhole) return null
    this.#open.delete(datagram.key)
    datagram.finish(packet, ip)
    return datagram
  }

  release(datagram: Datagram): void {
    this.#free.push(datagram)
  }

  /** Gives up all that is not whole: no more packets, or the numbers of addresses have changed. */
  clear(): void {
    for (const datagram of this.#open.values()) this.#giveUp(datagram)
  }

  #find(packet: Packet, ip: IpPayload, { identification }: Fragment): Datagram {
    // Fragments of IPv6 may differ in what they say follows.
    const protocol = ip.version === 4 ? ip.protocol : 0
    const key = `${ip.version} ${ip.source} ${ip.destination} ${protocol} ${identification}`
    const known = this.#open.get(key)
    if (known !== undefined) return known
    if (this.#open.size >= DATAGRAMS_MAX) this.#giveUpOldest()
    const datagram = this.#free.pop() ?? new Datagram()
    datagram.begin(key, packet.timeNs)
    this.#open.set(key, datagram)
    return datagram
  }

  #forget(nowNs: number): void {
    for (const datagram of this.#open.values()) {
      if (nowNs - datagram.startNs <= FRAGMENT_PATIENCE_NS) return
      this.#giveUp(datagram)
    }
  }

  #giveUpOldest(): void {
    const oldest = this.#open.values().next()
    if (oldest.done !== true) this.#giveUp(oldest.value)
  }

  #giveUp(datagram: Datagram): void {
    this.#lost(datagram.protocol)
    this.#open.delete(datagram.key)
    this.#free.push(datagram)
  }
}

/** Null when the numbers make no sense: all parts but the last are of whole units, and none ends behind the largest datagram. */
function readFragment(bytes: Uint8Array, ip: IpPayload): Fragment | null {
  const at = ip.fragmentAt
  const isV4 = ip.version === 4
  const field = u16be(bytes, isV4 ? at + 6 : at + 2)
  const fragment = {
    identification: isV4 ? u16be(bytes, at + 4) : u32be(bytes, at + 4),
    offset: isV4 ? (field & 0x1fff) * UNIT : field & 0xfff8,
    size: ip.wireEnd - ip.offset,
    isLast: (field & (isV4 ? 0x2000 : 1)) === 0,
  }
  const { offset, size, isLast } = fragment
  if (size <= 0 || (!isLast && size % UNIT !== 0) || offset + size > DATAGRAM_SIZE_MAX) return null
  return fragment
}
