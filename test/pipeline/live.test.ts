import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MIGRATIONS_HELD } from '../../src/core/limits.ts'
import { Analyzer } from '../../src/pipeline/analyzer.ts'
import type { MigrationReport } from '../../src/report/model.ts'
import { describeRunning } from '../../src/report/running.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { chain, isLink } from '../support/chain.ts'
import { QemuStream } from '../support/qemu-stream.ts'
import { guest, migrate, ROUTE } from './synthetic.ts'

const FIXTURES = readdirSync('fixtures', { recursive: true, encoding: 'utf8' })
  .map((name) => join('fixtures', name))
  .filter(isLink)
  .sort()

const IDLE = 'fixtures/libvirt-9.0/idle.pcap.gz'

/** Runs of the laboratory, small ones. Those that have the same ports and numbers, or are one run seen from elsewhere, nobody could
 *  tell apart behind one another. */
const IN_A_ROW = [
  ...[
    'fail-connect',
    'fail-conflict',
    'rpc-only',
    'tls',
    'offline',
    'offload-on',
    'snaplen128',
    'concurrent',
  ].map((name) => `fixtures/libvirt-9.0/${name}.pcap.gz`),
  ...['fail-disk', 'fail-conflict'].map((name) => `fixtures/libvirt-1.2.2/${name}.pcap.gz`),
  'fixtures/openstack-zed/fail-pre-live-migration.pcap.gz',
  'fixtures/openstack-zed/fail-precheck.pcap.gz',
]

const SHORT_STREAM = new QemuStream()
  .header()
  .ramStart([{ name: 'pc.ram', size: 4096 }])
  .ram('end')
  .eof()
  .bytes()

function* cutEvery(file: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size)
}

interface Watched {
  /** In the order in which they were handed out. */
  readonly taken: readonly MigrationReport[]
  readonly left: readonly MigrationReport[]
}

/** Some packets at once, for where it does not matter. */
function* bundled(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let bundle: Uint8Array[] = []
  for (const piece of pieces) {
    bundle.push(piece)
    if (bundle.length < 40) continue
    yield Buffer.concat(bundle)
    bundle = []
  }
  yield Buffer.concat(bundle)
}

function watch(pieces: Iterable<Uint8Array>): Watched {
  const analyzer = new Analyzer()
  const taken: MigrationReport[] = []
  for (const piece of pieces) {
    analyzer.push(piece)
    taken.push(...analyzer.take())
  }
  return { taken, left: analyzer.end().migrations }
}

function analyseWhole(pieces: Iterable<Uint8Array>): readonly MigrationReport[] {
  const analyzer = new Analyzer()
  for (const piece of bundled(pieces)) analyzer.push(piece)
  return analyzer.end().migrations
}

const byIndex = (migrations: readonly MigrationReport[]) => [...migrations].sort((a, b) => a.index - b.index)

describe('a migration is reported while the capture goes on, as it would be at its end', () => {
  test.each(FIXTURES)('%s', (path) => {
    const whole = analyseWhole(chain([path], { pauseS: 130 }))
    const { taken, left } = watch(chain([path], { pauseS: 130 }))
    expect(whole.length).toBeGreaterThan(0)
    expect(byIndex(taken)).toEqual(whole)
    expect(left).toEqual([])
  })

  // Migrations of one guest between the same hosts, over the same ports: what is late must not go to the one before.
  test.each([1, 8, 70])('%i s from one capture to the next, of many in a row', (pauseS) => {
    const whole = analyseWhole(chain(IN_A_ROW, { pauseS }))
    const { taken, left } = watch(chain(IN_A_ROW, { pauseS }))
    expect(whole.length).toBeGreaterThan(11)
    expect(left.length).toBeLessThan(6)
    expect(byIndex([...taken, ...left])).toEqual(whole)
  })
})

test('a capture of very many migrations is reported whole, although few of them are held until its end', () => {
  const count = MIGRATIONS_HELD + 100
  const wire = new Wire()
  for (let index = 0; index < count; index++)
    migrate(wire, { ...ROUTE, clientIsn: index * 5_000_000 }, guest(`vm${index}`), SHORT_STREAM).wait(6e9)
  const file = pcap(capture(wire.passed))
  const pieces = () => cutEvery(file, 4096)
  const analyzer = new Analyzer()
  let held = 0
  for (const piece of pieces()) {
    analyzer.push(piece)
    held = Math.max(held, analyzer.followed.migrations.length)
  }
  const { migrations, captures } = analyzer.end()
  expect(held).toBeLessThanOrEqual(MIGRATIONS_HELD + 2)
  expect(migrations.map(({ domain }) => domain.name)).toEqual(migrations.map(({ index }) => `vm${index}`))
  expect(migrations.length).toBe(count)
  expect(captures[0]?.diagnostics).toEqual([])
  const { taken, left } = watch(pieces())
  expect(migrations).toEqual(byIndex([...taken, ...left]))
})

test('what is over comes in the order in which it ended, with numbers in the order of the starts', () => {
  const { taken } = watch(chain(['fixtures/libvirt-9.0/concurrent.pcap.gz'], { pauseS: 30 }))
  expect(taken.map(({ index }) => index).toSorted()).toEqual([0, 1])
})

test('a migration whose packets stop coming is reported by the clock of the reader, once it has ended', () => {
  const analyzer = new Analyzer()
  for (const piece of chain([IDLE], { pauseS: 1 })) analyzer.push(piece)
  expect(analyzer.take()).toEqual([])
  expect(analyzer.take(1e9)).toEqual([])
  expect(analyzer.take(20e9).map(({ outcome }) => outcome)).toEqual(['completed'])
  expect(analyzer.take(40e9)).toEqual([])
  expect(analyzer.end().migrations).toEqual([])
})

test('one that is under way is not given up while the wire is silent as a whole', () => {
  const analyzer = new Analyzer()
  const records = [...chain([IDLE], { pauseS: 0 })]
  for (const piece of records.slice(0, records.length / 2)) analyzer.push(piece)
  expect(analyzer.take(7200e9)).toEqual([])
  expect(describeRunning(analyzer.followed, 7200e9)).toMatchObject([
    { guest: 'vm1', phase: 'transfer', through: false },
  ])
  expect(analyzer.end().migrations.map(({ outcome }) => outcome)).toEqual(['incomplete'])
})

test('one of which nothing comes any more, while other packets do, is given up as lost', () => {
  const records = [...chain([IDLE], { pauseS: 0 })]
  const beats = [...chain([IDLE], { pauseS: 90 })].slice(records.length)
  const { taken, left } = watch([...records.slice(0, records.length / 2), ...beats])
  expect(left).toEqual([])
  expect(taken).toMatchObject([{ outcome: 'failed', failure: { phase: 'transfer' } }])
  expect(taken[0]?.failure?.message).toContain('connection lost')
})

/** A capture that ends right behind the finish reply, on a wire that goes on. */
function withoutCleanup(path: string, pauseS: number): Uint8Array[] {
  const records = [...chain([path], { pauseS: 0 })]
  const [migration] = analyseWhole(records)
  const finished = migration?.phases.find(({ id }) => id === 'finish')?.end.packet ?? 0
  // The file's header comes before the packets.
  return [...records.slice(0, finished + 1), ...[...chain([path], { pauseS })].slice(records.length)]
}

test('a client may keep its connection: its migration is over soon all the same', () => {
  const MANAGED = 'fixtures/libvirt-9.0/managed.client.pcap.gz'
  expect(watch(withoutCleanup(MANAGED, 25)).taken).toEqual([])
  const { taken } = watch(withoutCleanup(MANAGED, 40))
  expect(taken).toMatchObject([{ outcome: 'completed' }])
  expect(taken[0]?.phases.find(({ id }) => id === 'cleanup')).toMatchObject({
    duration_s: null,
    reason: 'the libvirt connection is still open',
  })
})

test('a source that made the connection closes it: that is waited for', () => {
  expect(watch(withoutCleanup(IDLE, 50)).taken).toEqual([])
  // Nothing passes any more, not even the keepalives.
  expect(watch(withoutCleanup(IDLE, 70)).taken).toMatchObject([{ outcome: 'completed' }])
})

test('a conversation that comes to life again after it was given up begins no other migration', () => {
  const records = [...chain([IDLE], { pauseS: 0 })]
  const beats = [...chain([IDLE], { pauseS: 90 })].slice(records.length)
  const half = records.length >>> 1
  const { taken, left } = watch([...records.slice(0, half), ...beats, ...records.slice(half)])
  expect([...taken, ...left].map(({ outcome }) => outcome)).toEqual(['failed'])
})

test('phases are seen as they happen', () => {
  const analyzer = new Analyzer()
  const seen: string[] = []
  for (const piece of chain(['fixtures/openstack-zed/idle.pcap.gz'], { pauseS: 10 })) {
    analyzer.push(piece)
    const [migration] = describeRunning(analyzer.followed)
    const what = migration?.through === true ? 'through' : migration?.phase
    if (what != null && what !== seen.at(-1)) seen.push(what)
  }
  expect(seen).toEqual(['init', 'prepare', 'transfer', 'finish', 'cleanup', 'post_migration', 'through'])
})
