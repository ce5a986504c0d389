import { type SpawnOptions, spawn } from 'node:child_process'
import { expect } from 'vitest'

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: Uint8Array
  readonly env?: NodeJS.ProcessEnv
  /** Given a stream's first bytes; true closes it, as `head` does. */
  readonly enough?: (text: string) => boolean
}

const COMMAND = 'bin/mig-phases.js'

/** Runs the command as built. Whatever happens, people never see a stack trace. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const env = { ...process.env, ...options.env }
  const spawnOptions: SpawnOptions = { env, stdio: ['pipe', 'pipe', 'pipe'] }
  const child = spawn(process.execPath, [COMMAND, ...args], spawnOptions)
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (options.enough?.(stdout) === true) child.stdout?.destroy()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // The command may stop reading before all was given.
  child.stdin?.on('error', () => {}).end(options.stdin ?? '')
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  expect(stderr, 'no stack trace').not.toMatch(/^ {4}at /m)
  expect(stderr, 'no warning of Node').not.toMatch(/\(node:\d+\)/)
  return { status, stdout, stderr }
}
