import { stderr } from 'node:process'
import { Factors } from '../files/factors.ts'
import { readResults } from '../files/results.ts'
import { runOf } from '../report/metrics-of.ts'
import type { MigrationReport } from '../report/model.ts'
import { FactorFilter } from '../stats/factors.ts'
import type { Run } from '../stats/group.ts'
import type { Grouping } from './args/shared.ts'

/** Reads the runs in results files. A migration that is in several of them counts once.
 *  @throws InputError when one cannot be read */
export async function readRuns(
  paths: readonly string[],
  sources: Pick<Grouping, 'pattern' | 'manifest' | 'filter'>,
): Promise<Run[]> {
  const runs: Run[] = []
  for await (const migration of readMigrations(paths, sources)) runs.push(runOf(migration))
  return runs
}

/** Reads the migrations in results files, as they were reported, those only that pass the filter, with the levels of their
 *  factors. One that is in several files comes once.
 *  @throws InputError when a file cannot be read */
export async function* readMigrations(
  paths: readonly string[],
  { pattern, manifest, filter }: Pick<Grouping, 'pattern' | 'manifest' | 'filter'>,
): AsyncGenerator<MigrationReport> {
  const factors = await Factors.from({ pattern, manifest })
  const renamed = pattern !== null || manifest !== null
  const accepted = new FactorFilter(filter)
  const seen = new Set<string>()
  let again = 0
  for (const path of paths) {
    for await (const line of readResults(path, (number, last) => warn(path, number, last))) {
      const key = keyOf(line)
      if (seen.has(key)) {
        again++
        continue
      }
      seen.add(key)
      const { input: _, ...migration } = line
      const levels = renamed ? factors.of({ path: line.capture, below: null }) : line.factors
      if (accepted.accepts(levels)) yield { ...migration, factors: levels }
    }
  }
  if (again > 0)
    stderr.write(
      `warning: ${again.toLocaleString('en-US')} migrations are in several results files or twice in one: they count once\n`,
    )
}

function keyOf({ capture, index, start_epoch_ns, domain }: MigrationReport): string {
  return JSON.stringify([capture, index, start_epoch_ns, domain.uuid])
}

function warn(path: string, line: number, last: boolean): void {
  const why = last ? 'was not written to its end' : 'is no result'
  stderr.write(`warning: ${path}: line ${line} ${why} and was left out\n`)
}
