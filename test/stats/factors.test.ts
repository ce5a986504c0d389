import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { FactorFilter, FactorPattern } from '../../src/stats/factors.ts'

describe('a pattern', () => {
  it.each([
    [
      '{flavor}/{load}/run-{n}',
      '/data/m1.small/idle/run-07.pcap.gz',
      { flavor: 'm1.small', load: 'idle', n: '07' },
    ],
    ['{flavor}/{load}/run-{n}', 'm1.small/idle/run-1.pcapng', { flavor: 'm1.small', load: 'idle', n: '1' }],
    ['{flavor}-{load}/{n}', 'x/idle-128/r01.cap', { flavor: 'idle', load: '128', n: 'r01' }],
    ['{scenario}/{run}', 'kvm/idle/01.dst.pcap', { scenario: 'idle', run: '01.dst' }],
    ['a+b/{x}', 'a+b/1.pcap', { x: '1' }],
    ['{x}', String.raw`C:\runs\1.pcap`, { x: '1' }],
  ])('%s finds the levels in %s', (pattern, path, levels) => {
    expect(new FactorPattern(pattern).match(path)).toEqual(levels)
  })

  it.each([
    ['{flavor}/run-{n}', 'm1.small/test-1.pcap'],
    ['{a}/{b}/{c}', 'a/b.pcap'],
    ['a+b/{x}', 'aab/1.pcap'],
  ])('%s does not fit %s', (pattern, path) => {
    expect(new FactorPattern(pattern).match(path)).toBeNull()
  })

  it.each([['run'], ['{a}/{a}'], ['{}/x'], ['{a/b'], ['{a}}']])('%s is refused', (pattern) => {
    expect(() => new FactorPattern(pattern)).toThrow(InputError)
  })
})

describe('a filter', () => {
  it('takes runs for which all conditions hold, and of several levels one', () => {
    const filter = new FactorFilter(['load=idle', 'flavor=1', 'flavor=2'])
    expect(filter.accepts({ load: 'idle', flavor: '1' })).toBe(true)
    expect(filter.accepts({ load: 'idle', flavor: '2', n: '4' })).toBe(true)
    expect(filter.accepts({ load: 'idle', flavor: '3' })).toBe(false)
    expect(filter.accepts({ flavor: '1' })).toBe(false)
  })

  it('may ask for an equals sign, and for the absence of a factor', () => {
    expect(new FactorFilter(['a=b=c']).accepts({ a: 'b=c' })).toBe(true)
    expect(new FactorFilter(['a=']).accepts({ b: '1' })).toBe(true)
  })

  it.each([['load'], ['=x'], ['']])('refuses %j', (condition) => {
    expect(() => new FactorFilter([condition])).toThrow(InputError)
  })
})
