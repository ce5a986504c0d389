import { stderr } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { type Annotation, annotateFile } from '../files/annotate.ts'
import { printable } from '../report/format.ts'
import type { AnnotateArguments } from './args/annotate.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Findings } from './findings.ts'

/** Writes a capture with comments on the packets that prove its phases, and says on standard error what was marked.
 *  @throws InputError when a file cannot be read or written */
export async function annotateCapture(args: AnnotateArguments): Promise<ExitStatus> {
  const { capture, output } = args
  const { analysis, marks, marked } = await annotate(args)
  const findings = new Findings()
  findings.analysed(analysis)
  if (findings.migrations === 0) return EXIT.noMigration
  stderr.write(`mig-phases: ${printable(output)}: ${marked} packets have comments\n`)
  if (marked < marks)
    stderr.write(
      `warning: ${printable(capture)}: ${marks - marked} more could not be marked: the capture was changed meanwhile, or is damaged there\n`,
    )
  return EXIT.ok
}

async function annotate({ capture, output, onlyMarkers }: AnnotateArguments): Promise<Annotation> {
  try {
    return await annotateFile(capture, output, { onlyMarkers })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.message, printable(error.input ?? capture))
  }
}
