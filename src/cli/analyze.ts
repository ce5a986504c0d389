import { stderr, stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeFile, type Progress } from '../files/analyze.ts'
import { findCaptures } from '../files/find.ts'
import { analyzeMergedFiles } from '../files/merge.ts'
import type { NamedPingLog } from '../files/ping.ts'
import { readPingLog } from '../files/ping.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import { assembleReport } from '../report/assemble.ts'
import { printable } from '../report/format.ts'
import type { Arguments } from './args.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { notFoundText } from './not-found.ts'
import { render, write } from './output.ts'
import { ProgressBar } from './progress.ts'

/** Analyses the captures that were named, writes the report, and says what was wrong. */
export async function analyzeCaptures(args: Arguments): Promise<ExitStatus> {
  const inputs = new Inputs()
  const pings: NamedPingLog[] = []
  for (const path of args.pings) {
    pings.push(...((await inputs.use(path, readPingLog)) ?? []))
  }
  const facts = { pings, downtimeLimitS: args.downtimeLimitS }
  const analyses = args.merge
    ? await analyzeTogether(args, facts, inputs)
    : await analyzeEach(args, facts, inputs)
  for (const analysis of analyses) printDiagnostics(analysis)
  printUnused(pings, analyses)
  const found = analyses.reduce((sum, analysis) => sum + analysis.migrations.length, 0)
  if (found > 0 || (args.format === 'json' && analyses.length > 0)) {
    const toTerminal = args.output === null && stdout.isTTY === true
    await write(await render(assembleReport(analyses), args.format, toTerminal), args.output)
  }
  if (inputs.unusable > 0) return EXIT.unreadable
  return found > 0 ? EXIT.ok : EXIT.noMigration
}

async function analyzeEach(args: Arguments, facts: RunFacts, inputs: Inputs): Promise<Analysis[]> {
  const analyses: Analysis[] = []
  const bar = new ProgressBar(args.progress)
  for (const given of args.captures) {
    for (const path of (await inputs.use(given, findCaptures)) ?? []) {
      const onProgress = (progress: Progress): void => bar.update(path, progress)
      const analysis = await inputs.use(path, () => analyzeFile(path, { onProgress, ...facts }))
      if (analysis !== null) analyses.push(analysis)
    }
  }
  bar.stop()
  return analyses
}

async function analyzeTogether(
  { captures, clockOffsets }: Arguments,
  facts: RunFacts,
  inputs: Inputs,
): Promise<Analysis[]> {
  const analysis = await inputs.use(captures.join(' + '), () =>
    analyzeMergedFiles(captures, clockOffsets, facts),
  )
  return analysis === null ? [] : [analysis]
}

/** Says which inputs could not be used, and goes on with the others. */
class Inputs {
  unusable = 0

  /** What `use` makes of an input; null, after one sentence on standard error, when it cannot be used. */
  async use<T>(path: string, use: (path: string) => Promise<T>): Promise<T | null> {
    try {
      return await use(path)
    } catch (error) {
      // Anything else is a mistake of ours and goes up.
      if (!(error instanceof InputError)) throw error
      this.unusable++
      stderr.write(`mig-phases: ${nameOf(error.input ?? path)} ${error.message}\n`)
      return null
    }
  }
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : printable(path)
}

/** Says which logs tell of no migration, and where one was read in part. */
function printUnused(pings: readonly NamedPingLog[], analyses: readonly Analysis[]): void {
  const migrations = analyses.flatMap((analysis) => analysis.migrations)
  for (const name of new Set(pings.map((ping) => ping.name))) {
    if (pings.some((ping) => ping.name === name && ping.log.full))
      stderr.write(`warning: ${nameOf(name)}: too long: only its start was read\n`)
    if (migrations.some(({ downtime }) => downtime.icmp?.file === name)) continue
    stderr.write(
      `warning: ${nameOf(name)}: not used: it tells of no migration here (another guest, another time or clock, no replies on both sides of the move), or a capture tells as well\n`,
    )
  }
}

function printDiagnostics({ captures, migrations, traffic }: Analysis): void {
  for (const capture of captures) {
    for (const { severity, message, count } of capture.diagnostics) {
      if (severity === 'info') continue
      const times = count > 1 ? ` (${count.toLocaleString('en-US')} times)` : ''
      stderr.write(`${severity}: ${nameOf(capture.file)}: ${printable(message)}${times}\n`)
    }
    if (migrations.length === 0)
      stderr.write(`mig-phases: ${nameOf(capture.file)}: ${notFoundText(capture, traffic)}\n`)
  }
}
