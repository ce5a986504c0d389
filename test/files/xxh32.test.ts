import { expect, test } from 'vitest'
import { Xxh32, xxh32 } from '../../src/files/xxh32.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** As `xxhsum -H32` prints them. */
test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('the checksum of "%s"', (text, expected) => {
  expect(xxh32(bytes(text))).toBe(expected)
})

test('in any two pieces is that of the whole', () => {
  const whole = bytes('Nobody inspects the spammish repetition')
  for (let at = 0; at <= whole.length; at++) {
    const hash = new Xxh32()
    hash.update(whole.subarray(0, at))
    hash.update(whole.subarray(at))
    expect(hash.digest(), `cut at ${at}`).toBe(0xe2293b2f)
  }
})
