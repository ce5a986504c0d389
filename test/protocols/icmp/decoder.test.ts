import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import { decodeIcmp } from '../../../src/protocols/icmp/decoder.ts'
import { Tap } from '../../net/tap.ts'
import { ETHERTYPE, ipv4, ipv6, LINK } from '../../support/capture.ts'

const ENDS = { source: 'a', destination: 'b', sourceMac: null, destinationMac: null }
const AT = { packet: 7, timeNs: 1000 }

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.split(/\s+/).filter(Boolean), (byte) => Number.parseInt(byte, 16))
}

function decode(bytes: Uint8Array, version: 4 | 6, end = bytes.length): ProtocolEvent[] {
  const events: ProtocolEvent[] = []
  decodeIcmp(bytes, 0, end, version, ENDS, AT, (event) => events.push(event))
  return events
}

// A request of iputils ping, and its answer: type, code, checksum, identifier, sequence, the client's clock.
const REQUEST = hex('08 00 5c 1d 41 a8 00 5d 67 65 04 6a')
const REPLY = hex('00 00 64 1d 41 a8 00 5d 67 65 04 6a')

it('raises a request and a reply, with the numbers that pair them', () => {
  const common = { type: 'icmp.echo', identifier: 0x41a8, sequence: 93, ...ENDS, first: AT, last: AT }
  expect(decode(REQUEST, 4)).toEqual([{ ...common, kind: 'request' }])
  expect(decode(REPLY, 4)).toEqual([{ ...common, kind: 'reply' }])
  expect(decode(hex('80 00 00 00 41 a8 00 5d'), 6)).toEqual([{ ...common, kind: 'request' }])
  expect(decode(hex('81 00 00 00 41 a8 00 5d'), 6)).toEqual([{ ...common, kind: 'reply' }])
})

it('leaves out what is no echo: other types, other versions of IP, other codes, and what was cut off', () => {
  expect(decode(hex('03 01 00 00 00 00 00 00 45 00'), 4)).toEqual([])
  expect(decode(hex('87 00 00 00 00 00 00 00'), 6)).toEqual([])
  expect(decode(REQUEST, 6)).toEqual([])
  expect(decode(hex('81 00 00 00 41 a8 00 5d'), 4)).toEqual([])
  expect(decode(hex('08 01 00 00 41 a8 00 5d'), 4)).toEqual([])
  expect(decode(REQUEST, 4, 7)).toEqual([])
  expect(decode(REQUEST, 4, 8)).toHaveLength(1)
})

it('never throws, and raises one event at most', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 32 }), fc.constantFrom(4, 6), (bytes, version) => {
      expect(decode(bytes, version as 4 | 6).length).toBeLessThanOrEqual(1)
    }),
  )
})

const V4 = { source: '10.77.0.100', destination: '10.77.0.50', protocol: 1 }
const V6 = { source: 'fd77::100', destination: 'fd77::50', protocol: 58 }

it('gets its ends from the headers around it', () => {
  const tap = new Tap().feed([
    { timeNs: 0n, frame: LINK.vlan.frame(ETHERTYPE.ipv4, ipv4(V4, REQUEST)) },
    { timeNs: 5n, frame: LINK.ethernet.frame(ETHERTYPE.ipv6, ipv6(V6, hex('80 00 00 00 41 a8 00 5d'))) },
  ])
  const macs = { sourceMac: '52:54:00:77:00:01', destinationMac: '52:54:00:77:00:02' }
  expect(tap.events).toMatchObject([
    { kind: 'request', source: '10.77.0.100', destination: '10.77.0.50', ...macs, first: { packet: 1 } },
    { kind: 'request', source: 'fd77::100', destination: 'fd77::50', ...macs, first: { packet: 2 } },
  ])
})

it('knows as many MACs as the link header has', () => {
  for (const [link, sourceMac] of [
    [LINK.sll, '52:54:00:77:00:01'],
    [LINK.sll2, '52:54:00:77:00:01'],
    [LINK.raw, null],
    [LINK.null, null],
  ] as const) {
    const frame = link.frame(ETHERTYPE.ipv4, ipv4(V4, REQUEST))
    const { events } = new Tap().feed([{ timeNs: 0n, frame }], link.linkType)
    expect(events).toMatchObject([{ type: 'icmp.echo', sourceMac, destinationMac: null }])
  }
})

it('leaves out fragments', () => {
  const frame = LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4({ ...V4, fragment: 0x2000 }, REQUEST))
  expect(new Tap().feed([{ timeNs: 0n, frame }]).events).toEqual([])
})
