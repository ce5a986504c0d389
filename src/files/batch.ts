import { availableParallelism } from 'node:os'
import type { RunFacts } from '../pipeline/analyzer.ts'
import type { Progress } from './analyze.ts'
import type { Outcome } from './outcome.ts'
import { Share } from './share.ts'
import { turn } from './turn.ts'

export interface BatchOptions extends RunFacts {
  /** Threads; as many as the machine has cores by default. */
  readonly jobs?: number
  /** Called while a capture is read. */
  readonly onProgress?: (path: string, progress: Progress) => void
}

/** Analyses captures on all cores. The outcomes come in the order of `paths`, whichever is finished first; a capture that
 *  cannot be read is an outcome like any other. Whoever stops listening stops the batch. */
export async function* analyzeBatch(
  paths: readonly string[],
  { jobs = availableParallelism(), onProgress = () => {}, ...facts }: BatchOptions = {},
): AsyncGenerator<Outcome> {
  const share = new Share(paths.length)
  const outcomes = new Outcomes()
  // This thread is one of them: a thread more would have to load and to compile everything once more.
  const others = Math.min(jobs, paths.length) - 1
  // A single capture, which is the rule, does without what only a batch needs. Threads take 70 ms to begin, in which this one
  // loads the rest.
  const threads =
    others <= 0
      ? null
      : new (await import('./threads.ts')).Threads(
          others,
          { paths, facts, cells: share.cells },
          {
            progress: (path, progress) => onProgress(path, progress),
            outcome: (index, outcome) => outcomes.put(index, outcome),
            fault: (error) => outcomes.fail(error),
          },
        )
  void takePart(paths, { ...facts, onProgress }, share, outcomes)
  try {
    for (let index = 0; index < paths.length; index++) {
      yield await outcomes.take(index)
      share.handOn()
    }
  } finally {
    share.stop()
    await threads?.stop()
  }
}

/** What this thread does for a batch: it takes captures until none is left, and lets messages of others in between. */
async function takePart(
  paths: readonly string[],
  { onProgress, ...facts }: BatchOptions & Required<Pick<BatchOptions, 'onProgress'>>,
  share: Share,
  outcomes: Outcomes,
): Promise<void> {
  try {
    const { outcomeOf } = await import('./outcome.ts')
    for (let index = await share.taken(); index !== null; index = await share.taken()) {
      const path = paths[index] as string
      const report = (progress: Progress): void => onProgress(path, progress)
      outcomes.put(index, await outcomeOf(path, { ...facts, onProgress: report }))
      await turn()
    }
  } catch (error) {
    outcomes.fail(error)
  }
}

/** Outcomes by place, until they are asked for. */
class Outcomes {
  readonly #known = new Map<number, Outcome>()
  #wake: () => void = () => {}
  #fault: { readonly error: unknown } | null = null

  put(index: number, outcome: Outcome): void {
    this.#known.set(index, outcome)
    this.#wake()
  }

  /** There will be no more. */
  fail(error: unknown): void {
    this.#fault ??= { error }
    this.#wake()
  }

  /** Asked for one after the other.
   *  @throws what `fail` was told */
  async take(index: number): Promise<Outcome> {
    for (;;) {
      if (this.#fault !== null) throw this.#fault.error
      const outcome = this.#known.get(index)
      if (outcome !== undefined) {
        this.#known.delete(index)
        return outcome
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
