// Loaded into a process before all else: when it is over, writes what it took to the file that USAGE_FILE names.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** Linux counts into the maximum of `resourceUsage` what the parent had before this program was loaded into the process. */
function peakMiB() {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kib !== undefined) return Number(kib) / 1024
  } catch {}
  return process.resourceUsage().maxRSS / 1024
}

if (isMainThread && process.env.USAGE_FILE !== undefined)
  process.on('exit', () => {
    const { user, system } = process.cpuUsage()
    writeFileSync(
      process.env.USAGE_FILE,
      JSON.stringify({ peakMiB: peakMiB(), cpuSeconds: (user + system) / 1e6 }),
    )
  })
