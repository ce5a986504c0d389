import { describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/model.ts'
import { renderOtlp } from '../../src/report/otlp.ts'
import { changed, REPORTS, reportOf } from './reports.ts'

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly events: readonly { timeUnixNano: string; name: string; attributes: readonly Attribute[] }[]
  readonly status: { code?: number; message?: string }
}

const IDLE = 'libvirt-9.0/idle.expected.json'
const POSTCOPY = 'libvirt-9.0/postcopy.expected.json'
const CONCURRENT = 'libvirt-9.0/concurrent.expected.json'

/** Spans by migration. */
function tracesOf(report: Report): Span[][] {
  const { resourceSpans } = JSON.parse(renderOtlp(report))
  return resourceSpans.map((each: { scopeSpans: [{ spans: Span[] }] }) => each.scopeSpans[0].spans)
}

/** Of OTLP/JSON: 64-bit integers are text. */
const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  stringValue: (value) => typeof value === 'string',
  boolValue: (value) => typeof value === 'boolean',
  intValue: (value) => typeof value === 'string' && /^-?\d+$/.test(value),
  doubleValue: (value) => typeof value === 'number',
}

describe.each(REPORTS)('%s', (name) => {
  const report = reportOf(name)
  const traces = tracesOf(report)

  it('has a trace for each migration with a time', () => {
    expect(traces).toHaveLength(report.migrations.filter((each) => each.start_epoch_ns !== null).length)
    const ids = traces.map((spans) => new Set(spans.map(({ traceId }) => traceId)))
    expect(ids.every((each) => each.size === 1)).toBe(true)
    expect(new Set(ids.flatMap((each) => [...each])).size).toBe(traces.length)
  })

  it('has ids of the right length, each once, and one root that all others descend from', () => {
    for (const spans of traces) {
      for (const { traceId, spanId } of spans) {
        expect(traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
        expect(spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/)
      }
      expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
      const [root, ...others] = spans
      expect(root).not.toHaveProperty('parentSpanId')
      const known = new Set([root!.spanId])
      for (const { spanId, parentSpanId } of others) {
        expect(known).toContain(parentSpanId)
        known.add(spanId)
      }
    }
  })

  it('has times as text, in order, and within the parent', () => {
    for (const spans of traces) {
      for (const { startTimeUnixNano: start, endTimeUnixNano: end, events, parentSpanId } of spans) {
        expect([start, end, ...events.map(({ timeUnixNano }) => timeUnixNano)].join(' ')).toMatch(
          /^\d+( \d+)*$/,
        )
        expect(BigInt(start) <= BigInt(end)).toBe(true)
        const parent = spans.find(({ spanId }) => spanId === parentSpanId) ?? spans[0]!
        expect(BigInt(parent.startTimeUnixNano) <= BigInt(start)).toBe(true)
        expect(BigInt(end) <= BigInt(parent.endTimeUnixNano)).toBe(true)
      }
    }
  })

  it('has typed attributes, each key once', () => {
    for (const span of traces.flat()) {
      for (const { attributes } of [span, ...span.events]) {
        expect(new Set(attributes.map(({ key }) => key)).size).toBe(attributes.length)
        for (const { key, value } of attributes) {
          const [[type, content]] = Object.entries(value) as [[string, unknown]]
          expect(SHAPES[type]?.(content), key).toBe(true)
        }
      }
      expect([span.kind, Object.keys(span.status).length <= 2]).toEqual([1, true])
    }
  })

  it('starts at the first boundary, and holds each phase whose both ends are known', () => {
    const timed = report.migrations.filter((each) => each.start_epoch_ns !== null)
    for (const [index, migration] of timed.entries()) {
      const spans = traces[index]!
      expect(spans[0]!.startTimeUnixNano).toBe(migration.start_epoch_ns)
      for (const { id, duration_s } of migration.phases) {
        const span = spans.find((each) => each.name === id)
        expect(span !== undefined).toBe(duration_s !== null)
        if (span === undefined) continue
        const length = BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)
        expect(Number(length)).toBe(Math.round(duration_s! * 1e9))
      }
    }
  })
})

it('gives the same ids again, whatever the capture is called', () => {
  expect(renderOtlp(reportOf(IDLE))).toBe(renderOtlp(reportOf(IDLE)))
  const ids = (report: Report): string[] =>
    tracesOf(report).flatMap((spans) => spans.map((span) => span.traceId + span.spanId))
  expect(ids(changed(IDLE, () => ({ capture: 'copy.pcap' })))).toEqual(ids(reportOf(IDLE)))
})

it.each<[string, Parameters<typeof changed>[1]]>([
  [
    'another guest',
    ({ domain }) => ({ domain: { ...domain, uuid: '00000000-0000-4000-8000-000000000051' } }),
  ],
  ['another destination', ({ destination }) => ({ destination: { ...destination, address: '10.77.0.13' } })],
  ['another time', ({ start_epoch_ns }) => ({ start_epoch_ns: (BigInt(start_epoch_ns!) + 1n).toString() })],
])('gives other ids to %s', (_, change) => {
  const [before, after] = [reportOf(IDLE), changed(IDLE, change)].map((report) => tracesOf(report)[0]!)
  expect(after![0]!.traceId).not.toBe(before![0]!.traceId)
  const spanIds = new Set(before!.map(({ spanId }) => spanId))
  expect(after!.filter(({ spanId }) => spanIds.has(spanId))).toEqual([])
})

it('keeps migrations of one capture apart', () => {
  const traces = tracesOf(reportOf(CONCURRENT))
  expect(traces.length).toBeGreaterThan(1)
  expect(new Set(traces.map((spans) => spans[0]!.traceId)).size).toBe(traces.length)
})

it('puts rounds and parts below the transfer', () => {
  const [spans] = tracesOf(reportOf(POSTCOPY))
  const transfer = spans!.find(({ name }) => name === 'transfer')!
  const below = spans!.filter(({ parentSpanId }) => parentSpanId === transfer.spanId)
  expect(below.map(({ name }) => name)).toEqual(['round', 'round', 'pre_copy', 'switch', 'post_copy'])
})

it('has the markers of a phase as events of its span, with their packets', () => {
  const [spans] = tracesOf(reportOf(IDLE))
  const transfer = spans!.find(({ name }) => name === 'transfer')!
  const { markers } = reportOf(IDLE).migrations[0]!.phases.find(({ id }) => id === 'transfer')!
  expect(transfer.events.map(({ name, attributes }) => [name, attributes[0]!.value.intValue])).toEqual(
    markers.map(({ id, packet }) => [id, String(packet)]),
  )
})

describe('status', () => {
  const statusOf = (report: Report) => tracesOf(report)[0]![0]!.status

  it('is OK for a completed migration, and unset for an incomplete one', () => {
    expect(statusOf(reportOf(IDLE))).toEqual({ code: 1 })
    expect(statusOf(changed(IDLE, () => ({ outcome: 'incomplete' })))).toEqual({})
  })

  it('is an error with what was said for a failed one, and for the phase that failed', () => {
    const report = reportOf('libvirt-9.0/fail-conflict.expected.json')
    const { failure } = report.migrations[0]!
    const error = { code: 2, message: failure!.message }
    expect(statusOf(report)).toEqual(error)
    expect(tracesOf(report)[0]!.find(({ name }) => name === failure!.phase)!.status).toEqual(error)
  })

  it('is an error for an aborted one', () => {
    expect(statusOf(reportOf('libvirt-9.0/abort.expected.json'))).toMatchObject({ code: 2 })
  })
})
