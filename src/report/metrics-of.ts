import type { Run } from '../stats/group.ts'
import type { MigrationReport } from './model.ts'

/** What statistics need of a migration. */
export function runOf(migration: MigrationReport): Run {
  const { factors, outcome, phases, downtime, transfer } = migration
  const durations = Object.fromEntries(phases.map(({ id, duration_s }) => [id, duration_s]))
  return {
    factors,
    outcome,
    metrics: {
      ...durations,
      libvirt_migration_time: migration.libvirt_migration_time_s,
      total_migration_time: migration.total_migration_time_s,
      downtime: downtime.best_s,
      wire_bytes: transfer.wire_bytes,
      unattributed: migration.unattributed_s,
    },
  }
}
