import { expect, test } from 'vitest'
import { BodyBudget } from '../../src/core/body-budget.ts'
import { Prefix } from '../../src/core/prefix.ts'

const DATA = Uint8Array.from({ length: 2000 }, (_, i) => i & 0xff)

function fill(step: number, max: number, budget = new BodyBudget()): Prefix {
  const prefix = new Prefix(budget, max)
  for (let at = 0; at < DATA.length; at += step) prefix.push(DATA, at, Math.min(at + step, DATA.length))
  return prefix
}

test.each([
  [1999, 1999, 'limit'],
  [2000, 2000, null],
  [2001, 2000, null],
] as const)('with a limit of %i, %i of 2000 bytes are kept', (max, kept, stop) => {
  for (const step of [1, 7, 300, 2000]) {
    const prefix = fill(step, max)
    expect([prefix.kept, prefix.stop]).toEqual([kept, stop])
    expect(prefix.bytes.subarray(0, kept)).toEqual(DATA.subarray(0, kept))
  }
})

test('what the budget allows does not depend on the cuts', () => {
  for (const step of [1, 7, 300, 2000]) {
    const budget = new BodyBudget(600)
    const prefix = fill(step, 5000, budget)
    expect([prefix.kept, prefix.stop, budget.used]).toEqual([512, 'budget', 512])
    prefix.release()
    expect(budget.used).toBe(0)
  }
})

test('nothing is kept behind a gap', () => {
  const prefix = new Prefix(new BodyBudget(), 100)
  prefix.push(DATA, 0, 10)
  prefix.gap()
  prefix.push(DATA, 20, 30)
  expect([prefix.kept, prefix.stop]).toEqual([10, 'gap'])
})
