import { stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeBatch } from '../files/batch.ts'
import type { NamedPingLog } from '../files/ping.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import type { AnalyzeArguments } from './args/analyze.ts'
import { findAll, type NamedCaptures } from './captures.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Findings } from './findings.ts'
import { makeOutput, type Output } from './outputs.ts'
import { ProgressBar } from './progress.ts'

/** Captures of which each finding is printed; of more, a summary. */
const FEW_CAPTURES = 20

/** Analyses the captures that were named, with no more loaded than that takes, writes the report, and says what was wrong. */
export async function analyzeCaptures(args: AnalyzeArguments): Promise<ExitStatus> {
  return await analyzeInto(args, new Findings(), (byName, live) =>
    makeOutput(args, byName, stdout.isTTY === true, live),
  )
}

/** @param open called when it is known what captures there are, and whether migrations may come before their capture ends */
export async function analyzeInto(
  args: AnalyzeArguments,
  findings: Findings,
  open: (byName: boolean, live: boolean) => Promise<Output>,
): Promise<ExitStatus> {
  const pings = await readPings(args.pings, findings)
  const facts = { pings, downtimeLimitS: args.downtimeLimitS }
  const captures = await findAll(args.captures, args.grouping, findings)
  findings.summary = !args.merge && captures.paths.length > FEW_CAPTURES
  const live = isLive(args, captures)
  const output = await open(captures.byName, live)
  const interrupted = live
    ? await analyzeStream(args, captures, facts, output, findings)
    : args.merge
      ? await analyzeTogether(args, facts, output, findings)
      : await analyzeEach(args, captures, facts, output, findings)
  await output.end(findings.migrations)
  findings.end(pings)
  if (interrupted) return EXIT.interrupted
  if (findings.errors > 0) return EXIT.unreadable
  return findings.migrations > 0 || output.resumed > 0 ? EXIT.ok : EXIT.noMigration
}

/** Whether a capture comes on standard input, and nothing else is read: it may be in the making. */
function isLive({ merge, resume }: AnalyzeArguments, { paths }: NamedCaptures): boolean {
  return paths.length === 1 && paths[0] === '-' && !merge && resume === null
}

/** A user who stops it has seen what there was: that is how a live run ends, and no other status than that of its end. */
async function analyzeStream(
  { progress }: AnalyzeArguments,
  { factorsOf }: NamedCaptures,
  facts: RunFacts,
  output: Output,
  findings: Findings,
): Promise<false> {
  const { analyzeLive } = await import('./live.ts')
  await analyzeLive({ progress, factors: factorsOf.get('-') ?? {}, facts }, output, findings)
  return false
}

async function readPings(paths: readonly string[], findings: Findings): Promise<NamedPingLog[]> {
  if (paths.length === 0) return []
  const { readPingLog } = await import('../files/ping.ts')
  const pings: NamedPingLog[] = []
  for (const path of paths) {
    try {
      pings.push(...(await readPingLog(path)))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      findings.failed(path, error)
    }
  }
  return pings
}

async function doneBefore(results: string): Promise<ReadonlyMap<string, unknown>> {
  const { resumeResults } = await import('../files/results.ts')
  return (await resumeResults(results)).done
}

/** @returns whether the user stopped it */
async function analyzeEach(
  args: AnalyzeArguments,
  { paths, factorsOf }: NamedCaptures,
  facts: RunFacts,
  output: Output,
  findings: Findings,
): Promise<boolean> {
  const done = args.resume === null ? null : await doneBefore(args.resume)
  const left = paths.filter((path) => done?.has(path) !== true)
  output.resumed = paths.length - left.length
  const bar = await ProgressBar.of(args.progress, left)
  const interrupt = new Interrupt()
  const options = { ...facts, jobs: args.jobs, onProgress: bar.update.bind(bar) }
  for await (const { path, analysis, error } of interrupt.watch(analyzeBatch(left, options))) {
    bar.done(path)
    if (error !== null) findings.failed(path, error)
    else {
      const factors = factorsOf.get(path) ?? {}
      const told = {
        ...analysis,
        migrations: analysis.migrations.map((migration) => ({ ...migration, factors })),
      }
      findings.analysed(told)
      await output.analysed(told)
    }
  }
  bar.stop()
  return interrupt.happened
}

async function analyzeTogether(
  { captures, clockOffsets }: AnalyzeArguments,
  facts: RunFacts,
  output: Output,
  findings: Findings,
): Promise<boolean> {
  try {
    const { analyzeMergedFiles } = await import('../files/merge.ts')
    const analysis: Analysis = await analyzeMergedFiles(captures, clockOffsets, facts)
    findings.analysed(analysis)
    await output.analysed(analysis)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    findings.failed(captures.join(' + '), error)
  }
  return false
}

/** Ends a loop when the user presses Ctrl-C, so that what is done is still printed. A second time ends the process. */
class Interrupt {
  happened = false

  async *watch<T>(outcomes: AsyncGenerator<T>): AsyncGenerator<T> {
    let stop: () => void = () => {}
    const stopped = new Promise<IteratorResult<T>>((resolve) => {
      stop = () => {
        this.happened = true
        resolve({ done: true, value: undefined })
      }
    })
    process.once('SIGINT', stop)
    try {
      for (;;) {
        const next = await Promise.race([outcomes.next(), stopped])
        if (next.done === true) return
        yield next.value
      }
    } finally {
      process.off('SIGINT', stop)
      // What is being read is not waited for.
      void outcomes.return(undefined)
    }
  }
}
