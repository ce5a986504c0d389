import type { Evidence } from '../core/evidence.ts'
import type { Connection } from '../events/connection.ts'
import type { ProtocolEvent } from '../events/event.ts'
import type {
  CookieFacts,
  CookieStatistics,
  DomainFacts,
  LibvirtCall,
  LibvirtError,
  LibvirtReply,
} from '../events/libvirt.ts'
import type { MultifdEnd } from '../events/multifd.ts'
import type { NbdEnd } from '../events/nbd.ts'
import type { QemuEnd, QemuRound, QemuUrgentEnd } from '../events/qemu.ts'
import { classify, type Role } from './classify.ts'
import type { EchoDowntime } from './echo-figures.ts'
import { PhaseMachine, type Unexpected } from './machine.ts'
import type { ParallelEvent, ParallelRounds } from './parallel-rounds.ts'
import { PostCopy } from './post-copy.ts'
import type { Signal } from './signal.ts'
import type { SourceOrder } from './source-order.ts'
import { isAddress, isWildcard, type MigrationTarget, parseMigrationUri } from './uri.ts'
import { ConversationBooks } from './volume.ts'

/** One migration: its state, and the facts that its events told. */
export class Migration {
  readonly machine: PhaseMachine
  /** The conversation of the daemons; null when only the memory's way was captured. */
  readonly rpc: Connection | null
  readonly memory: Connection[] = []
  readonly storage: Connection[] = []
  /** What each storage connection carried, once it is over. */
  readonly disks = new Map<Connection, NbdEnd>()
  domain: DomainFacts | null = null
  flags: number | null = null
  tunnelled = false
  compression: readonly string[] = []
  parallelConnections: number | null = null
  /** MiB/s; null when none was asked for. */
  bandwidth: number | null = null
  sourceHostname: string | null = null
  destinationHostname: string | null = null
  /** The memory socket's address as libvirt gave it; null when none was read. */
  target: MigrationTarget | null = null
  nbdPort: number | null = null
  /** The destination said where it listens, or that the caller's URI stands. */
  targetKnown = false
  cancelled: boolean | null = null
  error: LibvirtError | null = null
  /** Job statistics of the finish call and of its reply. */
  statisticsOfCall: CookieStatistics | null = null
  statistics: CookieStatistics | null = null
  machineType: string | null = null
  /** The conversation is encrypted: boundaries are inferred, and what was said is not known. */
  encrypted = false
  stream: QemuEnd | null = null
  readonly rounds: QemuRound[] = []
  postCopy = new PostCopy()
  /** Additional channels of a parallel migration, and what each carried once it is over. */
  readonly channels = new Map<Connection, MultifdEnd | null>()
  /** Rounds over all of them; null without any. */
  parallel: ParallelRounds | null = null
  /** Channels of post-copy's urgent pages. */
  readonly urgent = new Map<Connection, QemuUrgentEnd>()
  /** RARP frames of the guest's NICs. */
  readonly announcements: Evidence[] = []
  /** Who announced itself. */
  readonly announcedMacs = new Set<string>()
  /** IP addresses of the guest, as far as echoes show them. */
  readonly addresses = new Set<string>()
  /** The downtime as a pinging client has it. */
  echo: EchoDowntime | null = null
  /** Last message of the conversation, keepalives included. */
  lastRpcMessage: Evidence | null = null
  /** Bytes of the calls on the libvirt connection: the rest of what the source sent is the tunnelled stream. */
  callBytes = 0
  /** What the conversation took, by phase; null without a conversation. */
  readonly books: ConversationBooks | null
  /** What a client told the source to do; null when the capture does not hold that. */
  order: SourceOrder | null = null

  constructor(rpc: Connection | null, unexpected: Unexpected) {
    this.rpc = rpc
    this.books = rpc === null ? null : new ConversationBooks(rpc)
    this.machine = new PhaseMachine(unexpected)
  }

  /** The guest was switched over before all of its memory was there. */
  get postCopied(): boolean {
    return this.postCopy.run !== null || this.postCopy.resumed !== null
  }

  /** The address of the migrating guest's new host, as far as packets tell. */
  get destinationAddress(): string | null {
    return this.rpc?.server.address ?? this.memory[0]?.server.address ?? null
  }

  get sourceAddress(): string | null {
    const seen = this.memory[0]?.client.address ?? this.order?.connection.server.address
    return seen ?? this.rpc?.client.address ?? null
  }

  /** A stream that was followed by itself turns out to be this migration's: its announcement was not captured. */
  adopt(stream: Migration): void {
    this.memory.push(...stream.memory)
    this.machineType = stream.machineType
    this.stream = stream.stream
    this.rounds.push(...stream.rounds)
    this.postCopy = stream.postCopy
    for (const [connection, end] of stream.channels) this.channels.set(connection, end)
    this.parallel = stream.parallel
    for (const [connection, end] of stream.urgent) this.urgent.set(connection, end)
    this.machine.takeOver('transfer', 'transfer', stream.machine)
  }

  /** Where it begins in the capture. */
  get firstPacket(): Evidence {
    const starts = [this.rpc, ...this.memory, ...this.storage]
      .filter((connection) => connection !== null)
      .map((connection) => connection.syn ?? connection.firstPacket)
    if (this.order !== null) starts.push(this.order.start)
    return starts.reduce((a, b) => (b.packet < a.packet ? b : a))
  }

  /** The destination's half of the conversation is not in the capture: its answers are not known. */
  get answersMissing(): boolean {
    return this.rpc !== null && this.rpc.toClient.packets === 0 && this.rpc.toServer.payloadBytes > 0
  }

  /** Whether the destination listens for memory now, or is about to. */
  get awaitsMemory(): boolean {
    const { control } = this.machine
    return control === 'preparing' || control === 'prepared' || control === 'finishing'
  }

  event(event: ProtocolEvent, role: Role): void {
    if (event.type === 'libvirt.call') {
      this.callBytes += event.size
      this.#learnFromCall(event)
    }
    if (event.type === 'libvirt.reply') this.#learnFromReply(event)
    else if (event.type === 'libvirt.stream') {
      if (event.error !== null) this.error ??= event.error
    } else if (event.type === 'multifd.channel') this.channels.set(event.connection, null)
    else if (event.type === 'multifd.end') this.channels.set(event.connection, event)
    else if (event.type === 'nbd.end') this.disks.set(event.connection, event)
    else if (event.type === 'qemu.round') this.rounds.push(event)
    else if (event.type === 'qemu.end') this.stream = event
    else if (event.type === 'qemu.urgent-end') this.urgent.set(event.connection, event)
    else if (event.type === 'qemu.configuration') this.machineType = event.machine
    // Pages that the guest's new host asks for belong to no round.
    const urgent = event.type === 'qemu.section' && this.postCopied
    if (tellsParallelRounds(event) && !urgent) this.parallel?.event(event)
    if (event.type === 'qemu.command' || event.type === 'qemu.return' || event.type === 'qemu.section')
      this.postCopy.event(event)
    if (role === 'rpc' && event.type.startsWith('libvirt.')) this.lastRpcMessage = event.last
    const name = classify(event, role)
    if (name !== null) this.signal({ name, first: event.first, last: event.last })
  }

  signal(signal: Signal): void {
    this.machine.signal(signal)
    this.books?.note(this.machine.intervals)
  }

  /** This is what came of a client's order to the source. */
  follow(order: SourceOrder): void {
    this.order = order
    this.#fillDomain(order.domainName, order.domainUuid)
    this.flags ??= order.flags
  }

  /** How well a connection fits the announced memory socket: 0 not at all, else the higher the better. */
  fitOfMemory(connection: Connection): number {
    return this.target === null ? 0 : this.#fit(connection, this.target.host, this.target.port)
  }

  /** How well a connection fits the announced NBD server. */
  fitOfStorage(connection: Connection): number {
    return this.nbdPort === null ? 0 : this.#fit(connection, this.target?.host ?? '', this.nbdPort)
  }

  /** Whether a connection runs between the two hosts of the conversation, in the same direction. */
  sameHosts(connection: Connection): boolean {
    return (
      this.rpc !== null &&
      connection !== this.rpc &&
      connection.server.address === this.rpc.server.address &&
      connection.client.address === this.rpc.client.address
    )
  }

  #fit(connection: Connection, host: string, port: number): number {
    if (connection.server.port !== port) return 0
    const { address } = connection.server
    if (host === address) return 3
    if (address === this.rpc?.server.address) return 2
    return isAddress(host) && !isWildcard(host) ? 0 : 1
  }

  #learnFromCall(event: LibvirtCall): void {
    const facts = event.arguments
    if (facts?.kind === 'prepare') {
      this.flags = facts.flags
      this.tunnelled = facts.tunnelled
      this.domain = facts.domain ?? this.domain
      this.compression = facts.compression
      this.parallelConnections = facts.parallelConnections
      this.bandwidth = facts.bandwidth === 0 ? null : facts.bandwidth
      if (facts.migrateUri !== null) this.target = parseMigrationUri(facts.migrateUri)
      this.#learnDomain(facts.cookie)
      this.sourceHostname = facts.cookie?.hostname ?? null
    } else if (facts?.kind === 'finish') {
      this.cancelled = facts.cancelled
      this.#learnDomain(facts.cookie)
      this.sourceHostname ??= facts.cookie?.hostname ?? null
      this.statisticsOfCall = facts.cookie?.statistics ?? null
      if (facts.domainName !== null) this.#fillDomain(facts.domainName, null)
    }
  }

  #learnFromReply(event: LibvirtReply): void {
    if (event.error !== null) this.error = event.error
    const facts = event.result
    if (facts?.kind === 'prepare') {
      this.targetKnown = facts.uriOut !== null || this.target !== null
      if (facts.uriOut !== null) this.target = parseMigrationUri(facts.uriOut) ?? this.target
      this.destinationHostname = facts.cookie?.hostname ?? null
      this.nbdPort = facts.cookie?.nbdPort ?? null
      this.#learnDomain(facts.cookie)
    } else if (facts?.kind === 'finish') {
      this.#fillDomain(facts.domainName, facts.domainUuid)
      this.destinationHostname ??= facts.cookie?.hostname ?? null
      this.statistics = facts.cookie?.statistics ?? null
    }
  }

  #learnDomain(cookie: CookieFacts | null): void {
    if (cookie !== null) this.#fillDomain(cookie.name, cookie.uuid)
  }

  #fillDomain(name: string | null, uuid: string | null): void {
    const known = this.domain
    this.domain = {
      name: known?.name ?? name,
      uuid: known?.uuid ?? uuid,
      memoryBytes: known?.memoryBytes ?? null,
      macs: known?.macs ?? [],
    }
  }
}

function tellsParallelRounds(event: ProtocolEvent): event is ParallelEvent {
  const { type } = event
  return (
    type === 'multifd.channel' ||
    type === 'multifd.packet' ||
    type === 'multifd.end' ||
    type === 'qemu.section' ||
    type === 'qemu.end'
  )
}
