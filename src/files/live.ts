import { stdin } from 'node:process'
import { InputError } from '../core/input-error.ts'
import { type Analysis, Analyzer, type RunFacts } from '../pipeline/analyzer.ts'
import type { MigrationReport } from '../report/model.ts'
import type { Followed } from '../report/running.ts'
import { endOf } from './analyze.ts'
import { openSource, type Source } from './source.ts'

/** How often it is looked how things stand: what a person can follow. */
const LOOK_MS = 100
/** Shorter pauses of the input are no silence. */
const SILENCE_MS = 1000
/** After a request to stop, the program that captures may still hand over what it holds, and end by itself: it is waited for as
 *  long as bytes come, but not forever, as it may not have been asked. */
const DRAIN_PAUSE_MS = 1000
const DRAIN_MAX_MS = 5000

/** How a live run stands. */
export interface LiveState extends Followed {
  readonly packets: number
  /** Nanoseconds since the last bytes came, by this machine's clock; 0 while they keep coming. */
  readonly silenceNs: number
}

export interface LiveOptions extends RunFacts {
  /** A request to stop: what is known then is the report. */
  readonly signal: AbortSignal
  /** Given migrations that are over, once each, as long as the input goes on. */
  readonly finished: (migrations: readonly MigrationReport[]) => Promise<void>
  /** Called some times a second. */
  readonly look: (state: LiveState) => void
}

/** Analyses a capture on standard input while it is written, until it ends or somebody asks to stop.
 *  @returns what had not been given to `finished` before
 *  @throws InputError when it cannot be read or is no capture */
export async function analyzeStandardInput(options: LiveOptions): Promise<Analysis> {
  if (stdin.isTTY)
    throw new InputError('is a terminal: pipe a capture into it (tcpdump -U -w - | mig-phases -)')
  const run = new LiveRun(options)
  try {
    return await run.toEnd()
  } finally {
    // Whoever is asked to stop does not wait for bytes that may never come.
    stdin.destroy()
  }
}

class LiveRun {
  readonly #options: LiveOptions
  #source: Source | null = null
  #analyzer: Analyzer | null = null
  /** When the last bytes came. */
  #heardMs = performance.now()
  /** When somebody asked to stop. */
  #askedMs = Number.POSITIVE_INFINITY
  #stopped = false
  /** Migrations are handed over one after the other. */
  #handing: Promise<void> = Promise.resolve()
  #handedOver = true

  constructor(options: LiveOptions) {
    this.#options = options
  }

  async toEnd(): Promise<Analysis> {
    const { signal } = this.#options
    let look: NodeJS.Timeout | undefined
    if (signal.aborted) this.#askedMs = performance.now()
    signal.addEventListener('abort', () => {
      this.#askedMs = performance.now()
    })
    const stop = new Promise<void>((resolve, reject) => {
      look = setInterval(() => {
        if (this.#isDrained()) resolve()
        else this.#look().catch(reject)
      }, LOOK_MS)
    })
    try {
      await Promise.race([this.#read(), stop])
    } finally {
      this.#stopped = true
      clearInterval(look)
    }
    await this.#handing
    if (this.#analyzer === null || this.#source === null) return new Analyzer().end()
    return endOf(this.#analyzer, this.#source)
  }

  #isDrained(): boolean {
    const now = performance.now()
    const pause = now - Math.max(this.#heardMs, this.#askedMs)
    return pause >= DRAIN_PAUSE_MS || now - this.#askedMs >= DRAIN_MAX_MS
  }

  async #read(): Promise<void> {
    this.#source = await openSource('-')
    const { compression, blocks } = this.#source
    this.#analyzer = new Analyzer({ ...this.#options, name: '-', compression })
    for await (const block of blocks) {
      if (this.#stopped) return
      this.#heardMs = performance.now()
      // Buffers of Node are Uint8Arrays of another shape; one shape keeps the packet path monomorphic.
      this.#analyzer.push(new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
      await this.#handOver(this.#analyzer, 0)
    }
  }

  /** On a silent wire, time passes by this machine's clock. */
  async #look(): Promise<void> {
    const silenceMs = performance.now() - this.#heardMs
    const silenceNs = silenceMs < SILENCE_MS ? 0 : silenceMs * 1e6
    const analyzer = this.#analyzer
    if (analyzer === null) {
      this.#options.look({ migrations: [], latestNs: 0, packets: 0, silenceNs })
      return
    }
    // While a reader of the report holds it up, nothing is known of the wire.
    if (silenceNs > 0 && this.#handedOver) await this.#handOver(analyzer, silenceNs)
    this.#options.look({ ...analyzer.followed, packets: analyzer.packets, silenceNs })
  }

  async #handOver(analyzer: Analyzer, silenceNs: number): Promise<void> {
    // A log of pings is that of the only migration at its time, which the end alone tells.
    if ((this.#options.pings ?? []).length > 0) return
    const migrations = analyzer.take(silenceNs)
    if (migrations.length === 0) return
    this.#handedOver = false
    this.#handing = this.#handing.then(() => this.#options.finished(migrations))
    await this.#handing
    this.#handedOver = true
  }
}
