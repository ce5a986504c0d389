import type { AmqpEvent } from './amqp.ts'
import type { HttpEvent } from './http.ts'
import type { IcmpEvent } from './icmp.ts'
import type { LibvirtEvent } from './libvirt.ts'
import type { MultifdEvent } from './multifd.ts'
import type { NbdEvent } from './nbd.ts'
import type { QemuEvent } from './qemu.ts'
import type { RarpEvent } from './rarp.ts'
import type { TcpEvent } from './tcp.ts'
import type { TlsEvent } from './tls.ts'

/** Everything that a decoder can say. Consumers `switch` on `type`. */
export type ProtocolEvent =
  | TcpEvent
  | LibvirtEvent
  | QemuEvent
  | MultifdEvent
  | NbdEvent
  | RarpEvent
  | IcmpEvent
  | TlsEvent
  | HttpEvent
  | AmqpEvent

export type EventSink = (event: ProtocolEvent) => void
