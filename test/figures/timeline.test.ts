import { describe, expect, it, test } from 'vitest'
import { timeline, timelines } from '../../src/figures/index.ts'
import type { MigrationReport } from '../../src/report/model.ts'
import { changed, REPORTS, reportOf } from '../report/reports.ts'
import { CANVAS, drawn, numberOf, textsOf, told } from './canvas.ts'

const IDLE = 'libvirt-9.0/idle.expected.json'

function first(name: string): MigrationReport {
  return reportOf(name).migrations[0]!
}

const bars = (migration: MigrationReport) =>
  told(drawn(timeline(migration, 1))).filter(({ mark }) => mark.localName === 'rect')

describe('the timeline of every migration of the fixtures', () => {
  it.each(REPORTS)('%s', (name) => {
    for (const [index, migration] of reportOf(name).migrations.entries()) {
      const [whole, ...closer] = timelines(migration, index + 1)
      const svg = drawn(whole)
      const known = migration.phases.filter(({ start, end }) => start.time_s !== null || end.time_s !== null)
      expect(textsOf(svg)).toEqual(expect.arrayContaining(known.map(({ label }) => label)))
      const measured = known.filter(({ duration_s }) => duration_s !== null)
      const barsOfPhases = told(svg).filter(
        ({ mark, text }) => mark.localName === 'rect' && text.includes('\nstarts '),
      )
      expect(barsOfPhases.length).toBeGreaterThanOrEqual(measured.length)
      for (const figure of closer) expect(drawn(figure).querySelectorAll('rect').length).toBeGreaterThan(0)
      expect(svg.outerHTML).not.toMatch(/NaN|undefined|Infinity|null/)
    }
  })
})

test('bars are as long, and stand as far apart, as the phases', () => {
  const { phases } = first(IDLE)
  const found = bars(first(IDLE))
  const barOf = (label: string) => found.find(({ text }) => text.startsWith(`${label}:`))!.mark
  const [prepare, cleanup] = [barOf('Preparation'), barOf('Cleanup')]
  const timesOf = (id: string) => phases.find((phase) => phase.id === id)!
  // A bar is a pixel longer than its phase, so that the shortest are seen.
  const ratio = (numberOf(prepare, 'width') - 1) / (numberOf(cleanup, 'width') - 1)
  expect(ratio).toBeCloseTo(timesOf('prepare').duration_s! / timesOf('cleanup').duration_s!, 3)
  const apart = numberOf(cleanup, 'x') - numberOf(prepare, 'x')
  const perSecond = (numberOf(cleanup, 'width') - 1) / timesOf('cleanup').duration_s!
  expect(apart / perSecond).toBeCloseTo(
    timesOf('cleanup').start.time_s! - timesOf('prepare').start.time_s!,
    2,
  )
})

test('a mark tells its packets, the rule, and a filter', () => {
  const transfer = bars(first(IDLE)).find(({ text }) => text.startsWith('Transfer:'))!.text
  expect(transfer).toContain('starts 1.336784 s, packet 196 (observed), tcp.syn:')
  expect(transfer).toContain('ends 1.480995 s, packet 12833 (observed), tcp.fin.last:')
  expect(transfer).toContain('Wireshark: frame.number == 196 || frame.number == 12833')
  const announced = told(drawn(timeline(first(IDLE), 1))).find(({ text }) => text.startsWith('RARP'))
  expect(announced?.text).toMatch(/Wireshark: frame\.number == \d+/)
})

test('the data beside it holds the numbers of the report, unrounded', () => {
  const migration = first(IDLE)
  const { rows } = timeline(migration, 1)!.data
  for (const { label, start, end } of migration.phases)
    expect(rows).toContainEqual(
      expect.arrayContaining([
        expect.objectContaining({ value: label }),
        expect.objectContaining({ value: start.time_s }),
        expect.objectContaining({ value: end.time_s }),
      ]),
    )
})

test('a phase that has no end is a mark, not a bar of no length', () => {
  const migration = first('libvirt-9.0/fail-connect.expected.json')
  const svg = drawn(timeline(migration, 1))
  expect(bars(migration)).toEqual([])
  expect(textsOf(svg)).toContain('the other end was not seen')
  expect(told(svg).map(({ text }) => text)[0]).toMatch(/^Remote connect: – s\n.*\nends –\nmissing: /)
})

test('post-copy shows its parts, storage its copy, a stop its bounds', () => {
  expect(textsOf(drawn(timeline(first('libvirt-9.0/postcopy.expected.json'), 1)))).toEqual(
    expect.arrayContaining(['Parts of post-copy', 'pre-copy', 'post-copy']),
  )
  const storage = textsOf(drawn(timeline(first('libvirt-9.0/block-migration.expected.json'), 1)))
  expect(storage).toEqual(expect.arrayContaining(['Storage copy', 'storage']))
  const { lower_s, upper_s } = first(IDLE).downtime.stream.start!
  expect(upper_s).toBeGreaterThan(lower_s)
})

test('a ping shows the gap between its replies, where both were seen', () => {
  const migration = first('libvirt-9.0/not-converging.expected.json')
  const { gap_start_s, gap_end_s, gap_s } = migration.downtime.icmp!
  expect(gap_end_s! - gap_start_s!).toBeCloseTo(gap_s!, 9)
  const figure = timeline(migration, 1)!
  expect(textsOf(drawn(figure))).toEqual(
    expect.arrayContaining(['Gap of ping', 'ping replies around the gap']),
  )
  const [gap] = figure.data.rows.filter(([row]) => row!.value === 'Gap of ping')
  expect(gap!.slice(1, 3).map(({ value }) => value)).toEqual([gap_start_s, gap_end_s])
  expect(textsOf(drawn(timeline(first(IDLE), 1)))).not.toContain('Gap of ping')
})

test('what is beyond the part that is shown is cut off at its edge', () => {
  const figure = timeline(first(IDLE), 1, 'downtime')
  const svg = drawn(figure)
  for (const { mark } of told(svg)) {
    if (mark.localName !== 'rect') continue
    expect(numberOf(mark, 'x')).toBeGreaterThanOrEqual(0)
    expect(numberOf(mark, 'x') + numberOf(mark, 'width')).toBeLessThanOrEqual(CANVAS.width)
  }
  expect(textsOf(svg)).not.toContain('Remote connect')
})

test('a closer picture only of what is small in the whole', () => {
  const idsOf = (name: string) => timelines(first(name), 3).map(({ id }) => id)
  expect(idsOf(IDLE)).toEqual(['timeline-vm1-3', 'timeline-vm1-3-transfer', 'timeline-vm1-3-downtime'])
  expect(idsOf('libvirt-9.0/abort.expected.json')).toEqual(['timeline-vm1-3'])
})

test('long transfers are drawn with as many points as can be seen, and the mean stays', () => {
  const bins = Array.from({ length: 50_000 }, (_, i) => (i % 2) * 2e9)
  const report = changed(IDLE, ({ transfer }) => ({
    transfer: {
      ...transfer,
      throughput: { start_s: 1.3, bin_s: 0.1, to_destination_bps: bins },
      rounds: null,
    },
  }))
  const migration = { ...report.migrations[0]!, phases: longTransfer(report.migrations[0]!) }
  const svg = drawn(timeline(migration, 1))
  expect(svg.outerHTML.length).toBeLessThan(100_000)
  expect(textsOf(svg)).toContain('Payload (Gbit/s), means over 8.4 s')
  expect(textsOf(svg)).toContain('1.0')
  expect(textsOf(svg)).not.toContain('2.0')
})

function longTransfer({ phases }: MigrationReport): MigrationReport['phases'] {
  return phases.map((phase) => {
    if (phase.id !== 'transfer') return phase
    return { ...phase, duration_s: 5000, end: { ...phase.end, time_s: 5001.3 } }
  })
}

test('a dirty rate far above the payload does not flatten it', () => {
  const texts = textsOf(drawn(timeline(first('libvirt-9.0/multifd-dirty.expected.json'), 1)))
  expect(texts.filter((text) => text.startsWith('↑ '))).toEqual(['↑ 619.1 Mbit/s'])
})

test('the same report gives the same bytes', () => {
  const figure = () => drawn(timeline(first(IDLE), 1)).outerHTML
  expect(figure()).toBe(figure())
})

test('a hostile name is text, and its control characters are seen', () => {
  const name = 'vm\u001b[2J<script>alert(1)</script>\u0000&"\u202e'
  const { migrations } = changed(IDLE, ({ domain }) => ({ domain: { ...domain, name } }))
  const figure = timeline(migrations[0]!, 1)!
  expect(figure.id).toBe('timeline-vm-2J-script-alert-1-script-1')
  const text = drawn(figure).outerHTML
  expect(text).toContain('vm\\x1b[2J&lt;script&gt;alert(1)&lt;/script&gt;\\x00&amp;')
  expect(text).not.toContain('<script')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
})
