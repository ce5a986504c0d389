import type { Evidence } from '../core/evidence.ts'

/** What an event means to a migration. The prefix says where it was seen: on the libvirt connection (`rpc`, and the
 *  calls by their names), on a connection that carries guest memory or disks, inside the libvirt connection
 *  (`tunnel`), between the user and the API (`auth`, `server`, `migrate`), or between the services of OpenStack. */
export const SIGNALS = [
  'rpc.syn',
  'rpc.syn-ack',
  'rpc.refused',
  'rpc.fin',
  'rpc.rst',
  'open.reply',
  'open.error',
  'query.reply',
  'prepare.call',
  'prepare.reply',
  'prepare.error',
  'finish.call',
  'finish.cancel',
  'finish.reply',
  'finish.error',
  'close.call',
  'close.reply',
  'tunnel.data',
  'tunnel.source-end',
  'tunnel.end',
  'tunnel.abort',
  'memory.syn',
  'memory.syn-ack',
  'memory.refused',
  'memory.first',
  'memory.header',
  'memory.ram-end',
  'memory.device-state',
  'memory.loaded',
  'memory.fin',
  'memory.rst',
  'storage.syn',
  'storage.first',
  'storage.fin',
  'storage.rst',
  'auth.discovery',
  'auth.request',
  'auth.token',
  'server.get',
  'migrate.request',
  'migrate.accepted',
  'migrate.rejected',
  'abort.request',
  'force.request',
  'check.begin',
  'check.end',
  'check.call',
  'check.reply',
  'check.error',
  'order.call',
  'pre.call',
  'pre.reply',
  'pre.error',
  'rollback.call',
  'abort.call',
  'force.call',
  'vif.plugged',
  'binding.request',
  'binding.activated',
  'binding.failed',
  'post.call',
  'post.reply',
  'post.error',
  'post.accepted',
  'post.visible',
] as const

export type SignalName = (typeof SIGNALS)[number]

export interface Signal {
  readonly name: SignalName
  readonly first: Evidence
  readonly last: Evidence
  /** Read from something that stands for the event, not from the event itself. */
  readonly inferred?: boolean
}
