import type { Argv } from 'yargs'
import { type Grouping, type GroupingWords, groupingOptions, readGrouping } from './shared.ts'

export const STATS_FORMATS = ['table', 'json', 'csv', 'md'] as const
export type StatsFormat = (typeof STATS_FORMATS)[number]

/** What `mig-phases stats RESULTS…` is asked for. */
export interface StatsArguments {
  readonly command: 'stats'
  readonly results: readonly string[]
  readonly format: StatsFormat
  readonly output: string | null
  readonly grouping: Grouping
}

export function statsOptions<T>(parser: Argv<T>) {
  const results = parser
    .positional('results', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'files written by --format ndjson or --resume',
    })
    .group('format', 'Options:')
    .option('format', {
      alias: 'f',
      requiresArg: true,
      choices: STATS_FORMATS,
      default: 'table' as const,
      describe: 'table or md to read, json for one document, csv with a row for each group and metric',
    })
    .option('output', { alias: 'o', type: 'string', describe: 'write the tables to this file' })
  return groupingOptions(results)
    .example('$0 stats results/*.ndjson --group-by flavor,load', 'what any number of jobs have written')
    .epilogue(
      'Exit status: 0 written, 1 a file could not be read, 2 wrong usage, 4 no migration in the files.',
    )
}

interface StatsWords extends GroupingWords {
  readonly results: readonly string[]
  readonly format: StatsFormat
  readonly output: string | undefined
}

/** @throws UsageError */
export function readStats(words: StatsWords): StatsArguments {
  const { results, format, output } = words
  return { command: 'stats', results, format, output: output ?? null, grouping: readGrouping(words) }
}
