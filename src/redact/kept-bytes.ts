/** Bytes that may be written, by their offset in a stream; all others are zero. Adjacent ones are kept together. */
export class KeptBytes {
  /** By offset, without overlap. */
  #runs: Run[] = []
  #size = 0

  /** What it holds, with what each run costs. */
  get size(): number {
    return this.#size + this.#runs.length * RUN_OVERHEAD
  }

  /** @param bytes copied */
  add(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const index = this.#indexBehind(offset)
    const before = this.#runs[index - 1]
    if (before !== undefined && before.offset + before.length === offset && before.length < RUN_SIZE_MAX) {
      this.#size += before.append(bytes)
      return
    }
    const run = new Run(offset, bytes)
    this.#size += run.capacity
    this.#runs.splice(index, 0, run)
  }

  /** Writes what is kept of `[offset, offset + size)` to `target[at …]`.
   *  @returns the number of bytes written */
  copy(offset: number, size: number, target: Uint8Array, at: number): number {
    let copied = 0
    for (let i = Math.max(0, this.#indexBehind(offset) - 1); i < this.#runs.length; i++) {
      const run = this.#runs[i] as Run // in range
      if (run.offset >= offset + size) break
      const from = Math.max(offset, run.offset)
      const to = Math.min(offset + size, run.offset + run.length)
      if (to <= from) continue
      target.set(run.bytes.subarray(from - run.offset, to - run.offset), at + from - offset)
      copied += to - from
    }
    return copied
  }

  /** Forgets the older half of what lies before an offset, or all of it. */
  forget(before: number): void {
    const end = Math.max(0, this.#indexBehind(before) - 1)
    if (end === 0) return
    for (const run of this.#runs.splice(0, Math.ceil(end / 2))) this.#size -= run.capacity
  }

  clear(): void {
    this.#runs = []
    this.#size = 0
  }

  /** The first run that starts behind `offset`. Most are asked for at the end. */
  #indexBehind(offset: number): number {
    const runs = this.#runs
    const last = runs[runs.length - 1]
    if (last === undefined || last.offset <= offset) return runs.length
    let low = 0
    let high = runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((runs[middle] as Run).offset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

const RUN_SIZE_MAX = 32 * 1024
const RUN_OVERHEAD = 96

class Run {
  readonly offset: number
  bytes: Uint8Array
  length: number

  constructor(offset: number, bytes: Uint8Array) {
    this.offset = offset
    this.bytes = bytes.slice()
    this.length = bytes.length
  }

  get capacity(): number {
    return this.bytes.length
  }

  /** @returns by how much the capacity grew */
  append(bytes: Uint8Array): number {
    const needed = this.length + bytes.length
    const before = this.capacity
    if (needed > before) {
      const larger = new Uint8Array(Math.max(needed, before * 2))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    this.bytes.set(bytes, this.length)
    this.length = needed
    return this.capacity - before
  }
}
