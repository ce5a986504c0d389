import { end, type Ignored, ignore, marker, rowsOf, STATES, start, type Transition } from './row.ts'

const request = rowsOf('request')
const nova = rowsOf('nova')

/** A capture may start anywhere: a signal is accepted in all states before its own. */
const BEFORE_CHECK = ['none', 'checking'] as const
const BEFORE_ORDER = ['none', 'checking', 'checked'] as const
const BEFORE_PRE = ['none', 'checking', 'checked', 'ordered'] as const
const BEFORE_PRE_ANSWER = [...BEFORE_PRE, 'preparing'] as const
const BEFORE_POST = [...BEFORE_PRE_ANSWER, 'prepared'] as const
const CHECKED = ['checked', 'ordered', 'preparing', 'prepared'] as const
const TWICE = 'the message is seen twice: as it comes to the broker and as it goes'

/** What OpenStack adds to a migration by libvirt, row by row. @see the output contract, section 1; protocols.md E.4 */
export const OPENSTACK_TRANSITIONS: readonly Transition[] = [
  request(
    ['none'],
    'auth.discovery',
    'authenticating',
    [start('auth', 'http.keystone.discovery_get')],
    'the user looks what Keystone speaks',
  ),
  request(
    ['none', 'authenticating'],
    'auth.request',
    'authenticating',
    [start('auth', 'http.keystone.post_tokens'), marker('auth', 'http.keystone.post_tokens', 'first')],
    'the user asks for a token',
  ),
  request(
    ['authenticating'],
    'auth.token',
    'authenticated',
    [end('auth', 'http.keystone.token_response')],
    'Keystone hands out the token that the request will carry',
  ),
  request(
    ['none', 'authenticating', 'authenticated'],
    'server.get',
    'looked-up',
    [start('init', 'http.get_server.request')],
    'the last look at the server before the request',
  ),
  request(
    ['none', 'authenticating', 'authenticated', 'looked-up'],
    'migrate.request',
    'requested',
    [marker('init', 'http.os-migrateLive.request', 'first')],
    'the user asks for the migration',
  ),
  request(
    ['requested'],
    'migrate.accepted',
    'accepted',
    [marker('init', 'http.os-migrateLive.response', 'last')],
    'the API says 202',
  ),
  request(
    ['requested'],
    'migrate.rejected',
    'rejected',
    [marker('init', 'http.os-migrateLive.response', 'last')],
    'the API says no',
  ),
  request(
    STATES.request,
    'abort.request',
    null,
    [marker('nova', 'http.migration_abort.request', 'first')],
    'the user wants it to stop',
  ),
  request(
    STATES.request,
    'force.request',
    null,
    [marker('nova', 'http.migration_force_complete.request', 'first')],
    'the user wants it to end',
  ),

  nova(
    BEFORE_CHECK,
    'check.begin',
    'checking',
    [marker('init', 'amqp.check_can_live_migrate_destination', 'first')],
    'the conductor asks the destination',
  ),
  nova(
    BEFORE_ORDER,
    'check.end',
    'checked',
    [marker('init', 'amqp.check_can_live_migrate_destination_reply', 'last')],
    'the destination has answered',
  ),
  nova(
    BEFORE_CHECK,
    'check.call',
    'checking',
    [marker('init', 'amqp.check_can_live_migrate_source', 'first')],
    'the destination asks the source',
  ),
  nova(
    BEFORE_CHECK,
    'check.reply',
    'checked',
    [marker('init', 'amqp.check_can_live_migrate_source_reply', 'last')],
    'the source has answered',
  ),
  nova(
    BEFORE_ORDER,
    'check.error',
    'check-failed',
    [marker('init', 'amqp.check_can_live_migrate_error', 'last')],
    'a host cannot take part',
  ),
  nova(
    BEFORE_ORDER,
    'order.call',
    'ordered',
    [marker('init', 'amqp.live_migration', 'first')],
    'the conductor orders the source to migrate',
  ),
  nova(
    BEFORE_PRE,
    'pre.call',
    'preparing',
    [marker('init', 'amqp.pre_live_migration', 'first')],
    'the source has the destination prepare volumes and networks',
  ),
  nova(
    BEFORE_PRE_ANSWER,
    'pre.reply',
    'prepared',
    [end('init', 'amqp.pre_live_migration_reply')],
    'the destination is ready for libvirt',
  ),
  nova(['prepared'], 'pre.reply', null, [end('init', 'amqp.pre_live_migration_reply')], TWICE),
  nova(
    BEFORE_PRE_ANSWER,
    'pre.error',
    'prepare-failed',
    [end('init', 'amqp.pre_live_migration_reply')],
    'the destination cannot',
  ),
  nova(['prepare-failed'], 'pre.error', null, [end('init', 'amqp.pre_live_migration_reply')], TWICE),
  nova(
    [...BEFORE_POST, 'prepare-failed'],
    'rollback.call',
    'rolled-back',
    [marker('nova', 'amqp.rollback_live_migration_at_destination', 'first')],
    'the destination is to clean up',
  ),
  nova(
    BEFORE_POST,
    'post.call',
    'settling',
    [start('post_migration', 'amqp.post_live_migration_at_destination')],
    'the source tells the destination that the guest is its own now',
  ),
  nova(
    ['settling', 'settled'],
    'post.reply',
    'settled',
    [end('post_migration', 'amqp.post_live_migration_at_destination_reply')],
    'the destination confirms',
  ),
  nova(
    ['settling', 'post-failed'],
    'post.error',
    'post-failed',
    [end('post_migration', 'amqp.post_live_migration_at_destination_reply')],
    'the destination could not settle the guest',
  ),
  nova(
    ['settling', 'settled'],
    'post.accepted',
    'settled',
    [end('post_migration', 'amqp.publisher_confirm')],
    'a cast is not answered by its receiver: the broker has it, at least',
  ),
  nova(
    ['settling', 'settled'],
    'post.visible',
    'settled',
    [end('post_migration', 'http.get_server.new_host')],
    'a cast is not answered: the API shows the guest at its new host',
  ),
  nova(
    STATES.nova,
    'abort.call',
    null,
    [marker('nova', 'amqp.live_migration_abort', 'first')],
    'the source is told to stop',
  ),
  nova(
    STATES.nova,
    'force.call',
    null,
    [marker('nova', 'amqp.live_migration_force_complete', 'first')],
    'the source is told to end it',
  ),
  nova(
    STATES.nova,
    'vif.plugged',
    null,
    [marker('nova', 'amqp.network_vif_plugged', 'first')],
    'Neutron has wired the port at the destination',
  ),
  nova(
    STATES.nova,
    'binding.request',
    null,
    [marker('nova', 'http.port_binding_activate.request', 'first')],
    'the source has the port bound to the destination',
  ),
  nova(
    STATES.nova,
    'binding.activated',
    null,
    [marker('nova', 'http.port_binding_activate.response', 'last')],
    'the port is bound',
  ),
  nova(
    STATES.nova,
    'binding.failed',
    null,
    [marker('nova', 'http.port_binding_activate.response', 'last')],
    'the port could not be bound',
  ),
]

/** Signals of OpenStack that say nothing in a state, with the reason. */
export const OPENSTACK_IGNORED: readonly Ignored[] = [
  ignore('nova', CHECKED, 'check.begin', TWICE),
  ignore('nova', CHECKED, 'check.call', TWICE),
  ignore('nova', CHECKED, 'check.reply', TWICE),
  ignore('nova', ['ordered', 'preparing', 'prepared'], 'check.end', TWICE),
  ignore('nova', ['check-failed'], 'check.error', 'the refusal passes on from host to host'),
  ignore('nova', ['ordered', 'preparing', 'prepared'], 'order.call', TWICE),
  ignore('nova', ['preparing', 'prepared'], 'pre.call', TWICE),
  ignore('nova', ['rolled-back'], 'rollback.call', TWICE),
  ignore('nova', ['settling', 'settled'], 'post.call', TWICE),
]
