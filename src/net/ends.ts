import type { Packet } from '../capture/packet.ts'
import { u16be, u32be } from '../core/bytes.ts'
import { MAC_TEXTS_MAX } from '../core/limits.ts'
import type { PacketEnds } from '../events/icmp.ts'
import type { AddressTable } from './address.ts'
import type { IpPayload } from './ip.ts'
import { LINK_TYPE } from './link.ts'

/** The ends of the packet at hand. One object is reused; text is made when it is asked for. */
export class Ends implements PacketEnds {
  readonly #addresses: AddressTable
  readonly #macs = new Map<number, string>()
  #packet: Packet | null = null
  #ip: IpPayload | null = null

  constructor(addresses: AddressTable) {
    this.#addresses = addresses
  }

  of(packet: Packet, ip: IpPayload): this {
    this.#packet = packet
    this.#ip = ip
    return this
  }

  get source(): string {
    return this.#ip === null ? '' : this.#addresses.text(this.#ip.source)
  }

  get destination(): string {
    return this.#ip === null ? '' : this.#addresses.text(this.#ip.destination)
  }

  get sourceMac(): string | null {
    return this.#packet === null ? null : this.#mac(this.#packet, sourceMacAt(this.#packet))
  }

  get destinationMac(): string | null {
    const packet = this.#packet
    return packet?.linkType === LINK_TYPE.ethernet ? this.#mac(packet, packet.start) : null
  }

  #mac({ bytes, end }: Packet, offset: number): string | null {
    if (offset < 0 || offset + 6 > end) return null
    const key = u16be(bytes, offset) * 4294967296 + u32be(bytes, offset + 2)
    let text = this.#macs.get(key)
    if (text === undefined) {
      if (this.#macs.size >= MAC_TEXTS_MAX) this.#macs.clear()
      text = key
        .toString(16)
        .padStart(12, '0')
        .replace(/..(?!$)/g, '$&:')
      this.#macs.set(key, text)
    }
    return text
  }
}

/** Where the sender's MAC is; -1 without one. Cooked headers have no receiver's. @see LINKTYPE_LINUX_SLL, _SLL2 */
function sourceMacAt({ linkType, bytes, start }: Packet): number {
  if (linkType === LINK_TYPE.ethernet) return start + 6
  if (linkType === LINK_TYPE.linuxSll) return u16be(bytes, start + 4) === 6 ? start + 6 : -1
  if (linkType === LINK_TYPE.linuxSll2) return bytes[start + 11] === 6 ? start + 12 : -1
  return -1
}
