import type { MigrationReport } from './model.ts'

/** The lines below the phases of a migration: label and seconds. */
export function totals(migration: MigrationReport): [string, number | null][] {
  const rows: [string, number | null][] = [
    ['Migration time (libvirt)', migration.libvirt_migration_time_s],
    ['Total migration time', migration.total_migration_time_s],
    ['Unattributed', migration.unattributed_s],
  ]
  // Where there is no libvirt migration time, the connection's is what is known.
  if (migration.libvirt_migration_time_s === null && migration.libvirt_connection_time_s !== null)
    rows.splice(1, 0, ['libvirt connection', migration.libvirt_connection_time_s])
  return rows
}
