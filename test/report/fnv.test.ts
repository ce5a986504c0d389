import { expect, test } from 'vitest'
import { fnv64, fnv128 } from '../../src/report/fnv.ts'

/** Published vectors of FNV-1a. */
test.each([
  ['', 'cbf29ce484222325', '6c62272e07bb014262b821756295c58d'],
  ['a', 'af63dc4c8601ec8c', 'd228cb696f1a8caf78912b704e4a8964'],
  ['foobar', '85944171f73967e8', '343e1662793c64bf6f0d3597ba446f18'],
])('FNV-1a of "%s"', (text, short, long) => {
  expect([fnv64(text), fnv128(text)]).toEqual([short, long])
})

test('leading zeros are kept', () => {
  const texts = Array.from({ length: 300 }, (_, index) => String(index))
  expect(texts.every((text) => fnv64(text).length === 16 && fnv128(text).length === 32)).toBe(true)
  expect(new Set(texts.map(fnv64)).size).toBe(300)
})
