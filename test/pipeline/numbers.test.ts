import { expect, test } from 'vitest'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import type { JoinedMigration } from '../../src/phases/join.ts'
import { Migration } from '../../src/phases/migration.ts'
import { MessageRoom, NovaMigration } from '../../src/phases/nova-migration.ts'
import { Numbers } from '../../src/pipeline/numbers.ts'

const ignore = (): void => {}
const nova = (packet: number) =>
  new NovaMigration('uuid', { packet, timeNs: 0 }, ignore, new MessageRoom(new Diagnostics()))
const joined = (packet: number): JoinedMigration => ({ libvirt: null, nova: nova(packet) })

test('those that began before keep the lower numbers, whichever is reported first', () => {
  const numbers = new Numbers()
  const [a, b, c, d] = [joined(1), joined(5), joined(9), joined(12)] as const
  numbers.give([b], [a, b, c])
  expect(numbers.of(b)).toBe(1)
  numbers.give([d], [a, c, d])
  expect([a, c, d].map((each) => numbers.of(each))).toEqual([0, 2, 3])
})

test('one that shows late that it began before gets the next number: no two have the same', () => {
  const numbers = new Numbers()
  const [early, late] = [joined(1), joined(5)]
  numbers.give([late], [late])
  numbers.give([early], [early])
  expect([late, early].map((each) => numbers.of(each))).toEqual([0, 1])
})

test('sides that turn out to be one migration have one number', () => {
  const numbers = new Numbers()
  const side = nova(1)
  const other = joined(7)
  numbers.give([other], [{ libvirt: null, nova: side }, other])
  const whole = { libvirt: new Migration(null, ignore), nova: side }
  expect(numbers.of(whole)).toBe(0)
  expect(numbers.of(other)).toBe(1)
})
