import type { ConnectionEvent } from './base.ts'
import type { PageCounts } from './qemu.ts'

/** An additional channel of a parallel migration said its number: raised once, at the 64th byte. */
export interface MultifdChannel extends ConnectionEvent<'multifd.channel'> {
  readonly channel: number
  /** Of the guest, as text. */
  readonly uuid: string
}

/** A SYNC packet: all that the main channel announced before it has been sent on this channel. */
export interface MultifdSync extends ConnectionEvent<'multifd.sync'> {
  /** Pages since the SYNC before. */
  readonly pages: PageCounts
}

/** Raised once, when the channel is over: totals over all of it. */
export interface MultifdEnd extends ConnectionEvent<'multifd.end'> {
  readonly bytes: number
  readonly packets: number
  /** Compressed pages count as normal, as in QEMU's own statistics. Null when bytes are missing, so that pages cannot be
   *  counted. */
  readonly pages: PageCounts | null
  /** Method by which pages were compressed: the last one seen. */
  readonly compression: string | null
  /** The channel was read to its last byte and ended between two packets. */
  readonly complete: boolean
}

export type MultifdEvent = MultifdChannel | MultifdSync | MultifdEnd
