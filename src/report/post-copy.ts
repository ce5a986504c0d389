import type { Evidence } from '../core/evidence.ts'
import type { PageCounts } from '../events/qemu.ts'
import type { Migration } from '../phases/migration.ts'
import type { Locate } from './locate.ts'
import type { PostCopyReport, SubPhaseReport } from './model.ts'

/** The parts of a post-copy migration, or of its recovery. Null where the guest was not switched. */
export function describePostCopy(migration: Migration, locate: Locate): PostCopyReport | null {
  const { postCopy, machine, stream } = migration
  const { run, resumed, lastPages, firstRequest, lastRequest } = postCopy
  if (postCopy.switch === null && resumed === null) return null
  const start = machine.intervals.get('transfer')?.start?.at ?? null
  const part = (id: SubPhaseReport['id'], from: Evidence | null, to: Evidence | null): SubPhaseReport => ({
    id,
    start: instant(from, locate),
    end: instant(to, locate),
    duration_s: from === null || to === null ? null : (to.timeNs - from.timeNs) / 1e9,
  })
  const before =
    resumed === null
      ? [part('pre_copy', start, postCopy.switch), part('switch', postCopy.switch, run)]
      : [part('recovery', start, resumed)]
  // A stream that breaks off does so inside a section.
  const broken = stream?.complete === false
  return {
    parts: [...before, part('post_copy', run ?? resumed, broken ? stream.last : lastPages)],
    pages_after_switch: broken || stream?.pages === null ? null : pagesAfterSwitch(migration),
    urgent_pages: urgentPages(migration),
    bytes_after_switch: broken || (run ?? resumed) === null ? null : postCopy.bytes,
    page_requests: postCopy.requests,
    first_request_s: firstRequest === null ? null : firstRequest.timeNs / 1e9,
    last_request_s: lastRequest === null ? null : lastRequest.timeNs / 1e9,
  }
}

/** On the main connection and on that of urgent pages. */
function pagesAfterSwitch({ postCopy, urgent }: Migration): PageCounts | null {
  let sum = postCopy.pages
  for (const { pages } of urgent.values()) {
    if (pages === null) return null
    sum = add(sum, pages)
  }
  return sum
}

function urgentPages({ urgent }: Migration): number | null {
  let count = 0
  for (const { pages } of urgent.values()) {
    if (pages === null) return null
    count += pages.normal + pages.zero
  }
  return urgent.size === 0 ? null : count
}

function add(a: PageCounts, b: PageCounts): PageCounts {
  return {
    normal: a.normal + b.normal,
    zero: a.zero + b.zero,
    xbzrle: a.xbzrle + b.xbzrle,
    compressed: a.compressed + b.compressed,
  }
}

function instant(at: Evidence | null, locate: Locate): SubPhaseReport['start'] {
  return at === null ? null : { ...locate(at.packet), time_s: at.timeNs / 1e9 }
}
