import type { Action } from './table/row.ts'
import { TRANSITIONS } from './table.ts'

/** Which packet a rule takes, in words, for all rules of the table and those of the client's order. What it means for a phase,
 *  the table says. */
export const RULES: Readonly<Record<string, string>> = {
  'tcp.syn': 'the SYN of the connection, the first one where it was repeated',
  'tcp.syn_ack': 'the SYN-ACK of the connection',
  'tcp.refused': 'an RST in answer to the SYN',
  'tcp.fin.last': 'the last FIN of all its connections, in either direction',
  'tcp.rst.last': 'the last RST of all its connections, in either direction',

  'libvirt.connect_open.reply': 'the last packet of the reply to CONNECT_OPEN',
  'libvirt.connect_open.error': 'the last packet of the error that answers CONNECT_OPEN',
  'libvirt.last_feature_reply': 'the last packet of the last reply to a query before the prepare call',
  'libvirt.prepare.call': 'the first packet of the prepare call',
  'libvirt.prepare.reply': 'the last packet of the reply to the prepare call',
  'libvirt.prepare.error': 'the last packet of the error that answers the prepare call',
  'libvirt.finish.call': 'the first packet of the finish call',
  'libvirt.finish.reply': 'the last packet of the answer to the finish call, a reply or an error',
  'libvirt.close.call': 'the first packet of the call of CONNECT_CLOSE',
  'libvirt.close.reply': 'the last packet of the reply to CONNECT_CLOSE',
  'libvirt.stream.first_data': 'the first packet with data of the stream inside the libvirt connection',
  'libvirt.stream.client_finish': "the last packet of the message by which the source ends libvirt's stream",
  'libvirt.stream.server_finish':
    "the last packet of the destination's answer to the end of libvirt's stream",
  'libvirt.stream.abort': "the last packet of the message that aborts libvirt's stream",
  'libvirt.perform.call': "the first packet of the client's perform call to the source",
  'libvirt.perform.reply': 'the last packet of the answer to the perform call',

  'qemu.header': "the packet with the header of QEMU's migration stream",
  'qemu.ram_end': 'the packet with the head of the section that ends the guest memory',
  'qemu.device_state': 'the packet with the head of the first section of device state',
  'qemu.loaded': 'the last packet of the return path message SHUT',

  'http.keystone.discovery_get': "the first packet of the GET of Keystone's version document",
  'http.keystone.post_tokens': 'the first packet of the POST that asks Keystone for the token',
  'http.keystone.token_response': 'the last packet of the response with the token',
  'http.get_server.request': 'the first packet of the last GET of the server before the request',
  'http.get_server.new_host': 'the last packet of the response that shows the guest at its new host',
  'http.os-migrateLive.request': 'the first packet of the POST of os-migrateLive',
  'http.os-migrateLive.response': 'the last packet of the response to os-migrateLive',
  'http.migration_abort.request': 'the first packet of the DELETE of the migration',
  'http.migration_force_complete.request': 'the first packet of the POST of force_complete',
  'http.port_binding_activate.request': 'the first packet of the request that activates the port binding',
  'http.port_binding_activate.response': 'the last packet of the response to it',

  'amqp.check_can_live_migrate_destination': 'the first packet of the call of that name',
  'amqp.check_can_live_migrate_destination_reply': 'the last packet of the reply to that call',
  'amqp.check_can_live_migrate_source': 'the first packet of the call of that name',
  'amqp.check_can_live_migrate_source_reply': 'the last packet of the reply to that call',
  'amqp.check_can_live_migrate_error': 'the last packet of the error that answers one of the checks',
  'amqp.live_migration': 'the first packet of the message of that name',
  'amqp.live_migration_abort': 'the first packet of the message of that name',
  'amqp.live_migration_force_complete': 'the first packet of the message of that name',
  'amqp.network_vif_plugged': "the first packet of the message with Neutron's event",
  'amqp.pre_live_migration': 'the first packet of the call of that name',
  'amqp.pre_live_migration_reply': 'the last packet of the answer to that call, a reply or an error',
  'amqp.post_live_migration_at_destination': 'the first packet of the message of that name',
  'amqp.post_live_migration_at_destination_reply':
    'the last packet of the answer to that call, a reply or an error',
  'amqp.publisher_confirm': "the last packet of the broker's confirmation that it has the message",
  'amqp.rollback_live_migration_at_destination': 'the first packet of the message of that name',
}

/** What the ends of the downtime are read from. @see downtime.ts */
export const DOWNTIME_RULES = {
  stop: {
    'libvirt.cookie.stopped':
      "the source's own clock in the cookie of the finish call tells how long before that call the guest was stopped",
    'transfer.start': 'without --live the guest is stopped right before the migration socket opens',
    'qemu.ram_end':
      "the section that ends the guest memory is sent once the guest is stopped, less what the sender's socket still held",
    'qemu.device_state':
      "device state is sent once the guest is stopped, less what the sender's socket still held",
  },
  resume: {
    'rarp.first': "the first announcement (RARP) of the guest's MAC at or after the finish call",
    'libvirt.finish.call':
      'the guest was announced before the finish call, as old QEMU does, and is started some time after that call',
    'libvirt.finish.reply': 'nobody announced the guest: it runs by the answer to the finish call',
  },
} as const satisfies Readonly<Record<'stop' | 'resume', Readonly<Record<string, string>>>>

/** What the table says of a boundary or marker of an interval; null when that depends on what came before, or it says nothing. */
export function meaningOf(edge: Action['edge'], interval: string, rule: string): string | null {
  const notes = TRANSITIONS.filter(({ actions }) =>
    actions.some((action) => action.edge === edge && action.interval === interval && action.rule === rule),
  ).map(({ note }) => note)
  const [note] = new Set(notes)
  return note !== undefined && new Set(notes).size === 1 ? note : null
}
