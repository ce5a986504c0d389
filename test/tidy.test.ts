import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../src/core/version.ts'

/** Which rooms of src a room may import from, besides itself. A file straight in src is a room of its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  events: ['core'],
  capture: ['core'],
  net: ['core', 'events', 'capture'],
  'protocols/libvirt': ['core', 'events'],
  'protocols/qemu-migration': ['core', 'events'],
  'protocols/amqp': ['core', 'events'],
  'protocols/http': ['core', 'events'],
  'protocols/icmp': ['core', 'events'],
  'protocols/multifd': ['core', 'events'],
  'protocols/nbd': ['core', 'events'],
  'protocols/rarp': ['core', 'events'],
  'protocols/tls': ['core', 'events'],
  phases: ['core', 'events'],
  stats: ['core'],
  report: ['core', 'events', 'capture', 'phases', 'stats'],
  pipeline: ['core', 'events', 'capture', 'net', 'protocols', 'phases', 'report'],
  redact: ['core', 'events', 'capture', 'net', 'protocols', 'pipeline'],
  figures: ['core', 'phases', 'stats', 'report'],
  page: ['core', 'phases', 'stats', 'report', 'figures'],
  files: ['core', 'capture', 'figures', 'phases', 'pipeline', 'redact', 'report', 'stats'],
  cli: ['core', 'files', 'pipeline', 'report', 'stats'],
  index: ['core', 'phases', 'pipeline', 'report'],
}

/** Rooms that may use Node: files and the terminal. All else runs in a browser page too. */
const NEEDS_NODE = ['files', 'cli']

/** The one file that may import a package, or the folder. */
const DOORS: Readonly<Record<string, string>> = {
  yargs: 'cli/args/',
  picocolors: 'cli/output.ts',
  'cli-progress': 'cli/progress.ts',
  'cli-table3': 'report/terminal.ts',
  'csv-stringify/sync': 'report/csv-text.ts',
  'csv-parse/sync': 'files/manifest.ts',
  '@observablehq/plot': 'figures/',
  linkedom: 'figures/files.ts',
  tinyglobby: 'files/find.ts',
  'simple-statistics': 'stats/describe.ts',
  jstat: 'stats/distributions.ts',
  '@noble/hashes/blake3.js': 'redact/keyed.ts',
  fzstd: 'files/zstd.ts',
  'fast-string-truncated-width': 'cli/status-line.ts',
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, room: roomOf(name), text: readFileSync(join('src', name), 'utf8') }))

describe('the rooms of src', () => {
  it.each(files)('$name imports only what its room may', ({ name, room, text }) => {
    const allowed = MAY_IMPORT[room]
    expect(allowed, `room ${room} is not in the list`).toBeDefined()
    for (const target of importsOf(text)) {
      if (!target.startsWith('.')) continue
      const from = roomOf(normalize(join(dirname(name), target)))
      const fits = from === room || allowed?.some((other) => from === other || from.startsWith(`${other}/`))
      expect(fits, `${name} imports ${target}`).toBe(true)
    }
  })

  it.each(files)('$name needs Node only where that is meant', ({ name, room, text }) => {
    if (NEEDS_NODE.includes(room)) return
    expect(importsOf(text).filter((target) => target.startsWith('node:'))).toEqual([])
    expect(withoutComments(text), name).not.toMatch(/\b(process|Buffer|__dirname|require)\b\s*[.(]/)
  })

  it.each(files)('$name imports packages through their door', ({ name, text }) => {
    for (const target of importsOf(text)) {
      if (target.startsWith('.') || target.startsWith('node:')) continue
      const door = DOORS[target] ?? 'nowhere'
      expect(door.endsWith('/') ? name.startsWith(door) : name === door, `${target} at ${name}`).toBe(true)
    }
  })
})

it('the version is that of the package', () => {
  expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})

/** The folder, or below protocols the folder in it. */
function roomOf(path: string): string {
  const parts = path.split('/')
  if (parts.length === 1) return (parts[0] as string).replace(/\.ts$/, '')
  return parts[0] === 'protocols' ? parts.slice(0, 2).join('/') : (parts[0] as string)
}

/** Static, type-only and dynamic imports, and re-exports. */
function importsOf(text: string): string[] {
  const code = withoutComments(text)
  return [...code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map((match) => match[1] as string)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
