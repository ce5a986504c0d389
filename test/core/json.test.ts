import fc from 'fast-check'
import { expect, test } from 'vitest'
import { member, nameMember, parseJson, parseJsonPrefix, stringMember } from '../../src/core/json.ts'

const container = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))

test('a whole text gives what JSON.parse gives', () => {
  fc.assert(
    fc.property(container, fc.integer({ min: 0, max: 2 }), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      expect(plain(parseJsonPrefix(text))).toEqual(plain(JSON.parse(text)))
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('a text that breaks off gives only what is whole, wherever it does', () => {
  const value = { a: 'x\\"y', list: [1, 22, { deep: [true, null] }], n: -1.5e3, é: '\u20ac', last: {} }
  const text = JSON.stringify(value)
  for (let size = 0; size < text.length; size++) {
    expect(isPart(parseJsonPrefix(text.slice(0, size)), value), text.slice(0, size)).toBe(true)
  }
  expect(parseJsonPrefix('{"a": "b", "c": 12')).toEqual({ a: 'b' })
  expect(parseJsonPrefix('{"a": {"b": [1, 2')).toEqual({ a: { b: [1] } })
  expect(parseJsonPrefix('{"a": "b", c')).toEqual({ a: 'b' })
})

test('the start of a cut string is kept on demand, without a cut escape', () => {
  const cut = (text: string) => parseJsonPrefix(text, true)
  expect(cut('{"a": "b')).toEqual({ a: 'b' })
  expect(cut('{"a": "b\\')).toEqual({ a: 'b' })
  expect(cut('{"a": "b\\"')).toEqual({ a: 'b"' })
  expect(cut('{"a": "b\\u20')).toEqual({ a: 'b' })
  expect(cut('{"a": "b\\u20ac')).toEqual({ a: 'b€' })
  expect(cut('{"a')).toEqual({})
})

test('nothing throws, and depth is bounded', () => {
  for (const text of [
    '',
    '{',
    ']',
    '"',
    '{"',
    '{]',
    '[,',
    '{"a":}',
    'nul',
    '\\',
    '{"__proto__": {"x": 1}, "y"',
  ])
    expect(() => parseJsonPrefix(text)).not.toThrow()
  expect(() => parseJsonPrefix('['.repeat(1_000_000))).not.toThrow()
  expect(() => parseJson('['.repeat(1_000_000))).not.toThrow()
  expect(parseJson('nope')).toBeUndefined()
})

test('members are own ones, of the right type', () => {
  const value = { a: { b: 'text', n: 1 } }
  expect(stringMember(value, 'a', 'b')).toBe('text')
  expect(stringMember(value, 'a', 'n')).toBeNull()
  expect(member(value, 'constructor')).toBeUndefined()
  expect(member(null, 'a')).toBeUndefined()
  expect(nameMember({ a: 'x'.repeat(255) }, 'a')).toHaveLength(255)
  expect(nameMember({ a: 'x'.repeat(256) }, 'a')).toBeNull()
})

/** Without prototypes, as the prefix parser has none. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).map(([key, inner]) => [key, plain(inner)])
}

function isPart(part: unknown, whole: unknown): boolean {
  if (part === undefined) return true
  if (Array.isArray(part)) return Array.isArray(whole) && part.every((one, i) => isPart(one, whole[i]))
  if (typeof part !== 'object' || part === null) return part === whole
  return Object.entries(part).every(([key, inner]) => isPart(inner, member(whole, key)))
}
