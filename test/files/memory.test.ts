import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { COLLECT_FROM, COLLECT_STEP } from '../../src/core/limits.ts'
import { KINDS } from '../hostile/kinds.mjs'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-memory-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

/** In a process of its own, whose heap nobody else fills: prints what the watch said, and whether garbage was left. */
const SCRIPT = `
import { MemoryWatch } from './dist/files/memory.js'
const [from, step] = process.argv.slice(1).map(Number)
const watch = new MemoryWatch()
const said = { atFirst: watch.isLarge }
const kept = [new Uint8Array(from / 4)]
said.below = watch.isLarge
kept.push(new Uint8Array(from))
said.above = watch.isLarge
const garbage = new WeakRef({})
// What was looked at stays until the next turn.
await new Promise(setImmediate)
await watch.collect()
said.garbage = garbage.deref() !== undefined
said.collected = watch.isLarge
kept.push(new Uint8Array(step))
said.grown = watch.isLarge
console.log(JSON.stringify(said))
`

it('says when memory is large, and again when it has grown by a step since', () => {
  const words = ['--input-type=module', '-e', SCRIPT, `${COLLECT_FROM}`, `${COLLECT_STEP}`]
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    atFirst: false,
    below: false,
    above: true,
    garbage: false,
    collected: false,
    grown: true,
  })
})

/** Collections that were asked for, as V8 tells of them. */
function collections(capture: string): number {
  const words = ['--trace-gc', 'bin/mig-phases.js', capture, '--format', 'json']
  const { stdout, status } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  expect([0, 4]).toContain(status)
  return stdout.match(/Mark-Compact .*\btesting\b/g)?.length ?? 0
}

it('an ordinary capture is read without', () => {
  expect(collections('fixtures/openstack-zed/idle.pcap.gz')).toBe(0)
})

it('a capture that makes much garbage is not', () => {
  const flood = join(FOLDER, 'flood.pcap')
  KINDS['open-migrations']!.write(flood, 4000)
  expect(collections(flood)).toBeGreaterThan(0)
}, 30_000)
