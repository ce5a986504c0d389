import { better, windowOf } from './echo.ts'
import type { EchoDowntime } from './echo-figures.ts'
import { measureEcho } from './echo-figures.ts'
import type { Exchange } from './echo-ring.ts'
import type { Migration } from './migration.ts'
import type { PingLog } from './ping-log.ts'

/** A log with what the report calls it: a file's path. */
export interface NamedPingLog {
  readonly name: string
  readonly log: PingLog
}

/** Measures each migration by the logs of clients that pinged its guest at that time. The address tells the guest, where
 *  the capture shows whose it is; else a log is that of the only migration at its time. A capture that itself saw what was
 *  lost stands.
 *  @param startEpochNs nanoseconds since 1970 of time zero */
export function applyPingLogs(
  migrations: readonly Migration[],
  logs: readonly NamedPingLog[],
  startEpochNs: bigint,
): void {
  for (const { name, log } of logs) {
    if (log.baseSeconds === null) continue
    const shiftNs = Number(BigInt(log.baseSeconds) * 1_000_000_000n - startEpochNs)
    for (const migration of guestsOf(migrations, log, shiftNs)) {
      const figures = byLog(migration, log, shiftNs)
      if (figures !== null) migration.echo = better(migration.echo, { ...figures, file: name })
    }
  }
}

/** The migrations that a log may tell of. */
function guestsOf(migrations: readonly Migration[], log: PingLog, shiftNs: number): Migration[] {
  const around = migrations.filter((migration) => windowed(migration, log, shiftNs).length > 0)
  const named = around.filter(({ addresses }) => log.target !== null && addresses.has(log.target))
  if (named.length > 0) return named
  const [only] = around
  return around.length === 1 && only !== undefined && only.addresses.size === 0 ? [only] : []
}

/** The requests around a migration, on the capture's clock. */
function windowed(migration: Migration, log: PingLog, shiftNs: number): Exchange[] {
  const window = windowOf(migration)
  if (window === null) return []
  return log.between(window.fromNs - shiftNs, window.toNs - shiftNs).map((exchange) => ({
    sequence: exchange.sequence,
    sentNs: exchange.sentNs === null ? null : exchange.sentNs + shiftNs,
    replyNs: exchange.replyNs === null ? null : exchange.replyNs + shiftNs,
  }))
}

/** Null when the client did not see the guest answer on both sides of the gap. */
function byLog(migration: Migration, log: PingLog, shiftNs: number): Omit<EchoDowntime, 'file'> | null {
  const span = windowOf(migration)?.span
  if (span === undefined) return null
  const figures = measureEcho(windowed(migration, log, shiftNs), span, 0)
  if (figures === null || figures.lost === null) return null
  return { ...figures, target: log.target ?? '', source: 'ping-log' }
}
