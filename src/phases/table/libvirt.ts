import { end, type Ignored, ignore, marker, rowsOf, start, startAfter, type Transition } from './row.ts'

const control = rowsOf('control')
const transfer = rowsOf('transfer')
const storage = rowsOf('storage')

/** States from which a signal is accepted although what should have come before it was not captured. */
const BEFORE_OPEN = ['idle', 'connecting'] as const
const BEFORE_PREPARE = ['idle', 'connecting', 'connected'] as const
const BEFORE_REPLY = ['idle', 'connecting', 'connected', 'preparing'] as const
const BEFORE_FINISH = ['idle', 'connecting', 'connected', 'preparing', 'prepared'] as const
const BEFORE_ANSWER = [...BEFORE_FINISH, 'finishing'] as const
const OVER = ['finished', 'finish-failed', 'cancelled'] as const
const UNDER_WAY = [
  'idle',
  'connecting',
  'connected',
  'preparing',
  'prepared',
  'finishing',
  'cancelling',
] as const
const FAILED_EARLY = ['refused', 'open-failed', 'prepare-failed'] as const

/** Every step of a migration by libvirt, row by row. @see the output contract, section 1; protocols.md C.5 and H */
export const LIBVIRT_TRANSITIONS: readonly Transition[] = [
  control(
    ['idle'],
    'rpc.syn',
    'connecting',
    [start('remote_connect', 'tcp.syn')],
    'the source (or the client) dials the destination daemon',
  ),
  control(
    ['connecting'],
    'rpc.syn-ack',
    null,
    [marker('remote_connect', 'tcp.syn_ack', 'first')],
    'the destination answers',
  ),
  control(['connecting'], 'rpc.refused', 'refused', [], 'nobody listens at the destination'),
  control(
    BEFORE_OPEN,
    'open.reply',
    'connected',
    [
      end('remote_connect', 'libvirt.connect_open.reply'),
      startAfter('prepare', 'libvirt.connect_open.reply'),
    ],
    'the connection is established; the source may prepare',
  ),
  control(
    BEFORE_OPEN,
    'open.error',
    'open-failed',
    [end('remote_connect', 'libvirt.connect_open.error')],
    'the destination turns the source away',
  ),
  control(
    ['connected'],
    'query.reply',
    null,
    [marker('remote_connect', 'libvirt.last_feature_reply', 'last')],
    'features are negotiated; the last answer before prepare may be read as the acknowledgement too',
  ),
  control(
    BEFORE_PREPARE,
    'prepare.call',
    'preparing',
    [marker('prepare', 'libvirt.prepare.call', 'first')],
    'the destination is asked to receive the guest',
  ),
  control(
    BEFORE_REPLY,
    'prepare.reply',
    'prepared',
    [end('prepare', 'libvirt.prepare.reply')],
    'the destination is ready',
  ),
  control(
    BEFORE_REPLY,
    'prepare.error',
    'prepare-failed',
    [end('prepare', 'libvirt.prepare.error')],
    'the destination cannot receive the guest',
  ),
  control(
    BEFORE_FINISH,
    'finish.call',
    'finishing',
    [start('finish', 'libvirt.finish.call')],
    'the source is done; the destination may run the guest',
  ),
  control(
    BEFORE_FINISH,
    'finish.cancel',
    'cancelling',
    [start('finish', 'libvirt.finish.call')],
    'the source gave up; the destination must drop the guest',
  ),
  control(
    BEFORE_ANSWER,
    'finish.reply',
    'finished',
    [end('finish', 'libvirt.finish.reply'), startAfter('cleanup', 'libvirt.finish.reply')],
    'the guest runs at the destination',
  ),
  control(
    BEFORE_ANSWER,
    'finish.error',
    'finish-failed',
    [end('finish', 'libvirt.finish.reply'), startAfter('cleanup', 'libvirt.finish.reply')],
    'the destination failed at the end; the guest goes on at the source',
  ),
  control(
    ['cancelling'],
    'finish.error',
    'cancelled',
    [end('finish', 'libvirt.finish.reply'), startAfter('cleanup', 'libvirt.finish.reply')],
    'the destination has dropped the guest',
  ),
  control(
    ['cancelling'],
    'finish.reply',
    'cancelled',
    [end('finish', 'libvirt.finish.reply'), startAfter('cleanup', 'libvirt.finish.reply')],
    'the destination has dropped the guest',
  ),
  control(
    OVER,
    'close.call',
    null,
    [marker('cleanup', 'libvirt.close.call', 'first')],
    'the source has tidied up',
  ),
  control(
    OVER,
    'close.reply',
    null,
    [marker('cleanup', 'libvirt.close.reply', 'last')],
    'the destination agrees to close',
  ),
  control(
    OVER,
    'rpc.fin',
    null,
    [end('cleanup', 'tcp.fin.last')],
    'the libvirt connection ends; the last FIN counts',
  ),
  control(
    OVER,
    'rpc.rst',
    null,
    [end('cleanup', 'tcp.rst.last')],
    'the libvirt connection ends; the last RST counts',
  ),
  control(UNDER_WAY, 'rpc.fin', 'broken', [], 'the libvirt connection ends before its work is done'),
  control(UNDER_WAY, 'rpc.rst', 'broken', [], 'the libvirt connection breaks before its work is done'),

  transfer(['none'], 'memory.syn', 'open', [start('transfer', 'tcp.syn')], 'the migration socket opens'),
  transfer(['none'], 'memory.first', 'open', [], 'the migration socket was open before the capture began'),
  transfer(
    ['open', 'ended'],
    'memory.syn',
    'open',
    [],
    'one more channel (multifd, post-copy preempt or recovery)',
  ),
  transfer(
    ['open'],
    'memory.syn-ack',
    null,
    [marker('transfer', 'tcp.syn_ack', 'first')],
    'the destination accepts',
  ),
  transfer(
    ['open'],
    'memory.refused',
    null,
    [marker('transfer', 'tcp.refused', 'first')],
    'nobody listens on the migration port',
  ),
  transfer(
    ['open', 'ended'],
    'memory.header',
    null,
    [marker('transfer', 'qemu.header', 'first')],
    'the stream begins',
  ),
  transfer(
    ['open', 'ended'],
    'memory.ram-end',
    null,
    [marker('transfer', 'qemu.ram_end', 'first')],
    'the last round of memory begins; the guest has stopped by now (pre-copy)',
  ),
  transfer(
    ['open', 'ended'],
    'memory.device-state',
    null,
    [marker('transfer', 'qemu.device_state', 'first')],
    'device state begins',
  ),
  transfer(
    ['open', 'ended'],
    'memory.loaded',
    null,
    [marker('transfer', 'qemu.loaded', 'last')],
    'the destination has loaded all state (return path SHUT)',
  ),
  transfer(
    ['open', 'ended'],
    'memory.fin',
    'ended',
    [end('transfer', 'tcp.fin.last')],
    'a migration socket ends; the last FIN of all counts',
  ),
  transfer(
    ['open', 'ended'],
    'memory.rst',
    'ended',
    [end('transfer', 'tcp.rst.last')],
    'a migration socket breaks; the last RST of all counts',
  ),
  transfer(
    ['none'],
    'tunnel.data',
    'open',
    [start('transfer', 'libvirt.stream.first_data')],
    'memory travels inside the libvirt connection',
  ),
  transfer(
    ['open'],
    'tunnel.source-end',
    null,
    [marker('transfer', 'libvirt.stream.client_finish', 'last')],
    'the source has sent everything',
  ),
  transfer(
    ['open'],
    'tunnel.end',
    'ended',
    [end('transfer', 'libvirt.stream.server_finish')],
    'the destination confirms the end of the stream',
  ),
  transfer(
    ['open'],
    'tunnel.abort',
    'ended',
    [end('transfer', 'libvirt.stream.abort')],
    'one side gives up the stream',
  ),
  transfer(
    ['ended'],
    'tunnel.abort',
    null,
    [end('transfer', 'libvirt.stream.abort')],
    'the other side gives it up too',
  ),

  storage(
    ['none'],
    'storage.syn',
    'open',
    [start('storage', 'tcp.syn')],
    'the first disk is opened at the destination',
  ),
  storage(['none'], 'storage.first', 'open', [], 'the disk was open before the capture began'),
  storage(['open', 'ended'], 'storage.syn', 'open', [], 'one more disk'),
  storage(
    ['open', 'ended'],
    'storage.fin',
    'ended',
    [end('storage', 'tcp.fin.last')],
    'a disk is closed; the last FIN of all counts',
  ),
  storage(
    ['open', 'ended'],
    'storage.rst',
    'ended',
    [end('storage', 'tcp.rst.last')],
    'a disk connection breaks; the last RST of all counts',
  ),
]

/** Signals of libvirt that say nothing in a state, with the reason. */
export const LIBVIRT_IGNORED: readonly Ignored[] = [
  ignore(
    'control',
    ['prepared', 'finishing', 'cancelling', ...OVER],
    'query.reply',
    'bookkeeping of the connection (close callback, keepalive)',
  ),
  ignore(
    'control',
    [...BEFORE_OPEN, 'preparing'],
    'query.reply',
    'AUTH_LIST and the keepalive query come before OPEN',
  ),
  ignore('control', ['prepare-failed', 'open-failed'], 'query.reply', 'the close callback is taken back'),
  ignore(
    'control',
    FAILED_EARLY,
    'close.call',
    'the source gives up: there is no cleanup phase without a finish',
  ),
  ignore(
    'control',
    FAILED_EARLY,
    'close.reply',
    'the source gives up: there is no cleanup phase without a finish',
  ),
  ignore('control', FAILED_EARLY, 'rpc.fin', 'libvirt_connection_time reports it'),
  ignore('control', FAILED_EARLY, 'rpc.rst', 'libvirt_connection_time reports it'),
  ignore('control', ['broken'], 'rpc.fin', 'the connection was over before'),
  ignore('control', ['broken'], 'rpc.rst', 'the connection was over before'),
  ignore('control', [...UNDER_WAY], 'close.call', 'a client may leave early'),
  ignore('control', [...UNDER_WAY], 'close.reply', 'a client may leave early'),
  ignore('control', ['idle'], 'rpc.syn-ack', 'the capture starts between SYN and SYN-ACK'),
  ignore('transfer', ['open', 'ended'], 'tunnel.data', 'the stream goes on'),
  ignore('transfer', ['open', 'ended'], 'memory.first', 'one more channel'),
  ignore('transfer', ['ended'], 'memory.syn-ack', 'one more channel'),
  ignore('transfer', ['ended'], 'memory.refused', 'one more channel'),
  ignore('transfer', ['ended'], 'tunnel.source-end', 'both directions end the stream, in either order'),
  ignore('transfer', ['ended'], 'tunnel.end', 'repeated end of the stream'),
  ignore('transfer', ['none'], 'memory.header', 'tunnelled: the message that carries it is not complete yet'),
  ignore('storage', ['open', 'ended'], 'storage.first', 'one more disk'),
]
