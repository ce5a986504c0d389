import { RamReader } from './ram.ts'
import { findCandidate } from './resync.ts'
import { MULTIFD_MAGIC, MULTIFD_VERSION, STREAM_MAGIC, STREAM_VERSION } from './stream-format.ts'

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

/** Whether a connection begins like an additional channel of a parallel migration. 'more' when it may.
 *  @see protocols.md D.5 */
export function looksLikeMultifd(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  return beginsWith(bytes, start, end, MULTIFD_MAGIC, MULTIFD_VERSION)
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
