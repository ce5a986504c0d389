import type { Argv } from 'yargs'
import { EXPLAINED_PARTS, type ExplainedPart } from '../../report/explained-parts.ts'
import { UsageError } from './usage-error.ts'

/** What `mig-phases explain CAPTURE [PHASE]` is asked for. */
export interface ExplainArguments {
  readonly command: 'explain'
  readonly capture: string
  /** Null: all of them. */
  readonly phase: ExplainedPart | null
  readonly output: string | null
}

export function explainOptions<T>(parser: Argv<T>) {
  return parser
    .positional('capture', { type: 'string', demandOption: true, describe: 'a capture, or -' })
    .positional('phase', { choices: EXPLAINED_PARTS, describe: 'explain this one only' })
    .option('output', { alias: 'o', type: 'string', describe: 'write the explanation to this file' })
    .example('$0 explain trace.pcap', 'each boundary: its packet, the rule, and a filter for Wireshark')
    .example('$0 explain trace.pcap downtime', 'how both ends of the downtime were found')
    .epilogue('Exit status: 0 explained, 1 the capture cannot be read, 2 wrong usage, 4 no migration in it.')
}

interface ExplainWords {
  readonly capture: string
  readonly phase: ExplainedPart | undefined
  readonly output: string | undefined
}

/** @throws UsageError */
export function readExplain({ capture, phase, output }: ExplainWords): ExplainArguments {
  if (output === '') throw new UsageError('--output needs a file name')
  return { command: 'explain', capture, phase: phase ?? null, output: output ?? null }
}
