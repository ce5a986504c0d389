import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { RATE_BINS_MAX } from '../../src/core/limits.ts'
import { renderJson } from '../../src/report/json.ts'
import { renderTable } from '../../src/report/table.ts'
import { capture, dpmi, Pcapng, Wire } from '../support/capture.ts'
import { directedPackets, inTurns, twoInterfaces } from '../support/disorder.ts'
import { fuzz } from '../support/fuzz.ts'
import { analyseBytes, migrate } from './synthetic.ts'

/** As other fuzzers; or one run by its seed. Each run has the next one. */
const { numRuns: RUNS, seed: FIRST } = fuzz(2000, 1)
const REPLAY = process.env.FUZZ_SEED
const SEED = Number(REPLAY ?? FIRST)

const fixture = (name: string): Uint8Array =>
  new Uint8Array(gunzipSync(readFileSync(`fixtures/libvirt-${name}`)))
const CORPUS: readonly Uint8Array[] = [
  fixture('9.0/rpc-only.pcap.gz'),
  fixture('9.0/fail-connect.pcap.gz'),
  fixture('9.0/fail-conflict.pcap.gz'),
  fixture('0.10.2/fail-conflict.pcap.gz'),
  fixture('9.0/tls.pcap.gz'),
  capture(migrate(new Wire()).passed)
    .reduce((file, packet) => file.enhanced(packet), new Pcapng().interface({ resolution: 9 }))
    .bytes(),
  twoInterfaces(inTurns(directedPackets('fixtures/libvirt-9.0/rpc-only.pcap.gz'), 20_000_000n)),
  dpmi(capture(migrate(new Wire()).passed)),
]

/** @see mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type Random = ReturnType<typeof randomOf>

const WORDS = [0, 1, 4, 0x1c, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000, 0x40001, 0x20008086, 0x6b656570]

/** One change of a file: its bytes, its lengths, its order. */
function mutate(file: Uint8Array, random: Random): Uint8Array {
  const at = random(file.length)
  const size = 1 + random(random(4) === 0 ? 5000 : 40)
  const [before, from] = [file.subarray(0, at), file.subarray(at)]
  switch (random(8)) {
    case 0:
      return before
    case 1:
      return joined(before, file.subarray(at + size))
    case 2:
      return joined(
        before,
        Uint8Array.from({ length: size }, () => random(256)),
        from,
      )
    case 3:
      return joined(before, from.subarray(0, size), from)
    case 4: {
      const other = pick(CORPUS, random)
      const start = random(other.length)
      return joined(before, other.subarray(start, start + size * 10), from)
    }
    case 5: {
      const copy = file.slice()
      if (at + 4 <= copy.length) new DataView(copy.buffer).setUint32(at, pick(WORDS, random), random(2) === 0)
      return copy
    }
    case 6: {
      const copy = file.slice()
      for (let i = 0; i < 20; i++) copy[random(copy.length)] = random(256)
      return copy
    }
    default: {
      const copy = file.slice()
      copy[at] = (copy[at] as number) ^ (1 << random(8))
      return copy
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)] as T
}

/** What must hold of any input whatever. */
function check(file: Uint8Array, random: Random): void {
  const cut = random(file.length + 1)
  let analysis: ReturnType<typeof analyseBytes>
  try {
    analysis = analyseBytes([file.subarray(0, cut), file.subarray(cut)])
  } catch (error) {
    if (error instanceof InputError) return
    throw error
  }
  const { report } = analysis
  const json = renderJson(report)
  const table = renderTable(report)
  expect(JSON.parse(json)).toEqual(report)
  // Where a clock was set, what passed over time has many bins in which nothing did.
  const bins = analysis.migrations.flatMap(({ transfer }) => transfer.throughput?.to_destination_bps ?? [])
  expect(bins.length).toBeLessThanOrEqual(RATE_BINS_MAX * analysis.migrations.length)
  expect(json.length + table.length).toBeLessThan(100_000 + 20 * file.length + 32 * bins.length)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(table).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  expect(json).not.toMatch(/NaN|Infinity|undefined/)
  for (const { phases } of analysis.migrations)
    for (const { start, end, markers } of phases)
      for (const { packet } of [start, end, ...markers])
        if (packet !== null) {
          expect(packet).toBeGreaterThanOrEqual(1)
          expect(packet).toBeLessThanOrEqual(analysis.capture.packets)
        }
}

/** Of runs that found something. */
const FINDS: readonly number[] = [45_529]

test(`${RUNS} mutated captures: no throw, no nonsense, bounded`, { timeout: 60_000 + RUNS * 100 }, () => {
  let slowest = 0
  const seeds =
    REPLAY === undefined ? [...FINDS, ...Array.from({ length: RUNS }, (_, i) => SEED + i)] : [SEED]
  for (const seed of seeds) {
    const random = randomOf(seed)
    let file = pick(CORPUS, random)
    for (let changes = 1 + random(6); changes > 0 && file.length > 0; changes--) file = mutate(file, random)
    const started = performance.now()
    try {
      check(file, random)
    } catch (error) {
      const replay = `FUZZ_SEED=${seed} npx vitest run test/pipeline/fuzz.test.ts`
      throw new Error(`seed ${seed} fails; again: ${replay}`, { cause: error })
    }
    slowest = Math.max(slowest, performance.now() - started)
  }
  expect(slowest).toBeLessThan(3000)
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(512 * 1024 * 1024)
})
