import type { ConnectionEvent } from './base.ts'

/** Pages that passed, by kind of record. @see protocols.md D.2 */
export interface PageCounts {
  readonly normal: number
  /** Pages of one repeated byte (of zero, since QEMU 1.5). */
  readonly zero: number
  readonly xbzrle: number
  readonly compressed: number
}

/** "QEVM" and its version: raised once, at the eighth byte of the stream. */
export interface QemuHeader extends ConnectionEvent<'qemu.header'> {
  readonly version: number
}

/** The machine type that the source runs (since QEMU 2.4). */
export interface QemuConfiguration extends ConnectionEvent<'qemu.configuration'> {
  readonly machine: string
  /** Null when the stream does not say: 4096 then. */
  readonly pageSizeBytes: number | null
}

/** The list of RAM blocks in the START of section "ram". */
export interface QemuRamBlocks extends ConnectionEvent<'qemu.ram-blocks'> {
  readonly totalBytes: number
  readonly blocks: readonly { readonly name: string; readonly size: number }[]
}

/** One section, raised at its last byte. For "full" sections that cannot be told apart (streams without
 *  footers) one event covers all device state. */
export interface QemuSection extends ConnectionEvent<'qemu.section'> {
  readonly kind: 'start' | 'part' | 'end' | 'full'
  readonly id: number
  /** Null when the section's START was not seen. */
  readonly name: string | null
  /** Bytes from the type byte to the end of the footer. */
  readonly size: number
  /** Pages in this section; null for sections that hold none. */
  readonly pages: PageCounts | null
}

/** Raised at the first byte of the section that ends the RAM: the rest is sent with the guest stopped. */
export interface QemuRamEnd extends ConnectionEvent<'qemu.ram-end'> {}

/** Raised at the first byte of device state. */
export interface QemuDeviceState extends ConnectionEvent<'qemu.device-state'> {}

export interface QemuCommand extends ConnectionEvent<'qemu.command'> {
  /** @see protocols.md D.4 */
  readonly command: number
  readonly size: number
}

/** A message of the return path. @see protocols.md D.4 */
export interface QemuReturn extends ConnectionEvent<'qemu.return'> {
  readonly message: number
  /** Of SHUT and PONG; null for others. */
  readonly value: number | null
}

/** One round of pre-copy as far as it shows: pages none of which repeats. The first page that was sent before in the
 *  round begins the next, for QEMU has looked at the dirty pages anew in between. Raised at that page; for the last round
 *  when the guest has stopped, at the switch to post-copy, or when the stream is over. A lower bound: a round that repeats no
 *  page of the one before does not show.
 *  @see protocols.md D.7 */
export interface QemuRound extends ConnectionEvent<'qemu.round'> {
  /** 0-based. `last` is the packet of the page that begins the next round; of the last round, its end. */
  readonly index: number
  /** Of the stream, from the round's first page to the next one's. */
  readonly bytes: number
  readonly pages: PageCounts
  /** Pages that had passed in an earlier round: dirtied since. Null for a last round that stands for many. */
  readonly repeatedPages: number | null
}

/** Raised once, when the stream is over: totals over all of it. */
export interface QemuEnd extends ConnectionEvent<'qemu.end'> {
  readonly bytes: number
  /** Null when bytes are missing, so that pages cannot be counted. */
  readonly pages: PageCounts | null
  readonly pageSizeBytes: number
  /** Rounds that were raised; null when they could not be told apart. */
  readonly rounds: number | null
  readonly memoryBytes: number | null
  /** The stream was read to its last byte and ended where a stream ends. */
  readonly complete: boolean
  /** Bytes of the old in-stream `block` section: disk contents. */
  readonly storageBytes: number
}

/** The channel of post-copy's urgent pages is over: totals over all of it. Raised once. */
export interface QemuUrgentEnd extends ConnectionEvent<'qemu.urgent-end'> {
  readonly bytes: number
  /** Null when bytes are missing, so that pages cannot be counted. */
  readonly pages: PageCounts | null
  /** It was read to its last byte and ended between two pages. */
  readonly complete: boolean
}

export type QemuEvent =
  | QemuHeader
  | QemuConfiguration
  | QemuRamBlocks
  | QemuSection
  | QemuRamEnd
  | QemuDeviceState
  | QemuCommand
  | QemuReturn
  | QemuRound
  | QemuEnd
  | QemuUrgentEnd
