import type { Connection, Totals } from '../events/connection.ts'
import { intervalsOf, type JoinedMigration } from '../phases/join.ts'
import type { Migration } from '../phases/migration.ts'
import { NOVA_PHASES, PHASES } from '../phases/phase.ts'
import type { TrafficReport } from './model.ts'

type Row = Pick<TrafficReport, 'phase' | 'protocol' | 'direction'>
type Bytes = Pick<TrafficReport, 'wire_bytes' | 'payload_bytes'>

/** Sums by phase, protocol and direction, in the order in which rows were first met. */
class Sums {
  readonly rows = new Map<string, TrafficReport>()

  add(row: Row, bytes: { readonly wireBytes: number; readonly payloadBytes: number }): void {
    const key = `${row.phase} ${row.protocol} ${row.direction}`
    const known: Bytes = this.rows.get(key) ?? { wire_bytes: 0, payload_bytes: 0 }
    this.rows.set(key, {
      ...row,
      wire_bytes: known.wire_bytes + bytes.wireBytes,
      payload_bytes: known.payload_bytes + bytes.payloadBytes,
    })
  }

  addBoth(row: Omit<Row, 'direction'>, { toServer, toClient }: Totals): void {
    this.add({ ...row, direction: 'to_server' }, toServer)
    this.add({ ...row, direction: 'to_client' }, toClient)
  }
}

/** What passed for a migration, by phase, protocol and direction. A connection that carries memory belongs to the transfer with
 *  all of its packets, one that carries disks to the storage copy; libvirt's own is divided at the boundaries of its phases;
 *  messages of OpenStack belong to the phase in which they begin, and to none where that is not one of Nova's. */
export function describeTraffic(migration: JoinedMigration): TrafficReport[] {
  const sums = new Sums()
  addMessages(migration, sums)
  if (migration.libvirt !== null) addLibvirt(migration.libvirt, sums)
  const rows = [...sums.rows.values()].filter(({ wire_bytes }) => wire_bytes > 0)
  return rows.sort((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase))
}

/** The storage copy comes before the transfer; what lies between phases comes last. */
const ORDER: readonly TrafficReport['phase'][] = [
  ...PHASES.flatMap(({ id }) => (id === 'transfer' ? (['storage', id] as const) : [id])),
  null,
]

function addMessages(migration: JoinedMigration, sums: Sums): void {
  const intervals = intervalsOf(migration)
  for (const message of migration.nova?.messages ?? []) {
    const phase = NOVA_PHASES.find((id) => {
      const { start, end } = intervals.get(id) ?? {}
      const begun = start && start.at.packet <= message.packet
      return begun && (!end || message.packet <= end.at.packet)
    })
    const direction = message.direction === 'to-server' ? 'to_server' : 'to_client'
    sums.add({ phase: phase ?? null, protocol: message.protocol, direction }, message)
  }
}

function addLibvirt(migration: Migration, sums: Sums): void {
  const { rpc, books, memory, storage, channels, encrypted, tunnelled, machine } = migration
  if (rpc !== null && books !== null) {
    const protocol = encrypted ? 'libvirt-tls' : 'libvirt'
    for (const [phase, bytes] of books.byPhase(machine.intervals, tunnelled))
      sums.addBoth({ phase, protocol: phase === 'transfer' ? 'libvirt-stream' : protocol }, bytes)
  }
  for (const connection of storage) sums.addBoth({ phase: 'storage', protocol: 'nbd' }, totalsOf(connection))
  for (const connection of memory) {
    const protocol = channels.has(connection) ? 'multifd' : 'qemu-migration'
    sums.addBoth({ phase: 'transfer', protocol }, totalsOf(connection))
  }
}

function totalsOf({ toServer, toClient }: Connection): Totals {
  return { toServer, toClient }
}
