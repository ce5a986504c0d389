import yargs from 'yargs'
import { VERSION } from '../core/version.ts'

export const FORMATS = ['table', 'json', 'ndjson'] as const
export type Format = (typeof FORMATS)[number]

/** What the command line asks for. */
export interface Arguments {
  readonly captures: readonly string[]
  readonly format: Format
  /** Null: standard output. */
  readonly output: string | null
  readonly progress: boolean
}

/** A command line that makes no sense; the text says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const WIDTH = 100

/** Reads the command line.
 *  @returns null when help or the version was asked for, which has been printed then
 *  @throws UsageError */
export async function parseArguments(words: readonly string[]): Promise<Arguments | null> {
  let printed = false
  const parser = yargs(words as string[])
    .scriptName('mig-phases')
    .usage(
      '$0 CAPTURE…\n\nReads packet captures of VM live migrations and reports the phases of each migration, how long each took and the packets that prove it. CAPTURE is a pcap or pcapng file (gzip or not), a directory of them, or - for standard input.',
    )
    .option('format', {
      alias: 'f',
      choices: FORMATS,
      default: 'table' as const,
      describe: 'table to read, json for one document, ndjson for one migration a line',
    })
    .option('output', { alias: 'o', type: 'string', describe: 'write the report to this file' })
    .option('progress', {
      type: 'boolean',
      default: true,
      describe: 'show a progress bar (--no-progress: none)',
    })
    .string('_')
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .example('$0 trace.pcap', 'the phase table of each migration in the capture')
    .example('$0 trace.pcap.gz --format json -o report.json', 'everything that is known, with packet numbers')
    .example('ssh host tcpdump -U -w - | $0 -', 'from a pipe')
    .example("$0 runs/ --format ndjson | jq '.downtime.best_s'", 'one line for each migration below runs/')
    .epilogue(
      'Exit status: 0 all was read and a migration found, 1 an input could not be read, 2 wrong usage, 4 no migration in the input. Diagnostics go to standard error. NO_COLOR turns colours off.',
    )
    .version(VERSION)
    .alias('h', 'help')
    .wrap(WIDTH)
    .strictOptions()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message)
    })
  const parsed = await parser.parseAsync(words as string[], {}, (_error, _argv, output) => {
    if (output === '') return
    printed = true
    process.stdout.write(`${output}\n`)
  })
  if (printed) return null
  const captures = parsed._.map(String)
  if (captures.length === 0) throw new UsageError('no capture given')
  if (parsed.output === '') throw new UsageError('--output needs a file name')
  return {
    captures,
    format: parsed.format,
    output: parsed.output ?? null,
    progress: parsed.progress,
  }
}
