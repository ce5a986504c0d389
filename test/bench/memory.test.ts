import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Reads generated packets in a process of its own, and prints by how much the live heap grows between a tenth of them and
 *  all, garbage collected. */
const SCRIPT = `
import { generate } from './test/bench/generate.mjs'
import { Analyzer } from './dist/pipeline/analyzer.js'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
const folder = mkdtempSync(join(tmpdir(), 'mig-phases-memory-'))
const file = join(folder, 'x.pcap')
generate(file, 80e6, process.argv[1])
const bytes = new Uint8Array(readFileSync(file))
rmSync(folder, { recursive: true })
const live = () => { gc(); return process.memoryUsage().heapUsed }
const analyzer = new Analyzer()
let at = 0
const read = (end) => { for (; at < end; at += 65536) analyzer.push(bytes.subarray(at, Math.min(end, at + 65536))) }
read(8 * 1048576)
const before = live()
const packetsBefore = analyzer.packets
read(80e6)
console.log(JSON.stringify({ grown: live() - before, packets: analyzer.packets - packetsBefore }))
`

test.each(['pages', 'zero-heavy', 'flows', 'lossy'])(
  'what is kept does not grow with the packets: %s',
  (kind) => {
    const words = ['--expose-gc', '--input-type=module', '-e', SCRIPT, kind]
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
    expect(stderr).toBe('')
    const { grown, packets } = JSON.parse(stdout) as { grown: number; packets: number }
    expect(packets).toBeGreaterThan(50_000)
    // Bytes a packet. Of small flows each keeps its connection, which is one for some seventy packets.
    expect(grown / packets).toBeLessThan(kind === 'flows' ? 100 : 8)
  },
)

/** Days of small migrations through one analyzer, each reported when it is over: prints the live heap after a part of them and
 *  after all. One collection leaves some of what the next two find. */
const LIVE_SCRIPT = `
import { series } from './test/bench/series.mjs'
import { Analyzer } from './dist/pipeline/analyzer.js'
const names = ['libvirt-9.0/rpc-only', 'libvirt-9.0/tls', 'libvirt-9.0/fail-connect', 'built/check-refused', 'built/remote-failure', 'built/juno-destination']
const live = () => { gc(); gc(); gc(); const { heapUsed, arrayBuffers } = process.memoryUsage(); return heapUsed + arrayBuffers }
const analyzer = new Analyzer()
let [reported, before, beforeCount] = [0, 0, 0]
for (const piece of series(names.map((name) => 'fixtures/' + name + '.pcap.gz'), 400, 60)) {
  analyzer.push(piece)
  reported += analyzer.take().length
  // Six hours: connections that were left open are forgotten after two, and what is run is compiled for good.
  if (before === 0 && reported === 1200) [before, beforeCount] = [live(), reported]
}
console.log(JSON.stringify({ grown: live() - before, migrations: reported - beforeCount, left: analyzer.end().migrations.length }))
`

test('what is kept does not grow with the migrations that were reported', () => {
  const words = ['--expose-gc', '--input-type=module', '-e', LIVE_SCRIPT]
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(stderr).toBe('')
  const { grown, migrations, left } = JSON.parse(stdout)
  expect(migrations).toBeGreaterThan(1500)
  expect(left).toBeLessThan(10)
  // Bytes a migration, each of which takes 20 KB and more while it is followed.
  expect(grown / migrations).toBeLessThan(300)
}, 60_000)
