import type { QemuRound } from '../events/qemu.ts'
import type { Migration } from '../phases/migration.ts'
import type { RoundReport } from './model.ts'

/** The rounds of pre-copy, or why they are not known. */
export function describeRounds(migration: Migration): {
  readonly rounds: readonly RoundReport[] | null
  readonly reason: string | null
} {
  const reason = reasonWithout(migration)
  if (reason !== null) return { rounds: null, reason }
  const { rounds, stream } = migration
  const pageSize = stream?.pageSizeBytes ?? 0
  // What was repeated of a round that was cut short is not all that had been written.
  const cut = migration.postCopied || stream?.complete !== true
  const known = rounds.length - (cut ? 1 : 0)
  return { rounds: rounds.map((_, index) => describeRound(rounds, index, pageSize, known)), reason: null }
}

function reasonWithout({ stream, memory, channels, urgent, encrypted }: Migration): string | null {
  if (channels.size > 0 || memory.length > 1 + urgent.size)
    return 'the pages of several channels pass side by side, in no order that tells rounds apart'
  if (stream === null) return encrypted ? 'the memory is encrypted' : 'no memory stream was read'
  if (stream.pages === null) return 'bytes of the memory stream are missing from the capture'
  return stream.rounds === null ? 'the rounds of this stream could not be told apart' : null
}

/** @param known rounds that were sent to their end */
function describeRound(
  rounds: readonly QemuRound[],
  index: number,
  pageSize: number,
  known: number,
): RoundReport {
  const round = rounds[index] as QemuRound
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
