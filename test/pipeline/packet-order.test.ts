import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Packet } from '../../src/capture/packet.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { ORDER_BYTES_MAX, ORDER_PACKETS_MAX, ORDER_WINDOW_NS } from '../../src/core/limits.ts'
import { analyzeFile } from '../../src/files/analyze.ts'
import { Analyzer } from '../../src/pipeline/analyzer.ts'
import { analyzeMerged } from '../../src/pipeline/merge/merger.ts'
import { PacketOrder } from '../../src/pipeline/packet-order.ts'
import { pcap } from '../support/capture.ts'
import { directedPackets, inTurns, twoInterfaces } from '../support/disorder.ts'

interface Passed {
  /** As the trace knows it. */
  readonly packet: number
  readonly inFile: number
  readonly timeNs: number
}

/** What comes out of an order that sorts from packet `from` on. */
function ordered(
  timesNs: readonly number[],
  { from = 1, size = 0 } = {},
): { passed: Passed[]; diagnostics: Diagnostics } {
  const passed: Passed[] = []
  const order = new PacketOrder(({ packet, timeNs, bytes, start, end }) => {
    const inFile = order.inFile(packet)
    passed.push({ packet, inFile, timeNs })
    // Its own bytes, whoever has written to the block since.
    if (size > 0) expect([end - start, bytes[start]]).toEqual([size, inFile % 256])
  })
  const packet = new Packet()
  packet.bytes = new Uint8Array(size + 10)
  packet.start = 5
  packet.end = 5 + size
  for (const [index, timeNs] of timesNs.entries()) {
    if (index + 1 === from) order.sort(index)
    packet.packet = index + 1
    packet.timeNs = timeNs
    packet.bytes.fill(packet.packet % 256)
    order.packet(packet)
  }
  const diagnostics = new Diagnostics()
  order.end(diagnostics)
  return { passed, diagnostics }
}

const codes = (diagnostics: Diagnostics) =>
  diagnostics.list().map(({ code, count, packet }) => [code, count, packet])

describe('the order of packets', () => {
  test('is that of the file until somebody asks for another', () => {
    const { passed, diagnostics } = ordered([0, 5, 3, 9], { from: 99 })
    expect(passed.map(({ packet, timeNs }) => [packet, timeNs])).toEqual([
      [1, 0],
      [2, 5],
      [3, 3],
      [4, 9],
    ])
    expect(codes(diagnostics)).toEqual([])
  })

  test('is that of their stamps from then on, with growing numbers, and those of the file to be had', () => {
    const { passed, diagnostics } = ordered([50, 40, 30, 60, 20, 60, 10], { from: 3, size: 4 })
    expect(passed.map(({ packet, inFile, timeNs }) => [packet, inFile, timeNs])).toEqual([
      [1, 1, 50],
      [2, 2, 40],
      [3, 7, 10],
      [4, 5, 20],
      [5, 3, 30],
      [6, 4, 60],
      [7, 6, 60],
    ])
    expect(codes(diagnostics)).toEqual([['capture.time-backwards', 2, 5]])
  })

  test('is sorted, whatever it was, within the window', () => {
    let state = 7
    const times = Array.from({ length: 5000 }, (_, index) => {
      state = Math.imul(state, 48_271) >>> 0
      return index * 1e6 + (state % 400) * 1e6
    })
    const { passed } = ordered(times)
    expect(passed.map(({ timeNs }) => timeNs)).toEqual([...times].sort((a, b) => a - b))
    expect(new Set(passed.map(({ inFile }) => inFile)).size).toBe(times.length)
    expect(passed.every(({ inFile, timeNs }) => times[inFile - 1] === timeNs)).toBe(true)
  })

  test.each([
    ['just within the window', ORDER_WINDOW_NS, [1, 3, 2]],
    ['beyond it, which is a clock that was set', ORDER_WINDOW_NS + 1, [1, 2, 3]],
  ])('for one that lies back %s', (_what, backNs, expected) => {
    const { passed } = ordered([0, 5e9, 5e9 - backNs])
    expect(passed.map(({ inFile }) => inFile)).toEqual(expected)
  })

  test('goes on evenly after a clock that was set', () => {
    const { passed, diagnostics } = ordered([0, 9e9, 1e9, 1.2e9, 1.1e9, 1.3e9])
    expect(passed.map(({ inFile }) => inFile)).toEqual([1, 2, 3, 5, 4, 6])
    expect(codes(diagnostics)).toEqual([['capture.time-backwards', 1, 5]])
  })

  test.each([
    ['packets', ORDER_PACKETS_MAX, 0],
    ['bytes', Math.ceil(ORDER_BYTES_MAX / 200_000), 200_000],
  ])('is kept as far as there is room for %s, and what does not fit is said', (_what, count, size) => {
    const times = Array.from({ length: count + 2 }, (_, index) => index + 10)
    const { diagnostics, passed } = ordered([...times, 5], { size })
    expect(passed).toHaveLength(times.length + 1)
    expect(codes(diagnostics)).toEqual([
      ['capture.time-backwards', 1, times.length + 1],
      ['capture.order', 1, times.length + 1],
    ])
    expect(diagnostics.list()[1]?.message).toContain('reordercap')
  })
})

describe('a real capture, each direction on an interface of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mig-phases-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const original = directedPackets('fixtures/libvirt-9.0/managed.pcap.gz')
  /** As this capture has a few stamps out of order itself. */
  const byTime = [...original].sort((a, b) => Number(a.timeNs - b.timeNs) || a.number - b.number)
  const inOrder = twoInterfaces(byTime)

  function analyse(file: Uint8Array) {
    const path = join(folder, 'capture.pcapng')
    writeFileSync(path, file)
    return analyzeFile(path)
  }

  /** What does not depend on how the packets stand in the file. */
  const figures = ({ migrations }: Awaited<ReturnType<typeof analyse>>) =>
    migrations.map(({ outcome, phases, transfer, downtime, hypervisor, libvirt_migration_time_s }) => ({
      outcome,
      phases: phases.map(({ id, duration_s, markers }) => [id, duration_s, markers.map((each) => each.id)]),
      rounds: transfer.rounds?.map((round) => [round.normal_pages, round.zero_pages, round.bytes]),
      retransmitted: transfer.retransmitted_bytes,
      downtime: downtime.best_s,
      hypervisor,
      libvirt_migration_time_s,
    }))

  /** Numbers of the packets that stand for boundaries, in the capture as it was made. */
  const evidence = ({ migrations }: Awaited<ReturnType<typeof analyse>>, numbers: readonly number[]) =>
    migrations.flatMap(({ phases }) =>
      phases.flatMap((phase) =>
        [phase.start, phase.end, ...phase.markers].map(({ packet }) =>
          packet === null ? null : numbers[packet - 1],
        ),
      ),
    )

  const numbersOf = (packets: readonly { number: number }[]) => packets.map(({ number }) => number)

  const rounded = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_, each) => (typeof each === 'number' ? Number(each.toFixed(7)) : each)),
    )

  test.each([
    ['0.1 ms', 100_000n],
    ['1 ms', 1_000_000n],
    ['100 ms', 100_000_000n],
    ['1 s', 1_000_000_000n],
  ])('read in turns of %s, has the figures and the evidence that it had', async (_what, stretchNs) => {
    const before = await analyse(inOrder)
    // The first packet stays the first, so that times, and the bins of bytes over time, count from the same instant.
    const turns = inTurns(original, stretchNs, original[0]!.direction)
    const after = await analyse(twoInterfaces(turns))
    expect(rounded(figures(after))).toEqual(rounded(figures(before)))
    expect(evidence(after, numbersOf(turns))).toEqual(evidence(before, numbersOf(byTime)))
    expect(after.captures[0]?.diagnostics.map(({ code }) => code)).toEqual(['capture.time-backwards'])
  })

  test('knows its earliest packet where that is not the first', async () => {
    const late = inTurns(original, 1_000_000_000n, original[0]!.direction === 0 ? 1 : 0)
    const { captures } = await analyse(twoInterfaces(late))
    expect(captures[0]?.start_epoch_ns).toBe(late[0]!.timeNs.toString())
    expect(captures[0]?.earliest_epoch_ns).toBe(original[0]!.timeNs.toString())
  })

  test('through a pipe is put in order from where it shows', () => {
    const turns = inTurns(original, 10_000_000n)
    const file = twoInterfaces(turns)
    const analyzer = new Analyzer()
    // The first disorder is long before the migration.
    for (let at = 0; at < file.length; at += 4096) analyzer.push(file.subarray(at, at + 4096))
    expect(analyzer.wantsAgain).toBe(true)
    const piped = analyzer.end()
    const whole = new Analyzer()
    whole.push(inOrder)
    expect(rounded(figures(piped))).toEqual(rounded(figures(whole.end())))
  })

  test('is put in order before it is merged with another', async () => {
    const turns = inTurns(original, 100_000_000n)
    const point = (name: string, bytes: Uint8Array) => ({
      name,
      clockOffset: null,
      open: async () => ({
        compression: null,
        blocks: (async function* () {
          yield bytes
        })(),
      }),
    })
    const empty = pcap([{ timeNs: original[0]!.timeNs, frame: new Uint8Array(60) }])
    const merged = (bytes: Uint8Array) => analyzeMerged([point('a', bytes), point('b', empty)])
    const after = await merged(twoInterfaces(turns))
    const before = await merged(inOrder)
    expect(rounded(figures(after))).toEqual(rounded(figures(before)))
    expect(evidence(after, numbersOf(turns))).toEqual(evidence(before, numbersOf(byTime)))
  })

  test('in order costs nothing: it passes as it is', async () => {
    const analyzer = new Analyzer()
    analyzer.push(inOrder)
    expect(analyzer.wantsAgain).toBe(false)
  })
})
