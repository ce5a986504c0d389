import type { Migration } from '../phases/migration.ts'
import type { PreCopyRound } from '../phases/parallel-rounds.ts'
import type { RoundReport } from './model.ts'

/** The rounds of pre-copy, or why they are not known. */
export function describeRounds(migration: Migration): {
  readonly rounds: readonly RoundReport[] | null
  readonly reason: string | null
} {
  const { rounds, reason } = findRounds(migration)
  if (rounds === null) return { rounds, reason }
  const { stream } = migration
  const pageSize = stream?.pageSizeBytes ?? 0
  // What was repeated of a round that was cut short is not all that had been written.
  const cut = migration.postCopied || stream?.complete !== true
  const known = rounds.length - (cut ? 1 : 0)
  return { rounds: rounds.map((_, index) => describeRound(rounds, index, pageSize, known)), reason: null }
}

type Found =
  | { readonly rounds: readonly PreCopyRound[]; readonly reason: null }
  | { readonly rounds: null; readonly reason: string }

function findRounds({ rounds, stream, memory, channels, parallel, urgent, encrypted }: Migration): Found {
  if (stream === null) return unknown(encrypted ? 'the memory is encrypted' : 'no memory stream was read')
  if (memory.length > 1 + channels.size + urgent.size)
    return unknown('one of several connections that carry memory could not be read')
  if (stream.pages === null) return unknown('bytes of the memory stream are missing from the capture')
  if (parallel !== null) {
    const known = parallel.finish()
    return known === null ? unknown(parallel.reason ?? '') : { rounds: known, reason: null }
  }
  if (stream.rounds === null) return unknown('the rounds of this stream could not be told apart')
  return { rounds, reason: null }
}

function unknown(reason: string): Found {
  return { rounds: null, reason }
}

/** @param known rounds that were sent to their end */
function describeRound(
  rounds: readonly PreCopyRound[],
  index: number,
  pageSize: number,
  known: number,
): RoundReport {
  const round = rounds[index] as PreCopyRound
  const next = rounds[index + 1]
  const { first, last, bytes, pages } = round
  const duration = ((next?.first.timeNs ?? last.timeNs) - first.timeNs) / 1e9
  const repeated = index + 1 < known ? (next?.repeatedPages ?? null) : null
  return {
    index,
    start_s: first.timeNs / 1e9,
    end_s: (next?.first.timeNs ?? last.timeNs) / 1e9,
    normal_pages: pages.normal,
    zero_pages: pages.zero,
    xbzrle_pages: pages.xbzrle,
    compressed_pages: pages.compressed,
    repeated_pages: round.repeatedPages,
    bytes,
    throughput_bps: duration > 0 ? (bytes * 8) / duration : null,
    dirty_rate_bps: repeated !== null && duration > 0 ? (repeated * pageSize * 8) / duration : null,
  }
}
