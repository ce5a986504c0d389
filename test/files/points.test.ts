import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findRuns, type PossiblePoint } from '../../src/files/points.ts'
import { dial, migrate, ROUTE, UUID } from '../pipeline/synthetic.ts'
import { type CapturedPacket, capture, pcap, START_NS, Wire } from '../support/capture.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const WHOLE = capture(migrate(new Wire()).passed)

let files = 0
function point(packets: readonly CapturedPacket[], guests: readonly string[] = []): PossiblePoint {
  const path = join(FOLDER, `${++files}.pcap`)
  writeFileSync(path, pcap(packets))
  return { path, guests, fromNs: packets[0]!.timeNs, toNs: packets.at(-1)!.timeNs }
}

const later = (packets: readonly CapturedPacket[], byNs: number): CapturedPacket[] =>
  packets.map((packet) => ({ ...packet, timeNs: packet.timeNs + BigInt(byNs) }))

/** Packets of a conversation that no other point sees. */
function elsewhere(): CapturedPacket[] {
  const wire = new Wire()
  dial(wire, 'other', { ...ROUTE, clientIsn: 7_000_000 + files }, 9999, 41_000 + files)
    .open()
    .send('client', new Uint8Array(20_000), 'x')
    .close('client')
  return capture(wire.passed)
}

async function runsOf(...captures: PossiblePoint[]) {
  const runs = []
  for await (const run of findRuns(captures))
    runs.push({ ...run, indices: run.points.map((point) => captures.indexOf(point)) })
  return runs
}

describe('captures are of one run', () => {
  it('when they overlap in time and have ten packets in common', async () => {
    expect(await runsOf(point(WHOLE), point(WHOLE.slice(0, 9)))).toEqual([])
    const [run, ...more] = await runsOf(point(WHOLE), point(WHOLE.slice(0, 10)))
    expect(more).toEqual([])
    expect(run?.indices).toEqual([0, 1])
    expect(run?.clocks).toEqual([null, { offset_s: 0, spread_s: 0, matched: 10 }])
    expect(run?.analysis.migrations).toHaveLength(1)
  })

  it('not when they do not overlap, whatever they have in common', async () => {
    const [{ timeNs: from }, { timeNs: to }] = [WHOLE[0]!, WHOLE.at(-1)!]
    expect(await runsOf(point(WHOLE, [UUID]), point(later(WHOLE, Number(to - from) + 1), [UUID]))).toEqual([])
    expect(await runsOf(point(WHOLE), point(later(WHOLE, Number(to - from))))).toHaveLength(1)
  })

  it('not when only a third one is there at the time of both, and has to do with neither', async () => {
    const [first, second] = [WHOLE, later(WHOLE, 60e9)]
    const long = elsewhere().flatMap((packet) => [packet, ...later([packet], 120e9)])
    const meanwhile = long.sort((a, b) => Number(a.timeNs - b.timeNs))
    expect(await runsOf(point(first, [UUID]), point(second, [UUID]), point(meanwhile))).toEqual([])
  })

  it('when they overlap and hold migrations of the same guest', async () => {
    const [run] = await runsOf(point(WHOLE, [UUID]), point(elsewhere(), ['another', UUID]))
    expect(run?.clocks).toEqual([null, null])
    expect(await runsOf(point(WHOLE, [UUID]), point(elsewhere(), ['another']))).toEqual([])
  })

  it('when a third one has to do with both', async () => {
    const other = elsewhere()
    const both = [...WHOLE, ...other].sort((a, b) => Number(a.timeNs - b.timeNs))
    const [run] = await runsOf(point(WHOLE), point(other), point(both))
    expect(run?.indices).toEqual([0, 1, 2])
  })

  it('and several runs are told apart, also at the same time', async () => {
    const other = elsewhere()
    const runs = await runsOf(
      point(WHOLE),
      point(other),
      point(later(WHOLE, 1e12)),
      point(WHOLE),
      point(other),
    )
    expect(runs.map(({ indices }) => indices)).toEqual([
      [0, 3],
      [1, 4],
    ])
  })
})

it('the clock of a point is compared with that of the first', async () => {
  const [run] = await runsOf(point(WHOLE), point(later(WHOLE, 1e6)))
  expect(run?.clocks[1]?.offset_s).toBeCloseTo(-0.001, 9)
})

it('more points than can be merged are left alone', async () => {
  const points = (count: number) => Array.from({ length: count }, () => point(WHOLE.slice(0, 12)))
  expect(await runsOf(...points(15))).toHaveLength(1)
  expect(await runsOf(...points(16))).toEqual([])
  expect(await runsOf(...points(31))).toEqual([])
})

it('what cannot be read again is left out', async () => {
  expect(START_NS).toBe(WHOLE[0]!.timeNs)
  const pipe = { ...point(WHOLE), path: '-' }
  expect(await runsOf(point(WHOLE), pipe)).toEqual([])
  expect(await runsOf(point(WHOLE), { ...pipe, path: '/dev/null' })).toEqual([])
})
