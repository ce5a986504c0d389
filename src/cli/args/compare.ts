import type { Argv } from 'yargs'
import type { MetricId } from '../../stats/metrics.ts'
import { choose, METRIC_IDS } from './shared.ts'
import { STATS_FORMATS, type StatsFormat } from './stats.ts'
import { UsageError } from './usage-error.ts'

/** What makes a comparison fail: a change by more than this, when it is significant. */
export interface Threshold {
  readonly metric: MetricId
  /** `>`: grew; `<`: shrank. */
  readonly direction: '>' | '<'
  /** Percent, or in the metric's unit. */
  readonly amount: number
  readonly relative: boolean
  /** As it was written. */
  readonly text: string
}

/** What `mig-phases compare A B` is asked for. */
export interface CompareArguments {
  readonly command: 'compare'
  readonly baseline: string
  readonly candidate: string
  /** Where `A` and `B` are groups (FACTOR=LEVEL,…): of what. */
  readonly of: readonly string[]
  readonly factors: string | null
  readonly manifest: string | null
  readonly metrics: readonly MetricId[]
  readonly failIf: readonly Threshold[]
  readonly format: StatsFormat
  readonly output: string | null
}

const SIDE = 'captures, a folder, a results file, or a group such as load=idle'

export function compareOptions<T>(parser: Argv<T>) {
  return parser
    .positional('baseline', { type: 'string', demandOption: true, describe: `baseline: ${SIDE}` })
    .positional('candidate', { type: 'string', demandOption: true, describe: `candidate: ${SIDE}` })
    .option('of', {
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
      defaultDescription: 'none',
      describe: 'captures, folders or results files that hold the groups',
    })
    .option('factors', { type: 'string', requiresArg: true, describe: "such as '{flavor}/{load}/run-{n}'" })
    .option('manifest', {
      type: 'string',
      requiresArg: true,
      describe: 'CSV file: file, and a column a factor',
    })
    .option('metrics', {
      type: 'string',
      requiresArg: true,
      describe: `compare these only, of ${METRIC_IDS.join(', ')}`,
    })
    .option('fail-if', {
      type: 'string',
      array: true,
      requiresArg: true,
      nargs: 1,
      default: [] as string[],
      defaultDescription: 'none',
      describe: "exit with 3 on a significant change, such as 'downtime>5%' or 'transfer>0.5s' (repeatable)",
    })
    .option('format', {
      alias: 'f',
      requiresArg: true,
      choices: STATS_FORMATS,
      default: 'table' as const,
      describe: 'table or md to read, json for one document, csv with a row for each metric',
    })
    .option('output', { alias: 'o', type: 'string', describe: 'write the comparison to this file' })
    .example('$0 compare before/ after/', 'every metric of two folders')
    .example('$0 compare load=idle load=busy --of results.ndjson', 'two groups of one study')
    .example("$0 compare before/ after/ --fail-if 'downtime>5%'", 'exit status 3 when it got worse')
    .epilogue(
      'Exit status: 0 compared, 1 an input could not be read, 2 wrong usage, 3 what --fail-if names has happened, 4 a side holds no completed migration.',
    )
}

interface CompareWords {
  readonly baseline: string
  readonly candidate: string
  readonly of: readonly string[]
  readonly factors: string | undefined
  readonly manifest: string | undefined
  readonly metrics: string | undefined
  readonly failIf: readonly string[]
  readonly format: StatsFormat
  readonly output: string | undefined
}

/** @throws UsageError */
export function readCompare(words: CompareWords): CompareArguments {
  return {
    command: 'compare',
    baseline: words.baseline,
    candidate: words.candidate,
    of: words.of,
    factors: words.factors ?? null,
    manifest: words.manifest ?? null,
    metrics: choose('--metrics', words.metrics, METRIC_IDS, METRIC_IDS),
    failIf: words.failIf.map(readThreshold),
    format: words.format,
    output: words.output ?? null,
  }
}

/** To the metric's own unit: seconds or bytes. */
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 1e-3, B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }

function readThreshold(text: string): Threshold {
  const [, name, direction, number, unit = ''] =
    /^\s*([a-z_]+)\s*([<>])\s*(\d+(?:\.\d+)?)\s*(%|[a-zA-Z]*)\s*$/.exec(text) ?? []
  const metric = METRIC_IDS.find((id) => id === name)
  const factor = unit === '%' ? 1 : UNITS[unit]
  if (metric === undefined || factor === undefined || (direction !== '>' && direction !== '<'))
    throw new UsageError(
      `--fail-if takes METRIC>AMOUNT, such as 'downtime>5%' or 'transfer>0.5s', with a metric of ${METRIC_IDS.join(', ')}; not ${text}`,
    )
  return { metric, direction, amount: Number(number) * factor, relative: unit === '%', text: text.trim() }
}
