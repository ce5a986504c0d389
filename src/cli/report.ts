import { stderr } from 'node:process'
import { writeFigures } from '../files/figures.ts'
import { readPageAssets } from '../files/page-assets.ts'
import type { Analysis } from '../pipeline/analyzer.ts'
import { type PageContent, renderPage } from '../report/html.ts'
import { runOf } from '../report/metrics-of.ts'
import type { MigrationReport, Report } from '../report/model.ts'
import { guestOf, wayOf } from '../report/title.ts'
import { analyzeInto } from './analyze.ts'
import type { ReportArguments } from './args/report.ts'
import { documentOf } from './document.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { Findings } from './findings.ts'
import { groupTables, knownMetrics } from './groups.ts'
import { Destination } from './output.ts'
import type { Output } from './outputs.ts'
import { readMigrations } from './runs.ts'

/** Writes a page, figures, or both, of captures and of results that other runs have written. */
export async function makeReport(args: ReportArguments): Promise<ExitStatus> {
  const { results, analysis } = args
  const known: MigrationReport[] = []
  for await (const migration of readMigrations(results, analysis.grouping)) known.push(migration)
  const findings = new Findings()
  const output = new PageOutput(args, known, findings)
  // A manifest beside results tells their factors.
  if (results.length === 0 || analysis.captures.length > 0)
    return await analyzeInto(analysis, findings, async () => output)
  await output.end()
  if (known.length > 0) return EXIT.ok
  stderr.write('mig-phases: no migration in these results, or none that passes the filter\n')
  return EXIT.noMigration
}

/** The page, and the figures as files, when all has been read. Without a migration there is none. */
class PageOutput implements Output {
  resumed: number
  readonly #args: ReportArguments
  readonly #findings: Findings
  readonly #analyses: Pick<Analysis, 'captures' | 'migrations'>[]

  /** @param known migrations from results files */
  constructor(args: ReportArguments, known: readonly MigrationReport[], findings: Findings) {
    this.#args = args
    this.#findings = findings
    this.resumed = known.length
    this.#analyses = [{ captures: [], migrations: known }]
  }

  async analysed(analysis: Analysis): Promise<void> {
    this.#analyses.push(analysis)
  }

  async end(): Promise<void> {
    const { analysis, page, svg } = this.#args
    const report = await documentOf(this.#analyses, analysis.grouping)
    if (report.migrations.length === 0) return
    const content = this.#contentOf(report)
    if (page) {
      const destination = new Destination(analysis.output)
      await destination.write(renderPage(report, content, await readPageAssets()))
      await destination.close()
    }
    if (svg !== null) await writeFigures(svg, report, content.metrics)
  }

  #contentOf(report: Report): PageContent {
    const { analysis, title, tables } = this.#args
    const { grouping } = analysis
    const runs = report.migrations.map(runOf)
    return {
      title: title ?? titleOf(report),
      tables: report.groups === undefined ? [] : groupTables(runs, grouping, tables),
      metrics: knownMetrics(runs, grouping.metrics),
      ci: grouping.ci,
      unread: this.#findings.failures,
    }
  }
}

function titleOf({ migrations }: Report): string {
  const [only, ...more] = migrations
  return only === undefined || more.length > 0
    ? 'Live migrations'
    : `Live migration of ${guestOf(only)}, ${wayOf(only)}`
}
