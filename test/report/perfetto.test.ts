import { describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import { renderPerfetto } from '../../src/report/perfetto.ts'
import { changed, REPORTS, reportOf } from './reports.ts'

interface TraceEvent {
  readonly ph: string
  readonly name: string
  readonly pid: number
  readonly tid?: number
  readonly ts?: number
  readonly dur?: number
  readonly s?: string
  readonly args: Readonly<Record<string, unknown>>
}

const IDLE = 'libvirt-9.0/idle.expected.json'
const POSTCOPY = 'libvirt-9.0/postcopy.expected.json'
const BLOCK = 'libvirt-9.0/block-two-disks.expected.json'

function eventsOf(report: Report): TraceEvent[] {
  return JSON.parse(renderPerfetto(report)).traceEvents
}

/** Slices by track, in the order of the file. */
function trackSlices(events: readonly TraceEvent[]): TraceEvent[][] {
  const tracks = new Map<string, TraceEvent[]>()
  for (const event of events) {
    if (event.ph !== 'X') continue
    const key = `${event.pid} ${event.tid}`
    tracks.set(key, [...(tracks.get(key) ?? []), event])
  }
  return [...tracks.values()]
}

/** Slices that lie neither inside nor after those that are open when they start. */
function misnested(slices: readonly TraceEvent[]): string[] {
  const open: number[] = []
  const bad: string[] = []
  for (const { name, ts, dur } of slices) {
    const end = ts! + dur!
    while (open.length > 0 && open.at(-1)! <= ts!) open.pop()
    if (open.length > 0 && end > open.at(-1)!) bad.push(name)
    open.push(end)
  }
  return bad
}

describe.each(REPORTS)('%s', (name) => {
  const report = reportOf(name)
  const events = eventsOf(report)

  it('has the fields that its kind of event requires', () => {
    for (const event of events) {
      expect(event.pid, event.name).toBeGreaterThan(0)
      if (event.ph !== 'M') expect(Number.isSafeInteger(event.ts), event.name).toBe(true)
      switch (event.ph) {
        case 'X':
          expect(event.tid).toBeGreaterThan(0)
          expect(Number.isSafeInteger(event.dur)).toBe(true)
          expect(event.dur).toBeGreaterThanOrEqual(0)
          break
        case 'i':
          expect([event.s, event.tid! > 0]).toEqual(['t', true])
          break
        case 'C':
          expect(event.args.value).toBeTypeOf('number')
          break
        default:
          expect(event.ph).toBe('M')
          expect(['process_name', 'process_sort_index', 'thread_name', 'thread_sort_index']).toContain(
            event.name,
          )
      }
    }
  })

  it('has slices that nest or are disjoint on each track, in the order of time', () => {
    for (const slices of trackSlices(events)) {
      expect(misnested(slices)).toEqual([])
      const starts = slices.map(({ ts }) => ts!)
      expect(starts).toEqual(starts.toSorted((a, b) => a - b))
    }
  })

  it('names each process and thread that it uses, once', () => {
    const key = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`
    const named = events.filter((event) => event.name === 'thread_name').map(key)
    const used = new Set(events.filter(({ ph }) => ph === 'X' || ph === 'i').map(key))
    expect(named.sort()).toEqual([...used].sort())
    expect(events.filter((event) => event.name === 'process_name')).toHaveLength(report.migrations.length)
  })

  it('shows each phase whose both ends are known, to the microsecond', () => {
    for (const [index, { phases }] of report.migrations.entries()) {
      const known = phases.filter(({ duration_s }) => duration_s !== null)
      const shown = events.filter(({ ph, pid, args }) => ph === 'X' && pid === index + 1 && 'phase' in args)
      expect(shown.map(({ args }) => args.phase).sort()).toEqual(known.map(({ id }) => id).sort())
      for (const { args, ts, dur } of shown) {
        const phase = known.find(({ id }) => id === args.phase)!
        expect(Math.abs(ts! - phase.start.time_s! * 1e6)).toBeLessThanOrEqual(0.5)
        expect(Math.abs(dur! - phase.duration_s! * 1e6)).toBeLessThanOrEqual(1)
      }
    }
  })
})

it('puts a phase that overlaps another on a track of its own', () => {
  const events = eventsOf(reportOf(POSTCOPY))
  const tidOf = (name: string): number =>
    events.find((event) => event.ph === 'X' && event.name === name)!.tid!
  expect(tidOf('Finish')).not.toBe(tidOf('Transfer'))
  expect(tidOf('Cleanup')).toBe(tidOf('Transfer'))
})

it('has a track for each kind of thing', () => {
  const names = [POSTCOPY, BLOCK].flatMap((name) =>
    eventsOf(reportOf(name)).flatMap((event) => (event.name === 'thread_name' ? [event.args.name] : [])),
  )
  expect(names).toEqual(
    expect.arrayContaining([
      'Phases',
      'Markers',
      'Rounds of pre-copy',
      'Post-copy',
      'Storage',
      'Disks',
      'Downtime',
      'Gaps',
    ]),
  )
})

it('lays the downtime between its bounds', () => {
  const slices = eventsOf(reportOf(IDLE)).filter(({ ph, name }) => ph === 'X' && name.startsWith('Downtime'))
  expect(slices.map(({ name }) => name)).toEqual(['Downtime, at most', 'Downtime', 'Downtime, at least'])
})

it('brings a counter back to 0 where the bins end', () => {
  const report = reportOf(IDLE)
  const { start_s, bin_s, to_destination_bps } = report.migrations[0]!.transfer.throughput!
  const counters = eventsOf(report).filter(({ ph }) => ph === 'C')
  expect(counters.map(({ args }) => args.value)).toEqual([...to_destination_bps, 0])
  expect(counters.at(-1)!.ts).toBe(Math.round((start_s + to_destination_bps.length * bin_s) * 1e6))
})

it('marks a boundary whose other end is missing', () => {
  const report = changed(IDLE, ({ phases }) => ({
    phases: phases.map((phase) => {
      if (phase.id !== 'cleanup') return phase
      const end = { packet: null, file: null, time_s: null, kind: 'missing', rule: null } as const
      return { ...phase, duration_s: null, end, reason: 'still open' }
    }),
  }))
  const instant = eventsOf(report).find(({ name }) => name === 'Cleanup starts')
  expect(instant).toMatchObject({ ph: 'i', args: { phase: 'cleanup', reason: 'still open' } })
})

it('tells the time of second 0', () => {
  const { otherData } = JSON.parse(renderPerfetto(reportOf(IDLE)))
  const { start_epoch_ns } = reportOf(IDLE).captures[0]!
  expect(otherData.captures[0].start_epoch_ns).toBe(start_epoch_ns)
  const whole = eventsOf(reportOf(IDLE)).find(({ ph }) => ph === 'X')!
  expect(whole.args.time_zero_epoch_ns).toBe(start_epoch_ns)
})

it('takes text off the wire as data', () => {
  const name = '"},{"ph":"X\u0000\u202e</script>\ud800'
  const events = eventsOf(changed(IDLE, ({ domain }) => ({ domain: { ...domain, name } })))
  expect(events).toHaveLength(eventsOf(reportOf(IDLE)).length)
  expect(events[0]!.args.name).toContain(name)
})
