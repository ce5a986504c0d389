import process from 'node:process'
import { InputError } from '../core/input-error.ts'
import { analyzeStandardInput, type LiveOptions, type LiveState } from '../files/live.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import type { MigrationReport } from '../report/model.ts'
import { describeRunning } from '../report/running.ts'
import { renderRunning } from '../report/running-text.ts'
import type { Findings } from './findings.ts'
import type { Output } from './outputs.ts'
import { StatusLine } from './status-line.ts'

export interface LiveArguments {
  /** Whether to show how things stand, where that goes to a terminal. */
  readonly progress: boolean
  readonly factors: Readonly<Record<string, string>>
  readonly facts: RunFacts
}

/** Analyses standard input while it is written: a status line, each migration when it is over, and what is known when the input
 *  ends or the user stops it. */
export async function analyzeLive(args: LiveArguments, output: Output, findings: Findings): Promise<void> {
  const status = await StatusLine.of(args.progress)
  const held: MigrationReport[] = []
  const named = (migrations: readonly MigrationReport[]): MigrationReport[] =>
    migrations.map((migration) => ({ ...migration, factors: args.factors }))
  const finished = async (migrations: readonly MigrationReport[]): Promise<void> => {
    findings.found(migrations)
    status.clear()
    if (output.finished === undefined) held.push(...named(migrations))
    else await output.finished(named(migrations))
  }
  const look = (state: LiveState): void => status.draw(textOf(state, findings.migrations))
  const analysis = await read({ ...args.facts, finished, look }, status, findings)
  if (analysis === null) return
  findings.analysed(analysis, findings.migrations)
  const migrations = [...held, ...named(analysis.migrations)].sort((a, b) => a.index - b.index)
  await output.analysed({ ...analysis, migrations })
}

/** Null when the input cannot be read, which is one of the findings then.
 *  @throws what `finished` throws */
async function read(
  options: Omit<LiveOptions, 'signal'>,
  status: StatusLine,
  findings: Findings,
): Promise<Analysis | null> {
  const request = new StopRequest(() => status.end())
  let failed: unknown = null
  const finished: LiveOptions['finished'] = async (migrations) => {
    await options.finished(migrations).catch((error: unknown) => {
      failed = error
      throw error
    })
  }
  try {
    return await analyzeStandardInput({ ...options, finished, signal: request.signal })
  } catch (error) {
    if (error === failed || !(error instanceof InputError)) throw error
    findings.failed('-', error)
    return null
  } finally {
    request.end()
    status.end()
  }
}

function textOf(state: LiveState, reported: number): string {
  return renderRunning(describeRunning(state, state.silenceNs), {
    packets: state.packets,
    reported,
    silence_s: state.silenceNs / 1e9,
  })
}

/** Ctrl-C, or whoever ends processes, asks to stop. A second time ends the process at once, as without this. */
class StopRequest {
  readonly #controller = new AbortController()
  readonly #stop: () => void

  constructor(onStop: () => void) {
    this.#stop = () => {
      this.end()
      onStop()
      this.#controller.abort()
    }
    process.on('SIGINT', this.#stop)
    process.on('SIGTERM', this.#stop)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  end(): void {
    process.off('SIGINT', this.#stop)
    process.off('SIGTERM', this.#stop)
  }
}
