import { readFileSync } from 'node:fs'
import { expect, it, describe as suite } from 'vitest'
import { groupRuns, type MetricSummary, type Run } from '../../src/stats/group.ts'
import type { MetricId } from '../../src/stats/metrics.ts'
import { factorTable } from '../../src/stats/tables.ts'
import {
  digitsOf,
  momentsBehind,
  type PrintedColumn,
  type PrintedRow,
  sampleWith,
} from '../support/samples.ts'

interface Table {
  readonly table: string
  readonly flavor: number
  readonly cpu_load_percent: number
  readonly n: number
  readonly rows: Readonly<Record<MetricId, readonly [number, number, number, number]>>
}

const published: { flavors: Record<string, string>; tables: Table[] } = JSON.parse(
  readFileSync('fixtures/thesis/tables.json', 'utf8'),
)

/** What the publication prints against itself, by table, row and column: no mean and standard deviation that round to the
 *  printed ones give it. With it, what does follow from them. */
const CONTRADICTIONS: Readonly<
  Record<string, { readonly column: PrintedColumn; readonly printed: string; readonly follows: string }>
> = {
  'A.1.1 cleanup': { column: 'cov_percent', printed: '7.45', follows: '7.71' },
  'A.2.1 finish': { column: 'ci95_half_width', printed: '0.0337', follows: '0.0229' },
  'A.2.3 finish': { column: 'ci95_half_width', printed: '0.0347', follows: '0.0250' },
}

const COLUMNS: readonly PrintedColumn[] = ['mean', 'sd', 'ci95_half_width', 'cov_percent']

const rows = published.tables.flatMap(({ table, n, rows, ...factors }) =>
  Object.entries(rows).map(([id, [mean, sd, ci95_half_width, cov_percent]]) => ({
    name: `${table} ${id}`,
    id: id as MetricId,
    n,
    factors: factorsOf(factors),
    row: { mean, sd, ci95_half_width, cov_percent } as PrintedRow,
  })),
)

const groups = groupRuns(runsOfAllTables(), ['flavor', 'cpu_load_percent'], 'normal')

suite('the published tables, from samples that have the mean and standard deviation of each row', () => {
  it('are 20 tables of 11 rows', () => {
    expect(groups).toHaveLength(20)
    expect(rows).toHaveLength(220)
    for (const { migrations, failed } of groups)
      expect({ migrations, failed }).toEqual({ migrations: 30, failed: 0 })
  })

  it('contradict themselves in three cells, two of them confidence intervals, and nowhere else', () => {
    const found = rows.filter(({ row, n }) => momentsBehind(row, n) === null).map(({ name }) => name)
    expect(found).toEqual(Object.keys(CONTRADICTIONS))
  })

  it.each(rows)('$name comes out in all printed digits', ({ name, id, factors, row }) => {
    const summary = summaryOf(factors, id)
    const contradiction = CONTRADICTIONS[name]
    for (const column of COLUMNS) {
      const printed = row[column].toFixed(digitsOf(row, column))
      const ours = figureOf(summary, column).toFixed(digitsOf(row, column))
      if (contradiction?.column === column) {
        expect([printed, ours], `${name} ${column}`).toEqual([contradiction.printed, contradiction.follows])
      } else {
        expect(ours, `${name} ${column}`).toBe(printed)
      }
    }
  })

  it('a table of flavors by load has the published means', () => {
    const table = factorTable(runsOfAllTables(), 'flavor', 'cpu_load_percent', 'transfer', 'normal')
    expect(table.rows).toEqual(['m1.large', 'm1.medium', 'm1.small', 'm1.xlarge'])
    expect(table.columns).toEqual(['0', '25', '50', '75', '100'])
    expect(table.cells[2]?.map(({ mean }) => mean?.toFixed(4))).toEqual([
      '2.0655',
      '2.1033',
      '2.2017',
      '2.2726',
      '2.3275',
    ])
  })
})

function factorsOf({ flavor, cpu_load_percent }: Pick<Table, 'flavor' | 'cpu_load_percent'>) {
  return { flavor: published.flavors[flavor] as string, cpu_load_percent: `${cpu_load_percent}` }
}

/** 30 runs a table. Metrics are in seconds, so a downtime is a thousandth of what is printed. */
function runsOfAllTables(): Run[] {
  return published.tables.flatMap(({ table, n, flavor, cpu_load_percent }) => {
    const samples = rows
      .filter(({ name }) => name.startsWith(`${table} `))
      .map(({ name, id, row }) => {
        const heeded = COLUMNS.filter((column) => CONTRADICTIONS[name]?.column !== column)
        const moments = momentsBehind(row, n, heeded)
        if (moments === null) throw new Error(`${name} contradicts itself`)
        const scale = scaleOf(id)
        return { id, values: sampleWith(moments.mean / scale, moments.sd / scale, n) }
      })
    return Array.from({ length: n }, (_, i) => ({
      factors: factorsOf({ flavor, cpu_load_percent }),
      outcome: 'completed',
      metrics: Object.fromEntries(samples.map(({ id, values }) => [id, values[i]])),
    }))
  })
}

function summaryOf(factors: Record<string, string>, id: MetricId): MetricSummary {
  const group = groups.find(({ key }) =>
    Object.entries(factors).every(([name, level]) => key[name] === level),
  )
  return group?.metrics.find((metric) => metric.id === id) as MetricSummary
}

function figureOf(summary: MetricSummary, column: PrintedColumn): number {
  const value = column === 'cov_percent' ? summary.cov : summary[column]
  return (value ?? Number.NaN) * (column === 'cov_percent' ? 100 : scaleOf(summary.id))
}

function scaleOf(id: MetricId): number {
  return id === 'downtime' ? 1000 : 1
}
