import { stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeBatch } from '../files/batch.ts'
import { findCaptures } from '../files/find.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { type Examination, examine, unreadable } from '../report/doctor.ts'
import { renderExamination, renderVerdict } from '../report/doctor-text.ts'
import type { DoctorArguments } from './args/doctor.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Destination, palette } from './output.ts'
import { ProgressBar } from './progress.ts'

/** Says what is in captures, and what is wrong with them for measuring a migration. */
export async function examineCaptures(args: DoctorArguments): Promise<ExitStatus> {
  const { format, output } = args
  const destination = new Destination(output)
  const colours = await palette(output === null && stdout.isTTY === true)
  const examinations: Examination[] = []
  for await (const examination of examineEach(args)) {
    if (format === 'table') {
      const gap = examinations.length === 0 ? '' : '\n'
      await destination.write(`${gap}${renderExamination(examination, colours)}`)
    }
    examinations.push(examination)
  }
  const fit = examinations.filter((examination) => examination.fit).length
  if (format === 'json') await destination.write(`${JSON.stringify({ captures: examinations }, null, 2)}\n`)
  else if (examinations.length > 1) await destination.write(`\n${renderVerdict(fit, examinations.length)}`)
  await destination.close()
  return fit === examinations.length ? EXIT.ok : EXIT.unreadable
}

/** In the order of the command line, with what names no capture first. */
async function* examineEach({ captures, jobs, progress }: DoctorArguments): AsyncGenerator<Examination> {
  const paths: string[] = []
  for (const word of captures) {
    try {
      paths.push(...(await findCaptures(word)).map(({ path }) => path))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      yield unreadable(error.input ?? word, error.message)
    }
  }
  const once = [...new Set(paths)]
  const bar = await ProgressBar.of(progress, once)
  for await (const { path, analysis, error } of analyzeBatch(once, {
    jobs,
    onProgress: bar.update.bind(bar),
  })) {
    bar.done(path)
    yield error === null ? examineOne(path, analysis) : unreadable(path, error.message)
  }
  bar.stop()
}

/** @throws Error when the analysis is of no capture, which would be a fault of ours */
function examineOne(path: string, { captures, migrations, traffic, frames }: Analysis): Examination {
  const [capture] = captures
  const [facts] = frames
  if (capture === undefined || facts === undefined) throw new Error(`${path} was read without a report`)
  return examine({ capture, migrations, traffic, frames: facts })
}
