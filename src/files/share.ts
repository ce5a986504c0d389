/** Captures that may be done before an earlier one: a large one among thousands of small ones holds up the results of no more. */
const AHEAD_MAX = 256

/** Cells of the shared memory: captures that were taken, and captures whose results were handed on. */
const TAKEN = 0
const HANDED_ON = 1

/** What is left of a batch, in memory that all its threads share: each takes the next capture by itself. Where one of them handed
 *  captures out, the others waited for it while it read its own. */
export class Share {
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly #count: number

  /** @param count captures of the batch @param cells those of the share that another thread has made */
  constructor(
    count: number,
    cells: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(8)),
  ) {
    this.#count = count
    this.cells = cells
  }

  /** The place of the next capture; null when all are taken, or nobody waits for results any more. */
  take(): number | null {
    for (;;) {
      const handedOn = this.#handedOn
      const place = this.#next(handedOn)
      if (place !== 'later') return place
      Atomics.wait(this.cells, HANDED_ON, handedOn)
    }
  }

  /** The same in a thread that must not be blocked. */
  async taken(): Promise<number | null> {
    for (;;) {
      const handedOn = this.#handedOn
      const place = this.#next(handedOn)
      if (place !== 'later') return place
      await Atomics.waitAsync(this.cells, HANDED_ON, handedOn).value
    }
  }

  /** The results of one more capture were handed on. */
  handOn(): void {
    Atomics.add(this.cells, HANDED_ON, 1)
    Atomics.notify(this.cells, HANDED_ON)
  }

  /** Nobody waits for results any more. */
  stop(): void {
    Atomics.store(this.cells, TAKEN, this.#count)
    this.handOn()
  }

  get #handedOn(): number {
    return Atomics.load(this.cells, HANDED_ON)
  }

  /** @param handedOn as it was when it was looked at: who waits, waits for it to change since then */
  #next(handedOn: number): number | null | 'later' {
    for (;;) {
      const taken = Atomics.load(this.cells, TAKEN)
      if (taken >= this.#count) return null
      if (taken - handedOn >= AHEAD_MAX) return 'later'
      if (Atomics.compareExchange(this.cells, TAKEN, taken, taken + 1) === taken) return taken
    }
  }
}
