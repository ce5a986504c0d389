import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identifyAt } from '../../src/net/identity.ts'
import { ETHERTYPE } from '../../src/net/link.ts'

const TCP = 6
const UDP = 17
/** Where the identity stops to look. */
const PREFIX = 96

interface Kind {
  readonly name: string
  readonly etherType: number
  /** Bytes that say what it is. */
  readonly fixed: Readonly<Record<number, number>>
  /** Bytes that change on the way. */
  readonly changing: readonly number[]
}

const KINDS: readonly Kind[] = [
  {
    name: 'TCP over IPv4',
    etherType: ETHERTYPE.ipv4,
    fixed: { 0: 0x45, 9: TCP },
    changing: [8, 10, 11, 36, 37],
  },
  {
    name: 'UDP over IPv4',
    etherType: ETHERTYPE.ipv4,
    fixed: { 0: 0x45, 9: UDP },
    changing: [8, 10, 11, 26, 27],
  },
  {
    name: 'TCP behind options',
    etherType: ETHERTYPE.ipv4,
    fixed: { 0: 0x47, 9: TCP },
    changing: [8, 10, 11, 44, 45],
  },
  { name: 'ICMP', etherType: ETHERTYPE.ipv4, fixed: { 0: 0x45, 9: 1 }, changing: [8, 10, 11] },
  { name: 'TCP over IPv6', etherType: ETHERTYPE.ipv6, fixed: { 0: 0x60, 6: TCP }, changing: [7, 56, 57] },
  { name: 'RARP', etherType: ETHERTYPE.rarp, fixed: {}, changing: [] },
]

describe.each(KINDS)('$name', ({ etherType, fixed, changing }) => {
  const frames = fc.uint8Array({ minLength: 60, maxLength: 130 }).map((bytes) => {
    for (const [at, byte] of Object.entries(fixed)) bytes[Number(at)] = byte
    return bytes
  })
  const changed = fc.tuple(frames, fc.nat({ max: 129 }), fc.integer({ min: 1, max: 255 }))

  test('is another with any other byte, but those that change on the way and those far behind', () => {
    fc.assert(
      fc.property(changed, ([bytes, place, difference]) => {
        const at = place % bytes.length
        // Other kinds have other bytes that change.
        fc.pre(!(at in fixed))
        const other = bytes.slice()
        other[at] = (bytes[at] as number) ^ difference
        const isSame =
          identifyAt(bytes, etherType, 0, bytes.length) === identifyAt(other, etherType, 0, other.length)
        expect(isSame).toBe(changing.includes(at) || at >= PREFIX)
      }),
      { numRuns: 500 },
    )
  })

  test('is the same wherever in a block it lies', () => {
    fc.assert(
      fc.property(frames, fc.nat({ max: 9 }), (bytes, before) => {
        const block = new Uint8Array(before + bytes.length + 3).fill(7)
        block.set(bytes, before)
        expect(identifyAt(block, etherType, before, before + bytes.length)).toBe(
          identifyAt(bytes, etherType, 0, bytes.length),
        )
      }),
    )
  })
})
