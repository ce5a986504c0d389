import yargs from 'yargs'
import { VERSION } from '../../core/version.ts'
import { analyzeOptions, readAnalyze } from './analyze.ts'
import { annotateOptions, readAnnotate } from './annotate.ts'
import { compareOptions, readCompare } from './compare.ts'
import { doctorOptions, readDoctor } from './doctor.ts'
import { explainOptions, readExplain } from './explain.ts'
import type { Arguments } from './index.ts'
import { readStats, statsOptions } from './stats.ts'
import { UsageError } from './usage-error.ts'

const WIDTH = 100

const ABOUT =
  'Reads packet captures of VM live migrations and reports the phases of each migration, how long each took and the packets that prove it. CAPTURE is a pcap, pcapng or DPMI file (compressed with gzip, zstd or lz4, or not), a folder of them, a pattern, @FILE with a list, or - for standard input.'

const STATUS =
  'Exit status: 0 all was read and a migration found, 1 an input could not be read, 2 wrong usage, 3 a comparison found a regression, 4 no migration in the input. Diagnostics go to standard error. NO_COLOR turns colours off.'

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
 *  @returns null when help or the version was asked for, which has been printed then
 *  @throws UsageError */
export async function parseOptions(words: readonly string[]): Promise<Arguments | null> {
  let printed = false
  let result: Arguments | null = null
  const parser = yargs()
    .scriptName('mig-phases')
    .middleware(lastOfEach, true)
    .command(
      '$0 [captures..]',
      ABOUT,
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
    .epilogue(STATUS)
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
