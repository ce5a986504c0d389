import type { Argv } from 'yargs'
import type { CiMethod } from '../../stats/describe.ts'
import { METRICS, type MetricId } from '../../stats/metrics.ts'
import { UsageError } from './usage-error.ts'

/** Tables of groups that can be asked for. */
export const TABLES = ['phases', 'shares', 'factors', 'variability', 'anova'] as const
export type TableName = (typeof TABLES)[number]

/** How runs are told apart and put together. */
export interface Grouping {
  readonly pattern: string | null
  readonly manifest: string | null
  /** Null: all factors that do not number repetitions. */
  readonly groupBy: readonly string[] | null
  readonly filter: readonly string[]
  readonly ci: CiMethod
  readonly tables: readonly TableName[]
  readonly metrics: readonly MetricId[]
}

export const METRIC_IDS = METRICS.map(({ id }) => id)

const list = {
  type: 'string',
  array: true,
  requiresArg: true,
  nargs: 1,
  default: [] as string[],
  defaultDescription: 'none',
} as const

/** Options of all commands that make groups of migrations. */
export function groupingOptions<T>(parser: Argv<T>) {
  return parser
    .option('factors', {
      type: 'string',
      requiresArg: true,
      group: 'Groups:',
      describe:
        "where the path tells the factors, such as '{flavor}/{load}/run-{n}' (default: the folder below the one given)",
    })
    .option('manifest', {
      type: 'string',
      requiresArg: true,
      group: 'Groups:',
      describe: 'CSV file that tells them: a column "file", and one for each factor',
    })
    .option('group-by', {
      type: 'string',
      requiresArg: true,
      group: 'Groups:',
      describe: 'factors that make groups, such as flavor,load (default: all but n, run, rep …)',
    })
    .option('filter', { ...list, group: 'Groups:', describe: 'only runs with FACTOR=LEVEL (repeatable)' })
    .option('ci', {
      choices: ['t', 'normal'] as const,
      default: 't' as const,
      requiresArg: true,
      group: 'Groups:',
      describe: "95% intervals by Student's t, or by the normal distribution as published tables have them",
    })
    .option('tables', {
      type: 'string',
      requiresArg: true,
      group: 'Groups:',
      describe: `tables of groups, of ${TABLES.join(', ')} (default: phases)`,
    })
    .option('metrics', {
      type: 'string',
      requiresArg: true,
      group: 'Groups:',
      describe: 'metrics of the tables factors, variability and anova (default: all that are known)',
    })
}

export interface GroupingWords {
  readonly factors: string | undefined
  readonly manifest: string | undefined
  readonly groupBy: string | undefined
  readonly filter: readonly string[]
  readonly ci: CiMethod
  readonly tables: string | undefined
  readonly metrics: string | undefined
}

/** What the words say without any option. */
export const NO_GROUPING: GroupingWords = {
  factors: undefined,
  manifest: undefined,
  groupBy: undefined,
  filter: [],
  ci: 't',
  tables: undefined,
  metrics: undefined,
}

/** @throws UsageError */
export function readGrouping(words: GroupingWords): Grouping {
  return {
    pattern: words.factors ?? null,
    manifest: words.manifest ?? null,
    groupBy: words.groupBy === undefined ? null : splitList(words.groupBy),
    filter: words.filter,
    ci: words.ci,
    tables: choose('--tables', words.tables, TABLES, ['phases']),
    metrics: choose('--metrics', words.metrics, METRIC_IDS, METRIC_IDS),
  }
}

/** @throws UsageError for a word that is no choice */
export function choose<T extends string>(
  option: string,
  text: string | undefined,
  choices: readonly T[],
  otherwise: readonly T[],
): readonly T[] {
  if (text === undefined) return otherwise
  return splitList(text).map((word) => {
    const choice = choices.find((each) => each === word)
    if (choice === undefined) throw new UsageError(`${option}: ${word} is none of ${choices.join(', ')}`)
    return choice
  })
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
