import { memoryUsage } from 'node:process'
import { COLLECT_FROM, COLLECT_STEP } from '../core/limits.ts'

/** Keeps the process small. What is in use is bounded, but V8 collects garbage the later the more memory the machine has, and a
 *  capture of very many connections or addresses makes much of it. An ordinary capture does not come near. */
export class MemoryWatch {
  #next = COLLECT_FROM
  #collect: (() => void) | null = null

  /** Collects garbage when the process has grown; 2 µs when it has not. */
  async look(): Promise<void> {
    if (memoryUsage.rss() < this.#next) return
    this.#collect ??= await collector()
    this.#collect()
    this.#next = Math.max(COLLECT_FROM, memoryUsage.rss() + COLLECT_STEP)
  }
}

/** What Node only gives to those who ask for it before it starts, or so.
 *  @see https://nodejs.org/api/v8.html#v8setflagsfromstringflags */
async function collector(): Promise<() => void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import('node:v8'),
    import('node:vm'),
  ])
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return typeof collect === 'function' ? () => collect() : () => {}
}
