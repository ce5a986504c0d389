import { expect, test } from 'vitest'
import { sparkline } from '../../src/report/sparkline.ts'

test('the largest value is the highest bar', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([0, 0])).toBe('▁▁')
  expect(sparkline([])).toBe('')
})

test('more values than columns are averaged over neighbours', () => {
  const line = sparkline(Array.from({ length: 600 }, (_, i) => (i < 300 ? 0 : 8)))
  expect(line).toBe('▁'.repeat(30) + '█'.repeat(30))
})
