import { describe, expect, test } from 'vitest'
import {
  type CapturedPacket,
  ETHERTYPE,
  FLAG,
  type Ipv6Header,
  ipv4,
  ipv6,
  LINK,
  type Link,
  rarp,
  tcp,
} from '../support/capture.ts'
import { concat } from '../support/libvirt.ts'
import { ascii, Tap } from './tap.ts'

const V4 = { source: '10.77.0.11', destination: '10.77.0.12' }
const V6 = { source: 'fd00:77::11', destination: 'fd00:77::12' }
const SEGMENT = tcp(
  { sourcePort: 50000, destinationPort: 16509, sequence: 5, flags: FLAG.ack },
  ascii('payload'),
)

function one(frame: Uint8Array, linkType = 1, originalLength = frame.length): Tap {
  const packet: CapturedPacket = { timeNs: 0n, frame, originalLength }
  return new Tap().feed([packet], linkType).end()
}

const onEthernet = (etherType: number, packet: Uint8Array): Tap => one(LINK.ethernet.frame(etherType, packet))

/** Client, server and what the client said. */
function seen(tap: Tap): unknown {
  return tap.connections.map(({ client, server }, i) => [
    `${client.address} ${client.port}`,
    `${server.address} ${server.port}`,
    tap.texts()[i]?.[0],
  ])
}

const SEEN4 = [['10.77.0.11 50000', '10.77.0.12 16509', 'payload']]
const SEEN6 = [['fd00:77::11 50000', 'fd00:77::12 16509', 'payload']]

describe.each(Object.entries<Link>(LINK))('link %s', (_name, link) => {
  test('carries IPv4 and IPv6', () => {
    expect(seen(one(link.frame(ETHERTYPE.ipv4, ipv4(V4, SEGMENT)), link.linkType))).toEqual(SEEN4)
    expect(seen(one(link.frame(ETHERTYPE.ipv6, ipv6(V6, SEGMENT)), link.linkType))).toEqual(SEEN6)
  })

  test.each([4, 6])('IPv%i cut anywhere is a shorter capture of the same, or is reported', (version) => {
    const frame =
      version === 4
        ? link.frame(ETHERTYPE.ipv4, ipv4(V4, SEGMENT))
        : link.frame(ETHERTYPE.ipv6, ipv6(V6, SEGMENT))
    const payloadAt = frame.length - 'payload'.length
    for (let kept = 0; kept < frame.length; kept++) {
      const tap = one(frame.subarray(0, kept), link.linkType, frame.length)
      // Ports, sequence number and flags are in the first 14 bytes of the TCP header.
      if (kept >= payloadAt - 6) {
        const text = 'payload'.slice(0, Math.max(0, kept - payloadAt)).padEnd(7, '_')
        expect(tap.texts(), `${kept} bytes`).toEqual([[text, '']])
        expect(tap.connections[0]?.toServer, `${kept} bytes`).toMatchObject({
          payloadBytes: 7,
          missingBytes: Math.min(7, frame.length - kept),
          wireBytes: frame.length,
        })
      } else {
        expect(tap.connections, `${kept} bytes`).toEqual([])
        expect(tap.codes(), `${kept} bytes`).toHaveLength(1)
      }
    }
  })
})

describe('link headers', () => {
  test.each([
    [12, LINK.raw],
    [14, LINK.raw],
    [228, LINK.raw],
    [0, LINK.loop],
    [108, LINK.null],
  ])('link type %i has the same layout', (linkType, link) => {
    expect(seen(one(link.frame(ETHERTYPE.ipv4, ipv4(V4, SEGMENT)), linkType))).toEqual(SEEN4)
  })

  test.each([10, 24, 28, 30])('address family %i is IPv6', (family) => {
    const frame = concat(Uint8Array.of(family, 0, 0, 0), ipv6(V6, SEGMENT))
    expect(seen(one(frame, 0))).toEqual(SEEN6)
  })

  test('the old VLAN tag is one', () => {
    const frame = LINK.vlan.frame(ETHERTYPE.ipv4, ipv4(V4, SEGMENT)).slice()
    frame.set([0x91, 0x00], 12)
    expect(seen(one(frame))).toEqual(SEEN4)
  })

  test('a cooked frame may be tagged too', () => {
    const tag = Uint8Array.of(0, 77, 8, 0)
    expect(seen(one(LINK.sll.frame(0x8100, concat(tag, ipv4(V4, SEGMENT))), 113))).toEqual(SEEN4)
    expect(seen(one(LINK.sll2.frame(0x8100, concat(tag, ipv4(V4, SEGMENT))), 276))).toEqual(SEEN4)
  })

  test('an unknown link type is reported once, however many packets it has', () => {
    const packet = { timeNs: 0n, frame: new Uint8Array(60) }
    const tap = new Tap().feed([packet, packet, packet], 147).end()
    expect(tap.diagnostics.list()).toMatchObject([{ code: 'net.link', count: 3, packet: 1 }])
  })

  test('LLC, ARP and other ethertypes are passed over without a word', () => {
    for (const type of [38, 0x0806, 0x88cc, 0x8863]) {
      const tap = onEthernet(type, new Uint8Array(50).fill(0x45))
      expect(tap.codes()).toEqual([])
      expect(tap.connections).toEqual([])
    }
  })

  const IP = ipv4(V4, SEGMENT)
  const SNAP = Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0)
  /** Two labels, of which the second is the last. */
  const LABELS = Uint8Array.of(0, 1, 0x20, 64, 0, 1, 0x31, 64)
  const PPPOE = Uint8Array.of(0x11, 0, 0, 9, 0, 100)
  test.each<[string, number, readonly Uint8Array[]]>([
    ['MPLS with IPv4', 0x8847, [LABELS, IP]],
    ['MPLS with IPv6', 0x8848, [LABELS, ipv6(V6, SEGMENT)]],
    ['PPPoE with IPv4', 0x8864, [PPPOE, Uint8Array.of(0, 0x21), IP]],
    ['PPPoE with IPv6', 0x8864, [PPPOE, Uint8Array.of(0, 0x57), ipv6(V6, SEGMENT)]],
    ['LLC and SNAP', 8 + IP.length, [SNAP, Uint8Array.of(8, 0), IP]],
    ['LLC and SNAP of a bridge', 8 + IP.length, [SNAP.with(5, 0xf8), Uint8Array.of(8, 0), IP]],
    [
      'five VLAN tags',
      0x9100,
      [Uint8Array.of(0, 1, 0x88, 0xa8, 0, 2, 0x81, 0, 0, 3, 0x91, 0, 0, 4, 0x81, 0, 0, 5, 8, 0), IP],
    ],
    ['MPLS in a VLAN', 0x8100, [Uint8Array.of(0, 77, 0x88, 0x47), LABELS, IP]],
    [
      'PPPoE in two VLANs',
      0x88a8,
      [Uint8Array.of(0, 7, 0x81, 0, 0, 77, 0x88, 0x64), PPPOE, Uint8Array.of(0, 0x21), IP],
    ],
  ])('%s is stepped over', (name, type, parts) => {
    const whole = LINK.ethernet.frame(type, concat(...parts))
    expect(seen(one(whole))).toEqual(name.includes('IPv6') ? SEEN6 : SEEN4)
    expect(seen(one(LINK.sll2.frame(type, concat(...parts)), 276))).toEqual(
      name.includes('IPv6') ? SEEN6 : SEEN4,
    )
    for (let kept = 0; kept < whole.length - 14; kept++)
      expect(one(whole.subarray(0, kept), 1, whole.length).texts().flat().join('').replaceAll('_', '')).toBe(
        '',
      )
  })

  test.each([
    ['labels that carry something else', 0x8847, LABELS],
    ['labels without an end', 0x8847, new Uint8Array(40)],
  ])('%s are reported', (_name, type, packet) => {
    expect(onEthernet(type, concat(packet, new Uint8Array(20))).codes()).toEqual(['net.link'])
  })

  test('what PPP says about itself is passed over without a word', () => {
    expect(onEthernet(0x8864, concat(PPPOE, Uint8Array.of(0xc0, 0x21), new Uint8Array(40))).codes()).toEqual(
      [],
    )
  })

  test.each(['ethernet', 'vlan', 'qinq', 'sll', 'sll2'] as const)('RARP is handed on from %s', (name) => {
    const frame = LINK[name].frame(ETHERTYPE.rarp, rarp('52:54:00:77:00:50'))
    expect(one(frame, LINK[name].linkType).rarps).toEqual([Array.from(rarp('52:54:00:77:00:50'))])
  })
})

describe('IPv4', () => {
  test('options are stepped over', () => {
    for (const size of [4, 40])
      expect(
        seen(onEthernet(ETHERTYPE.ipv4, ipv4({ ...V4, options: new Uint8Array(size).fill(1) }, SEGMENT))),
      ).toEqual(SEEN4)
  })

  test('padding of the frame is no payload', () => {
    const padded = concat(ipv4(V4, SEGMENT), new Uint8Array(30).fill(0x58))
    expect(seen(onEthernet(ETHERTYPE.ipv4, padded))).toEqual(SEEN4)
  })

  test("total length 0 is a super-frame, which ends with the frame's length on the wire", () => {
    const big = concat(SEGMENT, new Uint8Array(70_000).fill(0x58))
    const frame = LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4({ ...V4, totalLength: 0 }, big))
    expect(one(frame).connections[0]?.toServer.payloadBytes).toBe(70_007)
    const cut = one(frame.subarray(0, 100), 1, frame.length).connections[0]
    expect(cut?.toServer).toMatchObject({ payloadBytes: 70_007, missingBytes: 70_007 - 46 })
  })

  test.each([
    ['longer than the frame', { totalLength: 1000 }],
    ['shorter than its header', { totalLength: 19 }],
  ])('a total length %s is reported', (_name, header) => {
    const tap = onEthernet(ETHERTYPE.ipv4, ipv4({ ...V4, ...header }, SEGMENT))
    expect(tap.connections).toEqual([])
    expect(tap.codes()).toEqual(['net.ip'])
  })

  test.each([
    ['the first of several', 0x2000],
    ['a later one', 0x2005],
    ['the last', 0x0005],
  ])('fragments are reported: %s', (_name, fragment) => {
    const tap = onEthernet(ETHERTYPE.ipv4, ipv4({ ...V4, fragment }, SEGMENT))
    expect(tap.connections).toEqual([])
    expect(tap.codes()).toEqual(['net.fragment'])
  })

  test('other protocols are passed over without a word', () => {
    const tap = onEthernet(ETHERTYPE.ipv4, ipv4({ ...V4, protocol: 17, fragment: 0x2000 }, SEGMENT))
    expect(tap.codes()).toEqual([])
  })
})

describe('IPv6', () => {
  const zero = (size: number) => new Uint8Array(size)
  const HOP_BY_HOP = { type: 0, length: 1, body: zero(14) }
  const ROUTING = { type: 43, length: 0, body: zero(6) }
  const DESTINATION = { type: 60, length: 2, body: zero(22) }
  const AUTHENTICATION = { type: 51, length: 4, body: zero(22) }
  const MOBILITY = { type: 135, length: 0, body: zero(6) }
  const ATOMIC = { type: 44, length: 0, body: zero(6) }

  test.each<[string, NonNullable<Ipv6Header['extensions']>]>([
    ['hop-by-hop', [HOP_BY_HOP]],
    ['routing', [ROUTING]],
    ['destination', [DESTINATION]],
    ['authentication', [AUTHENTICATION]],
    ['mobility', [MOBILITY]],
    ['an atomic fragment', [ATOMIC]],
    ['all of them', [HOP_BY_HOP, DESTINATION, ROUTING, ATOMIC, AUTHENTICATION, MOBILITY]],
  ])('extension headers are stepped over: %s', (_name, extensions) => {
    expect(seen(onEthernet(ETHERTYPE.ipv6, ipv6({ ...V6, extensions }, SEGMENT)))).toEqual(SEEN6)
  })

  test.each([
    ['the first of several', [0, 1]],
    ['the last', [0, 8]],
  ])('fragments are reported: %s', (_name, offset) => {
    const body = concat(Uint8Array.from(offset), zero(4))
    const extensions = [{ type: 44, length: 0, body }]
    const tap = onEthernet(ETHERTYPE.ipv6, ipv6({ ...V6, extensions }, SEGMENT))
    expect(tap.codes()).toEqual(['net.fragment'])
  })

  test('extension headers that never end are reported', () => {
    const tap = onEthernet(ETHERTYPE.ipv6, ipv6({ ...V6, protocol: 60 }, new Uint8Array(800).fill(60)))
    expect(tap.connections).toEqual([])
    expect(tap.codes()).toEqual(['net.ip'])
  })

  test('payload length 0 is a super-frame, and padding is no payload', () => {
    const big = concat(SEGMENT, new Uint8Array(70_000).fill(0x58))
    const jumbo = onEthernet(ETHERTYPE.ipv6, ipv6({ ...V6, payloadLength: 0 }, big))
    expect(jumbo.connections[0]?.toServer.payloadBytes).toBe(70_007)
    const padded = concat(ipv6(V6, SEGMENT), new Uint8Array(30).fill(0x58))
    expect(seen(onEthernet(ETHERTYPE.ipv6, padded))).toEqual(SEEN6)
  })

  test('the jumbo payload option tells the length', () => {
    const payload = concat(SEGMENT, new Uint8Array(70_000).fill(0x58))
    const body = new Uint8Array(6)
    body.set([0xc2, 4])
    new DataView(body.buffer).setUint32(2, payload.length + 8)
    const extensions = [{ type: 0, length: 0, body }]
    const packet = concat(ipv6({ ...V6, extensions, payloadLength: 0 }, payload), new Uint8Array(9))
    expect(onEthernet(ETHERTYPE.ipv6, packet).connections[0]?.toServer.payloadBytes).toBe(70_007)
  })

  test('a payload length beyond the frame is reported', () => {
    const tap = onEthernet(ETHERTYPE.ipv6, ipv6({ ...V6, payloadLength: 500 }, SEGMENT))
    expect(tap.codes()).toEqual(['net.ip'])
  })
})

describe('TCP headers', () => {
  test('options are stepped over', () => {
    const segment = tcp(
      { sourcePort: 50000, destinationPort: 16509, sequence: 5, options: new Uint8Array(40).fill(1) },
      ascii('payload'),
    )
    expect(seen(onEthernet(ETHERTYPE.ipv4, ipv4(V4, segment)))).toEqual(SEEN4)
  })

  test.each([
    ['shorter than a header', 0x40],
    ['longer than the packet', 0xf0],
  ])('a data offset %s is reported', (_name, offset) => {
    const segment = SEGMENT.slice()
    segment[12] = offset
    const tap = onEthernet(ETHERTYPE.ipv4, ipv4(V4, segment))
    expect(tap.connections).toEqual([])
    expect(tap.codes()).toEqual(['net.tcp'])
  })
})
