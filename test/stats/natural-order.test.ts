import fc from 'fast-check'
import { expect, it } from 'vitest'
import { naturalOrder } from '../../src/stats/natural-order.ts'

it.each([
  [['0', '2', '10', '100']],
  [['-10', '-2', '0.25', '0.5', '10']],
  [['m1.large', 'm1.small', 'm1.tiny', 'm2.large']],
  [['vm2', 'vm10', 'vm10a', 'vm010b']],
  [['libvirt-0.10.2', 'libvirt-1.2.2', 'libvirt-9.0', 'libvirt-10.0']],
  [['256MB', '1024MB', '4096MB']],
  [['5', '100', 'idle', 'vm', null]],
  [['', 'a', 'a1', 'b']],
  [['01', '1', '2']],
  [['x9999999999999999999998', 'x9999999999999999999999', 'x10000000000000000000000']],
])('the natural order is %j', (expected) => {
  expect([...expected].reverse().sort(naturalOrder)).toEqual(expected)
})

it('is an order: turned round by swapping, kept along a chain, and only equal text is equal', () => {
  const level = fc.option(fc.stringMatching(/^[-.a1290]{0,5}$/))
  fc.assert(
    fc.property(level, level, level, (a, b, c) => {
      expect(Math.sign(naturalOrder(a, b))).toBe(0 - Math.sign(naturalOrder(b, a)))
      expect(naturalOrder(a, b) === 0).toBe(a === b)
      if (naturalOrder(a, b) <= 0 && naturalOrder(b, c) <= 0)
        expect(naturalOrder(a, c)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 5000 },
  )
})

it('text that goes on comes later, however its digits are spelled', () => {
  expect(Math.sign(naturalOrder('a1b', 'a01b2'))).toBe(-1)
  expect(Math.sign(naturalOrder('a01b2', 'a1b'))).toBe(1)
})
