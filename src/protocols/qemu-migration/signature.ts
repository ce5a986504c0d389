import { RamReader } from './ram.ts'
import { findCandidate } from './resync.ts'
import {
  COMMAND,
  MULTIFD_MAGIC,
  MULTIFD_VERSION,
  RAM,
  SECTION,
  STREAM_MAGIC,
  STREAM_VERSION,
} from './stream-format.ts'

/** Records in a row that tell a stream by themselves. */
const CHAIN_LENGTH = 4

/** Whether a connection begins like a migration stream: "QEVM" and a version. 'more' when it may. */
export function looksLikeQemuMigration(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  const { min, max } = STREAM_VERSION
  for (let version = min; version <= max; version++) {
    const found = beginsWith(bytes, start, end, STREAM_MAGIC, version)
    if (found !== false) return found
  }
  return false
}

/** The command that a resumed stream begins with, once for each RAM block: the destination shall say which of its pages it has.
 *  Behind it the length of its data, and the block's name with its length. */
const RECV_BITMAP = [SECTION.command, 0, COMMAND.recvBitmap, 0] as const

/** Whether a connection begins like a stream that goes on after post-copy was interrupted. 'more' when it may.
 *  @see protocols.md D.6 */
export function looksLikeResumedStream(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  for (let i = 0; i < RECV_BITMAP.length; i++) {
    if (start + i >= end) return 'more'
    if (bytes[start + i] !== RECV_BITMAP[i]) return false
  }
  if (end - start < 6) return 'more'
  const nameSize = bytes[start + 5] as number
  return nameSize > 0 && bytes[start + 4] === nameSize + 1
}

/** Whether a connection begins like an additional channel of a parallel migration. 'more' when it may.
 *  @see protocols.md D.5 */
export function looksLikeMultifd(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  return beginsWith(bytes, start, end, MULTIFD_MAGIC, MULTIFD_VERSION)
}

/** The longest name of a RAM block that is read to its end. */
const NAME_READ_MAX = 18

/** Whether a connection begins like the channel of post-copy's urgent pages: one page, and the name of its block. 'more' when
 *  it may. @see protocols.md D.6 */
export function looksLikeUrgentChannel(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  const size = end - start
  // 2^48 bytes are more than any block has.
  if ((size > 0 && bytes[start] !== 0) || (size > 1 && bytes[start + 1] !== 0)) return false
  if (size > 6 && ((bytes[start + 6] as number) & 0x0f) !== 0) return false
  if (size > 7 && bytes[start + 7] !== RAM.page && bytes[start + 7] !== RAM.zero) return false
  if (size > 8 && bytes[start + 8] === 0) return false
  const nameSize = size > 8 ? Math.min(bytes[start + 8] as number, NAME_READ_MAX) : NAME_READ_MAX
  const nameEnd = Math.min(end, start + 9 + nameSize)
  for (let o = start + 9; o < nameEnd; o++) {
    const character = bytes[o] as number
    if (character < 0x20 || character > 0x7e) return false
  }
  return size < 9 + nameSize ? 'more' : true
}

/** Whether RAM records follow each other somewhere in these bytes: a stream whose start was not captured. Bytes that
 *  hold no more than a page or two say nothing. */
export function looksLikeRamRecords(bytes: Uint8Array, start: number, end: number): boolean {
  const ram = new RamReader()
  for (let o = start; ; o++) {
    o = findCandidate(bytes, o, end, ram.flagMask)
    if (end - o < 8) return false
    if (isChain(ram, bytes, o, end)) return true
  }
}

function isChain(ram: RamReader, bytes: Uint8Array, start: number, end: number): boolean {
  let o = start
  for (let count = 1; ; count++) {
    const size = ram.readOne(bytes, o, end)
    const over = ram.ended || ram.skip > 0
    ram.ended = false
    ram.skip = 0
    if (size <= 0) return false
    if (count === CHAIN_LENGTH) return true
    if (over) return false
    o += size
  }
}

/** Two big-endian words. */
function beginsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  first: number,
  second: number,
): boolean | 'more' {
  for (let i = 0; i < 8; i++) {
    if (start + i >= end) return 'more'
    const word = i < 4 ? first : second
    if (bytes[start + i] !== ((word >>> (24 - 8 * (i % 4))) & 0xff)) return false
  }
  return true
}
