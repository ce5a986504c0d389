import { InputError } from '../core/input-error.ts'
import { type AnalyzeFileOptions, analyzeFile } from './analyze.ts'
import type { Outcome } from './batch.ts'

/** What becomes of a capture that cannot be read is an outcome, too. Anything else is a mistake of ours and goes up. */
export async function outcomeOf(path: string, options: AnalyzeFileOptions): Promise<Outcome> {
  try {
    return { path, analysis: await analyzeFile(path, options), error: null }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { path, analysis: null, error }
  }
}
