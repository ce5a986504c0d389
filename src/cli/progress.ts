import { promises as fs } from 'node:fs'
import { stderr } from 'node:process'
import type { SingleBar } from 'cli-progress'
import type { Progress } from '../files/analyze.ts'

/** Input that is read faster than this needs no progress bar. */
const PATIENCE_MS = 1000
const MEGABYTE = 1e6

/** One bar on standard error for all that is read, when that is a terminal and the input takes a while. */
export class ProgressBar {
  readonly #started = Date.now()
  /** Bytes by capture; null without a bar. */
  readonly #sizes: ReadonlyMap<string, number> | null
  readonly #total: number
  /** Of captures that are read. */
  readonly #taken = new Map<string, number>()
  #finished = 0
  #bar: SingleBar | null = null
  #loading = false
  #over = false

  private constructor(sizes: ReadonlyMap<string, number> | null) {
    this.#sizes = sizes
    this.#total = [...(sizes?.values() ?? [])].reduce((sum, size) => sum + size, 0)
  }

  static async of(enabled: boolean, paths: readonly string[]): Promise<ProgressBar> {
    if (!enabled || stderr.isTTY !== true) return new ProgressBar(null)
    const sizes = new Map<string, number>()
    for (const path of paths) sizes.set(path, (await fs.stat(path).catch(() => null))?.size ?? 0)
    return new ProgressBar(sizes)
  }

  update(path: string, progress: Progress): void {
    if (this.#sizes === null) return
    this.#taken.set(path, progress.taken)
    this.#draw(path)
  }

  /** All of a capture has been read. */
  done(path: string): void {
    if (this.#sizes === null) return
    this.#taken.delete(path)
    this.#finished += this.#sizes.get(path) ?? 0
    this.#draw(path)
  }

  stop(): void {
    this.#over = true
    this.#bar?.stop()
    this.#bar = null
  }

  #draw(path: string): void {
    if (this.#bar === null) {
      if (!this.#loading && Date.now() - this.#started > PATIENCE_MS) void this.#show()
      return
    }
    const taken = [...this.#taken.values()].reduce((sum, bytes) => sum + bytes, this.#finished)
    const seconds = (Date.now() - this.#started) / 1000
    this.#bar.setTotal(Math.max(this.#total, taken))
    this.#bar.update(taken, { file: path, rate: `${(taken / seconds / MEGABYTE).toFixed(0)} MB/s` })
  }

  /** Loaded when needed: most captures are read before a bar makes sense. */
  async #show(): Promise<void> {
    this.#loading = true
    const { default: cliProgress } = await import('cli-progress')
    if (this.#over) return
    const format = '{bar} {percentage} %  {rate}  {eta_formatted} left  {file}'
    this.#bar = new cliProgress.SingleBar({ format, clearOnComplete: true, hideCursor: true, stream: stderr })
    this.#bar.start(Math.max(1, this.#total), 0, { file: '', rate: '' })
  }
}
