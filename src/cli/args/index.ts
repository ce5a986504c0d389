import { VERSION } from '../../core/version.ts'
import { type AnalyzeArguments, FORMATS, type Format, NO_OPTIONS, readAnalyze } from './analyze.ts'
import type { AnnotateArguments } from './annotate.ts'
import type { CompareArguments } from './compare.ts'
import type { CompletionArguments } from './completion.ts'
import type { DoctorArguments } from './doctor.ts'
import type { ExplainArguments } from './explain.ts'
import type { RedactArguments } from './redact.ts'
import type { ReportArguments } from './report.ts'
import type { StatsArguments } from './stats.ts'

export type Arguments =
  | AnalyzeArguments
  | StatsArguments
  | CompareArguments
  | DoctorArguments
  | ExplainArguments
  | AnnotateArguments
  | CompletionArguments
  | RedactArguments
  | ReportArguments

/** First words that name a command; any other is a capture. */
const COMMANDS: ReadonlySet<string> = new Set([
  'stats',
  'compare',
  'doctor',
  'explain',
  'annotate',
  'redact',
  'report',
  'completion',
])

/** Reads the command line. The simplest ones, the version and captures with little else, do without the parser of
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

/** Captures, a format, an output, no progress: what scripts say most. Null where there is anything else, or something is wrong. */
function readSimple(words: readonly string[]): AnalyzeArguments | null {
  const captures: string[] = []
  const options: { format: Format; output: string | undefined; progress: boolean } = { ...NO_OPTIONS }
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (word === '-f' || word === '--format') {
      const format = FORMATS.find((each) => each === words[i + 1])
      if (format === undefined) return null
      options.format = format
      i++
    } else if (word === '-o' || word === '--output') {
      const output = words[i + 1] ?? ''
      if (options.output !== undefined || output === '' || output.startsWith('-')) return null
      options.output = output
      i++
    } else if (word === '--no-progress') options.progress = false
    else if (word === '-' || !word.startsWith('-')) captures.push(word)
    else return null
  }
  const [first] = captures
  if (first === undefined || COMMANDS.has(first)) return null
  return readAnalyze({ ...NO_OPTIONS, ...options, captures })
}
