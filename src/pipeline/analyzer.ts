import { CaptureReader } from '../capture/open.ts'
import { CaptureSummary, type FrameFacts } from '../capture/summary.ts'
import { Diagnostics } from '../core/diagnostic.ts'
import { MIGRATIONS_HELD, REPORT_OVERHEAD, REPORTS_TOTAL_MAX, ROUND_OVERHEAD } from '../core/limits.ts'
import type { JoinedMigration } from '../phases/join.ts'
import type { NamedPingLog } from '../phases/ping-match.ts'
import { describeCapture, describeMigrations } from '../report/build.ts'
import type { CaptureReport, MigrationReport } from '../report/model.ts'
import type { Followed } from '../report/running.ts'
import { Numbers } from './numbers.ts'
import { PacketOrder } from './packet-order.ts'
import { Trace } from './trace.ts'
import type { TrafficSummary } from './traffic.ts'

/** How often it is looked for migrations that are over, by the capture's clock, however often it is asked. */
const TAKE_EVERY_NS = 100e6

/** What is known of a run besides its packets. */
export interface RunFacts {
  /** Logs of clients that pinged the guests meanwhile. */
  readonly pings?: readonly NamedPingLog[]
  /** The longest stop that was allowed (migrate-setmaxdowntime), seconds; null: QEMU's default. */
  readonly downtimeLimitS?: number | null
}

export interface AnalyzerOptions extends RunFacts {
  /** What the report calls the capture: a file's path. */
  readonly name?: string
  /** How the bytes were compressed before they were given, for the report. */
  readonly compression?: string | null
  /** The packets are not in the order of their stamps: put them in order from the first on. Without it that is done from where
   *  it shows. */
  readonly outOfOrder?: boolean
}

/** All that one capture tells, or several merged ones. */
export interface Analysis {
  readonly captures: readonly CaptureReport[]
  readonly migrations: readonly MigrationReport[]
  /** What was there besides, for a user who expected a migration. */
  readonly traffic: TrafficSummary
  /** What the frames of each capture are like, in the order of `captures`. */
  readonly frames: readonly FrameFacts[]
}

/** Reads one capture and reports the migrations in it. Give it the bytes of the file with `push`, in any cut, then
 *  call `end`. Memory does not grow with the capture. */
export class Analyzer {
  readonly #name: string
  readonly #compression: string | null
  readonly #facts: RunFacts
  readonly #summary = new CaptureSummary()
  readonly #diagnostics = new Diagnostics()
  readonly #order: PacketOrder = new PacketOrder((packet) => this.#trace.packet(packet))
  readonly #trace = new Trace(this.#diagnostics.renumbered((packet) => this.#order.inFile(packet)))
  readonly #reader: CaptureReader
  readonly #numbers = new Numbers()
  #tookNs = Number.NEGATIVE_INFINITY
  /** Reports of migrations that were over while there were too many to follow all until the end, and what they cost. */
  #early: MigrationReport[] = []
  #earlyBytes = 0
  #wantsAgain = false

  constructor(options: AnalyzerOptions = {}) {
    this.#name = options.name ?? 'capture'
    this.#compression = options.compression ?? null
    this.#facts = options
    if (options.outOfOrder === true) this.#order.sort(0)
    this.#reader = new CaptureReader(
      (packet) => this.#order.packet(packet),
      this.#summary,
      this.#diagnostics,
      (stretch) => {
        if (!this.#order.isSorting) this.#trace.stretch(stretch)
      },
    )
  }

  /** Whether it turned out, after packets had been analysed in the order of the file, that they are not in that of their stamps:
   *  who can read the capture again gets a better report with `outOfOrder`. */
  get wantsAgain(): boolean {
    return this.#wantsAgain
  }

  /** Packets read until now. */
  get packets(): number {
    return this.#summary.packets
  }

  /** What is followed now, for somebody who watches: `describeRunning` says what it means. Costs nothing but when it is asked
   *  for. */
  get followed(): Followed {
    return { migrations: this.#trace.migrations, latestNs: this.#summary.latestNs }
  }

  /** Reports of the migrations that are over, those that nothing later in the capture can change. They are handed out once and
   *  forgotten, so that a capture may go on for as long as it likes; `end` reports the others. Ask every now and then.
   *  @param silenceNs since the last packet, by the clock of whoever reads the capture: on a silent wire no packet tells that
   *  time passes */
  take(silenceNs = 0): MigrationReport[] {
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    return [...early, ...this.#takeRipe(silenceNs)]
  }

  #takeRipe(silenceNs: number): MigrationReport[] {
    const { latestNs } = this.#summary
    if (silenceNs === 0 && latestNs - this.#tookNs < TAKE_EVERY_NS) return []
    this.#tookNs = latestNs
    const ripe = this.#trace.ripe(silenceNs)
    const reports = ripe.length === 0 ? [] : this.#describe(ripe)
    this.#trace.release(ripe)
    return reports
  }

  /** Memory does not grow with the number of migrations, but for their reports. A client's log of pings needs all that it may
   *  belong to. */
  #makeRoom(): void {
    if (this.#trace.held < MIGRATIONS_HELD || this.#earlyBytes > REPORTS_TOTAL_MAX) return
    if ((this.#facts.pings?.length ?? 0) > 0) return
    for (const report of this.#takeRipe(0)) {
      this.#early.push(report)
      this.#earlyBytes += costOf(report)
    }
  }

  /** @param bytes the next bytes of the capture, borrowed until the call returns
   *  @throws InputError when the first bytes are those of no capture */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    this.#makeRoom()
    if (this.#order.isSorting || !this.#summary.isOutOfOrder) return
    this.#wantsAgain = true
    this.#order.sort(this.packets)
  }

  /** Adds what the reader of the bytes found wrong with them. */
  report(code: string, message: string): void {
    this.#diagnostics.report(code, 'warning', null, () => message)
  }

  /** No more bytes: the report, of the migrations that were not taken.
   *  @throws InputError when there were none, or too few to tell */
  end(): Analysis {
    this.#reader.end()
    this.#order.end(this.#diagnostics)
    const migrations = this.#trace.end(this.#facts.pings ?? [], this.#summary.startEpochNs)
    const capture = describeCapture(this.#name, this.#compression, this.#summary, this.#diagnostics.list())
    return {
      captures: [capture],
      migrations: [...this.#early, ...this.#describe(migrations)].sort((a, b) => a.index - b.index),
      traffic: this.#trace.traffic,
      frames: [this.#summary.facts()],
    }
  }

  /** @param migrations in order of their first packets */
  #describe(migrations: readonly JoinedMigration[]): MigrationReport[] {
    this.#numbers.give(migrations, this.#trace.migrations)
    const options = {
      name: this.#name,
      downtimeLimitS: this.#facts.downtimeLimitS ?? null,
      expected: this.#trace.held,
      locate: (packet: number) => ({ packet: this.#order.inFile(packet), file: null }),
    }
    return describeMigrations(migrations, this.#summary, options, (migration) => this.#numbers.of(migration))
  }
}

/** Bytes that a report takes. */
function costOf({ transfer, storage }: MigrationReport): number {
  const bins = [transfer, storage].map((part) => part?.throughput?.to_destination_bps.length ?? 0)
  const rounds = transfer.rounds?.length ?? 0
  return REPORT_OVERHEAD + rounds * ROUND_OVERHEAD + bins.reduce((sum, each) => sum + each * 8, 0)
}

/** Analyses a capture that comes piece by piece: a fetch body, a file, a pipe.
 *  @throws InputError when the bytes are those of no capture */
export async function analyze(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: AnalyzerOptions = {},
): Promise<Analysis> {
  const analyzer = new Analyzer(options)
  for await (const piece of pieces) analyzer.push(piece)
  return analyzer.end()
}
