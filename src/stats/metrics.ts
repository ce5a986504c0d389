/** What is measured of every migration, in the order of tables. `part`: belongs to the parts that the total migration time
 *  is made of. The phases and their labels are those of `phases/phase.ts`.
 *  @see the output contract, section 3 */
export const METRICS = [
  { id: 'auth', label: 'Authentication', unit: 's', part: true },
  { id: 'init', label: 'Initialization', unit: 's', part: true },
  { id: 'remote_connect', label: 'Remote connect', unit: 's', part: true },
  { id: 'prepare', label: 'Preparation', unit: 's', part: true },
  { id: 'transfer', label: 'Transfer', unit: 's', part: true },
  { id: 'finish', label: 'Finish', unit: 's', part: true },
  { id: 'cleanup', label: 'Cleanup', unit: 's', part: true },
  { id: 'post_migration', label: 'Post-migration', unit: 's', part: true },
  { id: 'libvirt_migration_time', label: 'Migration time (libvirt)', unit: 's', part: false },
  { id: 'total_migration_time', label: 'Total migration time', unit: 's', part: false },
  { id: 'downtime', label: 'Downtime', unit: 's', part: false },
  { id: 'wire_bytes', label: 'Data on the wire', unit: 'B', part: false },
  { id: 'unattributed', label: 'Unattributed', unit: 's', part: true },
] as const

export type MetricId = (typeof METRICS)[number]['id']
