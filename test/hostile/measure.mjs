// Reads one capture with the program as built, in a process of its own, and tells what that took.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const MEMORY_MAX_MIB = 256
/** Done, not read, no migration in it. */
export const STATUSES = [0, 1, 4]

const COMMAND = fileURLToPath(new URL('../../bin/mig-phases.js', import.meta.url))
const USAGE = new URL('usage.mjs', import.meta.url).href

/** Files of that name with other endings are written beside the capture, and removed.
 *  @returns how it ended, `cpuSeconds` and `peakMiB` (null when it did not end by itself), and what is wrong with what it wrote */
export async function measure(capture, timeoutMs) {
  const [report, messages, usage] = ['json', 'err', 'usage'].map((ending) => `${capture}.${ending}`)
  const [stdout, stderr] = [openSync(report, 'w'), openSync(messages, 'w')]
  const env = { ...process.env, NODE_OPTIONS: `--import=${USAGE}`, USAGE_FILE: usage }
  const options = { env, stdio: ['ignore', stdout, stderr], timeout: timeoutMs, killSignal: 'SIGKILL' }
  const started = performance.now()
  const child = spawn(process.execPath, [COMMAND, capture, '--format', 'json'], options)
  const [status, signal] = await new Promise((resolve) => child.on('close', (...ended) => resolve(ended)))
  const seconds = (performance.now() - started) / 1000
  for (const file of [stdout, stderr]) closeSync(file)
  const took = read(usage, JSON.parse) ?? { cpuSeconds: null, peakMiB: null }
  const faults = faultsOf(status, signal, report, read(messages, String))
  for (const file of [report, messages, usage]) rmSync(file, { force: true })
  return { status, signal, seconds, ...took, faults }
}

function faultsOf(status, signal, report, messages) {
  const faults = []
  if (signal !== null) faults.push(`ended by ${signal}`)
  else if (!STATUSES.includes(status)) faults.push(`exit status ${status}`)
  if (/^ {4}at /m.test(messages)) faults.push('stack trace')
  if ((status === 0 || status === 4) && read(report, JSON.parse) === null) faults.push('no JSON')
  return faults
}

/** Null when there is no such file, or none that can be read so. */
function read(path, parse) {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
