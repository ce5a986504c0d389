import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Whether this machine has util-linux's `script`, which runs a command in a terminal of its own. */
export const HAS_TERMINAL =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true

/** What a line may take to appear on a busy machine. */
const PATIENCE_MS = 10_000

/** A command in a pseudo-terminal. What it is fed comes through a pipe, `<&3` to the command; keys are typed. */
export class Terminal {
  /** All that was printed, as the terminal got it. */
  output = ''
  readonly #child: ChildProcess
  readonly #closed: Promise<number | null>
  #tell: () => void = () => {}

  /** @param command for a shell; its exit status is this one's */
  constructor(command: string, { columns = 100 } = {}) {
    // The shell waits for the command also when a key interrupts it.
    const shell = `stty cols ${columns} rows 30; trap : INT; ${command}`
    this.#child = spawn('script', ['-qfec', shell, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
      env: { ...process.env, SHELL: '/bin/sh', TERM: 'xterm' },
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      this.#tell()
    })
    this.input.on('error', () => {})
    this.#closed = new Promise((resolve) => this.#child.on('close', resolve))
  }

  /** What the command reads as its file descriptor 3. */
  get input(): Writable {
    return this.#child.stdio[3] as Writable
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Until something was printed behind what had been looked for before.
   *  @returns where it is */
  async sees(text: string | RegExp, after = 0): Promise<number> {
    let over = false
    const late = setTimeout(() => this.#tell(), PATIENCE_MS)
    const deadline = Date.now() + PATIENCE_MS
    void this.#closed.then(() => {
      over = true
      this.#tell()
    })
    for (;;) {
      const rest = this.output.slice(after)
      const at = typeof text === 'string' ? rest.indexOf(text) : rest.search(text)
      if (at >= 0 || over || Date.now() >= deadline) {
        clearTimeout(late)
        if (at >= 0) return after + at
        throw new Error(
          `${over ? 'ended' : 'waited'} without ${text}: ${JSON.stringify(this.output.slice(-2000))}`,
        )
      }
      await new Promise<void>((resolve) => {
        this.#tell = resolve
      })
    }
  }

  /** @returns the exit status */
  async end(): Promise<number | null> {
    return await this.#closed
  }

  kill(): void {
    this.#child.kill()
  }
}
