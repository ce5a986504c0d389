import { LIVE_RUNS_MAX } from '../core/limits.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { assembleReport } from '../report/assemble.ts'
import { jsonPieces } from '../report/json.ts'
import { runOf } from '../report/metrics-of.ts'
import type { CaptureReport, MigrationReport, Report } from '../report/model.ts'
import type { Run } from '../stats/group.ts'
import type { AnalyzeArguments } from './args/analyze.ts'
import { documentOf } from './document.ts'
import { Destination, palette } from './output.ts'

/** Where the results of captures go, in the order in which they come. */
export interface Output {
  /** Captures that an earlier run had done. */
  resumed: number
  analysed(analysis: Analysis): Promise<void>
  /** Migrations of a capture that is still read: they are not in its analysis then. Absent where all are written at the end. */
  readonly finished?: (migrations: readonly MigrationReport[]) => Promise<void>
  /** @param migrations found in this run */
  end(migrations: number): Promise<void>
}

/** @param byName all captures were named one by one @param live migrations may come before their capture ends */
export async function makeOutput(
  args: AnalyzeArguments,
  byName: boolean,
  terminal: boolean,
  live: boolean,
): Promise<Output> {
  const destination = new Destination(args.resume ?? args.output, args.resume !== null)
  switch (args.format) {
    case 'ndjson':
      return new LinesOutput(destination)
    case 'json':
      return new JsonOutput(args, destination)
    case 'csv':
      return new CsvOutput(destination)
    case 'perfetto':
      return new TraceOutput(destination, async (report) =>
        (await import('../report/perfetto.ts')).renderPerfetto(report),
      )
    case 'otlp':
      return new TraceOutput(destination, async (report) =>
        (await import('../report/otlp.ts')).renderOtlp(report),
      )
    case 'md':
    case 'table':
      break
  }
  const each = args.each ?? byName
  const toTerminal = terminal && args.output === null
  if (live && each && args.format === 'table') return new LiveTableOutput(args, destination, toTerminal)
  return new TableOutput(args, destination, each, toTerminal)
}

/** A migration a line, as soon as it is known: all lines of a capture at once. */
class LinesOutput implements Output {
  resumed = 0
  readonly #destination: Destination

  constructor(destination: Destination) {
    this.#destination = destination
  }

  async finished(migrations: readonly MigrationReport[]): Promise<void> {
    const { resultLines } = await import('../files/results.ts')
    await this.#destination.write(resultLines(migrations, null))
  }

  async analysed({ captures, migrations }: Analysis): Promise<void> {
    const { resultLines, stampOf } = await import('../files/results.ts')
    const [capture] = captures
    const stamp =
      captures.length === 1 && capture !== undefined ? await stampOf(capture.file, migrations.length) : null
    await this.#destination.write(resultLines(migrations, stamp))
  }

  async end(): Promise<void> {
    await this.#destination.close()
  }
}

class JsonOutput implements Output {
  resumed = 0
  readonly #args: AnalyzeArguments
  readonly #destination: Destination
  readonly #analyses: Analysis[] = []

  constructor(args: AnalyzeArguments, destination: Destination) {
    this.#args = args
    this.#destination = destination
  }

  async analysed(analysis: Analysis): Promise<void> {
    this.#analyses.push(analysis)
  }

  async end(): Promise<void> {
    if (this.#analyses.length === 0) return
    const document = await documentOf(this.#analyses, this.#args.grouping)
    for (const piece of jsonPieces(document)) await this.#destination.write(piece)
    await this.#destination.close()
  }
}

class CsvOutput implements Output {
  resumed = 0
  readonly #destination: Destination
  readonly #migrations: Analysis['migrations'][number][] = []

  constructor(destination: Destination) {
    this.#destination = destination
  }

  async analysed({ migrations }: Analysis): Promise<void> {
    this.#migrations.push(...migrations)
  }

  async end(migrations: number): Promise<void> {
    if (migrations === 0) return
    const { renderMigrationsCsv } = await import('../report/csv.ts')
    await this.#destination.write(renderMigrationsCsv(this.#migrations))
    await this.#destination.close()
  }
}

/** All migrations as one document for another tool. */
class TraceOutput implements Output {
  resumed = 0
  readonly #destination: Destination
  readonly #render: (report: Report) => Promise<string>
  readonly #analyses: Analysis[] = []

  constructor(destination: Destination, render: (report: Report) => Promise<string>) {
    this.#destination = destination
    this.#render = render
  }

  async analysed(analysis: Analysis): Promise<void> {
    this.#analyses.push(analysis)
  }

  async end(migrations: number): Promise<void> {
    if (migrations === 0) return
    await this.#destination.write(await this.#render(assembleReport(this.#analyses)))
    await this.#destination.close()
  }
}

/** Each migration, the groups, or both; as text or as Markdown. */
class TableOutput implements Output {
  resumed = 0
  readonly #args: AnalyzeArguments
  readonly #destination: Destination
  readonly #each: boolean
  readonly #terminal: boolean
  readonly #analyses: Analysis[] = []
  readonly #runs: Run[] = []

  constructor(args: AnalyzeArguments, destination: Destination, each: boolean, terminal: boolean) {
    this.#args = args
    this.#destination = destination
    this.#each = each
    this.#terminal = terminal
  }

  async analysed(analysis: Analysis): Promise<void> {
    this.#runs.push(...analysis.migrations.map(runOf))
    if (this.#each) this.#analyses.push(analysis)
  }

  async end(migrations: number): Promise<void> {
    if (migrations === 0) return
    const { format, grouping } = this.#args
    const parts: string[] = []
    if (this.#each && format === 'table') {
      const { renderTable } = await import('../report/table.ts')
      parts.push(renderTable(assembleReport(this.#analyses), await palette(this.#terminal)).trimEnd())
    }
    if (migrations > 1 || parts.length === 0) {
      const { renderGroups } = await import('./groups.ts')
      parts.push(await renderGroups(this.#runs, grouping, format === 'md', this.#terminal))
    }
    await this.#destination.write(`${parts.join('\n\n')}\n`)
    await this.#destination.close()
  }
}

/** Each migration as soon as it is over; then the capture, and the groups where there are several. */
class LiveTableOutput implements Output {
  resumed = 0
  readonly #args: AnalyzeArguments
  readonly #destination: Destination
  readonly #terminal: boolean
  #runs: Run[] = []
  #capture: CaptureReport | null = null
  #printed = 0

  constructor(args: AnalyzeArguments, destination: Destination, terminal: boolean) {
    this.#args = args
    this.#destination = destination
    this.#terminal = terminal
  }

  async finished(migrations: readonly MigrationReport[]): Promise<void> {
    const { renderOne } = await import('../report/table.ts')
    const colours = await palette(this.#terminal)
    for (const migration of migrations) {
      await this.#destination.write(`${renderOne(migration, colours)}\n\n`)
      this.#runs.push(runOf(migration))
      this.#printed++
    }
    // What a run of days keeps is bounded; it is cut by halves, so that each migration costs the same.
    if (this.#runs.length > 2 * LIVE_RUNS_MAX) this.#runs = this.#runs.slice(-LIVE_RUNS_MAX)
  }

  async analysed({ captures, migrations }: Analysis): Promise<void> {
    await this.finished(migrations)
    this.#capture = captures[0] ?? null
  }

  async end(migrations: number): Promise<void> {
    if (migrations === 0 || this.#capture === null) return
    const { renderCapture } = await import('../report/table.ts')
    const colours = await palette(this.#terminal)
    await this.#destination.write(`${renderCapture(this.#capture, this.#printed, colours)}\n`)
    if (this.#printed > 1) await this.#destination.write(`\n${await this.#groups()}\n`)
    await this.#destination.close()
  }

  async #groups(): Promise<string> {
    const { renderGroups } = await import('./groups.ts')
    const runs = this.#runs.slice(-LIVE_RUNS_MAX)
    const text = await renderGroups(runs, this.#args.grouping, false, this.#terminal)
    return runs.length === this.#printed
      ? text
      : `The last ${runs.length} of ${this.#printed} migrations:\n\n${text}`
  }
}
