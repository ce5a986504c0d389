import { argv, stderr, stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { parseArguments } from './args/index.ts'
import { UsageError } from './args/usage-error.ts'
import { EXIT, type ExitStatus } from './exit.ts'

/** @returns the exit status; all that goes wrong has been said */
export async function main(words: readonly string[]): Promise<ExitStatus> {
  try {
    return await run(words)
  } catch (error) {
    return fail(error)
  }
}

/** Each command loads what it needs, and no more. */
async function run(words: readonly string[]): Promise<ExitStatus> {
  const args = await parseArguments(words)
  switch (args?.command) {
    case undefined:
      return EXIT.ok
    case 'analyze': {
      const { analyzeCaptures } = await import('./analyze.ts')
      return await analyzeCaptures(args)
    }
    case 'stats': {
      const { reduceResults } = await import('./stats.ts')
      return await reduceResults(args)
    }
    case 'compare': {
      const { compareSides } = await import('./compare.ts')
      return await compareSides(args)
    }
    case 'doctor': {
      const { examineCaptures } = await import('./doctor.ts')
      return await examineCaptures(args)
    }
    case 'explain': {
      const { explainCapture } = await import('./explain.ts')
      return await explainCapture(args)
    }
    case 'completion': {
      const { writeCompletion } = await import('./completion/index.ts')
      return await writeCompletion(args)
    }
    case 'annotate': {
      const { annotateCapture } = await import('./annotate.ts')
      return await annotateCapture(args)
    }
    case 'redact': {
      const { redactCapture } = await import('./redact.ts')
      return await redactCapture(args)
    }
    case 'report': {
      const { makeReport } = await import('./report.ts')
      return await makeReport(args)
    }
  }
}

function fail(error: unknown): ExitStatus {
  if (error instanceof UsageError) {
    stderr.write(`mig-phases: ${error.message}. See mig-phases --help\n`)
    return EXIT.usage
  }
  if (error instanceof InputError) {
    stderr.write(`mig-phases: ${error.input ?? 'the report'} ${error.message}\n`)
    return EXIT.unreadable
  }
  const message = error instanceof Error ? error.message : String(error)
  stderr.write(
    `mig-phases: ${message}. This is a fault of mig-phases: please report it with the command line\n`,
  )
  return EXIT.unreadable
}

/** Runs the command as a program of its own. */
export async function start(): Promise<void> {
  // A reader that has seen enough (| head) ends the run, quietly.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') stderr.write(`mig-phases: cannot write the report: ${error.message}\n`)
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.unreadable)
  })
  process.exitCode = await main(argv.slice(2))
  // A capture that is half read when the user stops would keep the process alive.
  if (process.exitCode === EXIT.interrupted) process.exit()
}
