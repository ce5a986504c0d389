import { Worker } from 'node:worker_threads'
import { InputError } from '../core/input-error.ts'
import type { Analysis, RunFacts } from '../pipeline/analyzer.ts'
import type { Progress } from './analyze.ts'

/** What a worker is told. */
export interface Task {
  readonly path: string
  readonly facts: RunFacts
}

/** What a worker answers: any number of `progress`, then one of the others. */
export type Answer =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'analysis'; readonly analysis: Analysis }
  | { readonly kind: 'input-error'; readonly message: string; readonly input: string | null }
  | { readonly kind: 'fault'; readonly message: string }

/** Worker threads that analyse one capture at a time each. The caller does not ask when all are busy. */
export class WorkerPool {
  readonly #workers: readonly Worker[]
  readonly #idle: Worker[]

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(new URL('./worker.js', import.meta.url)))
    this.#idle = [...this.#workers]
  }

  /** Whether all of them are at work. */
  get isBusy(): boolean {
    return this.#idle.length === 0
  }

  /** @throws InputError when the capture cannot be read */
  async analyze(path: string, facts: RunFacts, onProgress: (progress: Progress) => void): Promise<Analysis> {
    const worker = this.#idle.pop()
    if (worker === undefined) throw new Error('more captures at once than threads')
    try {
      return await ask(worker, { path, facts }, onProgress)
    } finally {
      this.#idle.push(worker)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

async function ask(worker: Worker, task: Task, onProgress: (progress: Progress) => void): Promise<Analysis> {
  return await new Promise<Analysis>((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', answered)
      worker.off('error', failed)
    }
    const failed = (error: Error): void => {
      settle()
      reject(error)
    }
    const answered = (answer: Answer): void => {
      if (answer.kind === 'progress') {
        onProgress(answer.progress)
        return
      }
      settle()
      if (answer.kind === 'analysis') resolve(answer.analysis)
      else if (answer.kind === 'input-error') reject(new InputError(answer.message, answer.input))
      else reject(new Error(answer.message))
    }
    worker.on('message', answered)
    worker.on('error', failed)
    worker.postMessage(task)
  })
}
