import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AddressTable, ipv6Text } from '../../src/net/address.ts'
import { addressBytes } from '../support/capture.ts'

describe('IPv6 addresses are written as RFC 5952 says', () => {
  test.each([
    [
      'lower case, no leading zeroes',
      '2001:0DB8:0000:0001:00F0:000a:0bcd:ef01',
      '2001:db8:0:1:f0:a:bcd:ef01',
    ],
    ['the longest run is shortened', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['of equal runs the first', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['a single zero group is not', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['at the start', '0:0:0:1:2:3:4:5', '::1:2:3:4:5'],
    ['at the end', '1:2:3:4:5:0:0:0', '1:2:3:4:5::'],
    ['loopback', '0:0:0:0:0:0:0:1', '::1'],
    ['unspecified', '0:0:0:0:0:0:0:0', '::'],
    ['link-local', 'fe80:0:0:0:5054:ff:fe77:50', 'fe80::5054:ff:fe77:50'],
  ])('%s', (_name, long, short) => {
    expect(ipv6Text(addressBytes(long), 0)).toBe(short)
  })

  test('and can be read back, whatever they are', () => {
    const group = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((value) => [value >>> 8, value & 0xff]))
        const text = ipv6Text(bytes, 0)
        expect(isIPv6(text)).toBe(true)
        expect(addressBytes(text)).toEqual(bytes)
        // Node's URL parser follows the same rules, short of the choice among equal runs, which RFC 5952 shares.
        expect(new URL(`http://[${groups.map((value) => value.toString(16)).join(':')}]/`).hostname).toBe(
          `[${text}]`,
        )
      }),
      { seed: 5952, numRuns: 2000 },
    )
  })
})

describe('the address table', () => {
  test('gives one number an address, and its text back', () => {
    const table = new AddressTable()
    const texts = [
      '10.77.0.11',
      '255.255.255.255',
      '0.0.0.0',
      '::',
      '::1',
      '1::',
      'fd00:77::11',
      'fd00:77::12',
    ]
    const ids = texts.map((text) => add(table, text))
    expect(new Set(ids).size).toBe(texts.length)
    expect(texts.map((text) => add(table, text))).toEqual(ids)
    expect(ids.map((id) => table.text(id))).toEqual(texts)
  })

  test('never mixes two addresses up', () => {
    const word = fc.constantFrom(0, 1, 2, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff)
    const address = fc.array(word, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 60 }), (addresses) => {
        const table = new AddressTable()
        const bytes = addresses.map((words) => {
          const all = new DataView(new ArrayBuffer(16))
          words.forEach((value, i) => {
            all.setUint32(4 * i, value)
          })
          return new Uint8Array(all.buffer)
        })
        const ids = bytes.map((each) => table.v6(each, 0))
        const texts = bytes.map((each) => ipv6Text(each, 0))
        expect(ids.map((id) => table.text(id))).toEqual(texts)
        expect(new Set(ids).size).toBe(new Set(texts).size)
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

function add(table: AddressTable, text: string): number {
  return text.includes(':') ? table.v6(addressBytes(text), 0) : table.v4(addressBytes(text), 0)
}

test('a table that keeps only some addresses keeps their order and their text, and finds them again', () => {
  const table = new AddressTable()
  const texts = ['10.0.0.1', 'fd77::12', '10.0.0.2', '2001:db8::1', '10.0.0.3']
  const number = (text: string): number => {
    const bytes = addressBytes(text)
    return bytes.length === 4 ? table.v4(bytes, 0) : table.v6(bytes, 0)
  }
  const ids = texts.map(number)
  const kept = [ids[1]!, ids[2]!, ids[3]!]
  const renumbered = table.keepOnly(kept)
  expect(table.size).toBe(3)
  for (const [index, id] of kept.entries()) {
    expect(renumbered.get(id)).toBe(index)
    expect(number(texts[index + 1]!)).toBe(index)
    expect(table.text(index)).toBe(texts[index + 1])
  }
  expect(number('10.0.0.1')).toBe(3)
})

test('the same address has another number in each network, and keeps it apart when others are forgotten', () => {
  const table = new AddressTable()
  const v4 = Uint8Array.of(10, 0, 0, 1)
  const v6 = new Uint8Array(16).fill(7)
  const networks: readonly (readonly [number, number] | null)[] = [null, [1, 5], [1, 6], [2, 5]]
  const numbers = (): number[] =>
    networks.flatMap((network) => {
      if (network === null) table.leave()
      else table.enter(...network)
      return [table.v4(v4, 0), table.v6(v6, 0)]
    })
  const before = numbers()
  expect(before).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(before.map((id) => table.text(id)).slice(6)).toEqual([table.text(0), table.text(1)])
  expect(numbers()).toEqual(before)
  const renumbered = table.keepOnly([0, 4, 5, 7])
  expect([...renumbered]).toEqual([0, 4, 5, 7].map((id, i) => [id, i]))
  const after = numbers()
  for (const [old, id] of renumbered) expect(after[before.indexOf(old)]).toBe(id)
})
