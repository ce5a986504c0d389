import { Worker } from 'node:worker_threads'
import { InputError } from '../core/input-error.ts'
import type { RunFacts } from '../pipeline/analyzer.ts'
import type { Progress } from './analyze.ts'
import type { Outcome } from './outcome.ts'
import type { Share } from './share.ts'

/** What a thread is told when it starts. */
export interface Task {
  readonly paths: readonly string[]
  readonly facts: RunFacts
  readonly cells: Share['cells']
}

/** What a thread tells. An error that it meets loses its class on the way. */
export type Answer =
  | { readonly kind: 'progress'; readonly path: string; readonly progress: Progress }
  | { readonly kind: 'outcome'; readonly index: number; readonly outcome: Outcome }
  | {
      readonly kind: 'input-error'
      readonly index: number
      readonly message: string
      readonly input: string | null
    }
  | { readonly kind: 'fault'; readonly message: string }

export interface Listener {
  progress(path: string, progress: Progress): void
  outcome(index: number, outcome: Outcome): void
  fault(error: Error): void
}

/** Threads that take captures of a batch until none is left. */
export class Threads {
  readonly #workers: readonly Worker[]

  constructor(count: number, task: Task, listener: Listener) {
    this.#workers = Array.from({ length: count }, () => {
      const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData: task })
      worker.on('message', (answer: Answer) => tell(answer, task, listener))
      worker.on('error', (error) => listener.fault(error))
      return worker
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

function tell(answer: Answer, { paths }: Task, listener: Listener): void {
  switch (answer.kind) {
    case 'progress':
      listener.progress(answer.path, answer.progress)
      return
    case 'outcome':
      listener.outcome(answer.index, answer.outcome)
      return
    case 'input-error': {
      const { index, message, input } = answer
      listener.outcome(index, {
        path: paths[index] as string,
        analysis: null,
        error: new InputError(message, input),
      })
      return
    }
    case 'fault':
      listener.fault(new Error(answer.message))
  }
}
