import type { Diagnostic } from '../core/diagnostic.ts'
import type { Vantage } from '../phases/echo-figures.ts'
import type { Outcome } from '../phases/outcome.ts'
import type { PhaseId } from '../phases/phase.ts'

/** The document of `--format json`. Units are in the names; unknown is null, never 0. Times named `time_s`, `start_s`
 *  and `end_s` are seconds after the capture's first packet.
 *  @see docs/schema/report-1.schema.json */
export interface Report {
  readonly schema: string
  readonly tool: { readonly name: 'mig-phases'; readonly version: string }
  readonly captures: readonly CaptureReport[]
  readonly migrations: readonly MigrationReport[]
}

export interface CaptureReport {
  readonly file: string
  readonly format: 'pcap' | 'pcapng'
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
  readonly live: boolean | null
  readonly peer2peer: boolean | null
  readonly tunnelled: boolean
  readonly post_copy: boolean | null
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
  readonly throughput_peak_bps: number | null
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
  /** Rounds of pre-copy as far as they show; null when they could not be told apart. */
  readonly rounds: readonly RoundReport[] | null
  /** Why there are no rounds; null when there are. */
  readonly rounds_reason: string | null
  readonly convergence: ConvergenceReport
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
  /** Enough for the default downtime limit, where it was not. */
  readonly required_bandwidth_bps: number | null
}

/** A storage copy beside the memory. */
export interface StorageReport {
  readonly start: Boundary
  readonly end: Boundary
  readonly duration_s: number | null
  readonly connections: number
  readonly payload_bytes: number
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
  readonly storage: StorageReport | null
  readonly downtime: DowntimeReport
  readonly hypervisor: HypervisorReport | null
  /** Null for a migration that libvirt ran by itself. */
  readonly openstack: OpenStackReport | null
  readonly diagnostics: readonly Diagnostic[]
}
