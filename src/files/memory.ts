import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { COLLECT_FROM, COLLECT_STEP } from '../core/limits.ts'

/** Keeps the process small. What is in use is bounded, but V8 collects garbage the later the more memory the machine has, and a
 *  capture of very many connections or addresses makes much of it. An ordinary capture does not come near. */
export class MemoryWatch {
  #next = COLLECT_FROM
  #collect: (() => void) | null = null

  /** Whether this thread's memory has grown so much that garbage had better be collected. Takes 0.5 µs: what the system says of the
   *  process as a whole would take 34. */
  get isLarge(): boolean {
    return sizeNow() >= this.#next
  }

  async collect(): Promise<void> {
    this.#collect ??= await collector()
    this.#collect()
    this.#next = Math.max(COLLECT_FROM, sizeNow() + COLLECT_STEP)
  }
}

function sizeNow(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** What Node only gives to those who ask for it before it starts, or so.
 *  @see https://nodejs.org/api/v8.html#v8setflagsfromstringflags */
async function collector(): Promise<() => void> {
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return typeof collect === 'function' ? () => collect() : () => {}
}
