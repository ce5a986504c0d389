import { describe, expect, test } from 'vitest'
import { ETHERTYPE, ipv4, ipv6, LINK, rarp, tcp } from '../support/capture.ts'
import { concat } from '../support/libvirt.ts'
import { echo, erspan, fragments, geneve, gre, onEthernet, udp, vxlan } from '../support/tunnel.ts'
import { ascii, Tap } from './tap.ts'

const HOSTS = { source: '10.77.0.11', destination: '10.77.0.12' }
const GUESTS = { source: '192.168.0.5', destination: '192.168.0.9' }
const SEGMENT = tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 5 }, ascii('payload'))
const FRAME = onEthernet(GUESTS, SEGMENT)

const outer = (protocol: number, payload: Uint8Array): Uint8Array =>
  onEthernet({ ...HOSTS, protocol }, payload)

function tapOf(...frames: readonly Uint8Array[]): Tap {
  return new Tap().feed(frames.map((frame, i) => ({ timeNs: BigInt(i) * 50_000_000n, frame }))).end()
}

const seen = (tap: Tap): unknown =>
  tap.connections.map(({ client, server }, i) => [client.address, server.address, tap.texts()[i]?.[0]])

const TUNNELS: readonly [string, Uint8Array][] = [
  ['VXLAN', outer(17, vxlan(5, FRAME))],
  ['VXLAN at the old port of Linux', outer(17, vxlan(5, FRAME, 8472))],
  ['GENEVE', outer(17, geneve(5, FRAME))],
  ['GENEVE with IP', outer(17, geneve(5, ipv4(GUESTS, SEGMENT), 0x0800))],
  ['GRE with Ethernet', outer(47, gre({ type: 0x6558 }, FRAME))],
  ['GRE with IPv4', outer(47, gre({ type: 0x0800 }, ipv4(GUESTS, SEGMENT)))],
  ['GRE with all fields', outer(47, gre({ type: 0x6558, checksum: true, key: 9, sequence: 1 }, FRAME))],
  ['ERSPAN I', outer(47, erspan[1](FRAME))],
  ['ERSPAN II', outer(47, erspan[2](FRAME))],
  ['ERSPAN III', outer(47, erspan[3](FRAME))],
  ['ERSPAN III with a platform header', outer(47, erspan['3 with more'](FRAME))],
  ['IP in IP', outer(4, ipv4(GUESTS, SEGMENT))],
  [
    'IP in IPv6',
    LINK.ethernet.frame(
      ETHERTYPE.ipv6,
      ipv6({ source: 'fd00::1', destination: 'fd00::2', protocol: 4 }, ipv4(GUESTS, SEGMENT)),
    ),
  ],
  ['ERSPAN of VXLAN', outer(47, erspan[2](outer(17, vxlan(5, FRAME))))],
]

describe.each(TUNNELS)('%s', (_name, frame) => {
  test('the inner packet is read, with the length of the inner frame', () => {
    const tap = tapOf(frame)
    expect(seen(tap)).toEqual([['192.168.0.5', '192.168.0.9', 'payload']])
    expect(tap.connections[0]?.toServer.wireBytes).toBeGreaterThanOrEqual(47)
    expect(tap.connections[0]?.toServer.wireBytes).toBeLessThanOrEqual(FRAME.length)
    expect(tap.codes()).toEqual([])
  })

  test('cut anywhere, it is a shorter capture of the same or nothing', () => {
    for (let kept = 0; kept < frame.length; kept++) {
      const packet = { timeNs: 0n, frame: frame.subarray(0, kept), originalLength: frame.length }
      const tap = new Tap().feed([packet]).end()
      for (const [toServer] of tap.texts())
        expect('payload'.startsWith(toServer.replaceAll('_', ''))).toBe(true)
      for (const { toServer } of tap.connections) expect(toServer.payloadBytes).toBe(7)
    }
  })
})

describe('inside of a tunnel', () => {
  test("a guest's announcement is seen", () => {
    const announce = LINK.ethernet.frame(ETHERTYPE.rarp, rarp('52:54:00:77:00:50'))
    expect(tapOf(outer(17, geneve(5, announce))).rarps).toEqual([Array.from(rarp('52:54:00:77:00:50'))])
  })

  test("a ping has the guests' addresses", () => {
    const ping = onEthernet({ ...GUESTS, protocol: 1 }, echo(3))
    expect(tapOf(outer(17, vxlan(5, ping))).events).toMatchObject([
      { type: 'icmp.echo', source: '192.168.0.5', destination: '192.168.0.9', sequence: 3 },
    ])
  })

  test('the same addresses and ports are another connection, in each network', () => {
    const inside = onEthernet(HOSTS, SEGMENT)
    const other = onEthernet(
      HOSTS,
      tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 900 }, ascii('other')),
    )
    const tap = tapOf(
      other,
      outer(17, vxlan(5, inside)),
      outer(17, vxlan(6, inside)),
      outer(17, geneve(5, inside)),
    )
    expect(seen(tap)).toEqual([
      ['10.77.0.11', '10.77.0.12', 'other'],
      ['10.77.0.11', '10.77.0.12', 'payload'],
      ['10.77.0.11', '10.77.0.12', 'payload'],
      ['10.77.0.11', '10.77.0.12', 'payload'],
    ])
  })

  test('a guest that moves to another host keeps its connections', () => {
    const second = tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 12 }, ascii(' more'))
    const moved = onEthernet(
      { ...HOSTS, source: '10.77.0.13', protocol: 17 },
      vxlan(5, onEthernet(GUESTS, second)),
    )
    expect(seen(tapOf(outer(17, vxlan(5, FRAME)), moved))).toEqual([
      ['192.168.0.5', '192.168.0.9', 'payload more'],
    ])
  })

  test('what a mirror sends belongs to the network outside', () => {
    const second = tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 12 }, ascii(' more'))
    expect(seen(tapOf(FRAME, outer(47, erspan[2](onEthernet(GUESTS, second)))))).toEqual([
      ['192.168.0.5', '192.168.0.9', 'payload more'],
    ])
  })
})

describe('what is no tunnel', () => {
  test.each([
    ['UDP to another port', outer(17, udp(4790, concat(Uint8Array.of(8, 0, 0, 0, 0, 0, 5, 0), FRAME)))],
    ['VXLAN without a network', outer(17, udp(4789, concat(new Uint8Array(8), FRAME)))],
    ['GRE of PPTP', outer(47, concat(Uint8Array.of(0x30, 1, 0x88, 0x0b), new Uint8Array(40)))],
    ['GRE with another protocol', outer(47, gre({ type: 0x880b }, FRAME))],
  ])('%s is passed over without a word', (_name, frame) => {
    const tap = tapOf(frame)
    expect([tap.connections, tap.codes()]).toEqual([[], []])
  })

  test('tunnels in tunnels end somewhere', () => {
    let packet = ipv4(GUESTS, SEGMENT)
    for (let i = 0; i < 20; i++) packet = ipv4({ ...HOSTS, protocol: 4 }, packet)
    const tap = tapOf(LINK.ethernet.frame(ETHERTYPE.ipv4, packet))
    expect([tap.connections, tap.codes()]).toEqual([[], ['net.tunnel']])
  })
})

test('a tunnelled frame in fragments is put together first', () => {
  const frame = onEthernet(
    GUESTS,
    tcp({ sourcePort: 50000, destinationPort: 16509, sequence: 5 }, new Uint8Array(1400)),
  )
  const parts = fragments({ ...HOSTS, protocol: 17 }, vxlan(5, frame), 800)
  const tap = tapOf(...parts.map((part) => LINK.ethernet.frame(ETHERTYPE.ipv4, part)))
  expect(tap.connections[0]?.toServer).toMatchObject({ payloadBytes: 1400, missingBytes: 0 })
})
