import type { Outcome } from '../phases/outcome.ts'
import { formatBitRate, formatBytes, formatDuration } from './format.ts'
import type { ConvergenceReport, RoundReport } from './model.ts'

/** libvirt leaves QEMU's default downtime limit as it is, unless migrate-setmaxdowntime changes it.
 *  @see QEMU migration/options.c, DEFAULT_MIGRATE_SET_DOWNTIME */
const DOWNTIME_LIMIT_S = 0.3
/** What is left shrinks by less than a tenth in a round: it never fits into any limit. */
const STALLED = 0.9
/** What is left halves at least. */
const SHRINKING = 0.5
/** Rounds that the judgement of an unfinished migration looks at. */
const RECENT = 3

export interface ConvergenceFacts {
  /** Null when they could not be told apart. */
  readonly rounds: readonly RoundReport[] | null
  /** Why there are no rounds. */
  readonly reason: string | null
  readonly pageSize: number
  /** Size of the guest's memory; null when it is not known. */
  readonly memoryBytes: number | null
  readonly outcome: Outcome
  /** Pre-copy ended in the switch to post-copy. */
  readonly postCopied: boolean
  /** Percent of its time that the guest was kept from running, at last; null when libvirt did not say. */
  readonly throttle: number | null
}

/** Whether pre-copy got ahead of the guest's writes, in one sentence with the numbers it rests on. What is left after a round
 *  are the pages that the next one repeats; where that does not shrink, more time does not help.
 *  @see protocols.md D.7 */
export function describeConvergence(facts: ConvergenceFacts): ConvergenceReport {
  const { rounds, reason, outcome, postCopied } = facts
  if (rounds === null || rounds.length === 0) {
    const why = reason ?? 'no page of the guest was seen'
    return verdict(null, `Not judged: ${why}.`)
  }
  if (outcome === 'completed' && !postCopied) return ofFinished(rounds, facts)
  const first = rounds.length === 1 || !sentOnce(rounds, facts)
  return first ? ofFirstPass(rounds, facts) : ofUnfinished(rounds, facts)
}

function verdict(
  is: ConvergenceReport['verdict'],
  sentence: string,
  required: number | null = null,
): ConvergenceReport {
  return { verdict: is, sentence, required_bandwidth_bps: required }
}

/** All of the guest's memory has passed at least once, or is not known. */
function sentOnce(rounds: readonly RoundReport[], { pageSize, memoryBytes }: ConvergenceFacts): boolean {
  return memoryBytes === null || freshOf(rounds) * pageSize >= memoryBytes
}

/** Until all of memory has passed once, what repeats says little: QEMU looks for dirty pages when little is left. */
function ofFirstPass(rounds: readonly RoundReport[], facts: ConvergenceFacts): ConvergenceReport {
  const { pageSize, memoryBytes } = facts
  const sent = freshOf(rounds) * pageSize
  const again = rounds.reduce((sum, round) => sum + pagesOf(round), 0) * pageSize - sent
  const duration = durationOf(rounds)
  const share = memoryBytes === null ? '' : ` of ${formatBytes(memoryBytes)}`
  const whole =
    memoryBytes !== null && sent > 0 && sent < memoryBytes
      ? `; at this rate the first pass alone takes ${formatDuration((duration * memoryBytes) / sent)}`
      : ''
  return verdict(
    null,
    `${endText(facts)} in the first pass over memory: ${formatBytes(sent)}${share} had passed in ${formatDuration(duration)} (${formatBitRate(throughput(rounds))}), ${again === 0 ? 'none' : formatBytes(again)} of it twice, which does not show how fast the guest writes${whole}.`,
  )
}

function ofFinished(rounds: readonly RoundReport[], facts: ConvergenceFacts): ConvergenceReport {
  if (rounds.length === 1)
    return verdict('converged', 'Converged in the first round: no page had to be sent twice.')
  const left = leftovers(rounds, facts.pageSize)
  const bandwidth = throughput(rounds)
  const stalled = left.filter((bytes, index) => {
    const before = left[index - 1]
    return before !== undefined && bytes >= STALLED * before && before * 8 > DOWNTIME_LIMIT_S * bandwidth
  })
  const throttled = throttleText(facts)
  const way =
    left.length === 1
      ? `${formatBytes(left[0] ?? null)} were left after the first`
      : `what was left went from ${formatBytes(left[0] ?? null)} after the first to ${formatBytes(left.at(-1) ?? null)}`
  const rates = `at ${formatBitRate(bandwidth)} against ${formatBitRate(dirtyRate(rounds))} dirtied`
  const what = `in ${rounds.length} rounds, ${rates}: ${way}`
  if (stalled.length === 0 && throttled === '') return verdict('converged', `Converged ${what}.`)
  const required = stalled.length === 0 ? null : needed(stalled)
  const often = stalled.length === 0 ? '' : `, but did not in ${stalled.length} of the steps between them`
  const need = required === null ? '' : `; ${limitText(stalled, bandwidth)}`
  return verdict('marginal', `Converged with difficulty ${what}${often}${throttled}${need}.`, required)
}

/** The last round was cut short, and says at least how much was left. */
function ofUnfinished(rounds: readonly RoundReport[], facts: ConvergenceFacts): ConvergenceReport {
  const all = leftovers(rounds, facts.pageSize)
  const first = pagesOf(rounds[0] as RoundReport) * facts.pageSize
  const whole = all.slice(0, -1)
  const recent = [first, ...(whole.length > 0 ? whole : all)].slice(-RECENT - 1)
  const shrink = ((recent.at(-1) as number) / (recent[0] as number)) ** (1 / (recent.length - 1))
  const bandwidth = throughput(rounds.slice(-RECENT - 1))
  const least = whole.length > 0 ? '' : 'at least '
  const list = recent
    .slice(1)
    .map((bytes) => formatBytes(bytes))
    .join(', ')
  const rates = `${formatBitRate(dirtyRate(rounds.slice(-RECENT - 1)))} dirtied against ${formatBitRate(bandwidth)} sent`
  const what = `after ${rounds.length} rounds, ${rates}, ${least}${list} left after each of the last`
  const working = recent.slice(1)
  if (shrink >= STALLED) {
    const sentence = `${endText(facts)} without converging ${what}${throttleText(facts)}; ${limitText(working, bandwidth)}.`
    return verdict('not_converging', sentence, needed(working))
  }
  if (whole.length === 0)
    return verdict(null, `${endText(facts)} ${what}: too early to tell${throttleText(facts)}.`)
  if (shrink >= SHRINKING)
    return verdict(
      'marginal',
      `${endText(facts)} while converging slowly ${what}${throttleText(facts)}; ${limitText(working, bandwidth)}.`,
      needed(working),
    )
  return verdict(null, `${endText(facts)} while converging ${what}${throttleText(facts)}.`)
}

function endText({ outcome, postCopied }: ConvergenceFacts): string {
  if (postCopied) return 'Switched to post-copy'
  if (outcome === 'aborted') return 'Cancelled'
  return outcome === 'failed' ? 'Failed' : 'Not seen to its end,'
}

function throttleText({ throttle }: ConvergenceFacts): string {
  return throttle === null || throttle === 0 ? '' : `; auto-converge slowed the guest down by ${throttle} %`
}

/** Bytes that were left after each round but the last: what the next one repeated, and what had not passed at all. */
function leftovers(rounds: readonly RoundReport[], pageSize: number): number[] {
  let unsent = freshOf(rounds.slice(1))
  return rounds.slice(1).map((round) => {
    const left = (repeatedOf(round) + unsent) * pageSize
    unsent -= pagesOf(round) - repeatedOf(round)
    return left
  })
}

/** Enough to send all that is written again and again within the downtime limit. */
function needed(left: readonly number[]): number {
  return (Math.max(...left) * 8) / DOWNTIME_LIMIT_S
}

function limitText(left: readonly number[], bandwidth: number): string {
  const limit = bandwidth > 0 ? (Math.max(...left) * 8) / bandwidth : null
  return `the default downtime limit of ${DOWNTIME_LIMIT_S * 1000} ms needs ${formatBitRate(needed(left))}, this bandwidth a limit of ${formatDuration(limit)}`
}

/** Bits per second over all of these rounds. */
function throughput(rounds: readonly RoundReport[]): number {
  const duration = durationOf(rounds)
  return duration > 0 ? (rounds.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / duration : 0
}

/** Bits per second over all of these rounds but the last, during which nothing is known. */
function dirtyRate(rounds: readonly RoundReport[]): number | null {
  const known = rounds.filter((round) => round.dirty_rate_bps !== null)
  const duration = durationOf(known)
  const bits = known.reduce(
    (sum, round) => sum + (round.dirty_rate_bps ?? 0) * (round.end_s - round.start_s),
    0,
  )
  return duration > 0 ? bits / duration : null
}

function durationOf(rounds: readonly RoundReport[]): number {
  return rounds.reduce((sum, { start_s, end_s }) => sum + end_s - start_s, 0)
}

function pagesOf(round: RoundReport): number {
  return round.normal_pages + round.zero_pages + round.xbzrle_pages + round.compressed_pages
}

function repeatedOf(round: RoundReport): number {
  return round.repeated_pages ?? pagesOf(round)
}

/** Pages that passed at least once. */
function freshOf(rounds: readonly RoundReport[]): number {
  return rounds.reduce((sum, round) => sum + pagesOf(round) - repeatedOf(round), 0)
}
