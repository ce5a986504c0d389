import { VERSION } from '../core/version.ts'
import type { CaptureReport, MigrationReport, Report } from './model.ts'

/** Names the schema, which is published as docs/schema/report-1.schema.json. */
export const SCHEMA_ID = 'https://mig-phases.example/schema/report-1.schema.json'

/** What several captures told, as one document. */
export function assembleReport(
  analyses: readonly {
    readonly captures: readonly CaptureReport[]
    readonly migrations: readonly MigrationReport[]
  }[],
): Report {
  return {
    schema: SCHEMA_ID,
    tool: { name: 'mig-phases', version: VERSION },
    captures: analyses.flatMap((analysis) => analysis.captures),
    migrations: analyses.flatMap((analysis) => analysis.migrations),
  }
}
