import type { FrameFacts } from '../capture/summary.ts'
import type { CaptureReport, MigrationReport } from './model.ts'
import type { TrafficFacts } from './traffic-facts.ts'

/** `problem`: something that is measured of a migration is missing or wrong because of it; `note`: good to know. */
export type FindingSeverity = 'problem' | 'note'

export interface Finding {
  /** Stable: scripts may match on it. @see docs/doctor.md */
  readonly id: string
  readonly severity: FindingSeverity
  /** What is the matter, with numbers. Names of guests are text from the wire. */
  readonly sentence: string
  /** What would help. */
  readonly remedy: string
}

/** What is known of one capture. */
export interface Examined {
  readonly capture: CaptureReport
  readonly migrations: readonly MigrationReport[]
  readonly traffic: TrafficFacts
  readonly frames: FrameFacts
}

/** What a capture is like, in numbers. Unknown is null. */
export interface ExaminationFacts {
  readonly format: CaptureReport['format']
  readonly link_types: readonly string[]
  readonly packets: number
  readonly duration_s: number
  readonly wire_bytes: number
  readonly captured_bytes: number
  readonly cut_packets: number
  readonly dropped_packets: number | null
  /** One step of the time stamps. */
  readonly stamp_resolution_ns: number | null
  readonly tcp_connections: number
  readonly echo_requests: number
  readonly migrations: number
}

/** What `mig-phases doctor` says of one capture. */
export interface Examination {
  readonly file: string
  /** No finding is a problem. */
  readonly fit: boolean
  /** Problems first. */
  readonly findings: readonly Finding[]
  /** Null when the capture could not be read. */
  readonly facts: ExaminationFacts | null
}

/** One thing that may be wrong with a capture; null when it is not. */
export type Rule = (examined: Examined) => Omit<Finding, 'id'> | null
