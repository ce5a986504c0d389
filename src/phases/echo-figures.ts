import type { Exchange } from './echo-ring.ts'

/** What a capture point can know of the echo requests to a guest that moves. `client`: requests and replies on both sides
 *  of the gap, and every request in between; `source`: those until the guest left; `destination`: those after it came. */
export type Vantage = 'client' | 'source' | 'destination' | 'unknown'

/** When the guest was stopped and resumed, as well as that is known. Nanoseconds after the capture's first packet. */
export interface SwitchOver {
  readonly stopLowerNs: number
  readonly stopUpperNs: number
  readonly resumeLowerNs: number
  readonly resumeUpperNs: number
}

/** The gap in the replies around the switch-over. Null, all but `vantage` and `intervalNs`, where the vantage does not see
 *  what was lost. */
export interface EchoFigures {
  readonly vantage: Vantage
  /** Median spacing of requests with successive numbers; null with fewer than two. */
  readonly intervalNs: number | null
  /** Requests that were looked at. */
  readonly sent: number | null
  /** Requests that were never answered, sent after the last one that was answered before the gap and before the first reply
   *  after it. */
  readonly lost: number | null
  /** Last reply before … first reply after. */
  readonly gapNs: number | null
  /** The last reply before. */
  readonly gapStartNs: number | null
  /** The first reply after. */
  readonly gapEndNs: number | null
  /** First lost request … last lost request: 0 with fewer than two. */
  readonly lowerNs: number | null
  /** Last answered request before … first answered request after; when that one was queued until the guest ran (an answer
   *  that comes late), its reply. */
  readonly upperNs: number | null
}

/** The figures of a migration's guest as a client that pings it has them, and where they come from. */
export interface EchoDowntime extends EchoFigures {
  /** The address that was pinged. */
  readonly target: string
  readonly source: 'capture' | 'ping-log'
  /** Of a log, its name. */
  readonly file: string | null
}

/** A request that is answered so much later than usual may have waited for the guest. */
const LATE_NS = 1e6
/** How long requests go on at the source's link after the guest has moved: until its announcement has taught the
 *  switches, and some more. */
const RELEARNED_NS = 2e9

interface Answered extends Exchange {
  readonly replyNs: number
}

/** The figures of one client's requests around a switch-over; null when they say nothing of it.
 *  @param exchanges in the order of their numbers @param begin the first number of the conversation as seen here */
export function measureEcho(
  exchanges: readonly Exchange[],
  span: SwitchOver,
  begin: number,
): EchoFigures | null {
  const intervalNs = medianSpacing(exchanges)
  const answered = exchanges.filter(isAnswered).sort((a, b) => a.replyNs - b.replyNs)
  const blind = (vantage: Vantage): EchoFigures => ({ ...NOTHING, vantage, intervalNs })
  const before = answered.some(({ replyNs }) => replyNs <= span.stopUpperNs)
  const after = answered.some(({ replyNs }) => replyNs >= span.resumeLowerNs)
  if (before && after) {
    const gap = gapAround(answered, span)
    if (gap === null || intervalNs === null) return blind('unknown')
    const figures = figuresOf(exchanges, answered, gap)
    return figures === null ? blind('source') : { ...figures, intervalNs }
  }
  if (before) return isAfterMove(exchanges, span) ? blind('unknown') : leftBehind(exchanges, span, blind)
  // A client that starts late counts from 0 or 1, one that the guest came to does not.
  if (after) return blind(begin > 1 ? 'destination' : 'unknown')
  return exchanges.some(({ sentNs }) => sentNs !== null) ? blind('unknown') : null
}

const NOTHING = {
  sent: null,
  lost: null,
  gapNs: null,
  gapStartNs: null,
  gapEndNs: null,
  lowerNs: null,
  upperNs: null,
} as const

function isAnswered(exchange: Exchange): exchange is Answered {
  return exchange.replyNs !== null
}

/** Requests that go on long after the move are those of a client whose guest stays silent. */
function isAfterMove(exchanges: readonly Exchange[], { resumeUpperNs }: SwitchOver): boolean {
  return exchanges.some(({ sentNs }) => sentNs !== null && sentNs > resumeUpperNs + RELEARNED_NS)
}

/** Nothing was answered after the switch-over: the source's link, unless the client had stopped before. */
function leftBehind(
  exchanges: readonly Exchange[],
  { stopLowerNs }: SwitchOver,
  blind: (vantage: Vantage) => EchoFigures,
): EchoFigures | null {
  const last = exchanges.at(-1)
  const spacing = blind('source').intervalNs ?? 0
  if (last === undefined || (last.sentNs ?? last.replyNs ?? 0) < stopLowerNs - 2 * spacing) return null
  return blind('source')
}

/** The pair of successive replies that are furthest apart, of those with the resume between them: that is known to a few
 *  milliseconds, the stop hardly, and a guest that is slow before it moves leaves gaps there too. */
function gapAround(
  answered: readonly Answered[],
  { resumeLowerNs, resumeUpperNs }: SwitchOver,
): readonly [Answered, Answered] | null {
  let longest: readonly [Answered, Answered] | null = null
  for (const [index, next] of answered.entries()) {
    const previous = answered[index - 1]
    if (previous === undefined || next.replyNs < resumeLowerNs || previous.replyNs > resumeUpperNs) continue
    if (longest === null || next.replyNs - previous.replyNs > longest[1].replyNs - longest[0].replyNs)
      longest = [previous, next]
  }
  return longest
}

/** Null when requests of the gap passed elsewhere: their numbers are missing. */
function figuresOf(
  exchanges: readonly Exchange[],
  answered: readonly Answered[],
  [previous, next]: readonly [Answered, Answered],
): Omit<EchoFigures, 'intervalNs'> | null {
  const [a, b] = [answered.indexOf(previous), answered.indexOf(next)]
  const lastBefore = answered.slice(0, b).reduce((x, y) => (y.sequence > x.sequence ? y : x), previous)
  const firstAfter = answered.slice(a + 1).reduce((x, y) => (y.sequence < x.sequence ? y : x), next)
  const between = exchanges.filter(
    ({ sequence }) => sequence > lastBefore.sequence && sequence < firstAfter.sequence,
  )
  const numbers = Math.max(0, firstAfter.sequence - lastBefore.sequence - 1)
  if (between.filter(({ sentNs }) => sentNs !== null).length < numbers) return null
  const lost = exchanges.flatMap(({ sequence, sentNs, replyNs }) =>
    sequence > lastBefore.sequence && replyNs === null && sentNs !== null && sentNs < next.replyNs
      ? [sentNs]
      : [],
  )
  const lastSent = lastBefore.sentNs ?? previous.replyNs
  return {
    vantage: 'client',
    sent: exchanges.filter(({ sentNs }) => sentNs !== null).length,
    lost: lost.length,
    gapNs: next.replyNs - previous.replyNs,
    gapStartNs: previous.replyNs,
    gapEndNs: next.replyNs,
    lowerNs: lost.length === 0 ? 0 : (lost.at(-1) ?? 0) - (lost[0] ?? 0),
    upperNs: arrival(firstAfter, answered) - lastSent,
  }
}

/** When a request surely found the guest running: when it was sent, or if its answer took longer than usual, when that
 *  came. */
function arrival({ sentNs, replyNs }: Answered, answered: readonly Answered[]): number {
  if (sentNs === null) return replyNs
  const usual = median(answered.flatMap((each) => (each.sentNs === null ? [] : [each.replyNs - each.sentNs])))
  return replyNs - sentNs > (usual ?? 0) + LATE_NS ? replyNs : sentNs
}

function medianSpacing(exchanges: readonly Exchange[]): number | null {
  const spacings: number[] = []
  for (const [index, { sequence, sentNs }] of exchanges.entries()) {
    const previous = exchanges[index - 1]
    if (previous?.sequence !== sequence - 1 || previous.sentNs === null || sentNs === null) continue
    spacings.push(sentNs - previous.sentNs)
  }
  return median(spacings)
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)]
  const other = sorted[Math.ceil(sorted.length / 2) - 1]
  return middle === undefined || other === undefined ? null : (middle + other) / 2
}
