import { availableParallelism } from 'node:os'
import { pMapIterable } from 'p-map'
import { InputError } from '../core/input-error.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import { analyzeFile, type Progress } from './analyze.ts'
import { WorkerPool } from './worker-pool.ts'

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
  const pool = threads > 1 ? new WorkerPool(threads) : null
  const analyze = async (path: string): Promise<Outcome> => {
    const report = (progress: Progress): void => onProgress?.(path, progress)
    try {
      const analysis =
        pool === null
          ? await analyzeFile(path, { ...facts, onProgress: report })
          : await pool.analyze(path, facts, report)
      return { path, analysis, error: null }
    } catch (error) {
      // Anything else is a mistake of ours and goes up.
      if (!(error instanceof InputError)) throw error
      return { path, analysis: null, error }
    }
  }
  try {
    yield* pMapIterable(paths, analyze, {
      concurrency: Math.max(1, threads),
      backpressure: pool === null ? 1 : AHEAD_MAX,
    })
  } finally {
    await pool?.close()
  }
}
