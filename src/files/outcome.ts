import { InputError } from '../core/input-error.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { type AnalyzeFileOptions, analyzeFile } from './analyze.ts'

/** What became of one capture of a batch. */
export type Outcome =
  | { readonly path: string; readonly analysis: Analysis; readonly error: null }
  | { readonly path: string; readonly analysis: null; readonly error: InputError }

/** What becomes of a capture that cannot be read is an outcome, too. Anything else is a mistake of ours and goes up. */
export async function outcomeOf(path: string, options: AnalyzeFileOptions): Promise<Outcome> {
  try {
    return { path, analysis: await analyzeFile(path, options), error: null }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { path, analysis: null, error }
  }
}
