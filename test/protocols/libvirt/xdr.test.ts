import { expect, test } from 'vitest'
import { XdrCursor } from '../../../src/protocols/libvirt/xdr.ts'
import { hex, Xdr } from '../../support/libvirt.ts'

const over = (bytes: Uint8Array, claimed = bytes.length) => new XdrCursor(bytes, 0, bytes.length, claimed)

test('reads numbers, big-endian', () => {
  const cursor = over(hex('ff ff ff ff ff ff ff fe 00 00 00 01 00 00 00 02'))
  expect([cursor.u32(), cursor.i32(), cursor.u64()]).toEqual([0xffffffff, -2, 4294967298])
  expect(cursor.ok).toBe(true)
  expect(cursor.u32()).toBeNull()
  expect(cursor.ok).toBe(false)
})

test('reads strings with 0 to 3 bytes of padding', () => {
  const texts = ['', 'a', 'ab', 'abc', 'abcd', 'é']
  const writer = new Xdr()
  for (const text of texts) writer.string(text)
  const cursor = over(writer.u32(7).done())
  expect(texts.map(() => cursor.string())).toEqual(texts)
  expect(cursor.u32()).toBe(7)
})

test('the padded length must fit: a string cut in its padding is none', () => {
  const cursor = over(hex('00 00 00 01 61 00 00'), 8)
  expect(cursor.string()).toBeNull()
  expect(cursor.ok).toBe(false)
})

test('a length beyond the message is nonsense, one beyond what was captured gives a part', () => {
  const bytes = hex('00 00 00 06 61 62 63')
  expect(over(bytes).opaque()).toBeNull()
  expect(over(bytes, 12).opaque()).toEqual({ start: 4, end: 7 })
  expect(over(hex('ff ff ff ff 61'), 1000).opaque()).toBeNull()
})

test('after the first read that does not fit, nothing is read', () => {
  const cursor = over(hex('00 00 00 09 00 00 00 00'))
  expect(cursor.string()).toBeNull()
  expect([cursor.u32(), cursor.string(), cursor.optionalString(), cursor.present()]).toEqual([
    null,
    null,
    null,
    false,
  ])
})

test('an optional is 0 or 1', () => {
  const cursor = over(hex('00 00 00 00 00 00 00 02 00 00 00 00'))
  expect(cursor.optionalString()).toBeNull()
  expect(cursor.ok).toBe(true)
  expect(cursor.optionalString()).toBeNull()
  expect(cursor.ok).toBe(false)
})
