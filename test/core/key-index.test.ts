import { expect, test } from 'vitest'
import { KeyIndex } from '../../src/core/key-index.ts'

test('a value is found by each of its keys until it is removed', () => {
  const index = new KeyIndex<string, number>()
  index.add('a', 1)
  index.add('b', 1)
  index.add('b', 2)
  index.add('b', 2)
  expect([...index.get('a')]).toEqual([1])
  expect([...index.get('b')]).toEqual([1, 2])
  index.remove(1)
  index.remove(3)
  expect([...index.get('a')]).toEqual([])
  expect([...index.get('b')]).toEqual([2])
})
