import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DOWNTIME_RULES, meaningOf, RULES } from '../../src/phases/rules.ts'
import { TRANSITIONS } from '../../src/phases/table.ts'
import type { Report } from '../../src/report/model.ts'

const FIXTURES = 'fixtures'
/** What no row writes down: a client's order to the source. */
const OF_THE_ORDER = ['libvirt.perform.call', 'libvirt.perform.reply']
const used = new Set([
  ...TRANSITIONS.flatMap(({ actions }) => actions.map(({ rule }) => rule)),
  ...OF_THE_ORDER,
])

describe('the sentences of the rules', () => {
  it.each([...used])('%s has one', (rule) => {
    expect(RULES[rule]).toMatch(/^[a-zQS].*[^.]$/)
  })

  it('are of rules that are used', () => {
    expect(Object.keys(RULES).filter((rule) => !used.has(rule))).toEqual([])
  })

  it('tell how both ends of the downtime were found, in every report that is expected', () => {
    const seen = { stop: new Set<string>(), resume: new Set<string>() }
    for (const name of readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.expected.json')) continue
      const report = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Report
      for (const { downtime } of report.migrations) {
        if (downtime.stream.start !== null) seen.stop.add(downtime.stream.start.rule)
        if (downtime.stream.end !== null) seen.resume.add(downtime.stream.end.rule)
      }
    }
    expect([...seen.stop].sort()).toEqual(Object.keys(DOWNTIME_RULES.stop).sort())
    expect([...seen.resume].sort()).toEqual(Object.keys(DOWNTIME_RULES.resume).sort())
  })
})

describe('what a rule means for a boundary', () => {
  it('depends on the phase', () => {
    expect(meaningOf('start', 'remote_connect', 'tcp.syn')).toContain('dials the destination daemon')
    expect(meaningOf('start', 'transfer', 'tcp.syn')).toBe('the migration socket opens')
  })

  it('is left open where rows differ', () => {
    expect(meaningOf('end', 'finish', 'libvirt.finish.reply')).toBeNull()
  })
})
