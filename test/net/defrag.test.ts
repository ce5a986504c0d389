import { describe, expect, test } from 'vitest'
import { DATAGRAMS_MAX, FRAGMENT_PATIENCE_NS } from '../../src/core/limits.ts'
import { type CapturedPacket, ETHERTYPE, ipv4, ipv6, LINK, tcp } from '../support/capture.ts'
import { concat } from '../support/libvirt.ts'
import { echo, fragments } from '../support/tunnel.ts'
import { ascii, Tap } from './tap.ts'

const ENDS = { source: '10.77.0.11', destination: '10.77.0.12' }
const TEXT = 'the quick brown fox jumps over the lazy dog'
const SEGMENT = tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 5 }, ascii(TEXT))
const PARTS = fragments(ENDS, SEGMENT, 24)

const frameOf = (packet: Uint8Array): Uint8Array =>
  LINK.ethernet.frame((packet[0] as number) >> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4, packet)

/** One packet a microsecond. */
const captured = (packets: readonly Uint8Array[]): CapturedPacket[] =>
  packets.map((packet, i) => ({ timeNs: BigInt(i) * 1000n, frame: frameOf(packet) }))

const tapOf = (packets: readonly Uint8Array[]): Tap => new Tap().feed(captured(packets)).end()

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

describe('the fragments of a datagram', () => {
  test('make it whole in any order, at the packet that completes it', () => {
    expect(PARTS).toHaveLength(3)
    for (const order of permutations(PARTS)) {
      const tap = tapOf(order)
      expect(tap.texts()).toEqual([[TEXT, '']])
      expect(tap.connections[0]?.firstPacket).toEqual({ packet: 3, timeNs: 2000 })
      expect(tap.connections[0]?.toServer.wireBytes).toBe(3 * 34 + SEGMENT.length)
      expect(tap.codes()).toEqual([])
    }
  })

  test('of IPv6 too, with extension headers on either side', () => {
    const ends = { source: 'fd00::1', destination: 'fd00::2' }
    const options = { type: 60, length: 0, body: Uint8Array.of(1, 4, 0, 0, 0, 0) }
    const inner = concat(Uint8Array.of(6, 0, 1, 4, 0, 0, 0, 0), SEGMENT)
    const part = (from: number, to: number, more: number): Uint8Array => {
      const fragment = { type: 44, length: 0, body: Uint8Array.of(0, from | more, 0, 0, 0, 9) }
      return ipv6({ ...ends, protocol: 60, extensions: [options, fragment] }, inner.subarray(from, to))
    }
    const tap = tapOf([part(24, 48, 1), part(0, 24, 1), part(48, inner.length, 0)])
    expect(tap.texts()).toEqual([[TEXT, '']])
    expect(tap.connections[0]?.client.address).toMatch(/^fd00::[12]$/)
  })

  test('of several datagrams may be mixed', () => {
    const datagram = (identification: number): Uint8Array[] =>
      fragments({ ...ENDS, identification, protocol: 1 }, echo(identification), 24)
    const [one, two] = [datagram(1), datagram(2)]
    const tap = tapOf(one.flatMap((part, i) => [part, two[i] as Uint8Array]))
    expect(tap.events).toMatchObject([
      { type: 'icmp.echo', sequence: 1, destinationMac: '52:54:00:77:00:02' },
      { type: 'icmp.echo', sequence: 2, destinationMac: '52:54:00:77:00:02' },
    ])
  })

  test('of one datagram after another are put together in the same memory', () => {
    const numbers = [1, 2, 3]
    const packets = numbers.flatMap((identification) =>
      fragments({ ...ENDS, identification, protocol: 1 }, echo(identification), 24),
    )
    expect(tapOf(packets).events).toMatchObject(numbers.map((sequence) => ({ sequence })))
  })

  test('that come twice count once', () => {
    const tap = tapOf(PARTS.flatMap((part) => [part, part]))
    expect(tap.texts()).toEqual([[TEXT, '']])
    expect(tap.diagnostics.list()).toMatchObject([{ code: 'net.duplicate', count: 3 }])
  })

  test('that overlap: the bytes that came first count', () => {
    const other = ipv4({ ...ENDS, fragment: 0x2003 }, new Uint8Array(24).fill(0x58))
    expect(tapOf([PARTS[0], PARTS[1], other, PARTS[2]] as Uint8Array[]).texts()).toEqual([[TEXT, '']])
    const [first, , last] = PARTS as [Uint8Array, Uint8Array, Uint8Array]
    const late = tapOf([first, other, PARTS[1] as Uint8Array, last])
    expect(late.texts()[0]?.[0]).toBe(TEXT.slice(0, 4) + 'X'.repeat(24) + TEXT.slice(28))
  })

  test('cut by the snap length have their full size', () => {
    const packets = captured(PARTS).map(({ timeNs, frame }, i) => ({
      timeNs,
      frame: i === 1 ? frame.subarray(0, frame.length - 4) : frame,
      originalLength: frame.length,
    }))
    const tap = new Tap().feed(packets).end()
    expect(tap.connections[0]?.toServer).toMatchObject({
      payloadBytes: TEXT.length,
      missingBytes: TEXT.length - 24,
    })
    expect(tap.texts()[0]?.[0]).toBe(TEXT.slice(0, 24).padEnd(TEXT.length, '_'))
  })
})

describe('a datagram that is not whole', () => {
  test('is reported at the end', () => {
    expect(tapOf(PARTS.slice(0, 2)).diagnostics.list()).toMatchObject([{ code: 'net.fragment', count: 1 }])
  })

  test('is given up after a while: its identification is used again', () => {
    const [first, ...rest] = captured(PARTS) as [CapturedPacket, ...CapturedPacket[]]
    const late = rest.map((packet) => ({ ...packet, timeNs: BigInt(FRAGMENT_PATIENCE_NS) + 1n }))
    const tap = new Tap().feed([first, ...late]).end()
    expect(tap.connections).toEqual([])
    expect(tap.diagnostics.list()).toMatchObject([{ code: 'net.fragment', count: 2 }])
  })

  test('makes room when there are many', () => {
    const other = (identification: number): Uint8Array =>
      ipv4({ ...ENDS, identification, fragment: 0x2000 }, SEGMENT.subarray(0, 24))
    const others = Array.from({ length: DATAGRAMS_MAX }, (_, i) => other(i + 2))
    expect(tapOf([PARTS[0] as Uint8Array, ...others.slice(1), ...PARTS.slice(1)]).texts()).toEqual([
      [TEXT, ''],
    ])
    expect(tapOf([PARTS[0] as Uint8Array, ...others, ...PARTS.slice(1)]).connections).toEqual([])
  })

  test.each([
    ['ends behind the largest datagram', [ipv4({ ...ENDS, fragment: 0x1fff }, new Uint8Array(16))]],
    ['has a middle of no whole units', [ipv4({ ...ENDS, fragment: 0x2000 }, new Uint8Array(13))]],
    ['has parts behind its end', [ipv4({ ...ENDS, fragment: 0x2009 }, new Uint8Array(8)), ...PARTS]],
  ])('%s: nothing is read', (_name, packets) => {
    const tap = tapOf(packets)
    expect(tap.connections).toEqual([])
    expect(tap.codes()).toEqual(['net.fragment'])
  })
})
