import { AnnotatedCopy } from '../capture/annotated-copy.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { marksOf, withNumbers } from '../report/marks.ts'
import { analyzeFile } from './analyze.ts'
import { checkFiles, copyCapture } from './copy.ts'

export interface AnnotateOptions {
  /** Leaves all packets without a comment out. */
  readonly onlyMarkers: boolean
}

export interface Annotation {
  readonly analysis: Analysis
  /** Packets that prove something. */
  readonly marks: number
  /** Those that got their comments: fewer when the capture was changed meanwhile, or is damaged there. */
  readonly marked: number
}

/** Reads a capture, compressed or not, and writes it as pcapng with comments on the packets that prove its phases. Without a
 *  migration nothing is written.
 *  @throws InputError when it cannot be read twice, is no capture or the file to be written itself, or that cannot be written */
export async function annotateFile(
  path: string,
  output: string,
  { onlyMarkers }: AnnotateOptions,
): Promise<Annotation> {
  await checkFiles(path, output)
  const analysis = await analyzeFile(path)
  const marks = marksOf(analysis.migrations)
  const comments = onlyMarkers ? withNumbers(marks) : marks
  const none = analysis.migrations.length === 0
  const marked = none ? 0 : await copyFile(path, output, { comments, onlyMarked: onlyMarkers })
  return { analysis, marks: marks.size, marked }
}

/** @returns the number of packets that got comments */
async function copyFile(
  path: string,
  output: string,
  options: ConstructorParameters<typeof AnnotatedCopy>[0],
): Promise<number> {
  const copy = await copyCapture(path, output, (sink) => new AnnotatedCopy(options, sink))
  return copy.marked
}
