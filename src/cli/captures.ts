import { InputError } from '../core/input-error.ts'
import { Factors } from '../files/factors.ts'
import { type FoundCapture, findCaptures } from '../files/find.ts'
import { FactorFilter } from '../stats/factors.ts'
import type { Grouping } from './args/shared.ts'
import type { Findings } from './findings.ts'

/** The captures of a run, each with the levels of its factors. */
export interface NamedCaptures {
  readonly paths: readonly string[]
  readonly factorsOf: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** All were named one by one. */
  readonly byName: boolean
}

/** Finds the captures that the words of the command line stand for, those only that pass the filter.
 *  @throws InputError when pattern, manifest or filter make no sense */
export async function findAll(
  words: readonly string[],
  { pattern, manifest, filter }: Pick<Grouping, 'pattern' | 'manifest' | 'filter'>,
  findings: Findings,
): Promise<NamedCaptures> {
  const factors = await Factors.from({ pattern, manifest })
  const accepted = new FactorFilter(filter)
  const found: FoundCapture[] = []
  for (const word of words.length === 0 ? factors.listed : words) {
    try {
      found.push(...(await findCaptures(word)))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      findings.failed(word, error)
    }
  }
  const factorsOf = new Map<string, Readonly<Record<string, string>>>()
  for (const capture of found) {
    if (factorsOf.has(capture.path)) continue
    const levels = factors.of(capture)
    if (accepted.accepts(levels)) factorsOf.set(capture.path, levels)
  }
  for (const path of factors.unknown) {
    const source =
      manifest === null ? '--factors' : pattern === null ? '--manifest' : 'neither --factors nor --manifest'
    findings.failed(path, new InputError(`has no factors: ${source} does not tell of it`))
  }
  return { paths: [...factorsOf.keys()], factorsOf, byName: found.every(({ below }) => below === null) }
}
