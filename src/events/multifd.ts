import type { ConnectionEvent } from './base.ts'
import type { PageCounts } from './qemu.ts'

/** An additional channel of a parallel migration said its number: raised once, at the 64th byte. */
export interface MultifdChannel extends ConnectionEvent<'multifd.channel'> {
  readonly channel: number
  /** Of the guest, as text. */
  readonly uuid: string
}

/** A packet of pages, a SYNC, or both: raised at the last byte of its contents, or where the channel breaks off in them. */
export interface MultifdPacket extends ConnectionEvent<'multifd.packet'> {
  /** Counted over all channels of a migration, from 0. Numbers of one channel never decrease. A number may be missing, and
   *  the one of a SYNC come twice: QEMU before 9.0 numbers a packet anew when a SYNC catches up with it. */
  readonly number: number
  /** All pages that the source had before it have been sent on this channel. */
  readonly sync: boolean
  /** Name of the RAM block that its pages are of; empty without pages, and where it was not captured. */
  readonly block: string
  readonly pageSizeBytes: number
  /** Of the pages in their block, in bytes: `normal` ones with contents, then `zero` ones. Null when not all of them, or
   *  not the name, were captured. */
  readonly offsets: Float64Array | null
  /** Compressed ones included. */
  readonly normal: number
  readonly zero: number
  /** Bytes from the head to the end of the contents, also when the channel breaks off before. */
  readonly size: number
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

export type MultifdEvent = MultifdChannel | MultifdPacket | MultifdEnd
