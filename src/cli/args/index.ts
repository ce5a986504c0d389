import { VERSION } from '../../core/version.ts'
import { type AnalyzeArguments, FORMATS, type Format, NO_OPTIONS, readAnalyze } from './analyze.ts'
import type { AnnotateArguments } from './annotate.ts'
import type { CompareArguments } from './compare.ts'
import type { DoctorArguments } from './doctor.ts'
import type { ExplainArguments } from './explain.ts'
import type { ReportArguments } from './report.ts'
import type { StatsArguments } from './stats.ts'

export type Arguments =
  | AnalyzeArguments
  | StatsArguments
  | CompareArguments
  | DoctorArguments
  | ExplainArguments
  | AnnotateArguments
  | ReportArguments

/** First words that name a command; any other is a capture. */
const COMMANDS: ReadonlySet<string> = new Set(['stats', 'compare', 'doctor', 'explain', 'annotate', 'report'])

/** Reads the command line. The simplest ones, the version and captures with at most a format, do without the parser of
 *  options: to load that takes as long as to read a small capture.
 *  @returns null when help or the version was asked for, which has been printed then
 *  @throws UsageError */
export async function parseArguments(words: readonly string[]): Promise<Arguments | null> {
  if (words.length === 1 && words[0] === '--version') {
    process.stdout.write(`${VERSION}\n`)
    return null
  }
  const simple = readSimple(words)
  if (simple !== null) return simple
  const { parseOptions } = await import('./options.ts')
  return await parseOptions(words)
}

/** Captures and formats; null where there is anything else, or something is wrong. */
function readSimple(words: readonly string[]): AnalyzeArguments | null {
  const captures: string[] = []
  let format: Format | undefined = NO_OPTIONS.format
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (word === '-f' || word === '--format') {
      const name = words[++i]
      format = FORMATS.find((each) => each === name)
    } else if (word === '-' || !word.startsWith('-')) captures.push(word)
    else return null
  }
  const [first] = captures
  if (first === undefined || COMMANDS.has(first) || format === undefined) return null
  return readAnalyze({ ...NO_OPTIONS, captures, format })
}
