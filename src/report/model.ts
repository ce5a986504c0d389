import type { Diagnostic } from '../core/diagnostic.ts'
import type { Vantage } from '../phases/echo-figures.ts'
import type { Outcome } from '../phases/outcome.ts'
import type { PhaseId } from '../phases/phase.ts'
import type { Description } from '../stats/describe.ts'

/** The document of `--format json`. Units are in the names; unknown is null, never 0. Times named `time_s`, `start_s`
 *  and `end_s` are seconds after the capture's first packet.
 *  @see docs/schema/report-1.schema.json */
export interface Report {
  readonly schema: string
  readonly tool: { readonly name: 'mig-phases'; readonly version: string }
  readonly captures: readonly CaptureReport[]
  readonly migrations: readonly MigrationReport[]
  /** Whenever there is more than one migration. */
  readonly groups?: readonly GroupReport[]
}

/** Migrations with the same levels of the factors that groups are made by. */
export interface GroupReport {
  readonly key: Readonly<Record<string, string | null>>
  /** All of the group, whatever their outcome. */
  readonly migrations: number
  /** Those that did not complete. They count in no figure. */
  readonly failed: number
  readonly metrics: readonly MetricReport[]
}

/** One metric of a group, over the completed migrations of which it is known. `outliers` are places in the list of migrations.
 *  @see docs/statistics.md */
export interface MetricReport extends Description {
  readonly id: string
  readonly label: string
  readonly unit: string
  /** A fraction of the total migration time; null for what is no part of it. */
  readonly share_of_total: number | null
}

export interface CaptureReport {
  readonly file: string
  readonly format: 'pcap' | 'pcapng' | 'dpmi'
  /** How the file was compressed; null when it was not. */
  readonly compression: string | null
  /** LINKTYPE names; a number where the name is not known. */
  readonly link_types: readonly string[]
  readonly packets: number
  /** Size of the capture, decompressed. */
  readonly bytes: number
  /** Sum of the frames' lengths on the wire. */
  readonly wire_bytes: number
  /** Sum of what was kept of the frames. */
  readonly captured_bytes: number
  /** Nanoseconds since 1970 of the first packet; text, because a double cannot hold it. Null without packets. */
  readonly start_epoch_ns: string | null
  /** The same of the earliest stamp and of the latest, which differ from those of the first packet and the last where stamps run
   *  backwards. */
  readonly earliest_epoch_ns: string | null
  readonly latest_epoch_ns: string | null
  /** Latest stamp less the earliest. */
  readonly duration_s: number
  /** What the capturing machine says it dropped; null when the file does not say. */
  readonly dropped_packets: number | null
  /** What was added to the stamps when captures were merged; null for a single one. */
  readonly clock_offset_s: number | null
  /** How far that offset may be off; null when it was given, or nothing could be compared. */
  readonly clock_offset_spread_s: number | null
  readonly diagnostics: readonly Diagnostic[]
}

/** An instant with its proof. A `missing` one has nulls. */
export interface Boundary {
  /** As Wireshark counts. */
  readonly packet: number | null
  /** The capture that holds the packet, where several were merged; null for a single one. */
  readonly file: string | null
  readonly time_s: number | null
  readonly kind: 'observed' | 'inferred' | 'missing'
  readonly rule: string | null
}

export interface Marker {
  readonly id: string
  readonly packet: number
  readonly file: string | null
  readonly time_s: number
}

export interface PhaseReport {
  readonly id: PhaseId
  readonly label: string
  readonly duration_s: number | null
  readonly start: Boundary
  readonly markers: readonly Marker[]
  readonly end: Boundary
  /** Why a boundary is missing; null when none is. */
  readonly reason: string | null
}

export interface Gap {
  readonly after: PhaseId
  readonly before: PhaseId
  readonly duration_s: number
  /** What happened in it, where that is known. */
  readonly what: string | null
}

export interface ModeReport {
  /** How the memory goes over: while the guest runs, after it was switched to the destination, with the guest stopped
   *  throughout, or not at all (the guest is shut off). Null when neither flags nor stream tell. */
  readonly memory: 'pre-copy' | 'post-copy' | 'stop-and-copy' | 'none' | null
  readonly live: boolean | null
  readonly peer2peer: boolean | null
  readonly tunnelled: boolean
  /** Allowed by the call; whether it came to that, `memory` says. */
  readonly post_copy: boolean | null
  /** The guest is paused at the destination, as it was at the source, or as asked for. */
  readonly paused: boolean | null
  /** Asked for, MiB/s; null when nothing was. */
  readonly bandwidth_limit_mib_s: number | null
  readonly multifd_channels: number
  /** `shared`: not copied; `nbd`: copied beside the memory; `stream`: copied inside the memory stream; `copied`: copied, the
   *  way was not seen. */
  readonly storage: 'shared' | 'nbd' | 'stream' | 'copied' | null
  readonly tls: boolean
  readonly compression: string | null
  /** virDomainMigrateFlags of the prepare call. */
  readonly flags: readonly string[] | null
}

export interface TransferReport {
  readonly wire_bytes: number | null
  readonly wire_bytes_to_destination: number | null
  readonly payload_bytes: number | null
  readonly retransmitted_bytes: number | null
  /** Payload that passed but is not in the capture, or only in part. */
  readonly missing_bytes: number | null
  readonly throughput_mean_bps: number | null
  /** Of the best bin of `throughput`, or the mean where that is higher because the transfer is shorter than a bin. */
  readonly throughput_peak_bps: number | null
  /** Null when nothing passed. */
  readonly throughput: ThroughputReport | null
  readonly connections: number
  readonly storage_bytes: number | null
  /** Null when they could not be counted. */
  readonly pages: {
    readonly normal: number
    readonly zero: number
    readonly xbzrle: number
    readonly compressed: number
    readonly page_size_bytes: number
  } | null
  /** Null where the guest was not switched to post-copy. */
  readonly post_copy: PostCopyReport | null
  /** Rounds of pre-copy as far as they show; null when they could not be told apart. */
  readonly rounds: readonly RoundReport[] | null
  /** Why there are no rounds; null when there are. */
  readonly rounds_reason: string | null
  readonly convergence: ConvergenceReport
}

/** One part of a post-copy migration. */
export interface SubPhaseReport {
  /** `pre_copy`: from the start of the transfer; `switch`: from the first command of the switch (the guest has been stopped by
   *  then); `post_copy`: from the command by which the guest may run, to its last page. `recovery`, in place of the first two: from
   *  the start of a stream that goes on after an interruption, to its first page. */
  readonly id: 'pre_copy' | 'switch' | 'recovery' | 'post_copy'
  readonly start: Omit<Marker, 'id'> | null
  readonly end: Omit<Marker, 'id'> | null
  readonly duration_s: number | null
}

export interface PostCopyReport {
  readonly parts: readonly SubPhaseReport[]
  /** Null when they could not be counted. */
  readonly pages_after_switch: {
    readonly normal: number
    readonly zero: number
    readonly xbzrle: number
    readonly compressed: number
  } | null
  /** Those of them that went over a connection of their own (postcopy-preempt); null without one. */
  readonly urgent_pages: number | null
  /** Of the main stream, with the heads of pages and sections. */
  readonly bytes_after_switch: number | null
  /** Pages that the guest at the destination waited for. */
  readonly page_requests: number
  readonly first_request_s: number | null
  readonly last_request_s: number | null
}

/** Payload to the destination over time. */
export interface ThroughputReport {
  /** Start of the first bin. */
  readonly start_s: number
  /** Width of a bin: 0.1, in long transfers ten or a hundred times as much. */
  readonly bin_s: number
  readonly to_destination_bps: readonly number[]
}

/** What passed for a migration: one row for each phase, protocol and direction. */
export interface TrafficReport {
  /** `storage`: the storage copy beside the memory; null: between the phases. */
  readonly phase: PhaseId | 'storage' | null
  /** `libvirt-stream`: memory inside libvirt's connection. */
  readonly protocol:
    | 'http'
    | 'amqp'
    | 'libvirt'
    | 'libvirt-tls'
    | 'libvirt-stream'
    | 'nbd'
    | 'qemu-migration'
    | 'multifd'
  /** As the TCP connection was opened; the destination is the server of libvirt's, the memory's and the disks'. */
  readonly direction: 'to_server' | 'to_client'
  readonly wire_bytes: number
  readonly payload_bytes: number
}

/** Pages between two looks at what the guest has written: none repeats within a round. A lower bound of QEMU's own
 *  iterations. */
export interface RoundReport {
  /** 0-based. */
  readonly index: number
  readonly start_s: number
  /** Start of the next round; for the last, its last page. */
  readonly end_s: number
  readonly normal_pages: number
  readonly zero_pages: number
  readonly xbzrle_pages: number
  readonly compressed_pages: number
  /** Pages that an earlier round had sent; null for a last one that stands for many. */
  readonly repeated_pages: number | null
  readonly bytes: number
  readonly throughput_bps: number | null
  /** What the guest wrote during this round, by the pages that the next one repeats; null for the last. */
  readonly dirty_rate_bps: number | null
}

/** Whether pre-copy got ahead of the guest's writes. */
export interface ConvergenceReport {
  /** Null when what was seen does not tell. */
  readonly verdict: 'converged' | 'marginal' | 'not_converging' | null
  readonly sentence: string
  /** The longest stop that is allowed, as given; 0.3 is QEMU's default. */
  readonly downtime_limit_s: number
  /** Sent, over the rounds that were judged; null without a judgement. */
  readonly bandwidth_bps: number | null
  /** Written by the guest, over the same rounds, as far as it shows: a page counts once a round however often it is written. */
  readonly dirty_rate_bps: number | null
  /** What was left after each round and did not fit: the largest of the rounds that were judged. Null where it did fit. */
  readonly left_bytes: number | null
  /** Bandwidth at which what was left fits into the downtime limit; null where it did. */
  readonly required_bandwidth_bps: number | null
  /** Downtime limit into which what was left fits at this bandwidth; null where it did. */
  readonly required_downtime_limit_s: number | null
}

/** What a management client told the source to do (`perform`): from the first byte of the call to the last one of the answer. */
export interface OrderReport {
  /** Address of the client. */
  readonly client: string
  readonly start: Boundary
  readonly end: Boundary
  readonly duration_s: number | null
  /** Of the call; some of them the destination does not get to know. */
  readonly flags: readonly string[] | null
}

/** A storage copy beside the memory. */
export interface StorageReport {
  readonly start: Boundary
  readonly end: Boundary
  readonly duration_s: number | null
  readonly connections: number
  /** To the destination, with the heads of requests. */
  readonly payload_bytes: number
  readonly throughput: ThroughputReport | null
  /** One for each connection that was read. */
  readonly disks: readonly DiskReport[]
}

/** One disk that is copied over NBD. */
export interface DiskReport {
  /** Name of the export; null when it was not captured. */
  readonly export: string | null
  readonly size_bytes: number | null
  readonly writes: number
  /** Contents that passed. */
  readonly written_bytes: number
  /** Written as zeroes, which do not pass. */
  readonly zeroes_bytes: number
  readonly first_write_s: number | null
  readonly last_write_s: number | null
  /** Replies that report one; null when replies are missing. */
  readonly errors: number | null
  /** All requests were read; otherwise there may have been more. */
  readonly complete: boolean
}

/** What QEMU and libvirt say of themselves in the migration cookie. */
export interface HypervisorReport {
  readonly downtime_ms: number | null
  readonly setup_time_ms: number | null
  readonly time_elapsed_ms: number | null
  readonly clock_delta_ms: number | null
  readonly memory_total_bytes: number | null
  readonly memory_processed_bytes: number | null
  readonly memory_normal_pages: number | null
  readonly memory_constant_pages: number | null
  readonly memory_iterations: number | null
  readonly auto_converge_throttle: number | null
  /** The same against the packets, as far as it was reported. */
  readonly comparison: readonly ComparisonReport[]
}

/** What the hypervisor reports, what the packets show, and the first less the second. */
export interface ComparisonReport {
  /** `setup_s`: from the stream's first byte to its first page; `elapsed_s`: from the SYN of libvirt's connection until the guest
   *  runs; `memory_bytes`: the payload of the transfer, with device state; `iterations`: rounds, a lower bound. */
  readonly what:
    | 'downtime_s'
    | 'setup_s'
    | 'elapsed_s'
    | 'normal_pages'
    | 'zero_pages'
    | 'memory_bytes'
    | 'iterations'
    | 'throttle_percent'
  readonly reported: number | null
  /** Null where the packets do not tell. */
  readonly observed: number | null
  readonly difference: number | null
}

/** What OpenStack adds. */
export interface OpenStackReport {
  /** Of the user's request; all of Nova's messages for it carry it. */
  readonly request_id: string | null
  /** Status of the migration record, as last saved. */
  readonly migration_status: string | null
  /** TCP handshake with Keystone: the share of a remote identity service in each of its exchanges. */
  readonly keystone_round_trip_s: number | null
  /** Instants that lie in no phase: network plugged, port bound, abort asked for. */
  readonly markers: readonly Marker[]
}

/** An instant that no packet shows directly. */
export interface InstantReport {
  readonly time_s: number
  /** The instant lies between these. */
  readonly lower_s: number
  readonly upper_s: number
  /** What it was read from. */
  readonly rule: string
  readonly packet: number
  readonly file: string | null
}

/** The downtime as a client has it that pings the guest: it contains what the network takes to find the guest. */
export interface EchoReport {
  /** The address that was pinged. */
  readonly target: string
  readonly source: 'capture' | 'ping-log'
  /** The log; null for a capture. */
  readonly file: string | null
  /** Where the client's requests were seen. All but `client` do not see what was lost: the figures are null then. */
  readonly vantage: Vantage
  /** Requests from 10 s before the transfer to 10 s after the guest runs. */
  readonly sent: number | null
  /** Those never answered that were sent between the last one answered before and the first reply after the gap. */
  readonly lost: number | null
  /** Median spacing of the requests. */
  readonly interval_s: number | null
  readonly lost_times_interval_s: number | null
  /** Last reply before … first reply after. */
  readonly gap_s: number | null
  /** When the last reply before the gap came. */
  readonly gap_start_s: number | null
  /** When the first reply after it came. */
  readonly gap_end_s: number | null
  /** First lost request … last lost request. */
  readonly lower_s: number | null
  /** Last answered request before … first answered request after. */
  readonly upper_s: number | null
}

export interface DowntimeReport {
  readonly best_s: number | null
  readonly lower_s: number | null
  readonly upper_s: number | null
  readonly method: 'stream' | 'icmp' | 'hypervisor' | null
  /** Why the wire does not tell; null when it does. */
  readonly reason: string | null
  /** Guest stopped … guest runs, from the wire. */
  readonly stream: {
    readonly start: InstantReport | null
    readonly end: InstantReport | null
    readonly duration_s: number | null
  }
  /** Null when nobody was seen to ping the guest. */
  readonly icmp: EchoReport | null
  /** From the migration cookie, the difference of the hosts' clocks removed. */
  readonly hypervisor_s: number | null
}

export interface MigrationReport {
  readonly capture: string
  /** 0-based within the capture, by start. */
  readonly index: number
  readonly domain: {
    readonly name: string | null
    readonly uuid: string | null
    readonly memory_bytes: number | null
    readonly macs: readonly string[]
  }
  readonly source: { readonly hostname: string | null; readonly address: string | null }
  readonly destination: { readonly hostname: string | null; readonly address: string | null }
  readonly kind: 'kvm' | 'openstack'
  readonly factors: Readonly<Record<string, string>>
  readonly mode: ModeReport
  readonly outcome: Outcome
  readonly failure: {
    readonly phase: PhaseId | null
    readonly code: number | null
    readonly message: string
    /** Nova's step that failed. */
    readonly step: string | null
    /** Class of the remote exception, or the HTTP status. */
    readonly class: string | null
  } | null
  /** Nanoseconds since 1970 of the migration's first boundary. */
  readonly start_epoch_ns: string | null
  readonly phases: readonly PhaseReport[]
  readonly libvirt_migration_time_s: number | null
  /** SYN to last FIN or RST of the libvirt connection. */
  readonly libvirt_connection_time_s: number | null
  readonly total_migration_time_s: number | null
  readonly unattributed_s: number | null
  readonly gaps: readonly Gap[]
  readonly transfer: TransferReport
  /** Null when no client's order to the source is in the capture. */
  readonly order: OrderReport | null
  readonly storage: StorageReport | null
  readonly traffic: readonly TrafficReport[]
  readonly downtime: DowntimeReport
  readonly hypervisor: HypervisorReport | null
  /** Null for a migration that libvirt ran by itself. */
  readonly openstack: OpenStackReport | null
  readonly diagnostics: readonly Diagnostic[]
  /** In lines of results only: the capture as it was when it was analysed; null for a pipe or several captures. */
  readonly input?: InputStamp | null
}

/** Tells whether a capture is still the one that was analysed, and whether all lines of it are there. */
export interface InputStamp {
  readonly size_bytes: number
  /** Time of last modification, nanoseconds since 1970. */
  readonly modified_epoch_ns: string
  /** Migrations in the capture: a line each. */
  readonly migrations: number
}
