import { u32be } from '../../core/bytes.ts'
import {
  FOOTER_SIZE,
  namedHeaderSize,
  RAM,
  SECTION,
  SECTION_HEADER_SIZE,
  SECTION_ID_MAX,
} from './stream-format.ts'

/** How a decoder that lost its place finds it again.
 *  @see protocols.md B, "Resynchronisation after a gap" */

/** Records in a row that are believed: their positions follow from each other. */
export const CHAIN_LENGTH = 3

/** Whether a stream's sections end in footers (machine types since QEMU 2.4) shows at the first one's end. */
export const FOOTERS = { unknown: 0, present: 1, absent: 2 } as const
export type Footers = (typeof FOOTERS)[keyof typeof FOOTERS]

/** Last bytes of a be64 that may begin a chain: the flags of records with a page, and EOS. */
const FIRST_FLAGS = new Uint8Array(256)
for (const flags of [RAM.page, RAM.zero, RAM.xbzrle]) {
  FIRST_FLAGS[flags] = 1
  FIRST_FLAGS[flags | RAM.continue] = 1
}
FIRST_FLAGS[RAM.eos] = 1

/** First position with eight bytes that may begin a RAM record or be a footer; the first position with fewer
 *  than eight bytes behind it when there is none. Runs over every byte of a stream that is lost. */
export function findCandidate(bytes: Uint8Array, start: number, end: number, flagMask: number): number {
  const last = end - 8
  const highFlags = flagMask >>> 8
  for (let o = start; o <= last; o++) {
    if (FIRST_FLAGS[bytes[o + 7] as number] === 1) {
      // Offsets stay below 2^48, and no flag above 0x80 may begin a chain.
      if (bytes[o] === 0 && bytes[o + 1] === 0 && ((bytes[o + 6] as number) & highFlags & 0xff) === 0)
        return o
    }
    if (bytes[o] === SECTION.footer && bytes[o + 1] === 0 && bytes[o + 2] === 0) return o
  }
  return Math.max(start, last + 1)
}

/** True for the record that ends a section's payload. At least eight bytes are there. */
export function isEos(bytes: Uint8Array, start: number): boolean {
  return u32be(bytes, start) === 0 && u32be(bytes, start + 4) === RAM.eos
}

/** The seam between a section of "ram" and the next section: [EOS] [footer] and the header of another section
 *  of the same id, or of device state. Bytes before that header, 0 when there is no seam, minus the
 *  bytes needed to tell. At least eight bytes are there.
 *  @param ramId −1 while unknown: then the EOS is needed too, and two ids that agree */
export function matchSeam(
  bytes: Uint8Array,
  start: number,
  end: number,
  ramId: number,
  footers: Footers,
): number {
  let o = start
  let id = ramId
  if (isEos(bytes, start)) o += 8
  if (end <= o) return start - o - 1
  if (bytes[o] === SECTION.footer && footers !== FOOTERS.absent) {
    if (end < o + FOOTER_SIZE) return start - o - FOOTER_SIZE
    id = u32be(bytes, o + 1)
    if (ramId >= 0 ? id !== ramId : o === start || id > SECTION_ID_MAX) return 0
    o += FOOTER_SIZE
  } else if (o === start || footers === FOOTERS.present || id < 0) {
    return 0
  }
  if (end <= o) return start - o - 1
  const type = bytes[o]
  if (type !== SECTION.part && type !== SECTION.end && type !== SECTION.full) return 0
  if (end < o + SECTION_HEADER_SIZE) return start - o - SECTION_HEADER_SIZE
  const nextId = u32be(bytes, o + 1)
  if (type !== SECTION.full) return nextId === id ? o - start : 0
  if (nextId > SECTION_ID_MAX) return 0
  const size = namedHeaderSize(bytes, o, end)
  return size > 0 ? o - start : size < 0 ? start - o + size : 0
}

/** Whether some section may begin here: 1 yes, 0 no, minus the bytes needed to tell. For the search behind a
 *  part of the configuration whose length is not known. */
export function matchSection(bytes: Uint8Array, start: number, end: number): number {
  const type = bytes[start]
  if (type === SECTION.command) {
    if (end - start < SECTION_HEADER_SIZE) return -SECTION_HEADER_SIZE
    // Command and length; those sent before RAM carry 16 bytes at most.
    return bytes[start + 1] === 0 && bytes[start + 2] !== 0 && bytes[start + 3] === 0 ? 1 : 0
  }
  if (type === SECTION.start || type === SECTION.full) {
    if (end - start < SECTION_HEADER_SIZE) return -SECTION_HEADER_SIZE
    if (u32be(bytes, start + 1) > SECTION_ID_MAX) return 0
    return Math.min(1, namedHeaderSize(bytes, start, end))
  }
  if (type === SECTION.subsection) {
    if (end - start < 2) return -2
    const size = 2 + (bytes[start + 1] as number)
    if (size < 4 || !isConfigurationName(bytes, start + 2, Math.min(end, start + size))) return 0
    return end - start < size ? -size : 1
  }
  return 0
}

const CONFIGURATION_PREFIX = 'configuration/'

function isConfigurationName(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = 0; i < CONFIGURATION_PREFIX.length && start + i < end; i++) {
    if (bytes[start + i] !== CONFIGURATION_PREFIX.charCodeAt(i)) return false
  }
  return true
}
