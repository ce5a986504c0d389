import { assertNever } from '../core/assert.ts'
import type { ProtocolEvent } from '../events/event.ts'
import { actionOf, type LibvirtCall, type LibvirtReply, type LibvirtStream } from '../events/libvirt.ts'
import type { QemuEvent } from '../events/qemu.ts'
import type { TcpEvent } from '../events/tcp.ts'
import type { SignalName } from './signal.ts'

/** What a connection is to a migration: the conversation of the daemons, or the way of memory or disks. */
export type Role = 'rpc' | 'memory' | 'storage'

/** What an event on a connection of this role means; null for events that mark no instant. Migration events inside
 *  the libvirt connection (tunnelled) count as memory. */
export function classify(event: ProtocolEvent, role: Role): SignalName | null {
  switch (event.type) {
    case 'tcp.open':
    case 'tcp.accept':
    case 'tcp.refuse':
    case 'tcp.fin':
    case 'tcp.rst':
      return classifyTcp(event, role)
    case 'libvirt.call':
      return classifyCall(event)
    case 'libvirt.reply':
      return classifyReply(event)
    case 'libvirt.stream':
      return classifyStream(event)
    case 'qemu.header':
    case 'qemu.configuration':
    case 'qemu.ram-blocks':
    case 'qemu.section':
    case 'qemu.ram-end':
    case 'qemu.device-state':
    case 'qemu.command':
    case 'qemu.return':
    case 'qemu.round':
    case 'qemu.end':
    case 'qemu.urgent-end':
      return classifyQemu(event)
    case 'multifd.channel':
    case 'multifd.packet':
    case 'multifd.end':
    case 'libvirt.keepalive':
    case 'libvirt.other':
    case 'nbd.greeting':
    case 'nbd.export':
    case 'nbd.end':
    case 'rarp.announce':
    case 'icmp.echo':
    case 'tls.record':
    case 'http.request':
    case 'http.response':
    case 'amqp.message':
    case 'amqp.confirm':
    case 'amqp.close':
      return null
    default:
      return assertNever(event)
  }
}

function classifyTcp(event: TcpEvent, role: Role): SignalName | null {
  switch (event.type) {
    case 'tcp.open':
      if (event.sawSyn) return `${role}.syn`
      return role === 'rpc' ? null : `${role}.first`
    case 'tcp.accept':
      return role === 'storage' ? null : `${role}.syn-ack`
    case 'tcp.refuse':
      return role === 'storage' ? null : `${role}.refused`
    case 'tcp.fin':
      return `${role}.fin`
    case 'tcp.rst':
      return `${role}.rst`
  }
}

function classifyCall(event: LibvirtCall): SignalName | null {
  switch (actionOf(event.procedure)) {
    case 'prepare':
      return 'prepare.call'
    case 'finish':
      return event.arguments?.kind === 'finish' && event.arguments.cancelled === true
        ? 'finish.cancel'
        : 'finish.call'
    case 'close':
      return 'close.call'
    default:
      return null
  }
}

function classifyReply(event: LibvirtReply): SignalName | null {
  switch (actionOf(event.procedure)) {
    case 'open':
      return event.ok ? 'open.reply' : 'open.error'
    case 'prepare':
      return event.ok ? 'prepare.reply' : 'prepare.error'
    case 'finish':
      return event.ok ? 'finish.reply' : 'finish.error'
    case 'close':
      return 'close.reply'
    case 'query':
      return 'query.reply'
    default:
      return null
  }
}

function classifyStream(event: LibvirtStream): SignalName | null {
  if (event.status === 'abort') return 'tunnel.abort'
  if (event.direction === 'to-client') return event.status === 'finish' ? 'tunnel.end' : null
  return event.status === 'finish' ? 'tunnel.source-end' : 'tunnel.data'
}

/** Return path message SHUT. @see protocols.md D.4 */
const RETURN_PATH_SHUT = 1

function classifyQemu(event: QemuEvent): SignalName | null {
  switch (event.type) {
    case 'qemu.header':
      return 'memory.header'
    case 'qemu.ram-end':
      return 'memory.ram-end'
    case 'qemu.device-state':
      return 'memory.device-state'
    case 'qemu.return':
      return event.message === RETURN_PATH_SHUT && event.value === 0 ? 'memory.loaded' : null
    default:
      return null
  }
}
