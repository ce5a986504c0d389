import type { JoinedMigration } from './join.ts'
import type { Migration } from './migration.ts'
import type { NovaMigration } from './nova-migration.ts'
import type { PhaseId } from './phase.ts'
import type { SourceOrder } from './source-order.ts'

export type Outcome = 'completed' | 'failed' | 'aborted' | 'incomplete'

export interface Failure {
  /** The phase in which it went wrong; null when that cannot be told. */
  readonly phase: PhaseId | null
  /** libvirt's virErrorNumber; null when libvirt gave none. */
  readonly code: number | null
  /** What libvirt or Nova said, or what the packets show. */
  readonly message: string
  /** Nova's step that failed: the remote method, or what was asked of the API. */
  readonly step: string | null
  /** Class of the remote exception, or the HTTP status. */
  readonly class: string | null
}

export interface Verdict {
  readonly outcome: Outcome
  readonly failure: Failure | null
}

/** A daemon gives a connection up after 5 unanswered keepalives, 5 s apart, 5 s after the last message.
 *  @see libvirt src/remote/libvirtd.conf.in, keepalive_interval and keepalive_count */
const KEEPALIVE_LIMIT_NS = 30e9
/** VIR_ERR_MIGRATE_FINISH_OK: what a destination answers to a cancelled finish. */
const MIGRATE_FINISH_OK = 93

/** Statuses of a migration record that is over without success. @see nova/objects/fields.py */
const FAILED_STATUS: ReadonlySet<string> = new Set(['error', 'failed'])
/** When nothing follows a step of Nova for so long, it is taken to have failed: in 19 captures of OpenStack Zed the next
 *  step came within 1.1 s. Only pre_live_migration may take its time (6.5 s there, half an hour by its timeout). */
const NOVA_SILENCE_NS = 3e9

/** How a migration ended.
 *  @param captureEndNs the latest stamp of the capture
 *  @see the output contract, section 1, "Outcome" */
export function judge({ libvirt, nova }: JoinedMigration, captureEndNs: number): Verdict {
  if (libvirt === null) return nova === null ? INCOMPLETE : judgeNova(nova, captureEndNs)
  const verdict = judgeLibvirt(libvirt, captureEndNs)
  if (verdict.outcome !== 'completed' || nova === null) return verdict
  return { outcome: 'completed', failure: failureOfPost(nova) }
}

const STRANDED =
  'the migration stream broke off after the switch to post-copy: the guest waits at the destination for the rest of its memory'

const INCOMPLETE: Verdict = { outcome: 'incomplete', failure: null }

function judgeLibvirt(migration: Migration, captureEndNs: number): Verdict {
  if (migration.answersMissing) return INCOMPLETE
  const { control } = migration.machine
  switch (control) {
    case 'finished':
      return { outcome: 'completed', failure: null }
    case 'cancelled':
    case 'finish-failed':
      return judgeError(migration)
    case 'refused':
      return failed('remote_connect', null, 'connection refused (RST)')
    case 'open-failed':
      return withError(migration, 'remote_connect', 'the destination refused the connection')
    case 'prepare-failed':
      return withError(migration, 'prepare', 'the destination could not prepare')
    case 'broken':
      return withError(
        migration,
        phaseUnderWay(migration),
        'the libvirt connection ended before the migration did',
      )
    default:
      return migration.rpc === null ? judgeStream(migration) : judgeSilence(migration, captureEndNs)
  }
}

/** A finish that was answered with an error: given up by the source, or failed at the destination? */
function judgeError(migration: Migration): Verdict {
  if (migration.encrypted)
    return failed(
      'finish',
      null,
      'the answer to the finish call is as short as an error; being encrypted, it does not say whether the migration was cancelled or failed',
    )
  const cancelled =
    migration.cancelled ??
    (migration.machine.control === 'cancelled' || migration.error?.code === MIGRATE_FINISH_OK)
  if (!cancelled) return withError(migration, 'finish', 'the destination could not finish')
  const verdict = withError(migration, 'transfer', 'cancelled by the source')
  return transferBegan(migration) ? { ...verdict, outcome: 'aborted' } : verdict
}

/** A connection that nobody accepted carries nothing. */
function transferBegan(migration: Migration): boolean {
  if (migration.machine.transfer === 'none') return false
  return migration.memory.length === 0 || migration.memory.some((connection) => !connection.refused)
}

/** Without the daemons' conversation, the end of the migration socket is all there is. */
function judgeStream(migration: Migration): Verdict {
  const { order } = migration
  if (order !== null && (order.ok === false || migration.memory.length === 0)) return judgeOrder(order)
  if (migration.machine.transfer !== 'ended') return INCOMPLETE
  const broken = migration.memory.some((connection) => connection.lastRst !== null)
  const cut = migration.stream !== null && migration.stream.pages !== null && !migration.stream.complete
  if (broken || cut)
    return failed('transfer', null, migration.postCopied ? STRANDED : 'the migration stream broke off')
  return { outcome: 'completed', failure: null }
}

/** What the source answers to the client that ordered the migration. */
function judgeOrder({ ok, error }: SourceOrder): Verdict {
  if (ok === null) return INCOMPLETE
  if (ok) return { outcome: 'completed', failure: null }
  const message = error?.message ?? 'the source could not migrate the guest'
  return failed(null, error?.code ?? null, message)
}

/** The conversation has no end in the capture: lost, or the capture stops first. */
function judgeSilence(migration: Migration, captureEndNs: number): Verdict {
  const last = migration.lastRpcMessage ?? migration.rpc?.lastPacket
  const silence = last === undefined ? 0 : captureEndNs - last.timeNs
  if (silence <= KEEPALIVE_LIMIT_NS) return INCOMPLETE
  const phase = phaseUnderWay(migration)
  const what =
    migration.machine.control === 'connecting' ? 'no answer to the connection request' : 'connection lost'
  return failed(
    phase,
    null,
    `${what}: nothing more on the libvirt connection, for longer than the ${KEEPALIVE_LIMIT_NS / 1e9} s after which the daemons give it up`,
  )
}

/** The phase that had begun and not ended, as far as the states tell. */
export function phaseUnderWay(migration: Migration): PhaseId | null {
  const { control, transfer } = migration.machine
  if (control === 'finishing' || control === 'cancelling') return 'finish'
  if (transfer !== 'none') return 'transfer'
  const { intervals } = migration.machine
  if (intervals.get('prepare')?.end) return 'transfer'
  if (intervals.get('prepare')?.start) return 'prepare'
  return intervals.get('remote_connect')?.start ? 'remote_connect' : null
}

function withError(migration: Migration, phase: PhaseId | null, message: string): Verdict {
  return failed(phase, migration.error?.code ?? null, migration.error?.message ?? message)
}

function failed(phase: PhaseId | null, code: number | null, message: string): Verdict {
  return { outcome: 'failed', failure: { phase, code, message, step: null, class: null } }
}

/** A migration that never came to libvirt, or whose libvirt connection is not in the capture. */
function judgeNova(migration: NovaMigration, captureEndNs: number): Verdict {
  const { nova, request } = migration.machine
  if (nova === 'settled') return { outcome: 'completed', failure: null }
  if (nova === 'settling' || nova === 'post-failed')
    return { outcome: 'completed', failure: failureOfPost(migration) }
  const refused =
    request === 'rejected' || nova === 'check-failed' || nova === 'prepare-failed' || nova === 'rolled-back'
  if (refused || FAILED_STATUS.has(migration.status ?? ''))
    return {
      outcome: 'failed',
      failure: failureOfNova(migration, 'init', 'Nova gave up before libvirt was asked'),
    }
  const silence = captureEndNs - migration.lastPacket.timeNs
  const working = nova === 'preparing' || nova === 'prepared'
  if (silence <= NOVA_SILENCE_NS || working) return INCOMPLETE
  const message = `nothing followed ${lastStep(migration)}; the reason did not cross this link`
  return failed('init', null, message)
}

/** libvirt is done and the guest runs at the destination, but Nova's own last step went wrong. */
function failureOfPost(migration: NovaMigration): Failure | null {
  const failed = migration.machine.nova === 'post-failed' || FAILED_STATUS.has(migration.status ?? '')
  return failed ? failureOfNova(migration, 'post_migration', 'Nova marked the migration as failed') : null
}

function failureOfNova({ failed, status }: NovaMigration, phase: PhaseId, message: string): Failure {
  const said = failed?.failure.message ?? (status === null ? message : `${message} (status ${status})`)
  return {
    phase,
    code: null,
    message: said,
    step: failed?.step ?? null,
    class: failed?.failure.class ?? null,
  }
}

function lastStep({ machine }: NovaMigration): string {
  switch (machine.nova) {
    case 'none':
      return 'the request'
    case 'checking':
    case 'checked':
      return 'the check of the hosts'
    default:
      return 'the order to the source'
  }
}
