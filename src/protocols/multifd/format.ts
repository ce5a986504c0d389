/** Numbers of the channels of a parallel migration, keyed like their source; all fields are big-endian.
 *  @see protocols.md D.5
 *  @see QEMU migration/multifd.h, migration/multifd.c (4.0: migration/ram.c) */

export const MAGIC = 0x11223344
export const VERSION = 1

/** First packet of a channel: magic, version, uuid, channel number, reserved. */
export const INITIAL = { magic: 0, version: 4, uuid: 8, channel: 24, size: 64 } as const

/** What all later packets begin with. */
export const HEADER = { magic: 0, version: 4, flags: 8, size: 12 } as const

/** A packet of pages; `read` is where the numbers end, `size` where the offsets begin. The zero pages are those of QEMU 9.0;
 *  the field was reserved, and zero, before. */
export const PAGES = {
  allocated: 12,
  normal: 16,
  nextSize: 20,
  number: 24,
  zero: 32,
  read: 36,
  block: 64,
  size: 320,
} as const

/** A packet of device state (QEMU 10.0): header, name, instance, size of what follows. */
export const DEVICE_STATE = { nextSize: 272, size: 276 } as const

export const FLAG = { sync: 0x01, deviceState: 0x40 } as const

/** A field of the flags. */
export const COMPRESSION_MASK = 0x3e
export const COMPRESSION: ReadonlyMap<number, string> = new Map([
  [0x02, 'zlib'],
  [0x04, 'zstd'],
  [0x08, 'qpl'],
  [0x10, 'uadk'],
  [0x20, 'qatzip'],
])

/** Pages of one packet together, uncompressed: MULTIFD_PACKET_SIZE. The list of offsets always has room for them all. */
export const PACKET_PAGES_SIZE = 512 * 1024
/** Pages of 4 KiB: of the packets that do not say. */
export const PAGE_COUNT_DEFAULT = 128
/** Pages of 1 KiB, the smallest of any target. */
export const PAGE_COUNT_MAX = 512
