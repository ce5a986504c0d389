import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MetricId } from '../../src/stats/metrics.ts'
import { momentsBehind, type PrintedColumn, type PrintedRow, skewedSampleWith } from '../support/samples.ts'
import { type Durations, StudyScene } from '../support/study.ts'
import { run } from './run.ts'

/** The tables of a study by measurements on OpenStack and KVM, out of captures whose migrations have the published means and
 *  standard deviations. @see fixtures/thesis/tables.json */

type Row = readonly [mean: number, sd: number, ci: number, cov: number]
interface Table {
  readonly table: string
  readonly flavor: number
  readonly cpu_load_percent: number
  readonly n: number
  readonly rows: Readonly<Record<string, Row>>
}
const published: { flavors: Record<string, string>; tables: Table[] } = JSON.parse(
  readFileSync('fixtures/thesis/tables.json', 'utf8'),
)

/** Cells that do not follow from the mean and the standard deviation of their own row: what is printed, and what follows. */
const CONTRADICTIONS: Readonly<
  Record<string, readonly [column: PrintedColumn, printed: string, follows: string]>
> = {
  'A.1.1 cleanup': ['cov_percent', '7.45', '7.71'],
  'A.2.1 finish': ['ci95_half_width', '0.0337', '0.0229'],
  'A.2.3 finish': ['ci95_half_width', '0.0347', '0.0250'],
}

const COLUMNS = ['mean', 'sd', 'ci95_half_width', 'cov_percent'] as const
const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-study-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

/** As printed by the program: label, then mean, SD, CI, CoV. */
const printed = new Map<string, string[]>()

beforeAll(async () => {
  const scene = new StudyScene()
  for (const table of published.tables) {
    const folder = join(FOLDER, published.flavors[table.flavor]!, `${table.cpu_load_percent}`)
    mkdirSync(folder, { recursive: true })
    const samples = samplesOf(table)
    for (let i = 0; i < table.n; i++) {
      const durations = Object.fromEntries(samples.map(([id, values]) => [id, values[i]])) as Durations
      writeFileSync(join(folder, `run-${i}.pcap`), scene.bytes(durations))
    }
  }
  const { status, stdout, stderr } = await run([
    FOLDER,
    '--factors',
    '{flavor}/{load}/run-{n}',
    '--ci',
    'normal',
  ])
  expect([status, stderr]).toEqual([0, ''])
  readTables(stdout)
}, 60_000)

/** Exactly the mean and standard deviation behind each row; the same run is the slow one in all of them. */
function samplesOf({ table, n, rows }: Table): [MetricId, number[]][] {
  return Object.entries(rows).map(([id, [mean, sd, ci95_half_width, cov_percent]]) => {
    const row: PrintedRow = { mean, sd, ci95_half_width, cov_percent }
    const wrong = CONTRADICTIONS[`${table} ${id}`]?.[0]
    const moments = momentsBehind(
      row,
      n,
      COLUMNS.filter((column) => column !== wrong),
    )
    if (moments === null) throw new Error(`${table} ${id} contradicts itself`)
    const scale = id === 'downtime' ? 1000 : 1
    return [id as MetricId, skewedSampleWith(moments.mean / scale, moments.sd / scale, n)]
  })
}

function readTables(text: string): void {
  let table = ''
  for (const line of text.split('\n')) {
    const title = /^flavor (\S+), load (\S+): (\d+) migrations$/.exec(line)
    if (title !== null) {
      const is = (each: Table) =>
        published.flavors[each.flavor] === title[1] && `${each.cpu_load_percent}` === title[2]
      table = published.tables.find(is)?.table ?? ''
      expect(title[3]).toBe('30')
    }
    const cells = /^ (\S.*?)\s{2,}(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+30 *$/.exec(line)
    if (cells !== null) printed.set(`${table} ${cells[1]}`, cells.slice(2))
  }
}

const LABELS: Readonly<Record<string, string>> = {
  auth: 'Authentication',
  init: 'Initialization',
  remote_connect: 'Remote connect',
  prepare: 'Preparation',
  transfer: 'Transfer',
  finish: 'Finish',
  cleanup: 'Cleanup',
  post_migration: 'Post-migration',
  libvirt_migration_time: 'Migration time (libvirt)',
  total_migration_time: 'Total migration time',
  downtime: 'Downtime (ms)',
}

describe.each(published.tables)('table $table', ({ table, rows }) => {
  it.each(Object.entries(rows))('%s is printed as it was published', (id, row) => {
    const expected = row.map((value, index) => value.toFixed(index === 3 ? 2 : 4))
    const contradiction = CONTRADICTIONS[`${table} ${id}`]
    if (contradiction !== undefined) {
      const [column, is, follows] = contradiction
      const index = COLUMNS.indexOf(column)
      expect(expected[index]).toBe(is)
      expected[index] = follows
    }
    // A cell of the publication has six digits.
    const digits = (cells: string[] | undefined) =>
      cells?.map((cell) => cell.replace(/^(\d+\.\d{4})\d+$/, '$1'))
    expect(digits(printed.get(`${table} ${LABELS[id]}`))).toEqual(digits(expected))
  })
})
