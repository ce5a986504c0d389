import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../src/core/evidence.ts'
import { lookup, PhaseMachine } from '../../src/phases/machine.ts'
import { SIGNALS, type SignalName } from '../../src/phases/signal.ts'
import { IGNORED, type Region, STATES, TRANSITIONS } from '../../src/phases/table.ts'

const REGIONS = Object.keys(STATES) as Region[]

/** Pairs that neither the table nor the list of ignored signals names: a capture that shows one is strange, and the
 *  report says so. Written down so that a change of the table shows what became unexpected. */
const UNEXPECTED: Readonly<Record<string, readonly string[]>> = {
  'control idle': ['rpc.refused'],
  'control connecting': ['rpc.syn'],
  'control refused': ['rpc.syn', 'rpc.syn-ack', 'rpc.refused'],
}

describe('the phase table', () => {
  it('gives every signal to one region', () => {
    for (const signal of SIGNALS) {
      const regions = new Set(TRANSITIONS.filter((row) => row.signal === signal).map((row) => row.region))
      expect([signal, regions.size]).toEqual([signal, 1])
    }
  })

  it('names a pair of state and signal once', () => {
    const seen = new Set<string>()
    for (const row of [...TRANSITIONS, ...IGNORED]) {
      for (const from of row.from) {
        const pair = `${row.region} ${from} ${row.signal}`
        expect(seen.has(pair), pair).toBe(false)
        seen.add(pair)
      }
    }
  })

  it('reaches every state from the first one', () => {
    for (const region of REGIONS) {
      const reached = new Set<string>([STATES[region][0]])
      for (let size = 0; size !== reached.size; ) {
        size = reached.size
        for (const { region: of, from, to } of TRANSITIONS)
          if (of === region && to !== null && from.some((state) => reached.has(state))) reached.add(to)
      }
      expect([...reached].sort()).toEqual([...STATES[region]].sort())
    }
  })

  it('answers every pair: a transition, ignored, or a diagnostic, and never an exception', () => {
    for (const region of REGIONS) {
      for (const state of STATES[region]) {
        for (const signal of SIGNALS) {
          const answer = lookup(region, state, signal)
          if (answer !== undefined && answer !== 'ignored') expect(answer.region).toBe(region)
        }
      }
    }
    for (const [pair, signals] of Object.entries(UNEXPECTED)) {
      const [region, state] = pair.split(' ') as [Region, never]
      for (const signal of signals) expect(lookup(region, state, signal as SignalName), pair).toBeUndefined()
    }
  })
})

describe('the phase machine', () => {
  it('writes a start at the first packet of its signal and an end at the last', () => {
    const { machine } = run(['rpc.syn', 1, 1], ['open.reply', 5, 7])
    const { start, end } = machine.intervals.get('remote_connect') ?? {}
    expect([start?.at.packet, end?.at.packet]).toEqual([1, 7])
    expect(machine.intervals.get('prepare')?.start?.at.packet).toBe(7)
  })

  it('keeps the first start and the last end', () => {
    const { machine } = run(
      ['memory.syn', 10, 10],
      ['memory.syn', 11, 11],
      ['memory.fin', 90, 90],
      ['memory.rst', 95, 95],
      ['memory.fin', 92, 92],
    )
    const { start, end } = machine.intervals.get('transfer') ?? {}
    expect([start?.at.packet, end?.at.packet, end?.rule]).toEqual([10, 95, 'tcp.rst.last'])
  })

  it('lets the finish call come before the memory connection ends', () => {
    const { machine, unexpected } = run(
      ['prepare.reply', 3, 3],
      ['memory.syn', 4, 4],
      ['finish.call', 5, 6],
      ['finish.reply', 8, 8],
      ['memory.fin', 9, 9],
    )
    expect(unexpected).toEqual([])
    expect([machine.control, machine.transfer]).toEqual(['finished', 'ended'])
  })

  it('tells a cancelled finish from a failed one', () => {
    expect(run(['finish.cancel', 1, 1], ['finish.error', 2, 2]).machine.control).toBe('cancelled')
    expect(run(['finish.call', 1, 1], ['finish.error', 2, 2]).machine.control).toBe('finish-failed')
  })

  it('reports what the table does not name, and stays where it is', () => {
    const { machine, unexpected } = run(['rpc.syn', 1, 1], ['open.reply', 2, 2], ['open.reply', 3, 3])
    expect(unexpected).toEqual(['control connected open.reply'])
    expect(machine.control).toBe('connected')
  })

  it('marks as inferred what was inferred', () => {
    const { machine } = run(['rpc.syn', 1, 1])
    machine.signal({ name: 'open.reply', first: at(2), last: at(2), inferred: true })
    const { start, end } = machine.intervals.get('remote_connect') ?? {}
    expect([start?.kind, end?.kind]).toEqual(['observed', 'inferred'])
  })
})

function run(...signals: readonly (readonly [SignalName, number, number])[]) {
  const unexpected: string[] = []
  const machine = new PhaseMachine((region, state, signal) =>
    unexpected.push(`${region} ${state} ${signal.name}`),
  )
  for (const [name, first, last] of signals) machine.signal({ name, first: at(first), last: at(last) })
  return { machine, unexpected }
}

function at(packet: number): Evidence {
  return { packet, timeNs: packet * 1000 }
}
