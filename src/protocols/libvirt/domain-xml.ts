import type { DomainFacts } from '../../events/libvirt.ts'
import { integer, mac, uuid } from './values.ts'
import { attribute, scanXml } from './xml.ts'

/** NICs kept of one guest; QEMU's PCI slots end far below. */
const MACS_MAX = 256

/** What a `<domain>` document says, as far as it was captured; null when it is not one. Only the guest's own
 *  elements count: devices, metadata and backing chains nest `<name>`, `<uuid>` and `<mac>` too.
 *  @see https://libvirt.org/formatdomain.html */
export function readDomainXml(xml: string): DomainFacts | null {
  let isDomain = false
  let name: string | null = null
  let id: string | null = null
  let memoryBytes: number | null = null
  let unit = 'KiB'
  const macs: string[] = []
  scanXml(xml, {
    open(path, tag) {
      if (path === '/domain') isDomain = true
      else if (path === '/domain/memory') unit = attribute(tag, 'unit') ?? 'KiB'
      else if (path === '/domain/devices/interface/mac' && macs.length < MACS_MAX) {
        const address = mac(attribute(tag, 'address') ?? '')
        if (address !== null) macs.push(address)
      }
    },
    close(path, value) {
      if (path === '/domain/name') name ??= value
      else if (path === '/domain/uuid') id ??= uuid(value)
      else if (path === '/domain/memory') memoryBytes ??= scaled(integer(value), unit)
    },
  })
  return isDomain ? { name, uuid: id, memoryBytes, macs } : null
}

const SCALE = 'kmgtpe'

/** `KiB` and `k` are 1024, `KB` is 1000, in any case of letters. @see virScaleInteger of libvirt */
function scaled(value: number | null, unit: string): number | null {
  if (value === null || value < 0) return null
  const suffix = unit.toLowerCase()
  if (suffix === 'b' || suffix === 'bytes') return value
  const power = SCALE.indexOf(suffix.slice(0, 1)) + 1
  const rest = suffix.slice(1)
  if (power === 0) return null
  if (rest === '' || rest === 'ib') return value * 1024 ** power
  return rest === 'b' ? value * 1000 ** power : null
}
