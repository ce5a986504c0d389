import { availableParallelism } from 'node:os'
import { InputError } from '../core/input-error.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import type { Progress } from './analyze.ts'

/** Results that may wait for an earlier one: a large capture among thousands of small ones holds up no more than these. */
const AHEAD_MAX = 256

/** What became of one capture of a batch. */
export type Outcome =
  | { readonly path: string; readonly analysis: Analysis; readonly error: null }
  | { readonly path: string; readonly analysis: null; readonly error: InputError }

export interface BatchOptions extends RunFacts {
  /** Threads; as many as the machine has cores by default. */
  readonly jobs?: number
  /** Called while a capture is read. */
  readonly onProgress?: (path: string, progress: Progress) => void
}

/** Analyses captures on all cores. The outcomes come in the order of `paths`, whichever is finished first; a capture that
 *  cannot be read is an outcome like any other. Whoever stops listening stops the batch. */
export async function* analyzeBatch(
  paths: readonly string[],
  { jobs = availableParallelism(), onProgress, ...facts }: BatchOptions = {},
): AsyncGenerator<Outcome> {
  const threads = Math.min(jobs, paths.length)
  if (threads <= 1) {
    const { analyzeFile } = await import('./analyze.ts')
    for (const path of paths)
      yield await outcomeOf(path, (report) => analyzeFile(path, { ...facts, onProgress: report }), onProgress)
    return
  }
  // A single capture, which is the rule, does without what only a batch needs. Threads take 70 ms to begin, in which this one
  // loads the rest. It is one of them: a thread more would have to load and to compile everything once more.
  const { WorkerPool } = await import('./worker-pool.ts')
  const pool = new WorkerPool(threads - 1)
  const { analyzeFile } = await import('./analyze.ts')
  const { pMapIterable } = await import('p-map')
  const analyze = (path: string, report: (progress: Progress) => void): Promise<Analysis> =>
    pool.isBusy ? analyzeFile(path, { ...facts, onProgress: report }) : pool.analyze(path, facts, report)
  try {
    yield* pMapIterable(paths, (path) => outcomeOf(path, (report) => analyze(path, report), onProgress), {
      concurrency: threads,
      backpressure: AHEAD_MAX,
    })
  } finally {
    await pool.close()
  }
}

async function outcomeOf(
  path: string,
  analyze: (report: (progress: Progress) => void) => Promise<Analysis>,
  onProgress: BatchOptions['onProgress'],
): Promise<Outcome> {
  try {
    const analysis = await analyze((progress) => onProgress?.(path, progress))
    return { path, analysis, error: null }
  } catch (error) {
    // Anything else is a mistake of ours and goes up.
    if (!(error instanceof InputError)) throw error
    return { path, analysis: null, error }
  }
}
