import { describe, expect, it } from 'vitest'
import { PHASES } from '../../src/phases/phase.ts'
import {
  factorNames,
  type Group,
  groupRuns,
  partitionRuns,
  type Run,
  sampleOf,
} from '../../src/stats/group.ts'
import { METRICS, type MetricId } from '../../src/stats/metrics.ts'
import { factorTable, shareTable } from '../../src/stats/tables.ts'

function run(factors: Run['factors'], metrics: Run['metrics'] = {}, outcome = 'completed'): Run {
  return { factors, outcome, metrics }
}

function metricOf(group: Group | undefined, id: MetricId) {
  return group?.metrics.find((metric) => metric.id === id)
}

describe('metrics', () => {
  it('begin with the phases, in their order and with their labels', () => {
    const first = METRICS.slice(0, PHASES.length).map(({ id, label }) => ({ id, label }))
    expect(first).toEqual(PHASES)
  })

  it('are those of the output contract', () => {
    expect(METRICS.slice(PHASES.length).map(({ id, label, unit }) => [id, label, unit])).toEqual([
      ['libvirt_migration_time', 'Migration time (libvirt)', 's'],
      ['total_migration_time', 'Total migration time', 's'],
      ['downtime', 'Downtime', 's'],
      ['wire_bytes', 'Data on the wire', 'B'],
      ['unattributed', 'Unattributed', 's'],
    ])
  })
})

describe('groups', () => {
  const runs = [
    run({ flavor: 'm1.small', load: '100' }, { transfer: 2, total_migration_time: 4 }),
    run({ flavor: 'm1.small', load: '0' }, { transfer: 1, total_migration_time: 4 }),
    run({ flavor: 'm1.large', load: '0' }, { transfer: 5, total_migration_time: 10 }),
    run({ flavor: 'm1.small', load: '0' }, { transfer: 3, total_migration_time: 4, downtime: null }),
    run({ flavor: 'm1.small', load: '0' }, { transfer: 900 }, 'failed'),
    run({ flavor: 'm1.small', load: '0' }, { transfer: 900 }, 'aborted'),
    run({ flavor: 'm1.small', load: '0' }, { transfer: 900 }, 'incomplete'),
  ]

  it('hold the runs with the same levels, in natural order', () => {
    expect(groupRuns(runs).map(({ key }) => key)).toEqual([
      { flavor: 'm1.large', load: '0' },
      { flavor: 'm1.small', load: '0' },
      { flavor: 'm1.small', load: '100' },
    ])
  })

  it('count migrations that did not complete, and leave them out of the figures', () => {
    const group = groupRuns(runs)[1]
    expect(group).toMatchObject({ migrations: 5, failed: 3 })
    expect(metricOf(group, 'transfer')).toMatchObject({ n: 2, mean: 2, min: 1, max: 3 })
  })

  it('without a completed migration have no figures', () => {
    const [group] = groupRuns([run({}, { transfer: 1 }, 'failed')])
    expect(group).toMatchObject({ key: {}, migrations: 1, failed: 1 })
    expect(metricOf(group, 'transfer')).toMatchObject({ n: 0, mean: null, share_of_total: null })
  })

  it('have all metrics, in the order and with the names of the output contract', () => {
    const group = groupRuns(runs)[1]
    expect(group?.metrics.map(({ id }) => id)).toEqual(METRICS.map(({ id }) => id))
    // The order of keys is that of the CSV columns too, so all of them and nothing else.
    expect(Object.keys(group?.metrics[0] ?? {})).toEqual([
      'id',
      'label',
      'unit',
      'n',
      'mean',
      'sd',
      'ci95_half_width',
      'ci95_low',
      'ci95_high',
      'cov',
      'median',
      'min',
      'max',
      'max_min_ratio',
      'outliers',
      'share_of_total',
    ])
  })

  it('count only what is known of a metric', () => {
    const group = groupRuns(runs)[1]
    expect(metricOf(group, 'downtime')).toMatchObject({ n: 0, mean: null, unit: 's' })
    expect(metricOf(group, 'auth')).toMatchObject({ n: 0, mean: null })
  })

  it('can be made by some factors only', () => {
    const groups = groupRuns(runs, ['flavor'])
    expect(groups.map(({ key, migrations }) => [key, migrations])).toEqual([
      [{ flavor: 'm1.large' }, 1],
      [{ flavor: 'm1.small' }, 6],
    ])
    expect(groupRuns(runs, []).map(({ key, migrations }) => [key, migrations])).toEqual([[{}, 7]])
  })

  it('keep runs without a factor apart, last', () => {
    const groups = groupRuns([run({ load: '5' }), run({}), run({ load: '' })])
    expect(groups.map(({ key }) => key)).toEqual([{ load: '5' }, { load: '' }, { load: null }])
  })

  it('are the same for any order of the runs, outliers aside', () => {
    expect(groupRuns([...runs].reverse(), ['flavor', 'load'])).toEqual(groupRuns(runs, ['flavor', 'load']))
  })

  it('do not mix levels that look alike when put together', () => {
    expect(groupRuns([run({ a: 'x', b: 'y","z' }), run({ a: 'x","y', b: 'z' })])).toHaveLength(2)
  })

  it('take any text as the name of a factor', () => {
    const odd = run(JSON.parse('{"__proto__":"1","constructor":"2"}'))
    const [group] = groupRuns([odd])
    expect(Object.entries(group?.key ?? {})).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
    expect(groupRuns([run({})], ['constructor', 'toString'])[0]?.key).toEqual({
      constructor: null,
      toString: null,
    })
  })

  it('flag outliers by their place among all runs', () => {
    const times = [1, 1.1, 0.9, 1, 50, 1.05]
    const list = [run({}, { transfer: 7 }, 'failed'), ...times.map((transfer) => run({}, { transfer }))]
    const [group] = groupRuns(list)
    expect(metricOf(group, 'transfer')).toMatchObject({ n: 6, max: 50, outliers: [5] })
  })

  it('have intervals by the method that was asked for', () => {
    const [byT, byNormal] = (['t', 'normal'] as const).map((ci) =>
      metricOf(groupRuns(runs, ['flavor', 'load'], ci)[1], 'transfer'),
    )
    expect(byT?.ci95_half_width).toBeCloseTo(12.706, 3)
    expect(byNormal?.ci95_half_width).toBeCloseTo(1.959964, 12)
  })

  it('know their factors in order of appearance', () => {
    expect(factorNames([run({ b: '1' }), run({ a: '2', b: '3' })])).toEqual(['b', 'a'])
  })

  it('give the single values for tests', () => {
    const groups = partitionRuns(runs, ['flavor'])
    expect(groups.map((group) => sampleOf(group, 'transfer'))).toEqual([
      { values: [5], indices: [2] },
      { values: [2, 1, 3], indices: [0, 1, 3] },
    ])
  })
})

describe('shares of the total migration time', () => {
  it('are those of the sums, over the runs that have both', () => {
    const [group] = groupRuns([
      run({}, { transfer: 2, total_migration_time: 4 }),
      run({}, { transfer: 2, total_migration_time: 6 }),
      run({}, { transfer: 90 }),
      run({}, { total_migration_time: 90 }),
    ])
    expect(metricOf(group, 'transfer')?.share_of_total).toBe(0.4)
  })

  it('are unknown for what is no part of it, and without a total', () => {
    const [group] = groupRuns([run({}, { downtime: 1, libvirt_migration_time: 3, total_migration_time: 4 })])
    for (const id of ['downtime', 'libvirt_migration_time', 'total_migration_time', 'transfer'] as const) {
      expect(metricOf(group, id)?.share_of_total).toBeNull()
    }
    expect(
      metricOf(groupRuns([run({}, { transfer: 0, total_migration_time: 0 })])[0], 'transfer'),
    ).toMatchObject({
      share_of_total: null,
    })
  })

  it('make a table of parts by groups that add up', () => {
    const groups = groupRuns([
      run({ load: '0' }, { prepare: 1, transfer: 2, unattributed: 1, total_migration_time: 4 }),
      run({ load: '9' }, { prepare: 1, transfer: 9, unattributed: 0, total_migration_time: 10 }),
    ])
    const table = shareTable(groups)
    expect(table.columns).toEqual([{ load: '0' }, { load: '9' }])
    expect(table.rows.map(({ id }) => id)).toEqual([...PHASES.map(({ id }) => id), 'unattributed'])
    expect(table.rows.find(({ id }) => id === 'transfer')).toEqual({
      id: 'transfer',
      label: 'Transfer',
      shares: [0.5, 0.9],
    })
    expect(table.rows.find(({ id }) => id === 'auth')?.shares).toEqual([null, null])
    const sums = [0, 1].map((column) =>
      table.rows.reduce((sum, { shares }) => sum + (shares[column] ?? 0), 0),
    )
    expect(sums).toEqual([1, 1])
  })
})

describe('a table of two factors', () => {
  const runs = [
    run({ memory: '10', load: 'high', host: 'a' }, { transfer: 4 }),
    run({ memory: '10', load: 'high', host: 'b' }, { transfer: 6 }),
    run({ memory: '2', load: 'low' }, { transfer: 1 }),
    run({ memory: '2', load: 'low' }, { transfer: 100 }, 'failed'),
    run({ load: 'low' }, { transfer: 3 }),
  ]

  it('describes one metric for each pair of levels', () => {
    const table = factorTable(runs, 'memory', 'load', 'transfer')
    expect(table).toMatchObject({ metric: 'transfer', rows: ['2', '10', null], columns: ['high', 'low'] })
    expect(table.cells.map((row) => row.map(({ n, mean }) => [n, mean]))).toEqual([
      [
        [0, null],
        [1, 1],
      ],
      [
        [2, 5],
        [0, null],
      ],
      [
        [0, null],
        [1, 3],
      ],
    ])
  })

  it('has intervals by the method that was asked for', () => {
    const cell = (ci: 't' | 'normal') => factorTable(runs, 'memory', 'load', 'transfer', ci).cells[1]?.[0]
    expect(cell('normal')?.ci95_half_width).toBeCloseTo(1.959964, 12)
    expect(cell('t')?.ci95_half_width).toBeCloseTo(12.706, 3)
  })

  it('of no runs is empty', () => {
    expect(factorTable([], 'a', 'b', 'transfer')).toEqual({
      metric: 'transfer',
      rows: [],
      columns: [],
      cells: [],
    })
  })
})
