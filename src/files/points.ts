import { stat } from 'node:fs/promises'
import type { Analysis } from '../pipeline/analyzer.ts'
import type { ClockOffset } from '../pipeline/merge/clock.ts'
import { analyzeMerged, POINTS_MAX } from '../pipeline/merge/merger.ts'
import { compareViews, type PointView, viewOf } from '../pipeline/merge/view.ts'
import { openSource } from './source.ts'

/** Packets that two points of one run have in common at least. A few broadcasts are the same on many links. */
const COMMON_MIN = 10

/** Captures of the same time that are compared with each other, at most: what each saw takes some megabytes. */
const AT_ONCE_MAX = 2 * POINTS_MAX

/** A capture that may be one of several of a run. */
export interface PossiblePoint {
  readonly path: string
  /** Nanoseconds since 1970 of its earliest stamp and of its latest. */
  readonly fromNs: bigint
  readonly toNs: bigint
  /** UUIDs of the guests whose migrations are in it. */
  readonly guests: readonly string[]
}

/** Captures of one run, seen from several points. */
export interface PointsOfRun<T extends PossiblePoint> {
  /** The first one is that of the clock. */
  readonly points: readonly T[]
  /** How far each clock is off against that of the first one; null for that, and without packets in common. */
  readonly clocks: readonly (ClockOffset | null)[]
  /** All of them as one trace. */
  readonly analysis: Analysis
}

/** Finds the captures that several points took of one run: they overlap in time by their own clocks, and have packets in common, or
 *  migrations of the same guest. Only those that overlap are read again, and those of a run once more, to be merged.
 *  @param captures that of each run whose clock is the reference before the others
 *  @throws InputError when one cannot be read any more */
export async function* findRuns<T extends PossiblePoint>(
  captures: readonly T[],
): AsyncGenerator<PointsOfRun<T>> {
  for (const stretch of stretchesOf(await filesAmong(captures))) {
    if (stretch.length < 2 || stretch.length > AT_ONCE_MAX) continue
    const seen: Seen<T>[] = []
    for (const point of stretch) seen.push({ point, view: await viewOf(() => openSource(point.path)) })
    for (const run of runsAmong(seen)) {
      if (run.length < 2 || run.length > POINTS_MAX) continue
      run.sort((a, b) => captures.indexOf(a.point) - captures.indexOf(b.point))
      yield await mergedOf(run)
    }
  }
}

interface Seen<T extends PossiblePoint> {
  readonly point: T
  readonly view: PointView
}

/** Those that can be read again: no pipes. */
async function filesAmong<T extends PossiblePoint>(captures: readonly T[]): Promise<T[]> {
  const files: T[] = []
  for (const capture of captures)
    if (capture.path !== '-' && (await stat(capture.path)).isFile()) files.push(capture)
  return files
}

/** Captures of which each overlaps with another one of the same stretch. */
function stretchesOf<T extends PossiblePoint>(captures: readonly T[]): T[][] {
  const sorted = [...captures].sort((a, b) => (a.fromNs < b.fromNs ? -1 : a.fromNs > b.fromNs ? 1 : 0))
  const stretches: T[][] = []
  let latestNs: bigint | null = null
  for (const capture of sorted) {
    if (latestNs === null || capture.fromNs > latestNs) stretches.push([])
    stretches.at(-1)?.push(capture)
    if (latestNs === null || capture.toNs > latestNs) latestNs = capture.toNs
  }
  return stretches
}

function runsAmong<T extends PossiblePoint>(seen: readonly Seen<T>[]): Seen<T>[][] {
  let runs: Seen<T>[][] = []
  for (const one of seen) {
    const joined = runs.filter((run) => run.some((other) => areOfOneRun(one, other)))
    runs = [...runs.filter((run) => !joined.includes(run)), [...joined.flat(), one]]
  }
  return runs
}

function areOfOneRun<T extends PossiblePoint>(a: Seen<T>, b: Seen<T>): boolean {
  if (a.point.fromNs > b.point.toNs || b.point.fromNs > a.point.toNs) return false
  if (a.point.guests.some((guest) => b.point.guests.includes(guest))) return true
  return (compareViews(a.view, b.view)?.matched ?? 0) >= COMMON_MIN
}

async function mergedOf<T extends PossiblePoint>(run: readonly Seen<T>[]): Promise<PointsOfRun<T>> {
  const [reference] = run
  const analysis = await analyzeMerged(
    run.map(({ point: { path }, view }) => ({
      name: path,
      open: () => openSource(path),
      clockOffset: null,
      view,
    })),
  )
  return {
    points: run.map(({ point }) => point),
    clocks: run.map(({ view }, index) =>
      index === 0 || reference === undefined ? null : compareViews(reference.view, view),
    ),
    analysis,
  }
}
