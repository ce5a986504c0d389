import { stderr } from 'node:process'
import type { SingleBar } from 'cli-progress'
import type { Progress } from '../files/analyze.ts'

/** Input that is read faster than this needs no progress bar. */
const PATIENCE_MS = 1000

/** A progress bar on standard error, when that is a terminal and the input takes a while. */
export class ProgressBar {
  readonly #enabled: boolean
  readonly #started = Date.now()
  #bar: SingleBar | null = null
  #loading = false
  #over = false

  constructor(enabled: boolean) {
    this.#enabled = enabled && stderr.isTTY === true
  }

  update(file: string, progress: Progress): void {
    if (!this.#enabled) return
    if (this.#bar !== null) {
      this.#bar.setTotal(progress.size ?? progress.taken)
      this.#bar.update(progress.taken, { file, packets: progress.packets.toLocaleString('en-US') })
    } else if (!this.#loading && Date.now() - this.#started > PATIENCE_MS) void this.#show()
  }

  stop(): void {
    this.#over = true
    this.#bar?.stop()
    this.#bar = null
  }

  /** Loaded when needed: most captures are read before a bar makes sense. */
  async #show(): Promise<void> {
    this.#loading = true
    const { default: cliProgress } = await import('cli-progress')
    if (this.#over) return
    const format = '{bar} {percentage} %  {packets} packets  {file}'
    this.#bar = new cliProgress.SingleBar({ format, clearOnComplete: true, hideCursor: true, stream: stderr })
    this.#bar.start(1, 0, { file: '', packets: '0' })
  }
}
