import { type Examination, type Examined, type Finding, findingsOf, isFit } from './doctor.ts'
import { hasLibvirt } from './doctor-migration.ts'
import type { CaptureReport, MigrationReport } from './model.ts'
import type { TrafficFacts } from './traffic-facts.ts'

/** What a capture point can hold of a run, in the order in which it comes. */
export type Content =
  | 'authentication'
  | 'nova-api'
  | 'nova-messages'
  | 'order'
  | 'libvirt'
  | 'storage'
  | 'memory'
  | 'pings'

/** One capture of a run that several points saw. */
export interface RunPoint {
  readonly file: string
  readonly holds: readonly Content[]
  /** To be added to its stamps, against the clock of the first one. Null without packets in common. */
  readonly clock_offset_s: number | null
  /** How far that may be off; null where packets of one direction only could be compared: their delay is in the offset then. */
  readonly clock_offset_spread_s: number | null
  /** Findings of this capture that do not hold for all of the run. */
  readonly made_good: readonly string[]
  /** Problems of this capture that another one cannot make good. */
  readonly left: readonly string[]
}

/** What `mig-phases doctor` says of captures that are points of one run. */
export interface RunExamination {
  /** They are, together. */
  readonly fit: boolean
  readonly migrations: number
  /** The one whose clock is that of the run comes first. */
  readonly points: readonly RunPoint[]
  /** What is the matter with all of them together. Problems first. */
  readonly findings: readonly Finding[]
}

/** What is known of one point. */
export interface Point {
  readonly examination: Examination
  readonly holds: readonly Content[]
  readonly clock: { readonly offset_s: number; readonly spread_s: number | null } | null
}

/** All points of a run as one trace. */
export interface Together {
  readonly captures: readonly CaptureReport[]
  readonly migrations: readonly MigrationReport[]
  readonly traffic: TrafficFacts
  readonly frames: readonly Examined['frames'][]
}

/** Findings about what is missing, which may be in another capture of the run. What else is wrong with a file remains so. */
const MAY_BE_ELSEWHERE: ReadonlySet<string> = new Set([
  'no-migration',
  'snap-length',
  'missing-bytes',
  'one-way',
  'no-handshake',
  'ends-early',
  'no-libvirt',
  'no-memory',
  'openstack-gaps',
  'no-echo',
  'vantage',
])

export function contentsOf({ migrations, traffic }: Pick<Examined, 'migrations' | 'traffic'>): Content[] {
  const messages = migrations.flatMap((migration) => migration.traffic)
  const held: Readonly<Record<Content, boolean>> = {
    authentication: messages.some(({ protocol, phase }) => protocol === 'http' && phase === 'auth'),
    'nova-api': messages.some(({ protocol, phase }) => protocol === 'http' && phase !== 'auth'),
    'nova-messages': messages.some(({ protocol }) => protocol === 'amqp'),
    order: migrations.some(({ order }) => order !== null),
    libvirt: migrations.some(hasLibvirt),
    storage: messages.some(({ protocol }) => protocol === 'nbd'),
    memory: migrations.some(({ transfer, mode }) => transfer.connections > 0 || mode.tunnelled),
    pings: traffic.echoRequests > 0,
  }
  return (Object.keys(held) as Content[]).filter((content) => held[content])
}

/** What captures of one run show together, and what each of them adds.
 *  @param points in the order of `together.captures` */
export function examineRun(points: readonly Point[], together: Together): RunExamination {
  const findings = findingsOf(asOne(together), (id) => MAY_BE_ELSEWHERE.has(id))
  const found = new Set(findings.map(({ id }) => id))
  const examined = points.map((point) => pointOf(point, found))
  return {
    fit: isFit(findings) && examined.every(({ left }) => left.length === 0),
    migrations: together.migrations.length,
    points: examined,
    findings,
  }
}

function pointOf({ examination, holds, clock }: Point, found: ReadonlySet<string>): RunPoint {
  const { file, findings } = examination
  const elsewhere = findings.filter(({ id }) => MAY_BE_ELSEWHERE.has(id))
  const own = findings.filter(({ id }) => !MAY_BE_ELSEWHERE.has(id))
  return {
    file,
    holds,
    clock_offset_s: clock?.offset_s ?? null,
    clock_offset_spread_s: clock?.spread_s ?? null,
    made_good: elsewhere.filter(({ id }) => !found.has(id)).map(({ id }) => id),
    left: own.filter(({ severity }) => severity === 'problem').map(({ id }) => id),
  }
}

/** For the rules, the points are one capture: what they say of its file is not asked. */
function asOne({ captures, migrations, traffic, frames }: Together): Examined {
  const [capture] = captures
  const [facts] = frames
  if (capture === undefined || facts === undefined) throw new Error('a run without captures')
  const sum = (of: (each: CaptureReport) => number): number =>
    captures.reduce((total, each) => total + of(each), 0)
  const silent = captures.every(({ dropped_packets }) => dropped_packets === null)
  return {
    capture: {
      ...capture,
      packets: sum(({ packets }) => packets),
      wire_bytes: sum(({ wire_bytes }) => wire_bytes),
      captured_bytes: sum(({ captured_bytes }) => captured_bytes),
      duration_s: Math.max(...captures.map(({ duration_s }) => duration_s)),
      dropped_packets: silent ? null : sum(({ dropped_packets }) => dropped_packets ?? 0),
    },
    migrations,
    traffic,
    frames: {
      ...facts,
      cutPackets: frames.reduce((total, { cutPackets }) => total + cutPackets, 0),
      cutTo: Math.max(...frames.map(({ cutTo }) => cutTo)),
    },
  }
}
