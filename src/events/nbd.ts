import type { Evidence } from '../core/evidence.ts'
import type { ConnectionEvent } from './base.ts'

/** An NBD server greeted its client: the connection carries a disk. Raised once, at the eighth byte. @see NBD doc/proto.md */
export interface NbdGreeting extends ConnectionEvent<'nbd.greeting'> {}

/** The disk that the client works with. Raised once: when the server tells the disk's size, or with the first request
 *  where it did not. Not raised when no name was read, or when the server refused it. */
export interface NbdExport extends ConnectionEvent<'nbd.export'> {
  /** As the client asked for it; libvirt names disks after their drive (`drive-virtio-disk0`). May be empty: the server's
   *  default. */
  readonly name: string
  readonly sizeBytes: number | null
}

/** Requests of one kind. */
export interface NbdRequests {
  readonly count: number
  /** Of the disk that the requests concern. Only those of writes pass as payload, and those of reads in their replies. */
  readonly bytes: number
}

/** Requests whose heads the capture does not hold, with what else could not be read of what the client sent. Replies tell how
 *  many there were: bulk data of a disk that was captured with a short snap length is known all the same. */
export interface NbdUnread {
  /** Null when it is not known: replies are missing too, or the connection broke off before all were there. */
  readonly count: number | null
  /** What they wrote together, all but exactly; with their heads, and thus a little too much, when they are not counted. */
  readonly bytes: number
}

/** Raised once, when both directions are over: what the client asked for in all, each request counted at its last byte.
 *  Not raised when the connection went over to TLS. */
export interface NbdEnd extends ConnectionEvent<'nbd.end'> {
  /** As it was last asked for, accepted or not; null when it was not captured. */
  readonly exportName: string | null
  readonly sizeBytes: number | null
  readonly writes: NbdRequests
  readonly writeZeroes: NbdRequests
  readonly reads: NbdRequests
  readonly trims: NbdRequests
  readonly flushes: number
  readonly blockStatuses: number
  /** Requests of any other type, known or not. */
  readonly others: number
  /** The client took its leave (DISC). */
  readonly disconnected: boolean
  /** Replies, or chunks of replies, that report an error. Null when replies are missing, so that they cannot be counted. */
  readonly errors: number | null
  /** First byte of the first write or write-zeroes, and last byte of the last one. */
  readonly firstWrite: Evidence | null
  readonly lastWrite: Evidence | null
  /** All that the client sent was read or counted, and it ended between two messages. Otherwise there may have been more
   *  requests than are counted above: see `unread`. */
  readonly complete: boolean
  readonly unread: NbdUnread
}

export type NbdEvent = NbdGreeting | NbdExport | NbdEnd
