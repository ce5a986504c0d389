import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import { analyzeMerged } from '../pipeline/merge/merger.ts'
import { openSource } from './source.ts'

/** Analyses the captures that several points took of one run as one trace. The files are read twice: first to compare
 *  the clocks, then to merge.
 *  @param clockOffsets seconds to be added to the stamps of a file, by its path; the others are found out
 *  @param facts what is known besides: logs of pings, the downtime limit
 *  @throws InputError when a file cannot be read or is no capture */
export async function analyzeMergedFiles(
  paths: readonly string[],
  clockOffsets: ReadonlyMap<string, number> = new Map(),
  facts: RunFacts = {},
): Promise<Analysis> {
  return await analyzeMerged(
    paths.map((path) => ({
      name: path,
      open: () => openSource(path),
      clockOffset: clockOffsets.get(path) ?? null,
    })),
    facts,
  )
}
