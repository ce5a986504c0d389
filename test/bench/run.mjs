// Measures mig-phases beside other tools, on the same files, by turns. Usage: npm run bench -- [--size MEGABYTES]
// [--rounds N] [--markdown] [--keep]
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { generate, KINDS } from './generate.mjs'

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    markdown: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const SIZE = Number(options.size) * 1e6
const ROUNDS = Number(options.rounds)
if (!(SIZE >= 1e6 && ROUNDS >= 1)) {
  process.stderr.write('bench: --size takes megabytes, --rounds a number from 1 on\n')
  process.exit(2)
}

/** Captures of a batch, and of a file that is decompressed meanwhile, as shares of the size. */
const BATCH = 8
const PART = 1 / 8
const START_ROUNDS = 15

const node = process.execPath
const command = fileURLToPath(new URL('../../bin/mig-phases.js', import.meta.url))
const library = fileURLToPath(new URL('../../node_modules/pcap-parser/lib/pcap-parser.js', import.meta.url))
const smallest = fileURLToPath(new URL('../../fixtures/libvirt-9.0/rpc-only.pcap.gz', import.meta.url))
const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mig-phases-bench-'))
const missing = []
const rows = []

const ours = (...args) => [node, command, '--format', 'json', ...args]
const dd = (file) => ['dd', 'bs=4M', `if=${file}`, 'of=/dev/null', 'status=none']
const WANTED = 'tcp.port == 16509 || http || amqp || tcp.flags.syn == 1 || tcp.flags.fin == 1'
const COUNT = `let n = 0; require(${JSON.stringify(library)}).parse(process.argv[1]).on('packet', () => n++)`

/** Seconds and KiB of the children; null when the tool is not there. */
function measure([name, ...args]) {
  const timed = existsSync('/usr/bin/time')
  const log = join(folder, 'time')
  const words = timed ? ['/usr/bin/time', '-o', log, '-f', '%M', name, ...args] : [name, ...args]
  const before = process.hrtime.bigint()
  const { error, status } = spawnSync(words[0], words.slice(1), { stdio: 'ignore' })
  const seconds = Number(process.hrtime.bigint() - before) / 1e9
  if (error !== undefined || status === 127) return null
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: exit status ${status}`)
  const kib = timed ? Number(readFileSync(log, 'utf8').trim().split('\n').at(-1)) : Number.NaN
  return { seconds, kib }
}

/** Runs both by turns and keeps the median of the ratios of neighbours. Peers that take a minute are run once, when the page
 *  cache has long been filled. */
function compare(what, left, right, target, rounds = ROUNDS) {
  const pairs = []
  const first = rounds === 1 ? 1 : 0
  for (let round = first; round <= rounds; round++) {
    const a = measure(left)
    const b = measure(right.words)
    if (a === null || b === null) {
      missing.push(right.name)
      return
    }
    // The first round fills the page cache.
    if (round > 0) pairs.push({ a, b })
  }
  rows.push({
    what,
    seconds: median(pairs.map(({ a }) => a.seconds)),
    peak: Math.max(...pairs.map(({ a }) => a.kib)) / 1024,
    than: right.name,
    other: median(pairs.map(({ b }) => b.seconds)),
    ratio: median(pairs.map(({ a, b }) => a.seconds / b.seconds)),
    target,
  })
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function make(kind, bytes, name = kind) {
  const file = join(folder, `${name}.pcap`)
  generate(file, bytes, kind)
  return file
}

function benchPeers() {
  const file = make('pages', SIZE)
  compare('MTU-sized segments', ours(file), { name: 'dd bs=4M', words: dd(file) }, '≤ 2.5')
  compare('MTU-sized segments', ours(file), { name: 'capinfos -c', words: ['capinfos', '-c', file] }, '< 1')
  const copy = ['tcpdump', '-r', file, '-w', '/dev/null']
  compare('MTU-sized segments', ours(file), { name: 'tcpdump -w /dev/null', words: copy }, '')
  const fields = ['-T', 'fields', '-e', 'frame.number', '-e', 'frame.time_epoch']
  const tshark = ['tshark', '-n', '-r', file, '-Y', WANTED, ...fields]
  compare('MTU-sized segments', ours(file), { name: 'tshark -Y', words: tshark }, '≤ 0.01', 1)
  const parser = { name: 'pcap-parser', words: [node, '-e', COUNT, file] }
  if (existsSync(library)) compare('MTU-sized segments', ours(file), parser, '≤ 0.1', 1)
  else missing.push('pcap-parser')
  return file
}

/** Kinds of which a byte may take twice as long as one of the plain capture. */
const BOUNDED = new Set(['zero-heavy', 'lossy'])

/** Each kind beside the plain one, in time per byte. */
function benchKinds(plain) {
  for (const kind of Object.keys(KINDS).filter((each) => each !== 'pages')) {
    const file = make(kind, SIZE)
    const scale = statSync(plain).size / statSync(file).size
    compare(kind, ours(file), { name: 'MTU-sized', words: ours(plain) }, BOUNDED.has(kind) ? '≤ 2' : '')
    rows.at(-1).ratio *= scale
    rmSync(file)
  }
}

/** All cores beside one, and beside one thread, whose compiler and garbage collector have the other cores. */
function benchBatch(what, captures, bytes, target) {
  const batch = join(folder, 'batch')
  mkdirSync(batch)
  for (let i = 0; i < captures; i++) make('pages', bytes, `batch/${i}`)
  const oneCore = ['taskset', '--cpu-list', '0', ...ours(batch)]
  compare(what, ours(batch), { name: 'one core', words: oneCore }, target)
  compare(what, ours(batch), { name: 'one thread', words: ours('-j', '1', batch) }, '')
  rmSync(batch, { recursive: true })
}

/** Those of the repository, decompressed. */
function benchFixtures() {
  const captures = readdirSync(fixtures, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.pcap(ng)?\.gz$/.test(name),
  )
  const real = join(folder, 'real')
  mkdirSync(real)
  const files = captures.map((name, index) => {
    const file = join(real, `${index}.${basename(name, '.gz')}`)
    writeFileSync(file, gunzipSync(readFileSync(join(fixtures, name))))
    return file
  })
  const name = `${files.length} real captures`
  compare(name, ours(real), { name: 'capinfos -c', words: ['capinfos', '-c', ...files] }, '')
  rmSync(real, { recursive: true })
}

function benchGzip() {
  const file = make('pages', SIZE * PART, 'plain')
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 6 }))
  compare('gzip', ours(`${file}.gz`), { name: 'gzip -dc', words: ['gzip', '-dc', `${file}.gz`] }, '≤ 1.3')
}

function benchStart() {
  const empty = { name: 'node -e 0', words: [node, '-e', '0'] }
  compare('--version', [node, command, '--version'], empty, '≤ 2', START_ROUNDS)
  const small = join(folder, 'small.pcap')
  writeFileSync(small, spawnSync('gzip', ['-dc', smallest]).stdout)
  compare('13 KB', [node, command, small], empty, '≤ 3', START_ROUNDS)
  compare('13 KB, --format json', [node, command, '--format', 'json', small], empty, '≤ 3', START_ROUNDS)
}

function print() {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`
  const header = ['capture', 'mig-phases, s', 'peak, MiB', 'beside', 's', 'ratio', 'target']
  const lines = rows.map(({ what, seconds, peak, than, other, ratio, target }) => [
    what,
    seconds.toFixed(2),
    peak.toFixed(0),
    than,
    other.toFixed(2),
    ratio.toPrecision(2),
    target,
  ])
  const all = options.markdown ? [header, header.map(() => '---'), ...lines] : [header, ...lines]
  const widths = header.map((_, i) => Math.max(...all.map((line) => line[i].length)))
  process.stdout.write(`${machine}; ${options.size} MB, medians of ${ROUNDS} runs by turns\n\n`)
  for (const line of all) {
    const cells = line.map((cell, i) => cell.padEnd(widths[i]))
    process.stdout.write(options.markdown ? `| ${cells.join(' | ')} |\n` : `${cells.join('  ').trimEnd()}\n`)
  }
  if (missing.length > 0) process.stdout.write(`\nnot installed: ${[...new Set(missing)].join(', ')}\n`)
}

try {
  const plain = benchPeers()
  benchKinds(plain)
  if (!options.keep) rmSync(plain)
  benchBatch('eight captures', BATCH, SIZE * PART, '≤ 0.59')
  benchBatch('500 captures of 1 MB', 500, 1e6, '')
  benchFixtures()
  benchGzip()
  benchStart()
  print()
} finally {
  if (options.keep) process.stdout.write(`\nfiles: ${folder}\n`)
  else rmSync(folder, { recursive: true })
}
