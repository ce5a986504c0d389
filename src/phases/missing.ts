import { assertNever } from '../core/assert.ts'
import { termination } from '../events/connection.ts'
import { MIGRATE_FLAG } from '../events/migrate-flags.ts'
import type { JoinedMigration } from './join.ts'
import type { Migration } from './migration.ts'
import type { NovaMigration } from './nova-migration.ts'
import type { LIBVIRT_PHASES, PhaseId } from './phase.ts'

const NO_RPC = 'no libvirt connection in the capture'
const NO_LIBVIRT = 'no libvirt connection for this request in the capture'

/** Why a boundary of a phase is unknown: a sentence for the reader of the report. */
export function reasonMissing(migration: JoinedMigration, phase: PhaseId, edge: 'start' | 'end'): string {
  switch (phase) {
    case 'auth':
      return edge === 'end'
        ? 'no token in the capture: the reply of Keystone is missing'
        : 'the token was obtained before the capture, or Keystone is not on this link'
    case 'init':
      return init(migration.nova, edge)
    case 'post_migration':
      return postMigration(migration, edge)
    default:
      return migration.libvirt === null ? NO_LIBVIRT : reasonOfLibvirt(migration.libvirt, phase, edge)
  }
}

function reasonOfLibvirt(
  migration: Migration,
  phase: (typeof LIBVIRT_PHASES)[number],
  edge: 'start' | 'end',
): string {
  if (migration.rpc === null && migration.memory.length === 0 && migration.order !== null)
    return "only the client's order to the source is in the capture: what the hosts did is on the link between them"
  if (migration.answersMissing && phase !== 'transfer')
    return "only the source's half of the libvirt connection is in the capture"
  switch (phase) {
    case 'remote_connect':
      return remoteConnect(migration, edge)
    case 'prepare':
      return prepare(migration, edge)
    case 'transfer':
      return transfer(migration, edge)
    case 'finish':
      return finish(migration, edge)
    case 'cleanup':
      return cleanup(migration, edge)
    default:
      return assertNever(phase)
  }
}

function init(nova: NovaMigration | null, edge: 'start' | 'end'): string {
  if (edge === 'start') return 'neither the request nor what Nova made of it is in the capture'
  if (nova?.machine.request === 'rejected') return 'the API refused the request'
  if (nova?.machine.nova === 'preparing') return 'the reply to pre_live_migration is not in the capture'
  return 'no pre_live_migration in the capture'
}

function postMigration({ libvirt, nova }: JoinedMigration, edge: 'start' | 'end'): string {
  if (edge === 'end' && nova?.postIsCast === true)
    return 'post_live_migration_at_destination is a cast in this release: nobody answers it'
  if (edge === 'end') return 'the reply to post_live_migration_at_destination is not in the capture'
  const control = libvirt?.machine.control
  if (libvirt === null || (control !== undefined && control !== 'finished'))
    return 'the migration did not come to post_live_migration_at_destination'
  return 'post_live_migration_at_destination is not in the capture'
}

function remoteConnect({ rpc, machine }: Migration, edge: 'start' | 'end'): string {
  if (rpc === null) return NO_RPC
  if (edge === 'start' && rpc.synAck !== null) return 'the SYN is not in the capture'
  if (edge === 'start') return 'the libvirt connection was open before the capture began'
  if (machine.control === 'refused') return 'connection refused (RST)'
  if (rpc.synAck === null && rpc.syn !== null) return 'no answer to the SYN'
  return 'the reply to CONNECT_OPEN is not in the capture'
}

function prepare({ rpc, machine }: Migration, edge: 'start' | 'end'): string {
  if (rpc === null) return NO_RPC
  if (machine.control === 'refused') return 'connection refused (RST)'
  if (edge === 'start') return 'the reply to CONNECT_OPEN is not in the capture'
  if (machine.control === 'broken') return 'the libvirt connection ended before the prepare reply'
  return 'the prepare reply is not in the capture'
}

function transfer({ flags, machine, memory }: Migration, edge: 'start' | 'end'): string {
  const { control } = machine
  if (edge === 'end' && machine.transfer === 'open')
    return memory.length > 0 ? 'the migration socket is still open' : endOfCapture('stream')
  if (control === 'prepare-failed') return 'prepare failed, no migration socket'
  if (control === 'refused' || control === 'open-failed')
    return 'the libvirt connection failed, no migration socket'
  if (flags !== null && (flags & MIGRATE_FLAG.OFFLINE) !== 0)
    return 'offline migration: there is no memory to transfer'
  if (edge === 'start' && memory.some((connection) => connection.synAck !== null))
    return 'the SYN is not in the capture'
  if (edge === 'start' && memory.length > 0) return 'the migration socket was open before the capture began'
  return 'the migration socket is not in the capture'
}

function finish({ rpc, machine }: Migration, edge: 'start' | 'end'): string {
  if (rpc === null) return NO_RPC
  const { control } = machine
  if (edge === 'end' && (control === 'finishing' || control === 'cancelling'))
    return endOfCapture('finish call')
  if (control === 'prepare-failed') return 'prepare failed, so no finish call'
  if (control === 'broken') return 'the libvirt connection ended before the finish'
  return 'no finish call in the capture'
}

function cleanup({ rpc, machine }: Migration, edge: 'start' | 'end'): string {
  if (rpc === null) return NO_RPC
  if (edge === 'start' || machine.intervals.get('finish')?.end == null)
    return 'no finish reply, so the phase has no start'
  return termination(rpc) === null ? 'the libvirt connection is still open' : 'unknown'
}

function endOfCapture(what: string): string {
  return `the ${what} is not over when the capture ends`
}
