import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatSeconds,
  printable,
  UNKNOWN,
} from './format.ts'
import type {
  ComparisonReport,
  EchoReport,
  MigrationReport,
  OrderReport,
  PhaseReport,
  StorageReport,
} from './model.ts'
import { sparkline } from './sparkline.ts'

/** What is to be said of a migration beside its tables, one line each, in the order of interest.
 *  @param pictured the throughput is shown in a better way than by a line of characters */
export function sentences(migration: MigrationReport, pictured = false): string[] {
  const { phases, mode, outcome, gaps, transfer, storage, order, openstack, downtime, hypervisor } = migration
  const lines = [
    ...reasonLines(phases),
    order === null ? null : orderText(order),
    inferredText(phases, mode.tls),
    gaps.length === 0 ? null : `Between phases: ${gaps.map(gapText).join('; ')}.`,
    dataText(transfer),
    pictured ? null : throughputText(transfer),
    storage === null ? null : storageText(storage),
    postCopyText(transfer.post_copy),
    openstack?.keystone_round_trip_s == null
      ? null
      : `Keystone: ${formatDuration(openstack.keystone_round_trip_s)} for a TCP handshake.`,
    downtimeText(downtime, outcome),
    hypervisor === null ? null : hypervisorText(hypervisor),
    downtime.icmp === null ? null : pingText(downtime.icmp),
  ]
  return lines.filter((line) => line !== null)
}

/** Why boundaries are missing; phases with the same reason share a line. */
function reasonLines(phases: readonly PhaseReport[]): string[] {
  const labels = new Map<string, string[]>()
  for (const { label, reason } of phases)
    if (reason !== null) labels.set(reason, [...(labels.get(reason) ?? []), label])
  return [...labels].map(([reason, sharing]) => `${sharing.join(', ')}: ${reason}.`)
}

function inferredText(phases: readonly PhaseReport[], tls: boolean): string | null {
  if (!phases.some(({ start, end }) => start.kind === 'inferred' || end.kind === 'inferred')) return null
  return tls
    ? '~ inferred from the lengths of TLS records: what libvirt said cannot be read.'
    : '~ inferred: this packet stands for a boundary that is not in the capture.'
}

function gapText(gap: MigrationReport['gaps'][number]): string {
  const what = gap.what === null ? '' : ` (${gap.what})`
  return `${formatDuration(gap.duration_s)} after ${gap.after}${what}`
}

function dataText(transfer: MigrationReport['transfer']): string | null {
  if (transfer.wire_bytes_to_destination === null) return null
  const parts = [
    `${formatBytes(transfer.wire_bytes_to_destination)} to the destination`,
    `${formatBitRate(transfer.throughput_mean_bps)} mean, ${formatBitRate(transfer.throughput_peak_bps)} peak`,
    transfer.pages === null ? 'pages could not be counted' : pagesText(transfer.pages),
    transfer.retransmitted_bytes === 0 ? null : `${formatBytes(transfer.retransmitted_bytes)} retransmitted`,
    transfer.missing_bytes === 0 ? null : `${formatBytes(transfer.missing_bytes)} not captured`,
  ]
  return `Data: ${joined(parts, '; ')}.`
}

function orderText({ client, start, end, duration_s }: OrderReport): string {
  // Where captures were merged, the numbers are those of the file that holds the packet.
  const packets = [start, end].map(({ packet, file }) =>
    file === null ? `${packet ?? UNKNOWN}` : `${packet ?? UNKNOWN} of ${printable(file)}`,
  )
  return `Ordered by ${client}: the source was at it for ${formatDuration(duration_s)} (packets ${packets.join(' … ')}).`
}

function pagesText(pages: NonNullable<MigrationReport['transfer']['pages']>): string {
  const kinds = [
    `${formatCount(pages.normal)} pages`,
    pages.compressed === 0 ? null : `${formatCount(pages.compressed)} compressed pages`,
    pages.xbzrle === 0 ? null : `${formatCount(pages.xbzrle)} XBZRLE pages`,
  ]
  return `${joined(kinds, ', ')} and ${formatCount(pages.zero)} zero pages`
}

/** Bins below which a picture says less than the mean. */
const PICTURE_BINS_MIN = 4

function throughputText({ throughput, throughput_peak_bps }: MigrationReport['transfer']): string | null {
  if (throughput === null || throughput.to_destination_bps.length < PICTURE_BINS_MIN) return null
  const bins = throughput.to_destination_bps
  const duration = formatDuration(bins.length * throughput.bin_s)
  return `Throughput: ${sparkline(bins)} 0 … ${formatBitRate(throughput_peak_bps)} over ${duration}.`
}

function storageText({ duration_s, payload_bytes, disks }: StorageReport): string {
  const duration = duration_s === null ? UNKNOWN : `${formatSeconds(duration_s)} s`
  const names = disks.map((disk) => {
    const zeroes = disk.zeroes_bytes === 0 ? '' : ` and ${formatBytes(disk.zeroes_bytes)} of zeroes`
    return `${printable(disk.export ?? 'a disk')} ${formatBytes(disk.written_bytes)}${zeroes}`
  })
  const list = names.length === 0 ? '' : `: ${names.join(', ')}`
  return `Storage: ${formatBytes(payload_bytes)} over NBD in ${duration}${list}.`
}

const PART_NAMES = {
  pre_copy: 'pre-copy',
  switch: 'switch',
  recovery: 'recovery',
  post_copy: 'post-copy',
} as const

function postCopyText(postCopy: MigrationReport['transfer']['post_copy']): string | null {
  if (postCopy === null) return null
  const parts = postCopy.parts.map(({ id, duration_s }) => `${PART_NAMES[id]} ${formatDuration(duration_s)}`)
  const { pages_after_switch: pages, bytes_after_switch: bytes, page_requests: requests } = postCopy
  const counted =
    pages === null ? '' : `${formatCount(pages.normal)} pages and ${formatCount(pages.zero)} zero pages, `
  return `Post-copy: ${parts.join(', ')}; ${counted}${formatBytes(bytes)} after the switch, ${formatCount(requests)} page requests.`
}

/** A migration that was not completed has none, which its outcome says. */
function downtimeText(
  downtime: MigrationReport['downtime'],
  outcome: MigrationReport['outcome'],
): string | null {
  const { best_s, lower_s, upper_s, method, hypervisor_s, reason } = downtime
  if (best_s === null) return outcome === 'completed' && reason !== null ? `Downtime: ${reason}.` : null
  if (method === 'hypervisor') return `Downtime: ${formatDuration(best_s)}, as the hypervisor reports it.`
  const by = method === 'icmp' ? 'the ping' : 'the packets'
  const bounds = `${formatDuration(lower_s)} … ${formatDuration(upper_s)}`
  const said = hypervisor_s === null ? '' : `; the hypervisor reports ${formatDuration(hypervisor_s)}`
  return `Downtime: ${formatDuration(best_s)} (${bounds}) by ${by}${said}.`
}

function pingText(icmp: EchoReport): string {
  const { target, vantage, sent, lost, interval_s, gap_s, lower_s, upper_s, file } = icmp
  const where = file === null ? '' : ` (${printable(file)})`
  if (lost === null) {
    const which = vantage === 'unknown' ? '' : ` (${vantage})`
    return `Ping of ${target}: this capture point does not see the losses${which}.`
  }
  const bounds = `${formatDuration(lower_s)} … ${formatDuration(upper_s)}`
  const asked = `${formatCount(lost)} lost of ${formatCount(sent)} at ${formatDuration(interval_s)} spacing`
  return `Ping of ${target}: ${asked}, gap ${formatDuration(gap_s)} (${bounds})${where}.`
}

/** What the hypervisor reports, and how far that is from what the packets show. The downtime has its own line. */
function hypervisorText({ comparison }: NonNullable<MigrationReport['hypervisor']>): string | null {
  const parts = comparison.map((each) => comparedText(each))
  const text = joined(parts, ', ')
  return text === '' ? null : `Hypervisor: reports ${text}.`
}

function comparedText({ what, reported, difference }: ComparisonReport): string | null {
  if (reported === null) return null
  const against = (text: (value: number) => string): string =>
    difference === null ? '' : difference === 0 ? ' (as on the wire)' : ` (${signed(difference, text)})`
  switch (what) {
    case 'downtime_s':
      return null
    case 'setup_s':
      return `${formatDuration(reported)} setup${against(formatDuration)}`
    case 'elapsed_s':
      return `${formatDuration(reported)} elapsed${against(formatDuration)}`
    case 'normal_pages':
      return `${formatCount(reported)} pages${against(formatCount)}`
    case 'zero_pages':
      return `${formatCount(reported)} zero pages${against(formatCount)}`
    case 'memory_bytes':
      return `${formatBytes(reported)}${against(formatBytes)}`
    case 'iterations':
      return `${formatCount(reported)} iterations${against(formatCount)}`
    case 'throttle_percent':
      return reported === 0 ? null : `throttled by ${reported} %`
  }
}

function signed(difference: number, text: (value: number) => string): string {
  return `${difference < 0 ? '−' : '+'}${text(Math.abs(difference))}`
}

function joined(parts: readonly (string | null)[], separator: string): string {
  return parts.filter((part) => part !== null).join(separator)
}
