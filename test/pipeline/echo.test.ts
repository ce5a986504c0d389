import { describe, expect, it } from 'vitest'
import type { EchoReport } from '../../src/report/model.ts'
import { type CapturedPacket, capture, ETHERTYPE, ipv4, LINK, pcap, Wire } from '../support/capture.ts'
import { analyseBytes, guest, migrate } from './synthetic.ts'

const GUEST = [0x52, 0x54, 0, 0x77, 0, 0x50] as const
const ROUTER = [0xfa, 0x16, 0x3e, 0, 0, 1] as const
const CLIENT = [2, 0, 0, 0, 0, 1] as const

const PACKETS = capture(migrate(new Wire()).passed)
const [FIRST, LAST] = [PACKETS[0]!.timeNs, PACKETS.at(-1)!.timeNs]
const WHOLE = analyseBytes([pcap(PACKETS)]).migrations[0]!
const finish = WHOLE.phases.find(({ id }) => id === 'finish')!
/** Nanoseconds after the first packet. */
const [CALL, REPLY] = [finish.start.time_s! * 1e9, finish.end.time_s! * 1e9]
/** So that some requests fall between the call and the reply. */
const SPACING = (REPLY - CALL) / 4

interface Pinger {
  readonly client: string
  readonly target: string
  readonly identifier?: number
  readonly mac?: readonly number[]
  readonly every?: number
  /** Not answered. */
  readonly isLost?: (timeNs: number) => boolean
  /** Not captured. */
  readonly isUnseen?: (timeNs: number) => boolean
}

function frame(kind: 0 | 8, pinger: Pinger, sequence: number): Uint8Array {
  const { client, target, identifier = 7, mac = GUEST } = pinger
  const echo = Uint8Array.of(kind, 0, 0, 0, 0, identifier, sequence >> 8, sequence & 255)
  const ends = kind === 8 ? { source: client, destination: target } : { source: target, destination: client }
  const bytes = LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4({ ...ends, protocol: 1 }, echo))
  bytes.set(kind === 8 ? [...mac, ...CLIENT] : [...CLIENT, ...mac])
  return bytes
}

/** From well before the migration until well after it. */
function pings(pinger: Pinger): CapturedPacket[] {
  const { every = SPACING, isLost = () => false, isUnseen = () => false } = pinger
  const packets: CapturedPacket[] = []
  const length = Number(LAST - FIRST)
  let sequence = 1
  for (let at = -length; at < 2 * length; at += every) {
    const timeNs = FIRST + BigInt(Math.round(at))
    if (!isUnseen(at)) {
      packets.push({ timeNs, frame: frame(8, pinger, sequence) })
      if (!isLost(at)) packets.push({ timeNs: timeNs + 10n, frame: frame(0, pinger, sequence) })
    }
    sequence++
  }
  return packets
}

function icmpOf(...pingers: readonly Pinger[]): EchoReport | null {
  const all = [...PACKETS, ...pingers.flatMap(pings)].sort((a, b) => Number(a.timeNs - b.timeNs))
  return analyseBytes([pcap(all)]).migrations[0]!.downtime.icmp
}

const NEAR = { client: '10.77.0.100', target: '10.77.0.50' } as const
const inGap = (at: number): boolean => at >= CALL - 3 * SPACING && at <= REPLY

describe('the guest that clients ping', () => {
  it('is known by its MAC', () => {
    expect(guest().domain.macs).toEqual(['52:54:00:77:00:50'])
    const icmp = icmpOf({ ...NEAR, isLost: inGap })
    expect(icmp).toMatchObject({ target: '10.77.0.50', source: 'capture', vantage: 'client' })
    expect(icmp?.lost).toBeGreaterThanOrEqual(7)
    expect(icmp?.lost).toBeLessThanOrEqual(8)
    expect(icmp?.interval_s).toBeCloseTo(SPACING / 1e9, 8)
  })

  it('is known by the address that answers with its MAC elsewhere', () => {
    const far = { ...NEAR, client: '192.0.2.1', mac: ROUTER, isLost: inGap }
    expect(icmpOf(far)).toBeNull()
    const near = { ...NEAR, isUnseen: (at: number) => at > CALL, isLost: inGap }
    expect(icmpOf(near)?.vantage).toBe('source')
    expect(icmpOf(near, far)).toMatchObject({ vantage: 'client', target: '10.77.0.50' })
  })

  it('is not another guest', () => {
    expect(icmpOf({ ...NEAR, mac: ROUTER })).toBeNull()
    expect(icmpOf()).toBeNull()
  })
})

it('the client that asks most often is reported, whoever came first', () => {
  const seldom = { ...NEAR, identifier: 1, every: SPACING * 3, isLost: inGap }
  const often = { ...NEAR, identifier: 2, isLost: inGap }
  expect(icmpOf(seldom, often)).toEqual(icmpOf(often))
  expect(icmpOf(often, seldom)).toEqual(icmpOf(often))
})

it('an ICMP scan of many hosts does not drive out the client', () => {
  const scan = Array.from({ length: 400 }, (_, i) => ({
    client: '10.77.0.9',
    target: `10.9.${i >> 8}.${i & 255}`,
    mac: ROUTER,
    every: Number(LAST - FIRST) * 4,
    isLost: () => true,
  }))
  const alone = icmpOf({ ...NEAR, isLost: inGap })
  const { vantage, lost, gap_s } = icmpOf({ ...NEAR, isLost: inGap }, ...scan) ?? {}
  expect([vantage, lost, gap_s]).toEqual([alone?.vantage, alone?.lost, alone?.gap_s])
})
