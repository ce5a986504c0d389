import { describe, expect, test } from 'vitest'
import { COPY_WATCH_PACKETS, COPY_WATCH_START, COPY_WINDOW_NS } from '../../src/core/limits.ts'
import {
  type CapturedPacket,
  ETHERTYPE,
  FLAG,
  ipv4,
  ipv6,
  LINK,
  type Link,
  rarp,
  tcp,
} from '../support/capture.ts'
import { echo, onEthernet, vxlan } from '../support/tunnel.ts'
import { Tap } from './tap.ts'

const ENDS = { source: '10.77.0.11', destination: '10.77.0.12' }
const ENDS6 = { source: 'fd00::1', destination: 'fd00::2' }
const STEP_NS = 20_000_000n

/** The n-th segment of a stream, as a host sends it: a hundred bytes, and a new identification. */
function segment(index: number, identification = index + 1): Uint8Array {
  const header = { sourcePort: 50000, destinationPort: 49152, sequence: 1 + index * 100 }
  return ipv4({ ...ENDS, identification }, tcp(header, new Uint8Array(100).fill(index)))
}

const stream = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => segment(i))

/** Each packet, and the copy some nanoseconds behind it. */
function captured(
  packets: readonly Uint8Array[],
  copyAfterNs: number | null,
  links: readonly [Link, Link] = [LINK.ethernet, LINK.ethernet],
): CapturedPacket[] {
  return packets.flatMap((packet, i) => {
    const type = (packet[0] as number) >> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4
    const timeNs = BigInt(i) * STEP_NS
    const first = { timeNs, frame: links[0].frame(type, packet) }
    if (copyAfterNs === null) return [first]
    return [first, { timeNs: timeNs + BigInt(copyAfterNs), frame: links[1].frame(type, packet) }]
  })
}

const tapOf = (packets: readonly CapturedPacket[]): Tap => new Tap().feed(packets).end()
const counts = (tap: Tap): unknown => {
  const { packets, wireBytes, payloadBytes, retransmittedBytes } = tap.connections[0]!.toServer
  return { packets, wireBytes, payloadBytes, retransmittedBytes }
}
const told = (tap: Tap): unknown =>
  tap.diagnostics.list().map(({ code, severity, count, packet }) => ({ code, severity, count, packet }))

describe('copies', () => {
  test('leave all counts as without them', () => {
    const packets = stream(50)
    const tap = tapOf(captured(packets, 3000))
    expect(counts(tap)).toEqual(counts(tapOf(captured(packets, null))))
    expect(told(tap)).toEqual([{ code: 'net.duplicate', severity: 'info', count: 50, packet: 2 }])
  })

  test('may have other tags, another time to live, and padding', () => {
    const ping = ipv4({ ...ENDS, protocol: 1 }, echo(1, new Uint8Array(4)))
    const later = ping.slice()
    later[8] = 63
    const frames = [LINK.vlan.frame(ETHERTYPE.ipv4, ping), LINK.ethernet.frame(ETHERTYPE.ipv4, later)]
    const padded = new Uint8Array(60)
    padded.set(frames[1] as Uint8Array)
    const tap = tapOf([frames[0] as Uint8Array, padded].map((frame) => ({ timeNs: 0n, frame })))
    expect(tap.events).toHaveLength(1)
  })

  test('may be inside and outside of a tunnel', () => {
    const ping = onEthernet({ ...ENDS, protocol: 1 }, echo(1))
    const frames = [ping, onEthernet({ ...ENDS, protocol: 17 }, vxlan(5, ping))]
    expect(tapOf(frames.map((frame) => ({ timeNs: 0n, frame }))).events).toHaveLength(1)
  })

  test('of IPv6 have no identification, and are told by all else', () => {
    const packets = stream(20).map((packet) => ipv6(ENDS6, packet.subarray(20)))
    expect(counts(tapOf(captured(packets, 3000)))).toEqual(counts(tapOf(captured(packets, null))))
  })

  test('that begin late are found once something was sent twice', () => {
    const quiet = COPY_WATCH_START + 5
    const packets = captured(stream(quiet + 50), 3000).filter((_, i) => i % 2 === 0 || i > 2 * quiet)
    const tap = tapOf(packets)
    expect(tap.connections[0]?.toServer).toMatchObject({ packets: quiet + 51, retransmittedBytes: 100 })
  })

  test('of announcements count once, where other copies show that they are some', () => {
    const frame = LINK.ethernet.frame(ETHERTYPE.rarp, rarp('52:54:00:77:00:50'))
    const announced = [0n, 8000n].map((timeNs) => ({ timeNs: STEP_NS * 20n + timeNs, frame }))
    expect(tapOf([...captured(stream(10), 3000), ...announced]).rarps).toHaveLength(1)
    expect(tapOf([...captured(stream(10), null), ...announced]).rarps).toHaveLength(2)
  })
})

describe('what is no copy', () => {
  test('sent again by TCP: another identification', () => {
    const packets = [...stream(3), segment(1, 77), segment(2, 78)]
    const tap = tapOf(
      packets.map((packet, i) => ({
        timeNs: BigInt(i) * 1000n,
        frame: LINK.ethernet.frame(ETHERTYPE.ipv4, packet),
      })),
    )
    expect(tap.connections[0]?.toServer).toMatchObject({ packets: 5, retransmittedBytes: 200 })
    expect(tap.codes()).toEqual([])
  })

  test('the same too late', () => {
    const tap = tapOf(captured(stream(3), COPY_WINDOW_NS + 1))
    expect(tap.connections[0]?.toServer.retransmittedBytes).toBe(300)
  })

  test('the resets of a host that answers each late segment', () => {
    const reset = tcp({ sourcePort: 1, destinationPort: 2, sequence: 5, flags: FLAG.rst })
    const packet = ipv4({ ...ENDS, identification: 0 }, reset)
    const tap = tapOf(captured(Array(5).fill(packet), 3000))
    expect(tap.connections[0]?.toServer.packets ?? 0).toBe(0)
    expect(tap.connections[0]?.toClient.packets).toBe(10)
    expect(tap.codes()).toEqual([])
  })

  test('pings that follow each other', () => {
    const pings = [1, 2, 3].map((sequence) => ipv4({ ...ENDS, protocol: 1 }, echo(sequence)))
    expect(tapOf(captured(pings, null)).events).toHaveLength(3)
  })
})

test('after the last sign of copies, packets are no longer compared', () => {
  const packets = stream(COPY_WATCH_START + COPY_WATCH_PACKETS)
  const tap = tapOf([
    ...captured(packets, null),
    ...captured([segment(packets.length)], 3000).map((each) => ({
      ...each,
      timeNs: each.timeNs + STEP_NS * BigInt(packets.length),
    })),
  ])
  expect(tap.connections[0]?.toServer.retransmittedBytes).toBe(100)
})
