import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Packet } from '../../src/capture/packet.ts'
import { identify } from '../../src/net/identity.ts'
import type { Analysis } from '../../src/pipeline/analyzer.ts'
import { compareClocks, Sightings } from '../../src/pipeline/merge/clock.ts'
import { Duplicates } from '../../src/pipeline/merge/duplicates.ts'
import { analyzeMerged } from '../../src/pipeline/merge/merger.ts'
import { Origins } from '../../src/pipeline/merge/origins.ts'
import { shifted } from '../support/shifted.ts'

const SOURCE = gunzipSync(readFileSync('fixtures/openstack-zed/idle.pcap.gz'))
const CONTROLLER = gunzipSync(readFileSync('fixtures/openstack-zed/idle.controller.pcap.gz'))

describe('captures of one run, merged', () => {
  it('give the phases that each of them holds, with the packets of the file that saw them first', async () => {
    const alone = await merge([SOURCE])
    const { migrations } = await merge([SOURCE, CONTROLLER])
    expect(migrations.length).toBe(1)
    for (const phase of migrations[0]!.phases) {
      const single = alone.migrations[0]!.phases.find(({ id }) => id === phase.id)!
      expect(phase.duration_s, phase.id).toBeCloseTo(single.duration_s!, 3)
      for (const edge of ['start', 'end'] as const) {
        if (phase[edge].file === '0') expect(phase[edge].packet, phase.id).toBe(single[edge].packet)
      }
    }
    expect(migrations[0]!.phases.some(({ end }) => end.file === '1')).toBe(true)
  })

  it('count a packet that both saw once', async () => {
    const alone = await merge([SOURCE])
    const twice = await merge([SOURCE, SOURCE])
    expect(twice.migrations[0]!.transfer).toEqual(alone.migrations[0]!.transfer)
    expect(twice.captures[0]!.diagnostics).toContainEqual(
      expect.objectContaining({ code: 'merge.duplicate', count: alone.captures[0]!.packets }),
    )
  })

  it('have their clocks compared: a point that is 3.7 s ahead is set right', async () => {
    const { captures, migrations } = await merge([SOURCE, shifted(CONTROLLER, 3.7)])
    const [, controller] = captures
    expect(controller!.clock_offset_s).toBeCloseTo(-3.7, 4)
    expect(controller!.clock_offset_spread_s).toBeLessThan(1e-4)
    const straight = await merge([SOURCE, CONTROLLER])
    for (const [index, phase] of migrations[0]!.phases.entries())
      expect(phase.duration_s).toBeCloseTo(straight.migrations[0]!.phases[index]!.duration_s!, 4)
  })

  it('take an offset that is given as it is', async () => {
    const { captures } = await merge([SOURCE, shifted(CONTROLLER, 3.7)], [null, -3.7])
    expect(captures[1]).toMatchObject({ clock_offset_s: -3.7, clock_offset_spread_s: null })
  })

  it('say so when they have no packet in common', async () => {
    const other = gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz'))
    const { captures, migrations } = await merge([other, SOURCE])
    expect(migrations.length).toBe(2)
    expect(captures[0]!.diagnostics.map(({ code }) => code)).toContain('merge.clock')
  })
})

describe('the identity of a packet', () => {
  const frame = ipv4({ ttl: 64, checksum: 0, identification: 7 })

  it('is the same behind a router, with a checksum filled in, with a VLAN tag', () => {
    expect(identify(packet(ipv4({ ttl: 61, checksum: 0xabcd, identification: 7 })))).toBe(
      identify(packet(frame)),
    )
    const tagged = Uint8Array.from([...frame.slice(0, 12), 0x81, 0, 0, 5, ...frame.slice(12)])
    expect(identify(packet(tagged))).toBe(identify(packet(frame)))
  })

  it('is another one for another packet', () => {
    expect(identify(packet(ipv4({ ttl: 64, checksum: 0, identification: 8 })))).not.toBe(
      identify(packet(frame)),
    )
  })

  it('is unknown when too little was captured', () => {
    expect(identify(packet(frame.slice(0, 30)))).toBeNull()
  })
})

it('a packet that repeats itself is matched with its repetition, not dropped', () => {
  const duplicates = new Duplicates()
  const announcement = ipv4({ ttl: 64, checksum: 0, identification: 0 })
  const seen = [0, 1, 0, 1, 1].map((point, index) => {
    const frame = packet(announcement)
    frame.timeNs = index * 1e6
    return duplicates.seenElsewhere(frame, point)
  })
  expect(seen).toEqual([false, true, false, true, false])
})

it('a packet seen again after the window is another one', () => {
  const duplicates = new Duplicates()
  const late = packet(ipv4({ ttl: 64, checksum: 0, identification: 0 }))
  expect(duplicates.seenElsewhere(late, 0)).toBe(false)
  late.timeNs = 2e9
  expect(duplicates.seenElsewhere(late, 1)).toBe(false)
})

it('the delay of the path is no difference of the clocks', () => {
  const [here, there] = [new Sightings(), new Sightings()]
  const delayNs = 25e6
  const aheadNs = 5e9
  for (let i = 1; i < 400; i++) {
    const forth = i % 2 === 0
    const frame = packet(ipv4({ ttl: 64, checksum: 0, identification: i, reverse: !forth }))
    const sentNs = i * 1e6
    here.add(frame, forth ? sentNs : sentNs + delayNs)
    there.add(frame, (forth ? sentNs + delayNs : sentNs) + aheadNs)
  }
  const clocks = compareClocks(here, there)!
  expect(clocks.offset_s).toBeCloseTo(-5, 6)
  expect(clocks.spread_s).toBeCloseTo(0.025, 6)
})

it('packets that queued on their way do not count: one direction may be busy', () => {
  const [here, there] = [new Sightings(), new Sightings()]
  for (let i = 1; i < 2000; i++) {
    const forth = i % 2 === 0
    const frame = packet(ipv4({ ttl: 64, checksum: 0, identification: i, reverse: !forth }))
    // Every twentieth packet finds the queue empty.
    const delayNs = 1e6 + (forth && i % 20 !== 0 ? (i % 50) * 1e6 : 0)
    here.add(frame, forth ? i * 1e6 : i * 1e6 + delayNs)
    there.add(frame, forth ? i * 1e6 + delayNs : i * 1e6)
  }
  expect(Math.abs(compareClocks(here, there)!.offset_s)).toBeLessThan(1e-4)
})

it('the origin of a packet is kept over chunks', () => {
  const origins = new Origins()
  const count = 1024 * 1024 + 3
  for (let i = 1; i <= count; i++) origins.add(i % 3, i)
  expect(origins.of(1)).toEqual({ point: 1, packet: 1 })
  expect(origins.of(count)).toEqual({ point: count % 3, packet: count })
})

async function merge(
  files: readonly Uint8Array[],
  offsets: readonly (number | null)[] = [],
): Promise<Analysis> {
  return await analyzeMerged(
    files.map((bytes, index) => ({
      name: `${index}`,
      open: async () => ({ compression: null, blocks: pieces(bytes) }),
      clockOffset: offsets[index] ?? null,
    })),
  )
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield new Uint8Array(bytes.subarray(at, at + 100_000))
}

function packet(frame: Uint8Array): Packet {
  const made = new Packet()
  made.packet = 1
  made.bytes = frame
  made.end = frame.length
  made.originalLength = frame.length
  made.linkType = 1
  return made
}

/** An Ethernet frame with 20 bytes of TCP. */
function ipv4(of: { ttl: number; checksum: number; identification: number; reverse?: boolean }): Uint8Array {
  const ends = of.reverse === true ? [2, 1] : [1, 2]
  const head = [...new Array<number>(12).fill(2), 8, 0]
  const id = [of.identification >>> 8, of.identification & 255]
  const ip = [0x45, 0, 0, 40, ...id, 0x40, 0, of.ttl, 6, of.ttl, 0, 10, 0, 0, ends[0]!, 10, 0, 0, ends[1]!]
  const sum = [of.checksum >>> 8, of.checksum & 255]
  const tcp = [0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 255, 255, ...sum, 0, 0]
  return Uint8Array.from([...head, ...ip, ...tcp])
}
