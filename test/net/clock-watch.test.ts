import { expect, test } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { ClockWatch } from '../../src/net/clock-watch.ts'

const DAY_NS = 24 * 3600e9

function told(...timesNs: readonly number[]): unknown {
  const diagnostics = new Diagnostics()
  const clock = new ClockWatch()
  for (const [i, timeNs] of timesNs.entries()) clock.packet(timeNs, { packet: i + 1, timeNs })
  clock.report(diagnostics)
  return diagnostics
    .list()
    .map(({ code, count, packet, message }) => [code, count, packet, /by (.*) at most/.exec(message)?.[1]])
}

test('stamps in order, equal ones and silence are nothing to report', () => {
  expect(told()).toEqual([])
  expect(told(0, 0, 5, 5, DAY_NS)).toEqual([])
})

test('two processors may stamp a little out of order', () => {
  expect(told(0, 500_000, 400_000, 600_000)).toEqual([])
})

test('packets that are not in the order of their stamps are counted, with the largest step', () => {
  expect(told(0, 5e6, 3e6, 9e6, 2.5e6)).toEqual([['capture.time-backwards', 2, 3, '0.0065 s']])
})

test('steps of a second back, or of more than a day ahead, are those of a clock', () => {
  expect(told(0, 5e9, 4e9, 4e9 + DAY_NS + 1, 5e9)).toEqual([['capture.clock-step', 3, 3, '86400 s']])
})
