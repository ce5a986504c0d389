import type { ConnectionEvent } from './base.ts'

/** Raised once per connection, at its first SYN, or at its first packet when the capture starts later. */
export interface TcpOpen extends ConnectionEvent<'tcp.open'> {
  readonly sawSyn: boolean
}

/** Raised once per connection, at the first SYN-ACK. */
export interface TcpAccept extends ConnectionEvent<'tcp.accept'> {}

/** Raised once per connection: a RST answered the SYN. The RST itself is also raised as `tcp.rst`. */
export interface TcpRefuse extends ConnectionEvent<'tcp.refuse'> {}

/** Raised for each FIN packet, retransmitted ones too, whether or not data before it is still missing. */
export interface TcpFin extends ConnectionEvent<'tcp.fin'> {}

/** Raised for each RST packet. */
export interface TcpRst extends ConnectionEvent<'tcp.rst'> {}

export type TcpEvent = TcpOpen | TcpAccept | TcpRefuse | TcpFin | TcpRst
