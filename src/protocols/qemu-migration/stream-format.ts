/** Numbers of QEMU's migration stream, keyed like their source; all fields are big-endian.
 *  @see protocols.md D.1 … D.4
 *  @see QEMU migration/savevm.c, migration/ram.c, migration/block.c, migration/migration.c */

/** "QEVM". */
export const STREAM_MAGIC = 0x5145564d
export const STREAM_VERSION = { min: 2, max: 3 } as const
export const STREAM_HEADER_SIZE = 8

export const MULTIFD_MAGIC = 0x11223344
export const MULTIFD_VERSION = 1

/** First byte of every section. */
export const SECTION = {
  eof: 0x00,
  start: 0x01,
  part: 0x02,
  end: 0x03,
  full: 0x04,
  subsection: 0x05,
  vmDescription: 0x06,
  configuration: 0x07,
  command: 0x08,
  footer: 0x7e,
} as const

/** Type byte and id. */
export const SECTION_HEADER_SIZE = 5
export const FOOTER_SIZE = 5

/** QEMU numbers sections from 0 as devices register, so a larger id is not believed in a search. */
export const SECTION_ID_MAX = 0xffff

/** Low bits of the be64 that begins every record of section "ram". */
export const RAM = {
  zero: 0x02,
  memSize: 0x04,
  page: 0x08,
  eos: 0x10,
  continue: 0x20,
  xbzrle: 0x40,
  hook: 0x80,
  compressPage: 0x100,
  multifdFlush: 0x200,
} as const

/** Low bits of the be64 that begins every record of the old section "block". */
export const BLOCK = { deviceBlock: 0x01, eos: 0x02, progress: 0x04, zeroBlock: 0x08 } as const
export const BLOCK_SIZE = 1024 * 1024

export const COMMAND = {
  openReturnPath: 1,
  ping: 2,
  postcopyAdvise: 3,
  postcopyListen: 4,
  postcopyRun: 5,
  postcopyRamDiscard: 6,
  packaged: 7,
  enableColo: 8,
  postcopyResume: 9,
  recvBitmap: 10,
  switchoverStart: 11,
} as const

export const RETURN = {
  shut: 1,
  pong: 2,
  reqPagesId: 3,
  reqPages: 4,
  recvBitmap: 5,
  resumeAck: 6,
  switchoverAck: 7,
} as const

/** True when all bytes are ASCII that can be printed, as in every name on this wire. */
export function printable(bytes: Uint8Array, start: number, end: number): boolean {
  for (let o = start; o < end; o++) {
    const byte = bytes[o] as number
    if (byte < 0x20 || byte > 0x7e) return false
  }
  return true
}

/** Size of a START or FULL header: type, id u32, name length u8, name, instance u32, version u32.
 *  Negative: so many bytes are needed to tell; 0: not such a header. */
export function namedHeaderSize(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 6) return -6
  const nameSize = bytes[start + 5] as number
  if (nameSize === 0) return 0
  const size = 6 + nameSize + 8
  if (!printable(bytes, start + 6, Math.min(end, start + 6 + nameSize))) return 0
  return end - start < size ? -size : size
}
