import { describe, expect, it, test } from 'vitest'
import {
  captureSheet,
  diagnosticSheet,
  evidenceSheet,
  phaseSheet,
  roundSheet,
  throughputSheet,
  trafficSheet,
} from '../../src/report/migration-sheets.ts'
import type { Sheet } from '../../src/report/sheet.ts'
import { REPORTS, reportOf } from './reports.ts'

const IDLE = 'libvirt-9.0/idle.expected.json'
const first = (name: string) => reportOf(name).migrations[0]!

/** The values of a column. */
function column({ columns, rows }: Sheet, id: string) {
  const place = columns.findIndex((each) => each.id === id)
  return rows.map((row) => row[place]?.value)
}

describe('the tables of every migration of the fixtures', () => {
  it.each(REPORTS)('%s', (name) => {
    const { migrations, captures } = reportOf(name)
    for (const migration of migrations) {
      const sheets = [
        phaseSheet(migration),
        evidenceSheet(migration),
        roundSheet(migration),
        trafficSheet(migration),
        throughputSheet(migration),
        captureSheet(captures),
        diagnosticSheet(captures.map(({ file, diagnostics }) => ({ name: file, diagnostics }))),
      ]
      for (const sheet of sheets) {
        if (sheet === null) continue
        for (const row of sheet.rows) {
          expect(row).toHaveLength(sheet.columns.length)
          for (const { text } of row) expect(text).not.toMatch(/NaN|undefined|null/)
        }
      }
    }
  })
})

test('values are those of the report, and texts are rounded', () => {
  const migration = first(IDLE)
  const sheet = phaseSheet(migration)
  expect(column(sheet, 'duration_s')).toEqual([
    ...migration.phases.map(({ duration_s }) => duration_s),
    migration.libvirt_migration_time_s,
    migration.total_migration_time_s,
    migration.unattributed_s,
  ])
  expect(column(sheet, 'start_packet').slice(0, 5)).toEqual(migration.phases.map(({ start }) => start.packet))
  expect(sheet.rows[2]!.map(({ text }) => text)).toEqual([
    'Transfer',
    '1.336784',
    '1.480995',
    '0.144212',
    '5.8 %',
    '196',
    '12833',
  ])
})

test('unknown is a dash, never 0', () => {
  const migration = first('libvirt-9.0/fail-connect.expected.json')
  const texts = phaseSheet(migration).rows[1]!.map(({ text }) => text)
  expect(texts).toEqual(['Preparation', '–', '–', '–', '–', '–', '–'])
})

test('evidence has every boundary and instant, with a filter for Wireshark', () => {
  const migration = first(IDLE)
  const sheet = evidenceSheet(migration)
  const markers = migration.phases.flatMap((phase) => phase.markers)
  expect(sheet.rows).toHaveLength(2 * migration.phases.length + markers.length + 2)
  expect(column(sheet, 'packet')).toEqual(expect.arrayContaining(markers.map(({ packet }) => packet)))
  expect(column(sheet, 'filter')).toContain('frame.number == 12833')
  expect(sheet.columns.map(({ id }) => id)).not.toContain('file')
})

test('of merged captures, evidence names the file', () => {
  const migration = first(IDLE)
  const merged = {
    ...migration,
    phases: migration.phases.map((phase) => ({ ...phase, start: { ...phase.start, file: 'src.pcap' } })),
  }
  expect(column(evidenceSheet(merged), 'file').slice(0, 2)).toEqual(['src.pcap', null])
})

test('nothing to tell is no table', () => {
  expect(roundSheet(first('libvirt-9.0/tls.expected.json'))).toBeNull()
  expect(throughputSheet(first('libvirt-9.0/rpc-only.expected.json'))).toBeNull()
  expect(diagnosticSheet([{ name: 'a', diagnostics: [] }])).toBeNull()
})
