/** virDomainMigrateFlags, without their VIR_MIGRATE_ prefix. @see libvirt include/libvirt/libvirt-domain.h */
export const MIGRATE_FLAG = {
  LIVE: 0x1,
  PEER2PEER: 0x2,
  TUNNELLED: 0x4,
  PERSIST_DEST: 0x8,
  UNDEFINE_SOURCE: 0x10,
  PAUSED: 0x20,
  NON_SHARED_DISK: 0x40,
  NON_SHARED_INC: 0x80,
  CHANGE_PROTECTION: 0x100,
  UNSAFE: 0x200,
  OFFLINE: 0x400,
  COMPRESSED: 0x800,
  ABORT_ON_ERROR: 0x1000,
  AUTO_CONVERGE: 0x2000,
  RDMA_PIN_ALL: 0x4000,
  POSTCOPY: 0x8000,
  TLS: 0x10000,
  PARALLEL: 0x20000,
  NON_SHARED_SYNCHRONOUS_WRITES: 0x40000,
  POSTCOPY_RESUME: 0x80000,
  ZEROCOPY: 0x100000,
} as const

/** Names of the bits that are set, lowest first; a bit without a name appears as its hex value. */
export function migrateFlagNames(flags: number): readonly string[] {
  const names: string[] = []
  const byBit = new Map<number, string>(Object.entries(MIGRATE_FLAG).map(([name, bit]) => [bit, name]))
  // Division, not shifts: the protocol-3 calls carry 64 bits.
  for (let bit = 1, rest = flags; rest >= 1; bit *= 2, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) names.push(byBit.get(bit) ?? `0x${bit.toString(16)}`)
  }
  return names
}
