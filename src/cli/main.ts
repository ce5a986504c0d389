import { argv, stderr, stdout } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeCaptures } from './analyze.ts'
import { parseArguments, UsageError } from './args.ts'
import { EXIT, type ExitStatus } from './exit.ts'

async function main(words: readonly string[]): Promise<ExitStatus> {
  try {
    const args = await parseArguments(words)
    return args === null ? EXIT.ok : await analyzeCaptures(args)
  } catch (error) {
    return fail(error)
  }
}

function fail(error: unknown): ExitStatus {
  if (error instanceof UsageError) {
    stderr.write(`mig-phases: ${error.message}. See mig-phases --help\n`)
    return EXIT.usage
  }
  if (error instanceof InputError) {
    stderr.write(`mig-phases: the report ${error.message}\n`)
    return EXIT.unreadable
  }
  const message = error instanceof Error ? error.message : String(error)
  stderr.write(
    `mig-phases: ${message}. This is a fault of mig-phases: please report it with the command line\n`,
  )
  return EXIT.unreadable
}

// A reader that has seen enough (| head) ends the run, quietly.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') stderr.write(`mig-phases: cannot write the report: ${error.message}\n`)
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.unreadable)
})

process.exitCode = await main(argv.slice(2))
