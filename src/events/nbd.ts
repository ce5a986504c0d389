import type { ConnectionEvent } from './base.ts'

/** An NBD server greeted its client: the connection carries a disk. Raised once. @see NBD doc/proto.md */
export interface NbdGreeting extends ConnectionEvent<'nbd.greeting'> {}

export type NbdEvent = NbdGreeting
