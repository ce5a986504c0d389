import { stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeBatch } from '../files/batch.ts'
import { findCaptures } from '../files/find.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { type Examination, examine, unreadable } from '../report/doctor.ts'
import { type Content, contentsOf, examineRun, type RunExamination } from '../report/doctor-run.ts'
import { renderExamination, renderRun, renderVerdict } from '../report/doctor-text.ts'
import type { DoctorArguments } from './args/doctor.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Destination, palette } from './output.ts'
import { ProgressBar } from './progress.ts'

/** A capture that was judged by itself. `span` is null for one that has no packets, or could not be read. */
interface Judged {
  readonly examination: Examination
  readonly holds: readonly Content[]
  readonly guests: readonly string[]
  readonly span: { readonly fromNs: bigint; readonly toNs: bigint } | null
}

/** Says what is in captures, and what is wrong with them for measuring a migration; then the same of those that are points of one
 *  run. */
export async function examineCaptures(args: DoctorArguments): Promise<ExitStatus> {
  const { format, output } = args
  const destination = new Destination(output)
  const colours = await palette(output === null && stdout.isTTY === true)
  const judged: Judged[] = []
  for await (const one of judgeEach(args)) {
    const gap = judged.length === 0 ? '' : '\n'
    if (format === 'table') await destination.write(`${gap}${renderExamination(one.examination, colours)}`)
    judged.push(one)
  }
  const runs: RunExamination[] = []
  for await (const run of examineRuns(judged)) {
    if (format === 'table') await destination.write(`\n${renderRun(run, colours)}`)
    runs.push(run)
  }
  const captures = judged.map(({ examination }) => examination)
  const fit = captures.filter((examination) => examination.fit).length
  const together = countTogether(captures, runs)
  if (format === 'json') await destination.write(`${JSON.stringify({ captures, runs }, null, 2)}\n`)
  else if (captures.length > 1)
    await destination.write(`\n${renderVerdict(fit + together, together, captures.length)}`)
  await destination.close()
  return fit + together === captures.length ? EXIT.ok : EXIT.unreadable
}

/** Those that are not fit alone, but as part of a run that is. */
function countTogether(captures: readonly Examination[], runs: readonly RunExamination[]): number {
  const helped = new Set(
    runs.filter((run) => run.fit).flatMap(({ points }) => points.map(({ file }) => file)),
  )
  return captures.filter(({ fit, file }) => !fit && helped.has(file)).length
}

/** Captures that several points took of one run, together. What compares them is loaded only where there may be some. */
async function* examineRuns(judged: readonly Judged[]): AsyncGenerator<RunExamination> {
  const possible = judged.flatMap((one) =>
    one.span === null ? [] : [{ ...one, ...one.span, path: one.examination.file }],
  )
  if (possible.length < 2) return
  const { findRuns } = await import('../files/points.ts')
  // The clock of the point that sees most has packets in common with most others.
  const bySight = possible.sort((a, b) => b.holds.length - a.holds.length)
  for await (const { points, clocks, analysis } of findRuns(bySight))
    yield examineRun(
      points.map((point, index) => ({ ...point, clock: clocks[index] ?? null })),
      analysis,
    )
}

/** In the order of the command line, with what names no capture first. */
async function* judgeEach({ captures, jobs, progress }: DoctorArguments): AsyncGenerator<Judged> {
  const paths: string[] = []
  for (const word of captures) {
    try {
      paths.push(...(await findCaptures(word)).map(({ path }) => path))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      yield unread(error.input ?? word, error.message)
    }
  }
  const once = [...new Set(paths)]
  const bar = await ProgressBar.of(progress, once)
  for await (const { path, analysis, error } of analyzeBatch(once, {
    jobs,
    onProgress: bar.update.bind(bar),
  })) {
    bar.done(path)
    yield error === null ? judge(path, analysis) : unread(path, error.message)
  }
  bar.stop()
}

function unread(path: string, reason: string): Judged {
  return { examination: unreadable(path, reason), holds: [], guests: [], span: null }
}

/** @throws Error when the analysis is of no capture, which would be a fault of ours */
function judge(path: string, { captures, migrations, traffic, frames }: Analysis): Judged {
  const [capture] = captures
  const [facts] = frames
  if (capture === undefined || facts === undefined) throw new Error(`${path} was read without a report`)
  const { earliest_epoch_ns: from, latest_epoch_ns: to } = capture
  return {
    examination: examine({ capture, migrations, traffic, frames: facts }),
    holds: contentsOf({ migrations, traffic }),
    guests: migrations.map(({ domain }) => domain.uuid).filter((uuid) => uuid !== null),
    span: from === null || to === null ? null : { fromNs: BigInt(from), toNs: BigInt(to) },
  }
}
