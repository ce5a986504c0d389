import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MigrationReport, Report } from '../../src/report/model.ts'

const FIXTURES = 'fixtures'

/** Names of the reports that are expected of the fixtures. */
export const REPORTS: readonly string[] = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.expected.json'))
  .sort()

export function reportOf(name: string): Report {
  return JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Report // a test holds them against the schema
}

/** A report with its only, or first, migration changed. */
export function changed(
  name: string,
  change: (migration: MigrationReport) => Partial<MigrationReport>,
): Report {
  const report = reportOf(name)
  const [first, ...rest] = report.migrations
  return { ...report, migrations: [{ ...first!, ...change(first!) }, ...rest] }
}
