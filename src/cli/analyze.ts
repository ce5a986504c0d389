import { stderr, stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeFile } from '../files/analyze.ts'
import { findCaptures } from '../files/find.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { assembleReport } from '../report/assemble.ts'
import { printable } from '../report/format.ts'
import type { Arguments } from './args.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { notFoundText } from './not-found.ts'
import { render, write } from './output.ts'
import { ProgressBar } from './progress.ts'

/** Analyses the captures that were named, writes the report, and says what was wrong. */
export async function analyzeCaptures(args: Arguments): Promise<ExitStatus> {
  const analyses: Analysis[] = []
  let unreadable = 0
  const bar = new ProgressBar(args.progress)
  for (const given of args.captures) {
    for (const path of await namedBy(given)) {
      try {
        analyses.push(await analyzeFile(path, { onProgress: (progress) => bar.update(path, progress) }))
      } catch (error) {
        unreadable++
        complain(path, error)
      }
    }
  }
  bar.stop()

  async function namedBy(given: string): Promise<string[]> {
    try {
      return await findCaptures(given)
    } catch (error) {
      unreadable++
      complain(given, error)
      return []
    }
  }

  for (const analysis of analyses) printDiagnostics(analysis)
  const found = analyses.reduce((sum, analysis) => sum + analysis.migrations.length, 0)
  if (found > 0 || (args.format === 'json' && analyses.length > 0)) {
    const text = await render(
      assembleReport(analyses),
      args.format,
      args.output === null && stdout.isTTY === true,
    )
    await write(text, args.output)
  }
  if (unreadable > 0) return EXIT.unreadable
  return found > 0 ? EXIT.ok : EXIT.noMigration
}

/** One sentence for what an input is not; anything else is a mistake of ours and goes up. */
function complain(path: string, error: unknown): void {
  if (!(error instanceof InputError)) throw error
  const name = path === '-' ? 'standard input' : path
  stderr.write(`mig-phases: ${printable(name)} ${error.message}\n`)
}

function printDiagnostics(analysis: Analysis): void {
  const { capture, migrations, traffic } = analysis
  const name = printable(capture.file === '-' ? 'standard input' : capture.file)
  for (const { severity, message, count } of capture.diagnostics) {
    if (severity === 'info') continue
    const times = count > 1 ? ` (${count.toLocaleString('en-US')} times)` : ''
    stderr.write(`${severity}: ${name}: ${printable(message)}${times}\n`)
  }
  if (migrations.length === 0) stderr.write(`mig-phases: ${name}: ${notFoundText(capture, traffic)}\n`)
}
