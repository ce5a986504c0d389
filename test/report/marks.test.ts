import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PACKET_COMMENTS_MAX } from '../../src/core/limits.ts'
import { marksOf, withNumbers } from '../../src/report/marks.ts'
import type { MigrationReport, Report } from '../../src/report/model.ts'

function migrationsOf(fixture: string): readonly MigrationReport[] {
  const report: Report = JSON.parse(readFileSync(`fixtures/${fixture}.expected.json`, 'utf8'))
  return report.migrations
}

const IDLE = migrationsOf('libvirt-9.0/idle')

/** Everything in a report that names a packet. */
function packetsIn(value: unknown): number[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'packet' && typeof inner === 'number' ? [inner] : packetsIn(inner),
  )
}

test.each([
  'libvirt-9.0/idle',
  'libvirt-9.0/postcopy',
  'libvirt-9.0/block-migration',
  'libvirt-9.0/concurrent',
  'libvirt-9.0/p2p.client',
  'libvirt-9.0/tls-stream',
  'openstack-zed/idle',
])('%s: every packet that the report names has a comment, and no other', (fixture) => {
  const migrations = migrationsOf(fixture)
  const named = migrations.flatMap(({ diagnostics: _, ...migration }) => packetsIn(migration))
  expect([...marksOf(migrations).keys()].sort((a, b) => a - b)).toEqual(
    [...new Set(named)].sort((a, b) => a - b),
  )
})

test('a phase says how it was found and how long it lasts, a marker its name, the downtime both', () => {
  const marks = marksOf(IDLE)
  expect(marks.get(196)).toEqual(['mig-phases: transfer starts (tcp.syn), lasts 144.2 ms'])
  expect(marks.get(12833)).toEqual(['mig-phases: transfer ends (tcp.fin.last)'])
  expect(marks.get(152)).toEqual(['mig-phases: libvirt.prepare.call'])
  expect(marks.get(12842)).toEqual(['mig-phases: guest runs (rarp.first), downtime 42.4 ms'])
  expect(marks.get(12835)).toContain('mig-phases: guest stopped at 1.443465 s (libvirt.cookie.stopped)')
})

test('what ends one phase and starts the next has a comment for each', () => {
  expect(marksOf(IDLE).get(139)).toHaveLength(2)
})

test('what was inferred is called so', () => {
  const all = [...marksOf(migrationsOf('libvirt-9.0/tls')).values()].flat()
  expect(all.some((comment) => comment.includes(', inferred)'))).toBe(true)
})

test('of several migrations each comment says which, and control characters of a name are escaped', () => {
  const [first] = IDLE
  if (first === undefined) throw new Error('no migration in the fixture')
  const second = { ...first, index: 1, domain: { ...first.domain, name: `a\u001b[31m${'b'.repeat(300)}` } }
  const comments = marksOf([first, second]).get(152) ?? []
  expect(comments[0]).toBe('mig-phases: migration 1 (vm1): libvirt.prepare.call')
  expect(comments[1]).toMatch(/^mig-phases: migration 2 \(a\\x1b\[31mb{58}\): libvirt\.prepare\.call$/)
})

test('a packet has no more comments than the limit', () => {
  const [first] = IDLE
  const many = Array.from({ length: PACKET_COMMENTS_MAX + 1 }, () => first as MigrationReport)
  expect(marksOf(many.slice(2)).get(152)).toHaveLength(PACKET_COMMENTS_MAX - 1)
  expect(marksOf(many.slice(1)).get(152)).toHaveLength(PACKET_COMMENTS_MAX)
  expect(marksOf(many).get(152)).toHaveLength(PACKET_COMMENTS_MAX)
})

test('with numbers, the first comment names the packet', () => {
  expect(withNumbers(marksOf(IDLE)).get(152)).toEqual([
    'mig-phases: packet 152 of the capture',
    'mig-phases: libvirt.prepare.call',
  ])
})
