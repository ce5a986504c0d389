import type { Migration } from '../phases/migration.ts'
import type {
  ComparisonReport,
  DowntimeReport,
  HypervisorReport,
  RoundReport,
  TransferReport,
} from './model.ts'

/** Holds what the hypervisor reports against what the packets show. */
export function compareWithHypervisor(
  migration: Migration,
  hypervisor: Omit<HypervisorReport, 'comparison'>,
  transfer: TransferReport,
  downtime: DowntimeReport,
): ComparisonReport[] {
  const { rounds } = transfer
  const pages = pagesOf(migration, transfer)
  const first = rounds?.[0]
  return [
    row('downtime_s', downtime.hypervisor_s, downtime.stream.duration_s),
    row('setup_s', inSeconds(hypervisor.setup_time_ms), setupTime(migration, first)),
    row('elapsed_s', inSeconds(hypervisor.time_elapsed_ms), elapsedTime(migration, downtime)),
    row('normal_pages', hypervisor.memory_normal_pages, pages?.normal ?? null),
    row('zero_pages', hypervisor.memory_constant_pages, pages?.zero ?? null),
    row('memory_bytes', hypervisor.memory_processed_bytes, memoryBytes(transfer)),
    row('iterations', hypervisor.memory_iterations, rounds?.length ?? null),
    row('throttle_percent', hypervisor.auto_converge_throttle, null),
  ].filter(({ reported }) => reported !== null)
}

function row(
  what: ComparisonReport['what'],
  reported: number | null,
  observed: number | null,
): ComparisonReport {
  const difference = reported === null || observed === null ? null : reported - observed
  return { what, reported, observed, difference }
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}

/** libvirt reads QEMU's counters when pre-copy is over. */
function pagesOf(
  { postCopied }: Migration,
  { pages, rounds }: TransferReport,
): { readonly normal: number; readonly zero: number } | null {
  if (!postCopied) return pages
  if (rounds === null) return null
  return {
    normal: rounds.reduce((sum, round) => sum + round.normal_pages, 0),
    zero: rounds.reduce((sum, round) => sum + round.zero_pages, 0),
  }
}

/** QEMU counts until the guest is switched. */
function memoryBytes({ payload_bytes, post_copy }: TransferReport): number | null {
  return payload_bytes === null ? null : payload_bytes - (post_copy?.bytes_after_switch ?? 0)
}

/** From the stream's first byte to its first page. */
function setupTime({ machine }: Migration, first: RoundReport | undefined): number | null {
  const header = machine.intervals.get('transfer')?.markers.get('qemu.header')?.at
  return header === undefined || first === undefined ? null : first.start_s - header.timeNs / 1e9
}

/** libvirt's job begins right before it connects, and ends when the guest runs at the destination. */
function elapsedTime({ machine }: Migration, { stream }: DowntimeReport): number | null {
  const start = machine.intervals.get('remote_connect')?.start?.at
  return start === undefined || stream.end === null ? null : stream.end.time_s - start.timeNs / 1e9
}
