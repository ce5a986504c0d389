import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BoundedMap } from '../../src/core/bounded-map.ts'

test('the newest entries are there, as many as it may have', () => {
  const operations = fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 400 })
  fc.assert(
    fc.property(operations, fc.integer({ min: 1, max: 16 }), (steps, max) => {
      const bounded = new BoundedMap<number, number>(max)
      const all = new Map<number, number>()
      for (const [index, [adds, key]] of steps.entries()) {
        all.delete(key)
        if (adds) all.set(key, index)
        if (adds) bounded.set(key, index)
        else bounded.delete(key)
        for (const oldest of all.keys()) if (all.size > max) all.delete(oldest)
        expect([...bounded.values()]).toEqual([...all.values()])
        for (let each = 0; each <= 30; each++)
          expect([bounded.has(each), bounded.get(each)]).toEqual([all.has(each), all.get(each)])
      }
    }),
  )
})

test('entries that meet a condition can be taken out', () => {
  const bounded = new BoundedMap<number, number>(8)
  for (let i = 0; i < 6; i++) bounded.set(i, i)
  bounded.deleteWhere((value) => value % 2 === 0)
  expect([...bounded.values()]).toEqual([1, 3, 5])
})
