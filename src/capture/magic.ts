import { u16be, u16le, u32be, u32le } from '../core/bytes.ts'
import { DPMI_HEADER_SIZE, type DpmiHeader, readDpmiHeader } from './dpmi.ts'
import { PCAP_MAGIC } from './pcap.ts'
import { BLOCK, isSectionVersion } from './pcapng.ts'
import type { CaptureFormat } from './summary.ts'

/** Bytes that decide what a file is: those of the longest header that has no magic. */
export const MAGIC_SIZE = DPMI_HEADER_SIZE

/** Behind magic and version in all kinds that have a magic. */
const VERSION_END = 16

/** What the first bytes say. Containers that are known but not read have `reads: null`. */
export type FileKind =
  | { readonly kind: 'capture'; readonly format: CaptureFormat }
  | { readonly kind: 'compressed'; readonly compression: 'gzip' | 'zstd' | 'lz4' | 'xz' | 'bzip2' }
  | { readonly kind: 'unsupported'; readonly name: string; readonly advice: string }
  | { readonly kind: 'unknown' }

const PCAP_MAGICS: ReadonlySet<number> = new Set(Object.values(PCAP_MAGIC))
const BIG_PCAP_MAGICS: ReadonlySet<number> = new Set([
  PCAP_MAGIC.microsecondsBig,
  PCAP_MAGIC.nanosecondsBig,
  PCAP_MAGIC.modifiedBig,
])
/** Earlier versions had other records. */
const PCAP_MAJOR = 2
const RESERVED_LINK_BITS = 0x03ff0000
/** The newest version of DPMI's files. */
const DPMI_MINOR_MAX = 7
const PCAPNG_MAGIC = BLOCK.sectionHeader
const BYTE_ORDER_MAGICS: ReadonlySet<number> = new Set([0x1a2b3c4d, 0x4d3c2b1a])

/** What lz4 wrote before 2013, and still does with `-l`. */
const LZ4_LEGACY_MAGIC = 0x02214c18

const TO_PCAP = 'convert it first: editcap -F pcap IN OUT (part of Wireshark)'

/** Whether the whole header of any format is there. */
export function isWholeHeader(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC_SIZE
}

/** Whether the bytes that have come are enough to tell a file's kind, so that a capture in the making is not waited for. */
export function isTold(bytes: Uint8Array): boolean {
  if (bytes.length >= MAGIC_SIZE) return true
  return bytes.length >= VERSION_END && sniff(bytes).kind !== 'unknown'
}

/** Tells a file's kind by its first bytes, never by its name. `bytes` may be shorter than MAGIC_SIZE.
 *  @see protocols.md A.1, A.3, A.5 */
export function sniff(bytes: Uint8Array): FileKind {
  if (bytes.length < 4) return { kind: 'unknown' }
  const word = u32be(bytes, 0)
  if (PCAP_MAGICS.has(word)) return sniffPcap(bytes)
  if (word === PCAPNG_MAGIC && bytes.length >= 12 && BYTE_ORDER_MAGICS.has(u32be(bytes, 8)))
    return sniffPcapng(bytes)
  if (word >>> 16 === 0x1f8b) return { kind: 'compressed', compression: 'gzip' }
  if (word === 0x28b52ffd) return { kind: 'compressed', compression: 'zstd' }
  if (word === 0x04224d18 || word === LZ4_LEGACY_MAGIC) return { kind: 'compressed', compression: 'lz4' }
  if (word === 0xfd377a58) return { kind: 'compressed', compression: 'xz' }
  if (word >>> 8 === 0x425a68) return { kind: 'compressed', compression: 'bzip2' }
  if (word === 0x736e6f6f) return { kind: 'unsupported', name: 'a Solaris snoop capture', advice: TO_PCAP }
  if (word === 0x5452534e || word === 0x58435000)
    return { kind: 'unsupported', name: 'a Sniffer capture', advice: TO_PCAP }
  if (word === 0x474d4255) return { kind: 'unsupported', name: 'a Network Monitor capture', advice: TO_PCAP }
  const dpmi = readDpmiHeader(bytes)
  return dpmi === null ? { kind: 'unknown' } : sniffDpmi(dpmi)
}

function sniffPcap(bytes: Uint8Array): FileKind {
  const u16 = BIG_PCAP_MAGICS.has(u32be(bytes, 0)) ? u16be : u16le
  if (bytes.length < 6) return { kind: 'capture', format: 'pcap' }
  if (u16(bytes, 4) >= PCAP_MAJOR) return sniffLinkType(bytes)
  return { kind: 'unsupported', name: `a pcap file of version ${u16(bytes, 4)}`, advice: TO_PCAP }
}

/** What is set in the reserved bits of the word with the link type is no link type that anybody knows.
 *  @see draft-ietf-opsawg-pcap, "File Header" */
function sniffLinkType(bytes: Uint8Array): FileKind {
  if (bytes.length < 24) return { kind: 'capture', format: 'pcap' }
  const word = (BIG_PCAP_MAGICS.has(u32be(bytes, 0)) ? u32be : u32le)(bytes, 20)
  if ((word & RESERVED_LINK_BITS) === 0) return { kind: 'capture', format: 'pcap' }
  const name = `a pcap file of link type 0x${word.toString(16)}, in which bits are set that must not be`
  return {
    kind: 'unsupported',
    name,
    advice: 'was its header damaged? Where another tool can read it, save it with that tool again',
  }
}

function sniffPcapng(bytes: Uint8Array): FileKind {
  const u16 = bytes[8] === 0x1a ? u16be : u16le
  const [major, minor] = [u16(bytes, 12), u16(bytes, 14)]
  if (bytes.length < 16 || isSectionVersion(major, minor)) return { kind: 'capture', format: 'pcapng' }
  return { kind: 'unsupported', name: `a pcapng file of version ${major}.${minor}`, advice: TO_PCAP }
}

function sniffDpmi({ major, minor }: DpmiHeader): FileKind {
  if (major === 0 && minor <= DPMI_MINOR_MAX) return { kind: 'capture', format: 'dpmi' }
  const advice = 'convert it first: cap2pcap IN OUT (libcap_utils)'
  return { kind: 'unsupported', name: `a DPMI capture of version ${major}.${minor}`, advice }
}
