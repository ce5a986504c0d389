import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-start-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const CAPTURE = join(FOLDER, 'small.pcap')
writeFileSync(CAPTURE, gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz')))

const OTHER = join(FOLDER, 'other.pcap')
writeFileSync(OTHER, gunzipSync(readFileSync('fixtures/libvirt-9.0/suspended.pcap.gz')))

/** Writes the path of each file that is read or imported, as a line of a file. */
const HOOK = join(FOLDER, 'hook.mjs')
const HOOKS = `import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  if (url.startsWith('file:')) appendFileSync(process.env.LOADED_FILES, url.slice(7) + '\\n')
  return next(url, context)
}`
writeFileSync(
  HOOK,
  `import fs from 'node:fs'
import { register } from 'node:module'
import vm from 'node:vm'
const { readFileSync } = fs
const { Script } = vm
vm.Script = class extends Script {
  constructor(code, options) {
    super(code, options)
    if (this.cachedDataRejected !== false) fs.appendFileSync(process.env.LOADED_FILES, 'compiled: ' + options.filename + '\\n')
  }
}
fs.readFileSync = (path, ...options) => {
  fs.appendFileSync(process.env.LOADED_FILES, path + '\\n')
  return readFileSync(path, ...options)
}
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}))`,
)

/** What the command loads: files of dist, packages, and files of which V8 had nothing compiled before. */
function loaded(args: readonly string[]): { files: string[]; packages: string[]; compiled: string[] } {
  const log = join(FOLDER, 'loaded')
  writeFileSync(log, '')
  const env = { ...process.env, LOADED_FILES: log }
  const { status } = spawnSync(process.execPath, ['--import', HOOK, 'bin/mig-phases.js', ...args], { env })
  expect(status).toBe(0)
  const paths = [...new Set(readFileSync(log, 'utf8').split('\n'))]
  const packages = paths.map((path) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? '')
  return {
    files: paths.filter((path) => /\/dist\/.*\.js$/.test(path) && !path.includes('/node_modules/')),
    packages: [...new Set(packages)].filter((name) => name !== '').sort(),
    compiled: paths.filter((line) => line.startsWith('compiled: ')),
  }
}

/** Each file costs some 0.3 ms of the start, and 100 kB of them some 3 ms with what was compiled of them. A number that must grow may;
 *  it is here so that somebody notices. */
const FILES_MAX = { version: 10, json: 30, table: 34 }
const BYTES_MAX = { version: 20e3, json: 350e3, table: 420e3 }

function sizeOf(files: readonly string[]): number {
  return files.reduce((sum, path) => sum + statSync(path).size, 0)
}

test('the version loads no package and next to nothing', () => {
  const { files, packages } = loaded(['--version'])
  expect(packages).toEqual([])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.version)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.version)
})

test.each([
  { args: ['--version'] },
  { args: [CAPTURE, '--format', 'json'] },
  { args: [CAPTURE] },
  { args: [CAPTURE, OTHER, '--format', 'json'] },
])('all that $args loads was compiled by the build', ({ args }) => {
  expect(loaded(args).compiled).toEqual([])
})

test('what was compiled under other flags of V8 is left alone', () => {
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, 'bin/mig-phases.js', CAPTURE], { encoding: 'utf8' })
  expect(run('--stack-size=900')).toMatchObject({ status: 0, stderr: '', stdout: run().stdout })
})

test('a capture reported as JSON loads no package', () => {
  const { files, packages } = loaded([CAPTURE, '--format', 'json'])
  expect(packages).toEqual([])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.json)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.json)
})

test('a capture reported as a table loads no package either: what draws tables is in the bundle', () => {
  const { files, packages } = loaded([CAPTURE])
  expect(packages).toEqual([])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.table)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.table)
})

test('what a capture alone does not need stays away: batches, merges, manifests, pings, statistics', () => {
  const { files } = loaded([CAPTURE])
  expect(
    files.filter((url) =>
      /\/(threads|merge|manifest|ping|gunzip|zstd|unlz4|grouping|groups?|stats|live|redact|report2?)\.js$/.test(
        url,
      ),
    ),
  ).toEqual([])
})
