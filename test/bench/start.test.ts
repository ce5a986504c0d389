import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-start-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const CAPTURE = join(FOLDER, 'small.pcap')
writeFileSync(CAPTURE, gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz')))

/** Writes the address of each module that is loaded as a line of a file. */
const HOOK = join(FOLDER, 'hook.mjs')
const HOOKS = `import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  if (url.startsWith('file:')) appendFileSync(process.env.LOADED_MODULES, url + '\\n')
  return next(url, context)
}`
writeFileSync(
  HOOK,
  `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}))`,
)

/** What the command loads: files of dist, and packages. */
function loaded(args: readonly string[]): { files: string[]; packages: string[] } {
  const log = join(FOLDER, 'loaded')
  writeFileSync(log, '')
  const env = { ...process.env, LOADED_MODULES: log }
  const { status } = spawnSync(process.execPath, ['--import', HOOK, 'bin/mig-phases.js', ...args], { env })
  expect(status).toBe(0)
  const urls = [...new Set(readFileSync(log, 'utf8').split('\n'))]
  const packages = urls.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '')
  return {
    files: urls.filter((url) => /\/dist\/[^\n]*$/.test(url) && !url.includes('/node_modules/')),
    packages: [...new Set(packages)].filter((name) => name !== '').sort(),
  }
}

/** Each file costs some 0.5 ms of the start, and 100 kB of them some 2 ms. A number that must grow may; it is here so that somebody
 *  notices. */
const FILES_MAX = { version: 8, json: 30, table: 34 }
const BYTES_MAX = { version: 60e3, json: 750e3, table: 800e3 }

function sizeOf(files: readonly string[]): number {
  return files.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0)
}

test('the version loads no package and next to nothing', () => {
  const { files, packages } = loaded(['--version'])
  expect(packages).toEqual([])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.version)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.version)
})

test('a capture reported as JSON loads no package', () => {
  const { files, packages } = loaded([CAPTURE, '--format', 'json'])
  expect(packages).toEqual([])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.json)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.json)
})

test('a capture reported as a table loads what draws tables, and no other package', () => {
  const { files, packages } = loaded([CAPTURE])
  expect(packages).toEqual(['cli-table3', 'picocolors'])
  expect(files.length).toBeLessThanOrEqual(FILES_MAX.table)
  expect(sizeOf(files)).toBeLessThanOrEqual(BYTES_MAX.table)
})

test('what a capture alone does not need stays away: batches, merges, manifests, pings, statistics', () => {
  const { files } = loaded([CAPTURE])
  expect(
    files.filter((url) =>
      /\/(worker-pool|merge|manifest|ping|zstd|unlz4|groups?|stats|live|redact|report2?)\.js$/.test(url),
    ),
  ).toEqual([])
})
