import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Check, Errors } from 'typebox/schema'
import { expect, expectTypeOf, it } from 'vitest'
import { type ReportBySchema, reportSchema } from '../../docs/schema/report.ts'
import { SCHEMA_ID } from '../../src/report/assemble.ts'
import type { Report } from '../../src/report/model.ts'

const PUBLISHED = 'docs/schema/report-1.schema.json'

/** The document as it is published. */
function schemaText(): string {
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: SCHEMA_ID }
  return `${JSON.stringify({ ...head, ...reportSchema }, null, 2)}\n`
}

/** `npm run golden` writes it. */
if (process.env.REWRITE === '1') writeFileSync(PUBLISHED, schemaText())

const published = JSON.parse(readFileSync(PUBLISHED, 'utf8'))
const expectations = readdirSync('fixtures', { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.expected.json'),
)

it('is published as it is written down', () => {
  expect(readFileSync(PUBLISHED, 'utf8')).toBe(schemaText())
})

it('says what the types say', () => {
  expectTypeOf<Mutable<Report>>().toEqualTypeOf<Mutable<ReportBySchema>>()
})

it('accepts the report of every fixture', () => {
  expect(expectations.length).toBeGreaterThan(30)
  for (const name of expectations) {
    const report = JSON.parse(readFileSync(join('fixtures', name), 'utf8'))
    expect(Errors(published, report)[1], name).toEqual([])
    expect(Check(published, report), name).toBe(true)
  }
})

it('refuses a report with another field, a missing one or another type', () => {
  const report = JSON.parse(readFileSync(join('fixtures', expectations[0] ?? ''), 'utf8'))
  const [migration] = report.migrations
  expect(Check(published, { ...report, extra: 1 })).toBe(false)
  expect(Check(published, { ...report, migrations: [{ ...migration, outcome: 'fine' }] })).toBe(false)
  expect(Check(published, { ...report, migrations: [{ ...migration, phases: undefined }] })).toBe(false)
})

/** The types of the model are readonly; the schema's are not. */
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T
