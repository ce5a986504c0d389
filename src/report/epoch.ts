import type { MigrationReport } from './model.ts'

/** First and last boundary of a migration's phases, seconds after the capture's first packet. Null without boundaries. */
export function boundsOf({
  phases,
}: MigrationReport): { readonly startS: number; readonly endS: number } | null {
  const times = phases.flatMap(({ start, end }) => [start.time_s, end.time_s]).filter((time) => time !== null)
  return times.length === 0 ? null : { startS: Math.min(...times), endS: Math.max(...times) }
}

/** Nanoseconds since 1970 of second 0 of the migration's times. `start_epoch_ns` is that of its first boundary, so that this holds
 *  for merged captures too. Null when no boundary is known. */
export function timeZeroNs(migration: MigrationReport): bigint | null {
  const bounds = boundsOf(migration)
  if (bounds === null || migration.start_epoch_ns === null) return null
  return BigInt(migration.start_epoch_ns) - nanoseconds(bounds.startS)
}

/** The model's seconds are whole nanoseconds divided: rounding gives them back. */
export function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9))
}
