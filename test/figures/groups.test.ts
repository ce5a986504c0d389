import { describe, expect, it, test } from 'vitest'
import { groupFigures } from '../../src/figures/index.ts'
import { describeGroups } from '../../src/report/groups.ts'
import { runOf } from '../../src/report/metrics-of.ts'
import type { MigrationReport } from '../../src/report/model.ts'
import { changed } from '../report/reports.ts'
import { drawn, numberOf, textsOf, told } from './canvas.ts'

const IDLE = 'libvirt-9.0/idle.expected.json'

/** A migration as captured, at these levels, its transfer so long. */
function run(factors: Record<string, string>, transferS: number, outcome = 'completed'): MigrationReport {
  const { migrations } = changed(IDLE, ({ phases }) => ({
    factors,
    outcome: outcome as MigrationReport['outcome'],
    phases: phases.map((phase) => (phase.id === 'transfer' ? { ...phase, duration_s: transferS } : phase)),
  }))
  return migrations[0]!
}

function figuresOf(migrations: readonly MigrationReport[], names: readonly string[]) {
  const groups = describeGroups(migrations.map(runOf), names, 't')
  return { ...groupFigures({ groups, migrations }), groups }
}

const STUDY = ['small', 'large'].flatMap((flavor) =>
  ['0', '50', '100'].flatMap((load) =>
    [0, 1, 2].map((n) =>
      run({ flavor, load, n: `${n}` }, (flavor === 'large' ? 4 : 2) + n / 10 + Number(load) / 100),
    ),
  ),
)

describe('shares and durations', () => {
  const { phases, groups } = figuresOf(STUDY, ['flavor', 'load'])
  const [shares, durations] = phases

  it('draws a bar a group, its segments as wide as their shares', () => {
    const svg = drawn(shares)
    const marks = told(svg).filter(({ text }) => text.startsWith('large · 0\n'))
    const known = groups[0]!.metrics.filter(({ share_of_total }) => share_of_total !== null)
    expect(marks).toHaveLength(known.length)
    const width = (label: string) =>
      numberOf(marks.find(({ text }) => text.includes(`\n${label}:`))!.mark, 'width')
    const shareOf = (id: string) => known.find((metric) => metric.id === id)!.share_of_total!
    expect(width('Transfer') / width('Cleanup')).toBeCloseTo(shareOf('transfer') / shareOf('cleanup'), 4)
  })

  it('has the numbers of the groups beside it', () => {
    const transfer = durations!.data.columns.findIndex(({ id }) => id === 'transfer')
    const means = groups.map(({ metrics }) => metrics.find(({ id }) => id === 'transfer')!.mean)
    expect(durations!.data.rows.map((row) => row[transfer]!.value)).toEqual(means)
  })

  it('leaves out what no group has', () => {
    expect(textsOf(drawn(shares))).not.toContain('Authentication')
    expect(textsOf(drawn(shares))).toContain('Unattributed')
  })
})

describe('a metric by a factor', () => {
  const { byFactor, groups } = figuresOf(STUDY, ['flavor', 'load'])
  const figure = byFactor.find(({ id }) => id === 'transfer-by-load')

  it('is there for each metric that is known and each factor', () => {
    const ids = byFactor.map(({ id }) => id)
    expect(ids).toContain('transfer-by-flavor')
    expect(ids).toContain('downtime-by-load')
    expect(ids.some((id) => id.startsWith('auth'))).toBe(false)
  })

  it('draws mean and interval of each group, a line for each level of the other factor', () => {
    const svg = drawn(figure)
    const texts = textsOf(svg)
    expect(texts).toEqual(
      expect.arrayContaining(['0', '50', '100', 'load', 'Transfer (s)', 'flavor large', 'small']),
    )
    const points = told(svg)
    expect(points).toHaveLength(6)
    const metric = groups[1]!.metrics.find(({ id }) => id === 'transfer')!
    expect(metric.mean).toBeCloseTo(4.6, 12)
    expect(points[1]!.text).toBe(
      `large, 50: 4.6000 (${metric.ci95_low!.toFixed(4)} … ${metric.ci95_high!.toFixed(4)}), n = 3`,
    )
  })

  it('is not there for a factor with one level', () => {
    const one = STUDY.filter(({ factors }) => factors.flavor === 'small')
    expect(figuresOf(one, ['flavor', 'load']).byFactor.map(({ id }) => id)).not.toContain(
      'transfer-by-flavor',
    )
    expect(figuresOf(one, []).byFactor).toEqual([])
  })

  it('draws a point without an interval where there is one value', () => {
    const single = [run({ load: '0' }, 1), run({ load: '1' }, 2)]
    const { byFactor: figures } = figuresOf(single, ['load'])
    const svg = drawn(figures.find(({ id }) => id === 'transfer-by-load'))
    expect(told(svg).map(({ text }) => text)).toEqual(['0: 1.0000, n = 1', '1: 2.0000, n = 1'])
    expect(svg.outerHTML).not.toMatch(/NaN|undefined/)
  })
})

describe('distributions', () => {
  const migrations = [1, 1.1, 1.05, 1.02, 1.08, 9].map((transfer, n) => run({ n: `${n}` }, transfer))

  it('draws every completed migration, outliers hollow', () => {
    const { distributions } = figuresOf([...migrations, run({}, 5, 'failed')], [])
    const dots = told(drawn(distributions.find(({ id }) => id === 'transfer-distribution')))
    expect(dots.map(({ text }) => text)).toEqual([
      'migration 1: 1.0000',
      'migration 2: 1.1000',
      'migration 3: 1.0500',
      'migration 4: 1.0200',
      'migration 5: 1.0800',
      'migration 6: 9.0000',
    ])
    const filled = dots.map(({ mark }) => mark.getAttribute('fill'))
    expect(filled.filter((fill) => fill === 'none')).toHaveLength(1)
    expect(filled[5]).toBe('none')
  })

  it('is drawn for a group with a single value', () => {
    const { distributions } = figuresOf([run({ a: '1' }, 1), run({ a: '2' }, 1)], ['a'])
    for (const figure of distributions) expect(drawn(figure).outerHTML).not.toMatch(/NaN|undefined|Infinity/)
  })
})

test('without a migration that completed there is no figure', () => {
  const { phases, byFactor, distributions } = figuresOf([run({}, 1, 'failed'), run({}, 2, 'aborted')], [])
  expect([phases, byFactor, distributions]).toEqual([[], [], []])
})
