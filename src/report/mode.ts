import { MIGRATE_FLAG, migrateFlagNames } from '../events/migrate-flags.ts'
import type { Migration } from '../phases/migration.ts'
import type { ModeReport } from './model.ts'

const UNKNOWN_MODE: ModeReport = {
  memory: null,
  live: null,
  peer2peer: null,
  tunnelled: false,
  post_copy: null,
  paused: null,
  bandwidth_limit_mib_s: null,
  multifd_channels: 0,
  storage: null,
  tls: false,
  compression: null,
  flags: null,
}

/** The kind of migration that the prepare call asked for, and what the packets show of it. */
export function describeMode(migration: Migration | null): ModeReport {
  if (migration === null) return UNKNOWN_MODE
  const { flags } = migration
  const has = (name: keyof typeof MIGRATE_FLAG): boolean | null =>
    flags === null ? null : (flags & MIGRATE_FLAG[name]) !== 0
  return {
    memory: memoryOf(migration, has),
    live: has('LIVE'),
    peer2peer: has('PEER2PEER'),
    tunnelled: migration.tunnelled,
    post_copy: has('POSTCOPY'),
    paused: has('PAUSED'),
    bandwidth_limit_mib_s: migration.bandwidth,
    multifd_channels: channelsOf(migration, has('PARALLEL')),
    storage: storageOf(migration, has('NON_SHARED_DISK') || has('NON_SHARED_INC')),
    tls: migration.encrypted || has('TLS') === true,
    compression: compressionOf(migration, has('COMPRESSED')),
    flags: flags === null ? null : migrateFlagNames(flags),
  }
}

function memoryOf(
  { postCopied, stream }: Migration,
  has: (name: keyof typeof MIGRATE_FLAG) => boolean | null,
): ModeReport['memory'] {
  if (postCopied) return 'post-copy'
  if (has('OFFLINE') === true) return 'none'
  if (has('LIVE') === false) return 'stop-and-copy'
  return has('LIVE') === true || (stream?.rounds ?? 0) > 1 ? 'pre-copy' : null
}

/** The channels that said what they are; under TLS, all connections but the main one. */
function channelsOf({ channels, memory }: Migration, flag: boolean | null): number {
  if (channels.size > 0) return channels.size
  return flag === true ? Math.max(0, memory.length - 1) : 0
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
  for (const channel of migration.channels.values())
    if (channel !== null && channel.compression !== null) return channel.compression
  return flag === true ? 'xbzrle' : null
}
