import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BoundedMap } from '../../src/core/bounded-map.ts'

test('the newer half is always there, and never more than all', () => {
  const operations = fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 400 })
  fc.assert(
    fc.property(operations, fc.integer({ min: 2, max: 16 }), (steps, max) => {
      const bounded = new BoundedMap<number, number>(max)
      const all = new Map<number, number>()
      for (const [index, [adds, key]] of steps.entries()) {
        all.delete(key)
        if (adds) all.set(key, index)
        if (adds) bounded.set(key, index)
        else bounded.delete(key)
        const kept = [...bounded.values()]
        expect(kept).toEqual([...all.values()].slice(all.size - kept.length))
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(all.size, Math.floor(max / 2)))
        expect(kept.length).toBeLessThanOrEqual(max + 1)
        for (const [each, value] of all) {
          const isKept = kept.includes(value)
          expect([bounded.has(each), bounded.get(each)]).toEqual([isKept, isKept ? value : undefined])
        }
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
