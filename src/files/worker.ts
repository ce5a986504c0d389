import { parentPort } from 'node:worker_threads'
import { InputError } from '../core/input-error.ts'
import { analyzeFile, type Progress } from './analyze.ts'
import type { Answer, Task } from './worker-pool.ts'

/** How often a worker says how far it is: a person looks at it. */
const PROGRESS_MS = 100

const answer = (what: Answer): void => parentPort?.postMessage(what)

parentPort?.on('message', async ({ path, facts }: Task) => {
  let told = Date.now()
  const onProgress = (progress: Progress): void => {
    if (Date.now() - told < PROGRESS_MS) return
    told = Date.now()
    answer({ kind: 'progress', progress })
  }
  try {
    answer({ kind: 'analysis', analysis: await analyzeFile(path, { ...facts, onProgress }) })
  } catch (error) {
    if (error instanceof InputError)
      answer({ kind: 'input-error', message: error.message, input: error.input })
    else
      answer({
        kind: 'fault',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
  }
})
