import { assembleReport } from '../report/assemble.ts'
import { runOf } from '../report/metrics-of.ts'
import type { Report } from '../report/model.ts'
import type { Grouping } from './args/shared.ts'

/** The document of `--format json`: with groups where there is more than one migration. */
export async function documentOf(
  analyses: Parameters<typeof assembleReport>[0],
  grouping: Grouping,
): Promise<Report> {
  const report = assembleReport(analyses)
  if (report.migrations.length < 2) return report
  const { groupsOf } = await import('./grouping.ts')
  return { ...report, groups: groupsOf(report.migrations.map(runOf), grouping) }
}
