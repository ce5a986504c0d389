/** The phases, in the order of tables and reports. @see the output contract, section 1 */
export const PHASES = [
  { id: 'auth', label: 'Authentication' },
  { id: 'init', label: 'Initialization' },
  { id: 'remote_connect', label: 'Remote connect' },
  { id: 'prepare', label: 'Preparation' },
  { id: 'transfer', label: 'Transfer' },
  { id: 'finish', label: 'Finish' },
  { id: 'cleanup', label: 'Cleanup' },
  { id: 'post_migration', label: 'Post-migration' },
] as const

export type PhaseId = (typeof PHASES)[number]['id']

/** The phases of a migration that libvirt runs by itself. */
export const LIBVIRT_PHASES = ['remote_connect', 'prepare', 'transfer', 'finish', 'cleanup'] as const

/** The phases that Nova adds around them. */
export const NOVA_PHASES = ['auth', 'init', 'post_migration'] as const

/** Intervals that are measured without being phases; `nova` holds inner instants that lie in no phase. */
export type IntervalId = PhaseId | 'storage' | 'nova'
