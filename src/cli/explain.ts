import { InputError } from '../core/input-error.ts'
import { analyzeFile } from '../files/analyze.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { assembleReport } from '../report/assemble.ts'
import { renderExplanation } from '../report/explain.ts'
import type { ExplainArguments } from './args/explain.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Findings } from './findings.ts'
import { Destination } from './output.ts'

/** Says of one capture how each boundary was found. */
export async function explainCapture({ capture, phase, output }: ExplainArguments): Promise<ExitStatus> {
  const analysis = await read(capture)
  if (analysis === null) return EXIT.unreadable
  if (analysis.migrations.length === 0) return EXIT.noMigration
  const destination = new Destination(output)
  await destination.write(renderExplanation(assembleReport([analysis]), phase))
  await destination.close()
  return EXIT.ok
}

/** Null when the capture cannot be read, which has been said then. */
async function read(capture: string): Promise<Analysis | null> {
  const findings = new Findings()
  try {
    const analysis = await analyzeFile(capture)
    findings.analysed(analysis)
    return analysis
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    findings.failed(capture, error)
    return null
  } finally {
    findings.end([])
  }
}
