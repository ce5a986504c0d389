import type { Analysis } from '../pipeline/analyzer.ts'
import { assembleReport } from '../report/assemble.ts'
import { renderJson } from '../report/json.ts'
import { runOf } from '../report/metrics-of.ts'
import type { Report } from '../report/model.ts'
import type { Run } from '../stats/group.ts'
import type { AnalyzeArguments } from './args/analyze.ts'
import { documentOf } from './document.ts'
import { Destination, palette } from './output.ts'

/** Where the results of captures go, in the order in which they come. */
export interface Output {
  /** Captures that an earlier run had done. */
  resumed: number
  analysed(analysis: Analysis): Promise<void>
  /** @param migrations found in this run */
  end(migrations: number): Promise<void>
}

/** @param byName all captures were named one by one */
export async function makeOutput(
  args: AnalyzeArguments,
  byName: boolean,
  terminal: boolean,
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
      return new TableOutput(args, destination, args.each ?? byName, terminal && args.output === null)
  }
}

/** A migration a line, as soon as it is known: all lines of a capture at once. */
class LinesOutput implements Output {
  resumed = 0
  readonly #destination: Destination

  constructor(destination: Destination) {
    this.#destination = destination
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
    await this.#destination.write(renderJson(await documentOf(this.#analyses, this.#args.grouping)))
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
