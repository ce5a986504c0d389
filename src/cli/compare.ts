import { stat } from 'node:fs/promises'
import { stderr, stdout } from 'node:process'
import { analyzeBatch } from '../files/batch.ts'
import { comparisonSheet } from '../report/comparison-sheet.ts'
import { sheetCsv } from '../report/csv-text.ts'
import { runOf } from '../report/metrics-of.ts'
import { renderMarkdown, renderSheet } from '../report/sheet-text.ts'
import { type Comparison, compareMetrics } from '../stats/compare.ts'
import { FactorFilter } from '../stats/factors.ts'
import { partitionRuns, type Run, sampleOf } from '../stats/group.ts'
import type { CompareArguments, Threshold } from './args/compare.ts'
import { isResultsFile } from './args/report.ts'
import { UsageError } from './args/usage-error.ts'
import { findAll } from './captures.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Findings } from './findings.ts'
import { Destination, palette } from './output.ts'
import { readRuns } from './runs.ts'

/** Compares two sets of migrations, metric by metric. */
export async function compareSides(args: CompareArguments): Promise<ExitStatus> {
  const findings = new Findings()
  findings.summary = true
  const [baseline, candidate] = await readSides(args, findings)
  findings.end([])
  for (const [name, runs] of [[args.baseline, baseline] as const, [args.candidate, candidate] as const]) {
    if (runs.some(({ outcome }) => outcome === 'completed')) continue
    stderr.write(`mig-phases: ${name}: no completed migration to compare\n`)
    return findings.errors > 0 ? EXIT.unreadable : EXIT.noMigration
  }
  const comparisons = compareMetrics(pairsOf(args, baseline, candidate))
  await write(args, comparisons)
  const regressions = args.failIf.filter((threshold) => crossed(threshold, comparisons))
  for (const { text } of regressions) stderr.write(`mig-phases: regression: ${text}\n`)
  if (findings.errors > 0) return EXIT.unreadable
  return regressions.length > 0 ? EXIT.regression : EXIT.ok
}

/** Both sides are inputs, or both are groups of what `--of` names. */
async function readSides(args: CompareArguments, findings: Findings): Promise<[Run[], Run[]]> {
  const { baseline, candidate, of } = args
  if (of.length === 0) {
    for (const side of [baseline, candidate]) {
      if (side.includes('=') && (await stat(side).catch(() => null)) === null)
        throw new UsageError(`${side} is no file; if it is a group, --of names what it is a group of`)
    }
    return [await readInputs([baseline], args, findings), await readInputs([candidate], args, findings)]
  }
  const runs = await readInputs(of, args, findings)
  return [groupOf(runs, baseline), groupOf(runs, candidate)]
}

function groupOf(runs: readonly Run[], conditions: string): Run[] {
  const filter = new FactorFilter(conditions.split(','))
  return runs.filter(({ factors }) => filter.accepts(factors))
}

/** Results files are read, anything else is analysed. */
async function readInputs(
  words: readonly string[],
  { factors, manifest }: CompareArguments,
  findings: Findings,
): Promise<Run[]> {
  const sources = { pattern: factors, manifest, filter: [] }
  const results = words.filter(isResultsFile)
  const runs = results.length === 0 ? [] : await readRuns(results, sources)
  const others = words.filter((word) => !isResultsFile(word))
  if (others.length === 0) return runs
  const { paths, factorsOf } = await findAll(others, sources, findings)
  for await (const { path, analysis, error } of analyzeBatch(paths)) {
    if (error !== null) findings.failed(path, error)
    else {
      findings.analysed(analysis)
      const levels = factorsOf.get(path) ?? {}
      runs.push(...analysis.migrations.map((migration) => ({ ...runOf(migration), factors: levels })))
    }
  }
  return runs
}

/** Samples of all metrics that either side has. */
function pairsOf({ metrics }: CompareArguments, baseline: readonly Run[], candidate: readonly Run[]) {
  const [before] = partitionRuns(baseline, [])
  const [after] = partitionRuns(candidate, [])
  return metrics
    .map((id) => ({
      id,
      baseline: before === undefined ? [] : sampleOf(before, id).values,
      candidate: after === undefined ? [] : sampleOf(after, id).values,
    }))
    .filter((pair) => pair.baseline.length + pair.candidate.length > 0)
}

/** The change is larger than allowed, and more than chance. */
function crossed(threshold: Threshold, comparisons: readonly Comparison[]): boolean {
  const comparison = comparisons.find(({ id }) => id === threshold.metric)
  if (comparison?.verdict !== 'different') return false
  const change = threshold.relative ? comparison.percent : comparison.difference
  if (change === null) return false
  return threshold.direction === '>' ? change > threshold.amount : -change > threshold.amount
}

async function write(args: CompareArguments, comparisons: readonly Comparison[]): Promise<void> {
  const { baseline, candidate, format, output } = args
  const destination = new Destination(output)
  const sheet = comparisonSheet(comparisons, baseline, candidate)
  const terminal = output === null && stdout.isTTY === true
  switch (format) {
    case 'json':
      await destination.write(`${JSON.stringify({ baseline, candidate, comparisons }, null, 2)}\n`)
      break
    case 'csv':
      await destination.write(sheetCsv(sheet))
      break
    case 'md':
      await destination.write(`${renderMarkdown(sheet)}\n`)
      break
    case 'table':
      await destination.write(`${renderSheet(sheet, await palette(terminal))}\n`)
  }
  await destination.close()
}
