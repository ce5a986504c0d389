/** Numbers of the NBD protocol; offsets are from the start of a message. All fields are big-endian.
 *  @see protocols.md D.10; NBD doc/proto.md */

/** A word that is a magic or the first half of one comes first in each message. */
export const MAGIC_SIZE = 4

/** "NBDMAGIC", with which a server greets. */
export const GREETING = { high: 0x4e42444d, low: 0x41474943, size: 8 } as const

/** What follows the greeting of today's servers ("IHAVEOPT", flags u16) and begins each option of a client. */
export const OPTION = { high: 0x49484156, low: 0x454f5054, option: 8, length: 12, size: 16 } as const
export const SERVER_FLAGS_SIZE = 10

/** What follows the greeting of servers that do not negotiate: size u64, flags u32, zeros. */
export const OLD_STYLE = { high: 0x00004202, low: 0x81861253, diskSize: 8, head: 20, size: 144 } as const

export const OPTION_TYPE = { exportName: 1, startTls: 5, go: 7, last: 11 } as const

/** Data of option GO: length u32 of the name, the name, a list of u16. */
export const GO = { nameLength: 16, name: 20, listLength: 2 } as const

export const OPTION_REPLY = {
  high: 0x0003e889,
  low: 0x045565a9,
  option: 8,
  type: 12,
  length: 16,
  size: 20,
} as const
export const OPTION_REPLY_INFO = 3

/** Data of an INFO reply about the disk. */
export const INFO_EXPORT = { type: 20, diskSize: 22, size: 32, length: 12, typeExport: 0 } as const

/** The answer to option EXPORT_NAME has no magic; zeros follow unless both ends agreed to leave them out. */
export const EXPORT_REPLY = { diskSize: 0, flags: 8, size: 10, zeros: 124, hasFlags: 1 } as const

export const REQUEST = {
  magic: 0x25609513,
  flags: 4,
  type: 6,
  cookie: 8,
  offset: 16,
  length: 24,
  size: 28,
} as const
/** With a length of 64 bits, else as above. */
export const EXTENDED_REQUEST = { magic: 0x21e41c71, size: 32 } as const
/** Of an extended request: as many bytes as its length says follow. */
export const FLAG_PAYLOAD = 0x20
export const FLAGS_MAX = 0x3f

export const COMMAND = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  writeZeroes: 6,
  blockStatus: 7,
  last: 8,
} as const

export const SIMPLE_REPLY = { magic: 0x67446698, error: 4, cookie: 8, size: 16 } as const
export const STRUCTURED_REPLY = { magic: 0x668e33ef, flags: 4, type: 6, length: 16, size: 20 } as const
export const EXTENDED_REPLY = { magic: 0x6e8a278c, flags: 4, type: 6, length: 24, size: 32 } as const
/** Of the flags of a chunk: the reply's last one. */
export const FLAG_DONE = 1
/** Of the type of a chunk. */
export const CHUNK_ERROR = 0x8000

/** Whether a TLS handshake record begins here. @see RFC 8446 section 5.1 */
export function isTls(bytes: Uint8Array): boolean {
  return bytes[0] === 22 && bytes[1] === 3
}
