import { InputError } from '../core/input-error.ts'
import { PING_LINE_MAX } from '../core/limits.ts'
import { beginsRun, PingLog } from '../phases/ping-log.ts'
import type { NamedPingLog } from '../phases/ping-match.ts'

export type { NamedPingLog }

import { openSource } from './source.ts'

/** Reads the output of `ping -D`, compressed with gzip or not; of several runs if they follow each other.
 *  @throws InputError when it cannot be read, or is no such output */
export async function readPingLog(path: string): Promise<NamedPingLog[]> {
  const source = await openSource(path)
  const logs = [new PingLog()]
  const decoder = new TextDecoder()
  let rest = ''
  for await (const block of source.blocks) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n')
    // A longer line is none of ping's: its end is not waited for.
    rest = (lines.pop() ?? '').slice(-PING_LINE_MAX - 1)
    for (const line of lines) {
      if (beginsRun(line) && (logs.at(-1)?.lines ?? 0) > 0) logs.push(new PingLog())
      logs.at(-1)?.line(line.trimEnd())
    }
  }
  const [first] = logs
  if (first?.lines === 0) throw new InputError(reasonOf(first))
  return logs.map((log) => ({ name: path, log }))
}

function reasonOf({ unstamped, target }: PingLog): string {
  if (unstamped) return 'has no time stamps: run ping with -D'
  return target === null ? 'is no output of ping -D' : 'holds no reply with a time stamp'
}
