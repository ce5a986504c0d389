import { u32be } from '../core/bytes.ts'
import { PCAP_MAGIC } from './pcap.ts'
import { BLOCK } from './pcapng.ts'

/** Bytes that decide what a file is. */
export const MAGIC_SIZE = 12

/** What the first bytes say. Containers that are known but not read have `reads: null`. */
export type FileKind =
  | { readonly kind: 'capture'; readonly format: 'pcap' | 'pcapng' }
  | { readonly kind: 'compressed'; readonly compression: 'gzip' | 'zstd' | 'lz4' | 'xz' | 'bzip2' }
  | { readonly kind: 'unsupported'; readonly name: string; readonly advice: string }
  | { readonly kind: 'unknown' }

const PCAP_MAGICS: ReadonlySet<number> = new Set(Object.values(PCAP_MAGIC))
const PCAPNG_MAGIC = BLOCK.sectionHeader
const BYTE_ORDER_MAGICS: ReadonlySet<number> = new Set([0x1a2b3c4d, 0x4d3c2b1a])
const DPMI_MAGIC = 0x6e9b3dc5

const TO_PCAP = 'convert it first: editcap -F pcap IN OUT (part of Wireshark)'

/** Tells a file's kind by its first bytes, never by its name. `bytes` may be shorter than MAGIC_SIZE.
 *  @see protocols.md A.1, A.3, A.5 */
export function sniff(bytes: Uint8Array): FileKind {
  if (bytes.length < 4) return { kind: 'unknown' }
  const word = u32be(bytes, 0)
  if (PCAP_MAGICS.has(word)) return { kind: 'capture', format: 'pcap' }
  if (word === PCAPNG_MAGIC && bytes.length >= 12 && BYTE_ORDER_MAGICS.has(u32be(bytes, 8)))
    return { kind: 'capture', format: 'pcapng' }
  if (word >>> 16 === 0x1f8b) return { kind: 'compressed', compression: 'gzip' }
  if (word === 0x28b52ffd) return { kind: 'compressed', compression: 'zstd' }
  if (word === 0x04224d18) return { kind: 'compressed', compression: 'lz4' }
  if (word === 0xfd377a58) return { kind: 'compressed', compression: 'xz' }
  if (word >>> 8 === 0x425a68) return { kind: 'compressed', compression: 'bzip2' }
  if (word === DPMI_MAGIC)
    return {
      kind: 'unsupported',
      name: 'a DPMI capture',
      advice: 'convert it first: cap2pcap IN OUT (libcap_utils)',
    }
  if (word === 0x736e6f6f) return { kind: 'unsupported', name: 'a Solaris snoop capture', advice: TO_PCAP }
  if (word === 0x5452534e || word === 0x58435000)
    return { kind: 'unsupported', name: 'a Sniffer capture', advice: TO_PCAP }
  if (word === 0x474d4255) return { kind: 'unsupported', name: 'a Network Monitor capture', advice: TO_PCAP }
  return { kind: 'unknown' }
}
