import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { read } from '../capture/read.ts'
import { migrate } from '../pipeline/synthetic.ts'
import { capture, dpmi, Pcapng, pcap, Wire } from '../support/capture.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const PACKETS = capture(migrate(new Wire()).passed)

function file(name: string, bytes: Uint8Array): string {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return path
}

const output = (name: string): string => join(FOLDER, name)

function pcapng(byteOrder: 'little' | 'big'): Uint8Array {
  const made = new Pcapng(byteOrder).interface({ resolution: 9 })
  for (const packet of PACKETS) made.enhanced(packet)
  return made.bytes()
}

const FILES = {
  'pcap, ns': pcap(PACKETS),
  'pcap, µs, big-endian': pcap(PACKETS, { form: 'us', byteOrder: 'big' }),
  'pcapng, little-endian': pcapng('little'),
  'pcapng, big-endian': pcapng('big'),
  DPMI: dpmi(PACKETS),
  compressed: gzipSync(pcap(PACKETS)),
}

describe.each(Object.entries(FILES))('%s', (name, bytes) => {
  const original = name === 'compressed' ? Uint8Array.from(gunzipSync(bytes)) : bytes

  test('becomes the same packets, with comments', async () => {
    const marked = output('marked.pcapng')
    const { status, stdout, stderr } = await run(['annotate', file('trace', bytes), '-o', marked])
    expect([status, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/\d+ packets have comments/)
    const written = readFileSync(marked)
    expect(written.includes('mig-phases: transfer starts (')).toBe(true)
    expect(read(Uint8Array.from(written)).packets).toEqual(read(original).packets)
  })

  test('with --only-markers becomes as many packets as have comments, each with its number', async () => {
    const marked = output('few.pcapng')
    const { stderr } = await run(['annotate', file('trace', bytes), '-o', marked, '--only-markers'])
    const count = Number(/(\d+) packets have comments/.exec(stderr)?.[1])
    const written = readFileSync(marked)
    const kept = read(Uint8Array.from(written)).packets
    expect(kept).toHaveLength(count)
    const numbers = [...written.toString('latin1').matchAll(/mig-phases: packet (\d+) of the capture/g)]
    const all = read(original).packets
    expect(kept.map((packet) => packet.bytes)).toEqual(
      numbers.map(([, number]) => all[Number(number) - 1]?.bytes),
    )
  })
})

describe('refused', () => {
  test('standard input, which cannot be read twice', async () => {
    const { status, stderr } = await run(['annotate', '-', '-o', output('none')])
    expect(status).toBe(2)
    expect(stderr).toContain('reads its capture twice: save standard input to a file first')
  })

  test('no output', async () => {
    expect((await run(['annotate', file('trace', FILES.DPMI)])).status).toBe(2)
    expect((await run(['annotate', file('trace', FILES.DPMI), '-o', ''])).status).toBe(2)
  })

  test.each<[string, (path: string, other: string) => void]>([
    ['itself', () => {}],
    ['a symbolic link to it', (path, other) => symlinkSync(path, other)],
    ['a hard link to it', (path, other) => linkSync(path, other)],
  ])('to write the capture over %s', async (name, link) => {
    const path = file(`own-${name}`, FILES['pcap, ns'])
    const other = name === 'itself' ? path : output(`other-${name}`)
    link(path, other)
    const { status, stderr } = await run(['annotate', path, '-o', other])
    expect(status).toBe(1)
    expect(stderr).toContain('is the capture itself')
    expect(Uint8Array.from(readFileSync(path))).toEqual(FILES['pcap, ns'])
  })

  test.skipIf(process.platform === 'win32')('a device', async () => {
    const { status, stderr } = await run(['annotate', '/dev/null', '-o', output('none')])
    expect([status, stderr]).toEqual([
      1,
      'mig-phases: /dev/null is a pipe or device, which cannot be read twice: save it to a file first\n',
    ])
  })

  test('what does not exist, is no capture, or cannot be written is named', async () => {
    const missing = await run(['annotate', output('missing'), '-o', output('none')])
    expect([missing.status, missing.stderr]).toEqual([
      1,
      `mig-phases: ${output('missing')} does not exist: check the path\n`,
    ])
    const text = await run(['annotate', file('text', new Uint8Array(300).fill(65)), '-o', output('none')])
    expect(text.stderr).toContain('text is not a packet capture')
    const nowhere = join(FOLDER, 'no', 'such', 'folder')
    const unwritable = await run(['annotate', file('trace', FILES.DPMI), '-o', nowhere])
    expect(unwritable.status).toBe(1)
    expect(unwritable.stderr).toContain(`${nowhere} cannot be written (ENOENT)`)
    expect(existsSync(output('none'))).toBe(false)
  })
})

test('without a migration nothing is written', async () => {
  const path = file('empty', pcap(PACKETS.slice(0, 1)))
  const { status, stderr } = await run(['annotate', path, '-o', output('nothing')])
  expect(status).toBe(4)
  expect(stderr).not.toBe('')
  expect(existsSync(output('nothing'))).toBe(false)
})

test('help says what it does', async () => {
  const { status, stdout } = await run(['annotate', '--help'])
  expect(status).toBe(0)
  expect(stdout).toContain('--only-markers')
})

/** Null where it is not installed. */
function tshark(...args: readonly string[]): string | null {
  try {
    return execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

const FIELDS = ['frame.number', 'frame.time_epoch', 'frame.len', 'frame.cap_len'].flatMap((each) => [
  '-e',
  each,
])
const table = (path: string): string | null => tshark('-r', path, '-T', 'fields', ...FIELDS)

describe.skipIf(tshark('--version') === null)('tshark (skipped where it is not installed)', () => {
  const fixtures = [
    'libvirt-9.0/rpc-only.pcap.gz',
    'libvirt-9.0/pcapng.pcapng.gz',
    'libvirt-9.0/offload-on.pcap.gz',
  ]
  const paths = fixtures.map((name) => join('fixtures', name))

  test.each(paths)('%s: the same numbers, times and lengths', async (path) => {
    const marked = output('tshark.pcapng')
    await run(['annotate', path, '-o', marked])
    expect(table(marked)).toBe(table(path))
    const report = JSON.parse((await run([path, '-f', 'json'])).stdout)
    const filter = 'frame.comment contains "mig-phases: transfer starts"'
    const found = tshark('-r', marked, '-Y', filter, '-T', 'fields', '-e', 'frame.number')
    const { packet } = report.migrations[0].phases.find(({ id }: { id: string }) => id === 'transfer').start
    expect(found).toBe(packet === null ? '' : `${packet}\n`)
  })

  test.each(Object.entries(FILES))('%s: every comment is found', async (_, bytes) => {
    const marked = output('tshark.pcapng')
    const { stderr } = await run(['annotate', file('trace', bytes), '-o', marked])
    const found = tshark(
      '-r',
      marked,
      '-Y',
      'frame.comment contains "mig-phases"',
      '-T',
      'fields',
      '-e',
      'frame.number',
    )
    expect(found?.trim().split('\n')).toHaveLength(Number(/(\d+) packets have/.exec(stderr)?.[1]))
    expect(table(marked)?.trim().split('\n')).toHaveLength(PACKETS.length)
  })
})
