import type { Argv } from 'yargs'
import {
  type AnalyzeArguments,
  type AnalyzeWords,
  analysisOf,
  NO_OPTIONS,
  readingOptions,
} from './analyze.ts'
import { groupingOptions, type TableName } from './shared.ts'
import { UsageError } from './usage-error.ts'

/** What `mig-phases report INPUT…` is asked for. */
export interface ReportArguments {
  readonly command: 'report'
  /** Results files, beside the captures of the analysis. */
  readonly results: readonly string[]
  readonly analysis: AnalyzeArguments
  /** Null: all that make sense for the groups there are. */
  readonly tables: readonly TableName[] | null
  /** Null: made of what is in the report. */
  readonly title: string | null
  /** Folder for figures as files; null: none. */
  readonly svg: string | null
  /** Whether the page is written; its place is the analysis' output. */
  readonly page: boolean
}

export function reportOptions<T>(parser: Argv<T>) {
  const inputs = parser
    .positional('inputs', {
      type: 'string',
      array: true,
      default: [] as string[],
      defaultDescription: 'none',
      describe: 'captures, folders, patterns, @LIST or -; and results files (.ndjson)',
    })
    .group('output', 'Options:')
    .option('output', { alias: 'o', type: 'string', describe: 'write the page to this file' })
    .option('title', { type: 'string', requiresArg: true, describe: 'heading of the page' })
    .option('svg', {
      type: 'string',
      requiresArg: true,
      describe: 'write each figure as an SVG file to this folder (alone: no page)',
    })
  return groupingOptions(readingOptions(inputs))
    .example('$0 report trace.pcap -o report.html', 'one page, to look at or to mail')
    .example("$0 report runs/ --factors '{flavor}/{load}/{n}' -o study.html", 'the figures of a study')
    .example('$0 report results/*.ndjson --svg figures/', 'the same figures as files for a paper')
    .epilogue(
      'Exit status: 0 written, 1 an input could not be read, 2 wrong usage, 4 no migration in the input: no page is written.',
    )
}

type ReportWords = Pick<
  AnalyzeWords,
  | 'factors'
  | 'manifest'
  | 'groupBy'
  | 'filter'
  | 'ci'
  | 'tables'
  | 'metrics'
  | 'output'
  | 'jobs'
  | 'progress'
  | 'merge'
  | 'clockOffset'
  | 'ping'
  | 'downtimeLimit'
> & {
  readonly inputs: readonly string[]
  readonly title: string | undefined
  readonly svg: string | undefined
}

/** @param terminal standard output is one: no page goes there
 *  @throws UsageError */
export function readReport(words: ReportWords, terminal: boolean): ReportArguments {
  const { inputs, title, svg, output } = words
  if (inputs.length === 0 && words.manifest === undefined)
    throw new UsageError('no capture and no results file given')
  if (svg === '') throw new UsageError('--svg needs the name of a folder')
  const page = output !== undefined || svg === undefined
  if (page && output === undefined && terminal)
    throw new UsageError('a page is not for a terminal: name a file with -o report.html')
  const results = inputs.filter(isResultsFile)
  if (words.merge && results.length > 0)
    throw new UsageError('--merge puts captures together, and takes no results files')
  const captures = inputs.filter((word) => !isResultsFile(word))
  const analysis = analysisOf({ ...NO_OPTIONS, ...words, captures, format: 'json' })
  const tables = words.tables === undefined ? null : analysis.grouping.tables
  return { command: 'report', results, analysis, tables, title: title ?? null, svg: svg ?? null, page }
}

/** Told by the name, as these files have no other sign. */
export function isResultsFile(word: string): boolean {
  return /\.(ndjson|jsonl)$/i.test(word)
}
