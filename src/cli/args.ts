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
  /** The captures saw one run from several points. */
  readonly merge: boolean
  /** Output of `ping -D`, by clients that pinged the guests. */
  readonly pings: readonly string[]
  /** Seconds; null: QEMU's default. */
  readonly downtimeLimitS: number | null
  /** Seconds by capture, as named on the command line. */
  readonly clockOffsets: ReadonlyMap<string, number>
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
      '$0 CAPTURE…\n\nReads packet captures of VM live migrations and reports the phases of each migration, how long each took and the packets that prove it. CAPTURE is a pcap, pcapng or DPMI file (compressed with gzip or zstd, or not), a directory of them, or - for standard input.',
    )
    .option('format', {
      alias: 'f',
      requiresArg: true,
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
    .option('merge', {
      type: 'boolean',
      default: false,
      describe: 'the captures saw one run from several points: merge them by time',
    })
    .option('clock-offset', {
      type: 'string',
      array: true,
      requiresArg: true,
      nargs: 1,
      default: [] as string[],
      defaultDescription: 'found out',
      describe: 'with --merge: FILE=SECONDS to be added to its stamps',
    })
    .option('ping', {
      type: 'string',
      array: true,
      requiresArg: true,
      nargs: 1,
      default: [] as string[],
      defaultDescription: 'none',
      describe:
        'what `ping -D` to a guest printed meanwhile: for the downtime as its client had it (repeatable)',
    })
    .option('downtime-limit', {
      type: 'number',
      requiresArg: true,
      describe:
        'longest stop that was allowed, ms (virsh migrate-setmaxdowntime): for the judgement of convergence (default: 300)',
    })
    .string('_')
    .parserConfiguration({ 'duplicate-arguments-array': false })
    .example('$0 trace.pcap', 'the phase table of each migration in the capture')
    .example('$0 trace.pcap.gz --format json -o report.json', 'everything that is known, with packet numbers')
    .example('$0 --merge src.pcap controller.pcap', 'one run seen from two points as one trace')
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
      // A message without an error, or with one of yargs' own, is about the command line.
      throw message ? new UsageError(message) : error
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
    merge: parsed.merge,
    pings: parsed.ping,
    downtimeLimitS: readDowntimeLimit(parsed.downtimeLimit),
    clockOffsets: readClockOffsets(parsed.clockOffset, captures, parsed.merge),
  }
}

function readDowntimeLimit(ms: number | undefined): number | null {
  if (ms === undefined) return null
  if (!(ms > 0 && Number.isFinite(ms)))
    throw new UsageError('--downtime-limit takes milliseconds, more than 0')
  return ms / 1000
}

function readClockOffsets(
  words: readonly string[],
  captures: readonly string[],
  merge: boolean,
): Map<string, number> {
  const offsets = new Map<string, number>()
  if (words.length > 0 && !merge) throw new UsageError('--clock-offset goes with --merge')
  for (const word of words) {
    const [, file, seconds] = /^(.+)=([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/i.exec(word) ?? []
    if (file === undefined || seconds === undefined)
      throw new UsageError(`--clock-offset takes FILE=SECONDS, not ${word}`)
    if (!captures.includes(file))
      throw new UsageError(`--clock-offset names ${file}, which is no capture given`)
    offsets.set(file, Number(seconds))
  }
  return offsets
}
