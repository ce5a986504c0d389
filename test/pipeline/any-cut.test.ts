import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Analyzer, analyze } from '../../src/pipeline/analyzer.ts'
import { capture, Pcapng, Wire } from '../support/capture.ts'
import { analyseBytes, migrate, type Told, told } from './synthetic.ts'

/** A real capture of the two daemons' conversation, and a synthetic one with a memory stream as pcapng. */
const REAL = gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz'))
const SYNTHETIC = capture(migrate(new Wire()).passed)
  .reduce((file, packet) => file.enhanced(packet), new Pcapng().interface({ resolution: 9 }))
  .bytes()

function facts({ capture, migrations }: Told): unknown {
  return { capture, migrations }
}

function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [0, ...positions.map((at) => at % bytes.length).toSorted((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

describe.each([
  ['a real capture', new Uint8Array(REAL)],
  ['a synthetic migration', SYNTHETIC],
])('%s', (_name, bytes) => {
  const whole = analyseBytes([bytes])

  test('gives the same report however its bytes are cut', () => {
    expect(whole.migrations).toHaveLength(1)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), (positions) => {
        expect(facts(analyseBytes(cutAt(bytes, positions)))).toEqual(facts(whole))
      }),
      { seed: 9, numRuns: 100 },
    )
  })

  test('gives the same report byte by byte, and piece by piece of a promise', async () => {
    const singles = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
    expect(facts(analyseBytes(singles))).toEqual(facts(whole))
    const pieces = (async function* () {
      for (const piece of cutAt(bytes, [5, 77, 5000])) yield piece
    })()
    expect(facts(told(await analyze(pieces, { name: 'capture' })))).toEqual(facts(whole))
  })
})

test('the bytes are only borrowed: they may change after each push', () => {
  const whole = facts(analyseBytes([SYNTHETIC]))
  const block = new Uint8Array(1000)
  const analyzer = new Analyzer({ name: 'capture' })
  for (let at = 0; at < SYNTHETIC.length; at += block.length) {
    const size = Math.min(block.length, SYNTHETIC.length - at)
    block.set(SYNTHETIC.subarray(at, at + size))
    analyzer.push(block.subarray(0, size))
    block.fill(0xdd)
  }
  expect(facts(told(analyzer.end()))).toEqual(whole)
})
