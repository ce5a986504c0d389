import type { ConnectionEvent } from './base.ts'

/** What a `<domain>` document says that a migration report needs. */
export interface DomainFacts {
  readonly name: string | null
  /** Lower-case with hyphens. */
  readonly uuid: string | null
  readonly memoryBytes: number | null
  /** NICs, lower-case hex with colons, in document order. */
  readonly macs: readonly string[]
}

/** Job statistics inside a migration cookie. Times in milliseconds; `started`, `stopped` and `sent` since 1970 on
 *  the source's clock. @see protocols.md C.6; qemuMigrationCookieStatisticsXMLFormat of libvirt */
export interface CookieStatistics {
  readonly started: number | null
  readonly stopped: number | null
  readonly sent: number | null
  readonly delta: number | null
  readonly timeElapsed: number | null
  readonly downtime: number | null
  readonly setupTime: number | null
  readonly memoryTotal: number | null
  readonly memoryProcessed: number | null
  readonly memoryRemaining: number | null
  readonly memoryBps: number | null
  readonly memoryConstant: number | null
  readonly memoryNormal: number | null
  readonly memoryNormalBytes: number | null
  readonly memoryDirtyRate: number | null
  readonly memoryIteration: number | null
  readonly memoryPostcopyRequests: number | null
  readonly memoryPageSize: number | null
  readonly diskTotal: number | null
  readonly diskProcessed: number | null
  readonly autoConvergeThrottle: number | null
}

/** A `<qemu-migration>` document. */
export interface CookieFacts {
  readonly name: string | null
  readonly uuid: string | null
  readonly hostname: string | null
  readonly hostUuid: string | null
  /** Port of the destination's NBD server; in the prepare reply of a storage copy. */
  readonly nbdPort: number | null
  readonly statistics: CookieStatistics | null
}

/** What a procedure of the remote program does for a migration, in any version of the protocol. */
const ACTIONS: Readonly<Record<number, LibvirtAction>> = {
  1: 'open',
  2: 'close',
  61: 'prepare',
  62: 'perform',
  63: 'finish',
  108: 'prepare',
  109: 'finish',
  148: 'prepare',
  213: 'begin',
  214: 'prepare',
  215: 'prepare',
  216: 'perform',
  217: 'finish',
  218: 'confirm',
  302: 'begin',
  303: 'prepare',
  304: 'prepare',
  305: 'perform',
  306: 'finish',
  307: 'confirm',
}

export type LibvirtAction =
  | 'open'
  | 'close'
  | 'begin'
  | 'prepare'
  | 'perform'
  | 'finish'
  | 'confirm'
  | 'query'

/** The step of a migration that a procedure of the remote program is; anything else is a `query`.
 *  @see protocols.md C.2; libvirt src/remote/remote_protocol.x */
export function actionOf(procedure: number): LibvirtAction {
  return ACTIONS[procedure] ?? 'query'
}

/** A libvirt `remote_error`. */
export interface LibvirtError {
  /** virErrorNumber. */
  readonly code: number
  /** virErrorDomain. */
  readonly domain: number
  readonly message: string | null
}

export interface PrepareArguments {
  readonly kind: 'prepare'
  /** The memory stream will follow inside this connection. */
  readonly tunnelled: boolean
  /** virDomainMigrateFlags; null when that part of the message was not captured. */
  readonly flags: number | null
  readonly domain: DomainFacts | null
  readonly cookie: CookieFacts | null
  /** Where the caller wants the stream to go. */
  readonly migrateUri: string | null
  /** MiB/s; 0 or null: no limit given. */
  readonly bandwidth: number | null
  readonly parallelConnections: number | null
  readonly compression: readonly string[]
}

export interface FinishArguments {
  readonly kind: 'finish'
  readonly flags: number | null
  /** The source gave up: the destination must drop the guest. */
  readonly cancelled: boolean | null
  readonly domainName: string | null
  readonly cookie: CookieFacts | null
}

export interface OpenArguments {
  readonly kind: 'open'
  /** The driver URI asked for, such as `qemu:///system`. */
  readonly name: string | null
}

export interface FeatureArguments {
  readonly kind: 'feature'
  readonly feature: number
}

/** Perform, begin and confirm go from a management client to the source; the domain tells which guest. */
export interface SourceSideArguments {
  readonly kind: 'begin' | 'perform' | 'confirm'
  readonly domainName: string | null
  readonly domainUuid: string | null
  /** virDomainMigrateFlags; also those that the destination does not get to know. */
  readonly flags: number | null
}

export type CallArguments =
  | PrepareArguments
  | FinishArguments
  | OpenArguments
  | FeatureArguments
  | SourceSideArguments

/** A call, raised when its last byte is known to have passed (arguments that were not captured are null). */
export interface LibvirtCall extends ConnectionEvent<'libvirt.call'> {
  readonly program: number
  readonly procedure: number
  readonly serial: number
  /** Bytes of the whole message. */
  readonly size: number
  /** Null for procedures that no report needs. */
  readonly arguments: CallArguments | null
}

export interface PrepareResult {
  readonly kind: 'prepare'
  readonly cookie: CookieFacts | null
  /** Where the destination listens; null when the caller's URI stands, or the part was not captured. */
  readonly uriOut: string | null
}

export interface FinishResult {
  readonly kind: 'finish'
  readonly domainName: string | null
  readonly domainUuid: string | null
  readonly cookie: CookieFacts | null
}

/** A reply, raised when its last byte is known to have passed. */
export interface LibvirtReply extends ConnectionEvent<'libvirt.reply'> {
  readonly program: number
  readonly procedure: number
  readonly serial: number
  readonly size: number
  readonly ok: boolean
  /** Of a reply that is not ok; null when it was not captured. */
  readonly error: LibvirtError | null
  readonly result: PrepareResult | FinishResult | null
}

/** One message of a stream (a tunnelled migration): data, the end, or an abort. Raised at its last byte. */
export interface LibvirtStream extends ConnectionEvent<'libvirt.stream'> {
  readonly procedure: number
  readonly serial: number
  readonly status: 'data' | 'finish' | 'abort'
  /** Payload bytes. */
  readonly size: number
  readonly error: LibvirtError | null
}

export interface LibvirtKeepalive extends ConnectionEvent<'libvirt.keepalive'> {
  readonly ping: boolean
}

/** An asynchronous event message, or a message of another program. */
export interface LibvirtOther extends ConnectionEvent<'libvirt.other'> {
  readonly program: number
  readonly procedure: number
  readonly messageType: number
}

export type LibvirtEvent = LibvirtCall | LibvirtReply | LibvirtStream | LibvirtKeepalive | LibvirtOther
