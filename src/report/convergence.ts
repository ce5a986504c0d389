import type { Outcome } from '../phases/outcome.ts'
import { formatBitRate, formatBytes, formatDuration } from './format.ts'
import type { ConvergenceReport, RoundReport } from './model.ts'

/** libvirt leaves QEMU's default downtime limit as it is, unless migrate-setmaxdowntime changes it, which does not show on
 *  the wire.
 *  @see QEMU migration/options.c, DEFAULT_MIGRATE_SET_DOWNTIME */
export const DOWNTIME_LIMIT_S = 0.3
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
  readonly downtimeLimitS: number
}

/** Whether pre-copy got ahead of the guest's writes, in one sentence with the numbers it rests on. What is left after a round
 *  are the pages that the next one repeats; where that does not shrink, more time does not help.
 *  @see protocols.md D.7 */
export function describeConvergence(facts: ConvergenceFacts): ConvergenceReport {
  const { rounds, reason, outcome, postCopied } = facts
  if (rounds === null || rounds.length === 0) {
    const why = reason ?? 'no page of the guest was seen'
    return verdict(null, `Not judged: ${why}.`, facts)
  }
  if (outcome === 'completed' && !postCopied) return ofFinished(rounds, facts)
  const first = rounds.length === 1 || !sentOnce(rounds, facts)
  return first ? ofFirstPass(rounds, facts) : ofUnfinished(rounds, facts)
}

/** @param judged the rounds that it rests on
 *  @param left bytes that were left after each of them and did not fit into the downtime limit */
function verdict(
  is: ConvergenceReport['verdict'],
  sentence: string,
  { downtimeLimitS }: ConvergenceFacts,
  judged: readonly RoundReport[] = [],
  left: readonly number[] = [],
): ConvergenceReport {
  const bandwidth = judged.length === 0 ? null : throughput(judged)
  const largest = left.length === 0 ? null : Math.max(...left)
  return {
    verdict: is,
    sentence,
    downtime_limit_s: downtimeLimitS,
    bandwidth_bps: bandwidth,
    dirty_rate_bps: dirtyRate(judged),
    left_bytes: largest,
    required_bandwidth_bps: largest === null ? null : needed(left, downtimeLimitS),
    required_downtime_limit_s: largest === null || !bandwidth ? null : (largest * 8) / bandwidth,
  }
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
    facts,
  )
}

function ofFinished(rounds: readonly RoundReport[], facts: ConvergenceFacts): ConvergenceReport {
  if (rounds.length === 1)
    return verdict('converged', 'Converged in the first round: no page had to be sent twice.', facts, rounds)
  const left = leftovers(rounds, facts.pageSize)
  const bandwidth = throughput(rounds)
  const stalled = left.filter((bytes, index) => {
    const before = left[index - 1]
    return before !== undefined && bytes >= STALLED * before && before * 8 > facts.downtimeLimitS * bandwidth
  })
  const throttled = throttleText(facts)
  const way =
    left.length === 1
      ? `${formatBytes(left[0] ?? null)} were left after the first`
      : `what was left went from ${formatBytes(left[0] ?? null)} after the first to ${formatBytes(left.at(-1) ?? null)}`
  const rates = `at ${formatBitRate(bandwidth)} against ${formatBitRate(dirtyRate(rounds))} dirtied`
  const what = `in ${rounds.length} rounds, ${rates}: ${way}`
  if (stalled.length === 0 && throttled === '')
    return verdict('converged', `Converged ${what}.`, facts, rounds)
  const often = stalled.length === 0 ? '' : `, but did not in ${stalled.length} of the steps between them`
  const need = stalled.length === 0 ? '' : `; ${limitText(stalled, bandwidth, facts)}`
  const sentence = `Converged with difficulty ${what}${often}${throttled}${need}.`
  return verdict('marginal', sentence, facts, rounds, stalled)
}

/** The last round was cut short, and says at least how much was left. */
function ofUnfinished(rounds: readonly RoundReport[], facts: ConvergenceFacts): ConvergenceReport {
  const all = leftovers(rounds, facts.pageSize)
  const first = pagesOf(rounds[0] as RoundReport) * facts.pageSize
  const whole = all.slice(0, -1)
  const recent = [first, ...(whole.length > 0 ? whole : all)].slice(-RECENT - 1)
  const shrink = ((recent.at(-1) as number) / (recent[0] as number)) ** (1 / (recent.length - 1))
  const judged = rounds.slice(-RECENT - 1)
  const bandwidth = throughput(judged)
  const least = whole.length > 0 ? '' : 'at least '
  const list = recent
    .slice(1)
    .map((bytes) => formatBytes(bytes))
    .join(', ')
  const dirtied = dirtyRate(judged)
  const rates = `${dirtied === null ? '' : `${formatBitRate(dirtied)} dirtied against `}${formatBitRate(bandwidth)} sent`
  const what = `after ${rounds.length} rounds, ${rates}, ${least}${list} left after each of the last`
  const working = recent.slice(1)
  const limits = `; ${limitText(working, bandwidth, facts)}`
  const end = (how: string, more = ''): string =>
    `${endText(facts)} ${how}${what}${throttleText(facts)}${more}.`
  if (shrink >= STALLED)
    return verdict('not_converging', end('without converging ', limits), facts, judged, working)
  if (whole.length === 0) return verdict(null, end('', ', too early to tell'), facts, judged)
  if (shrink >= SHRINKING)
    return verdict('marginal', end('while converging slowly ', limits), facts, judged, working)
  return verdict(null, end('while converging '), facts, judged)
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
function needed(left: readonly number[], limitS: number): number {
  return (Math.max(...left) * 8) / limitS
}

function limitText(left: readonly number[], bandwidth: number, { downtimeLimitS }: ConvergenceFacts): string {
  const limit = bandwidth > 0 ? (Math.max(...left) * 8) / bandwidth : null
  return `a downtime limit of ${formatDuration(downtimeLimitS)} needs ${formatBitRate(needed(left, downtimeLimitS))}, this bandwidth a limit of ${formatDuration(limit)}`
}

/** Bits per second over all of these rounds. */
function throughput(rounds: readonly RoundReport[]): number {
  const duration = durationOf(rounds)
  return duration > 0 ? (rounds.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / duration : 0
}

/** Bits per second over those of these rounds of which it is known. */
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
