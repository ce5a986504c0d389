import { parentPort, workerData } from 'node:worker_threads'
import type { Progress } from './analyze.ts'
import { outcomeOf } from './outcome.ts'
import { Share } from './share.ts'
import type { Answer, Task } from './threads.ts'

/** How often a thread says how far it is: a person looks at it. */
const PROGRESS_MS = 100

const answer = (what: Answer): void => parentPort?.postMessage(what)

async function work({ paths, facts, cells }: Task): Promise<void> {
  const share = new Share(paths.length, cells)
  let told = Date.now()
  for (let index = share.take(); index !== null; index = share.take()) {
    const path = paths[index] as string
    const onProgress = (progress: Progress): void => {
      if (Date.now() - told < PROGRESS_MS) return
      told = Date.now()
      answer({ kind: 'progress', path, progress })
    }
    const outcome = await outcomeOf(path, { ...facts, onProgress })
    const { error } = outcome
    if (error === null) answer({ kind: 'outcome', index, outcome })
    else answer({ kind: 'input-error', index, message: error.message, input: error.input })
  }
}

/** Not there where the build only loads this. */
if (workerData !== null)
  work(workerData).catch((error: unknown) =>
    answer({
      kind: 'fault',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  )
