import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KINDS, type Kind } from './kinds.mjs'
import { MEMORY_MAX_MIB, measure } from './measure.mjs'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-hostile-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const TIMEOUT_MS = 60_000
/** How much more time twice as much may take, beside seconds that are noise. */
const GROWTH_MAX = 3
const NOISE_S = 0.25
/** Seconds behind the start from which on there is something to compare. */
const COMPARED_FROM_S = 1
/** On a machine that is busy with other things, the least of some runs counts. */
const TRIES = 3

/** Seconds of a processor for next to nothing. */
let start = Number.POSITIVE_INFINITY

beforeAll(async () => {
  const nothing = KINDS['empty-packets'] as Kind
  for (let time = 0; time < TRIES; time++) start = Math.min(start, await secondsOf('start', nothing, 1))
}, TIMEOUT_MS)

test.each(Object.entries(KINDS))(
  '%s: memory is bounded, time goes by length',
  async (name, kind) => {
    let [half, whole] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let time = 0; time < TRIES; time++) {
      whole = Math.min(whole, await secondsOf(name, kind, kind.few))
      if (whole - start < COMPARED_FROM_S) return
      half = Math.min(half, await secondsOf(name, kind, kind.few / 2))
      if (whole - start < GROWTH_MAX * (half - start) + NOISE_S) return
    }
    expect.fail(`half takes ${half} s, all of it ${whole} s, the start ${start} s`)
  },
  2 * TIMEOUT_MS,
)

async function secondsOf(name: string, kind: Kind, count: number): Promise<number> {
  const file = join(FOLDER, name)
  kind.write(file, count)
  const { cpuSeconds, peakMiB, faults } = await measure(file, TIMEOUT_MS)
  rmSync(file)
  expect(faults).toEqual([])
  expect(peakMiB).toBeLessThan(MEMORY_MAX_MIB)
  return cpuSeconds as number
}
