import type { Evidence } from '../core/evidence.ts'

/** A RARP "reverse request" that a guest's NIC broadcasts after a migration, made by QEMU for it. Raised per
 *  packet. @see net/announce.c of QEMU */
export interface RarpAnnounce {
  readonly type: 'rarp.announce'
  /** The NIC that announces itself: lower-case hex with colons. */
  readonly mac: string
  readonly first: Evidence
  readonly last: Evidence
}

export type RarpEvent = RarpAnnounce
