import yargs, { type Argv } from 'yargs'
import { VERSION } from '../../core/version.ts'
import { analyzeOptions, readAnalyze } from './analyze.ts'
import { annotateOptions, readAnnotate } from './annotate.ts'
import { compareOptions, readCompare } from './compare.ts'
import { completionOptions, readCompletion } from './completion.ts'
import { doctorOptions, readDoctor } from './doctor.ts'
import { explainOptions, readExplain } from './explain.ts'
import type { Arguments } from './index.ts'
import { readRedact, redactOptions } from './redact.ts'
import { readReport, reportOptions } from './report.ts'
import { readStats, statsOptions } from './stats.ts'
import { UsageError } from './usage-error.ts'

const WIDTH = 100

/** A lone dash, standard input, which yargs drops among the words: it goes through as a name that no file has. */
const DASH = '\u0000-'
const tokenOf = (word: string): string => (word === '-' ? DASH : word)

/** The values of a command, with lone dashes where they were written. */
function withDashes<T extends object>(argv: T): T {
  const dashOf = (value: unknown): unknown => (value === DASH ? '-' : value)
  const entries = Object.entries(argv).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map(dashOf) : dashOf(value),
  ])
  // The same names with values of the same types.
  return Object.fromEntries(entries) as T
}

/** Options that may be given more than once; of the others the last one counts. */
const LISTS: ReadonlySet<string> = new Set([
  '_',
  'captures',
  'inputs',
  'results',
  'filter',
  'ping',
  'clock-offset',
  'clockOffset',
  'of',
  'fail-if',
  'failIf',
])

function lastOfEach(argv: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(argv))
    if (Array.isArray(value) && !LISTS.has(name)) argv[name] = value.at(-1)
}

/** Reads a command line with options or commands.
 *  @param blank a parser that knows nothing yet; or what takes down what is said to one
 *  @returns null when help or the version was asked for, which has been printed then
 *  @throws UsageError */
export async function parseOptions(
  words: readonly string[],
  blank: Argv = yargs(),
): Promise<Arguments | null> {
  let printed = false
  let result: Arguments | null = null
  const parser = blank
    .scriptName('mig-phases')
    .middleware(lastOfEach, true)
    .command(
      '$0 [captures..]',
      'reads packet captures of VM live migrations and reports the phases of each migration, how long each took and the packets that prove it',
      (each) => analyzeOptions(each),
      (argv) => {
        result = readAnalyze(withDashes(argv))
      },
    )
    .command(
      'stats <results..>',
      'tables of groups from results files',
      (each) => statsOptions(each),
      (argv) => {
        result = readStats(withDashes(argv))
      },
    )
    .command(
      'compare <baseline> <candidate>',
      'what differs between two sets of migrations, and what only chance',
      (each) => compareOptions(each),
      (argv) => {
        result = readCompare(withDashes(argv))
      },
    )
    .command(
      'doctor <captures..>',
      'what is wrong with captures for measuring a migration, and what would help',
      (each) => doctorOptions(each),
      (argv) => {
        result = readDoctor(withDashes(argv))
      },
    )
    .command(
      'explain <capture> [phase]',
      'how each boundary was found, and filters to look at it in Wireshark',
      (each) => explainOptions(each),
      (argv) => {
        result = readExplain(withDashes(argv))
      },
    )
    .command(
      'annotate <capture>',
      'the capture as pcapng with comments on the packets that prove the phases',
      (each) => annotateOptions(each),
      (argv) => {
        result = readAnnotate(withDashes(argv))
      },
    )
    .command(
      'report [inputs..]',
      'a page with timelines, figures and tables, which opens anywhere; figures for a paper',
      (each) => reportOptions(each),
      (argv) => {
        result = readReport(withDashes(argv), process.stdout.isTTY === true)
      },
    )
    .command(
      'redact <capture>',
      'the capture as pcapng without contents, names, addresses and secrets, to be shared',
      (each) => redactOptions(each),
      (argv) => {
        result = readRedact(withDashes(argv))
      },
    )
    .command(
      'completion [shell]',
      'a script that completes command lines, for bash, zsh or fish',
      (each) => completionOptions(each),
      (argv) => {
        result = readCompletion(argv)
      },
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
  await parser.parseAsync(words.map(tokenOf), {}, (_error, _argv, output) => {
    if (output === '') return
    printed = true
    process.stdout.write(`${output}\n`)
  })
  return printed ? null : result
}
