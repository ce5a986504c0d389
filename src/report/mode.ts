import type { Migration } from '../phases/migration.ts'
import type { ModeReport } from './model.ts'

/** virDomainMigrateFlags, by bit. @see libvirt include/libvirt/libvirt-domain.h */
const FLAG_NAMES = [
  'LIVE',
  'PEER2PEER',
  'TUNNELLED',
  'PERSIST_DEST',
  'UNDEFINE_SOURCE',
  'PAUSED',
  'NON_SHARED_DISK',
  'NON_SHARED_INC',
  'CHANGE_PROTECTION',
  'UNSAFE',
  'OFFLINE',
  'COMPRESSED',
  'ABORT_ON_ERROR',
  'AUTO_CONVERGE',
  'RDMA_PIN_ALL',
  'POSTCOPY',
  'TLS',
  'PARALLEL',
  'NON_SHARED_SYNCHRONOUS_WRITES',
  'POSTCOPY_RESUME',
  'ZEROCOPY',
] as const

type FlagName = (typeof FLAG_NAMES)[number]

/** The kind of migration that the prepare call asked for, and what the packets show of it. */
export function describeMode(migration: Migration): ModeReport {
  const { flags } = migration
  const has = (name: FlagName): boolean | null =>
    flags === null ? null : (flags & (1 << FLAG_NAMES.indexOf(name))) !== 0
  return {
    live: has('LIVE'),
    peer2peer: has('PEER2PEER'),
    tunnelled: migration.tunnelled,
    post_copy: has('POSTCOPY'),
    multifd_channels: has('PARALLEL') === true ? Math.max(0, migration.memory.length - 1) : 0,
    storage: storageOf(migration, has('NON_SHARED_DISK') || has('NON_SHARED_INC')),
    tls: migration.encrypted || has('TLS') === true,
    compression: compressionOf(migration, has('COMPRESSED')),
    flags: flags === null ? null : flagNames(flags),
  }
}

export function flagNames(flags: number): string[] {
  const names: string[] = []
  for (let bit = 0; bit < 32; bit++) {
    if (((flags >>> bit) & 1) === 1) names.push(FLAG_NAMES[bit] ?? `0x${(2 ** bit).toString(16)}`)
  }
  return names
}

function storageOf(migration: Migration, copied: boolean | null): ModeReport['storage'] {
  if (migration.storage.length > 0 || migration.nbdPort !== null) return 'nbd'
  if ((migration.stream?.storageBytes ?? 0) > 0) return 'stream'
  if (copied === null) return null
  return copied ? 'copied' : 'shared'
}

/** XBZRLE is what the flag means when no method is named. @see virDomainMigrateFlags, VIR_MIGRATE_COMPRESSED */
function compressionOf(migration: Migration, flag: boolean | null): string | null {
  if (migration.compression.length > 0) return migration.compression.join('+')
  return flag === true ? 'xbzrle' : null
}
