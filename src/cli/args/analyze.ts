import { availableParallelism } from 'node:os'
import type { Argv } from 'yargs'
import { type Grouping, type GroupingWords, groupingOptions, NO_GROUPING, readGrouping } from './shared.ts'
import { UsageError } from './usage-error.ts'

export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'md', 'perfetto', 'otlp'] as const
export type Format = (typeof FORMATS)[number]

/** What `mig-phases CAPTURE…` is asked for. */
export interface AnalyzeArguments {
  readonly command: 'analyze'
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
  /** Threads. */
  readonly jobs: number
  /** A results file that is continued; null without one. */
  readonly resume: string | null
  /** Whether each migration is printed besides the groups; null: when the captures were named one by one. */
  readonly each: boolean | null
  readonly grouping: Grouping
}

const list = {
  type: 'string',
  array: true,
  requiresArg: true,
  nargs: 1,
  default: [] as string[],
} as const

const STATUS =
  'Exit status: 0 all was read and a migration found, 1 an input could not be read, 2 wrong usage, 4 no migration in the input, 130 a batch was interrupted. Diagnostics go to standard error. NO_COLOR turns colours off.'

/** Options of all commands that analyse captures of migrations. */
export function readingOptions<T>(parser: Argv<T>) {
  return parser
    .option('jobs', {
      alias: 'j',
      type: 'number',
      requiresArg: true,
      default: availableParallelism(),
      defaultDescription: 'all cores',
      describe: 'captures that are read at once',
    })
    .option('progress', {
      type: 'boolean',
      default: true,
      describe: 'show a progress bar, or how a live run stands (--no-progress: neither)',
    })
    .option('merge', {
      type: 'boolean',
      default: false,
      describe: 'the captures saw one run from several points: merge them by time',
    })
    .option('clock-offset', {
      ...list,
      defaultDescription: 'found out',
      describe: 'with --merge: FILE=SECONDS to be added to its stamps',
    })
    .option('ping', {
      ...list,
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
}

export function analyzeOptions<T>(parser: Argv<T>) {
  const captures = parser
    .positional('captures', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe:
        'pcap, pcapng and DPMI files, compressed with gzip or zstd or not; folders of them, patterns, @FILE with a list; or -, standard input, which is reported while it is written',
      defaultDescription: 'none',
    })
    .group('format', 'Options:')
    .option('format', {
      alias: 'f',
      requiresArg: true,
      choices: FORMATS,
      default: 'table' as const,
      describe:
        'table or md to read, json for one document, ndjson for one migration a line, csv for a spreadsheet of migrations, perfetto for a timeline, otlp for a tracing backend',
    })
    .option('output', { alias: 'o', type: 'string', describe: 'write the report to this file' })
    .option('each', {
      type: 'boolean',
      defaultDescription: 'for files, not for folders',
      describe: 'print each migration besides the groups',
    })
    .option('resume', {
      type: 'string',
      requiresArg: true,
      describe: 'write ndjson to this file and skip captures that are in it already',
    })
  return groupingOptions(readingOptions(captures))
    .example('$0 trace.pcap', 'the phase table of each migration in the capture')
    .example('$0 trace.pcap.gz --format json -o report.json', 'everything that is known, with packet numbers')
    .example('$0 --merge src.pcap controller.pcap', 'one run seen from two points as one trace')
    .example(
      'tcpdump -i eth0 -U -w - | $0 -',
      'while it is captured: a status line, each migration when it ends',
    )
    .example('ssh host tcpdump -U -w - | $0 - -f ndjson', 'the same from elsewhere, one line of JSON each')
    .example("$0 runs/ --factors '{flavor}/{load}/{n}'", 'a table of phases for each flavor and load')
    .example('$0 runs/ --resume results.ndjson', 'a batch that may be killed and started again')
    .epilogue(STATUS)
}

export interface AnalyzeWords extends GroupingWords {
  readonly captures: readonly string[]
  readonly format: Format
  readonly output: string | undefined
  readonly each: boolean | undefined
  readonly jobs: number
  readonly resume: string | undefined
  readonly progress: boolean
  readonly merge: boolean
  readonly clockOffset: readonly string[]
  readonly ping: readonly string[]
  readonly downtimeLimit: number | undefined
}

/** What the words say when there are captures only. A test holds it against the options' defaults. */
export const NO_OPTIONS: Omit<AnalyzeWords, 'captures'> = {
  ...NO_GROUPING,
  format: 'table',
  output: undefined,
  each: undefined,
  jobs: availableParallelism(),
  resume: undefined,
  progress: true,
  merge: false,
  clockOffset: [],
  ping: [],
  downtimeLimit: undefined,
}

/** @throws UsageError */
export function readAnalyze(words: AnalyzeWords): AnalyzeArguments {
  const { captures } = words
  if (captures.length === 0 && words.manifest === undefined) throw new UsageError('no capture given')
  return analysisOf(words)
}

/** @throws UsageError */
export function analysisOf(words: AnalyzeWords): AnalyzeArguments {
  const { captures } = words
  if (words.output === '') throw new UsageError('--output needs a file name')
  if (!Number.isInteger(words.jobs) || words.jobs < 1) throw new UsageError('--jobs takes a number from 1 on')
  if (words.resume !== undefined && (words.output !== undefined || words.merge))
    throw new UsageError('--resume names the output itself, and goes without --output and --merge')
  return {
    command: 'analyze',
    captures,
    format: words.resume === undefined ? words.format : 'ndjson',
    output: words.output ?? null,
    progress: words.progress,
    merge: words.merge,
    pings: words.ping,
    downtimeLimitS: readDowntimeLimit(words.downtimeLimit),
    clockOffsets: readClockOffsets(words.clockOffset, captures, words.merge),
    jobs: words.jobs,
    resume: words.resume ?? null,
    each: words.each ?? null,
    grouping: readGrouping(words),
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
