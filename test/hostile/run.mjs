// Reads captures that were made to do harm, of each kind one of half the size and one of the whole, and tells what that took.
// Usage: npm run hostile [-- [--few] KIND…]
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { KINDS } from './kinds.mjs'
import { MEMORY_MAX_MIB, measure } from './measure.mjs'

const TIMEOUT_MS = 60_000
const RATIO_MAX = 2.6
/** Seconds of a processor below which a ratio says nothing: most of them are the start. */
const RATIO_FROM = 0.5
const HEADER = ['kind', 'count', 'MB', 'CPU of half, s', 'CPU, s', 'ratio', 'peak, MiB', 'status', '']

const { values, positionals } = parseArgs({
  options: { few: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((kind) => !(kind in KINDS))
if (unknown.length > 0) {
  process.stderr.write(`hostile: no kind ${unknown.join(', ')}. Kinds: ${Object.keys(KINDS).join(' ')}\n`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'mig-phases-hostile-'))

async function readKind(kind, count) {
  const file = join(folder, kind)
  KINDS[kind].write(file, count)
  const took = await measure(file, TIMEOUT_MS)
  const { size } = statSync(file)
  rmSync(file)
  return { ...took, size }
}

async function row(kind) {
  const count = values.few ? KINDS[kind].few : KINDS[kind].full
  const half = await readKind(kind, count / 2)
  const whole = await readKind(kind, count)
  const ratio = whole.cpuSeconds / half.cpuSeconds
  const faults = [...new Set([...half.faults, ...whole.faults])]
  if (Math.max(half.peakMiB, whole.peakMiB) > MEMORY_MAX_MIB) faults.push('memory')
  if (ratio > RATIO_MAX && whole.cpuSeconds > RATIO_FROM) faults.push('not linear')
  return [
    kind,
    String(count),
    (whole.size / 1e6).toFixed(1),
    number(half.cpuSeconds, 2),
    number(whole.cpuSeconds, 2),
    number(ratio, 2),
    number(Math.max(half.peakMiB, whole.peakMiB), 0),
    `${whole.status ?? '–'}`,
    faults.join(', '),
  ]
}

function number(value, digits) {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(digits)
}

function line(cells) {
  const widths = [32, 9, 8, 15, 7, 6, 10, 7, 0]
  return `${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' ')}\n`
}

try {
  process.stdout.write(line(HEADER))
  for (const kind of positionals.length > 0 ? positionals : Object.keys(KINDS))
    process.stdout.write(line(await row(kind)))
} finally {
  rmSync(folder, { recursive: true })
}
