import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../src/core/version.ts'
import type { Report } from '../../src/report/model.ts'
import { guest, migrate } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { xmlText } from '../support/libvirt.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const GZIPPED = 'fixtures/libvirt-9.0/rpc-only.pcap.gz'
const PLAIN = gunzipSync(readFileSync(GZIPPED))

/** A file in the test's own folder. */
function file(name: string, bytes: Uint8Array | string): string {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return path
}

const CAPTURE = file('trace.pcap', PLAIN)
const NO_MIGRATION = file('other.pcap', pcap(capture(talk())))

function talk(): Wire['passed'] {
  const wire = new Wire()
  for (const [port, server] of [80, 443, 443].entries())
    wire.connection({ name: 'c', client: `10.0.0.1:${5000 + port}`, server: `10.0.0.2:${server}` }).open()
  return wire.passed
}

const report = (text: string): Report => JSON.parse(text)
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

describe('exit status 0: all was read and a migration found', () => {
  test('the report is on standard output, and nothing on standard error', async () => {
    for (const path of [CAPTURE, GZIPPED]) {
      const { status, stdout, stderr } = await run([path])
      expect(status).toBe(0)
      expect(stderr).toBe('')
      expect(stdout).toContain('Remote connect')
    }
  })

  test('json is one document, ndjson a migration a line', async () => {
    const json = await run([CAPTURE, GZIPPED, '--format', 'json'])
    expect(report(json.stdout).captures.map((each) => [each.file, each.compression])).toEqual([
      [CAPTURE, null],
      [GZIPPED, 'gzip'],
    ])
    const ndjson = await run([CAPTURE, GZIPPED, '-f', 'ndjson'])
    const migrations = lines(ndjson.stdout).map((line) => JSON.parse(line))
    // A line also tells which state of the file it was made from.
    expect(migrations.map(({ input, ...migration }) => migration)).toEqual(report(json.stdout).migrations)
    expect(migrations[0].input).toMatchObject({ size_bytes: PLAIN.length, migrations: 1 })
    expect([json.status, ndjson.status]).toEqual([0, 0])
  })

  test('-o - is standard output', async () => {
    const { status, stdout } = await run([CAPTURE, '-f', 'ndjson', '-o', '-'])
    expect(status).toBe(0)
    expect(lines(stdout)).toHaveLength(1)
    expect(existsSync('-')).toBe(false)
  })

  test('a directory stands for the captures in it, in the order of their names', async () => {
    const folder = join(FOLDER, 'runs', 'deeper')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'b.dat'), PLAIN)
    writeFileSync(join(folder, '..', 'a.pcap.gz'), readFileSync(GZIPPED))
    writeFileSync(join(folder, 'notes.txt'), 'no capture')
    const { status, stdout, stderr } = await run([join(FOLDER, 'runs'), '--format', 'json'])
    expect([status, stderr]).toEqual([0, ''])
    expect(report(stdout).captures.map((each) => each.file)).toEqual([
      join(FOLDER, 'runs', 'a.pcap.gz'),
      join(folder, 'b.dat'),
    ])
  })

  test('--output takes the report; standard output stays empty', async () => {
    const path = join(FOLDER, 'report.json')
    const { status, stdout, stderr } = await run([CAPTURE, '--format', 'json', '--output', path])
    expect([status, stdout, stderr]).toEqual([0, '', ''])
    expect(report(readFileSync(path, 'utf8')).migrations).toHaveLength(1)
  })

  test.each(['pipe', 'gzip'])(
    '- reads standard input (%s), and tells the same but for the name',
    async (how) => {
      const stdin = how === 'gzip' ? readFileSync(GZIPPED) : PLAIN
      const ofPipe = await run(['-', '--format', 'json'], { stdin })
      const ofFile = await run([how === 'gzip' ? GZIPPED : CAPTURE, '--format', 'json'])
      const name = how === 'gzip' ? GZIPPED : CAPTURE
      expect(ofPipe).toMatchObject({ status: 0, stderr: '' })
      expect(report(ofPipe.stdout.replaceAll('"-"', JSON.stringify(name)))).toEqual(report(ofFile.stdout))
    },
  )

  test('the same input gives the same bytes', async () => {
    for (const format of ['table', 'json', 'ndjson'])
      expect(await run([CAPTURE, '-f', format])).toEqual(await run([CAPTURE, '-f', format]))
  })
})

describe('exit status 1: an input could not be read', () => {
  test.each<[string, Uint8Array | string, string]>([
    ['text', 'This is no capture, but a text of some length.\n', 'is not a packet capture'],
    ['nothing', '', 'is empty'],
    ['two bytes', 'ab', 'is not a packet capture'],
    ['zeroes', new Uint8Array(100_000), 'is not a packet capture'],
    ['gzip of nothing', gzipSync(''), 'is empty'],
    ['gzip of text', gzipSync('no capture here'), 'is not a packet capture'],
    ['gzip inside gzip', gzipSync(readFileSync(GZIPPED)), 'is compressed with gzip, inside or out'],
    ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0, 0, 0, 0, 0), 'xz -dc'],
    ['nothing but the start of lz4', Uint8Array.of(0x04, 0x22, 0x4d, 0x18), 'the lz4 data is cut short'],
    ['a snoop capture', 'snoop\0\0\0\0\0\0\x02', 'is a Solaris snoop capture'],
  ])('%s is named and explained', async (name, bytes, message) => {
    const path = file(`${name}.bin`, bytes)
    const { status, stdout, stderr } = await run([path])
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`mig-phases: ${path} `)
    expect(stderr).toContain(message)
    expect(lines(stderr)).toHaveLength(1)
  })

  test('a file that is not there', async () => {
    const path = join(FOLDER, 'nowhere.pcap')
    const { status, stdout, stderr } = await run([path])
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe(`mig-phases: ${path} does not exist: check the path\n`)
  })

  test('a path through a file', async () => {
    const { status, stderr } = await run([join(CAPTURE, 'trace.pcap')])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^mig-phases: .* cannot be (read|opened).*\n$/)
  })

  test('a directory without captures', async () => {
    const folder = join(FOLDER, 'empty')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'readme.txt'), 'nothing here')
    const { status, stderr } = await run([folder])
    expect(status).toBe(1)
    expect(stderr).toContain('is a directory without captures (1 other')
  })

  // Nothing is denied to root.
  test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    const path = file('secret.pcap', PLAIN)
    chmodSync(path, 0o000)
    const { status, stderr } = await run([path])
    expect(status).toBe(1)
    expect(stderr).toContain('permission denied')
  })

  test('binary junk on standard input', async () => {
    const stdin = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) & 0xff)
    const { status, stdout, stderr } = await run(['-'], { stdin })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('mig-phases: standard input is not a packet capture')
  })

  test('nothing on standard input', async () => {
    const { status, stderr } = await run(['-'])
    expect(status).toBe(1)
    expect(stderr).toContain('mig-phases: standard input is empty')
  })

  test('the others are still reported', async () => {
    const bad = file('bad.pcap', 'no capture at all')
    const { status, stdout, stderr } = await run([bad, CAPTURE, join(FOLDER, 'gone.pcap')])
    expect(status).toBe(1)
    expect(stdout).toContain('Remote connect')
    expect(lines(stderr)).toHaveLength(2)
  })

  test('--output into a folder that does not exist', async () => {
    const { status, stdout, stderr } = await run([CAPTURE, '-o', join(FOLDER, 'no', 'such', 'report.txt')])
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^mig-phases: the report cannot be written \(ENOENT\): .+\n$/)
  })
})

describe('exit status 2: usage', () => {
  test.each([
    ['no capture', [], 'no capture given'],
    ['an unknown option', [CAPTURE, '--fast'], 'fast'],
    ['an unknown short option', [CAPTURE, '-x'], 'x'],
    ['an unknown format', [CAPTURE, '--format', 'yaml'], 'yaml'],
    ['a format without a value', [CAPTURE, '--format'], 'format'],
    ['an empty output', [CAPTURE, '--output', ''], '--output needs a file name'],
  ])('%s', async (_name, args, message) => {
    const { status, stdout, stderr } = await run(args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toContain('See mig-phases --help')
    expect(existsSync('yaml')).toBe(false)
  })
})

describe('exit status 4: no migration', () => {
  test('it is said what the capture holds and what was looked for', async () => {
    const { status, stdout, stderr } = await run([NO_MIGRATION])
    expect([status, stdout]).toEqual([4, ''])
    expect(stderr).toContain('no migration found. It holds 9 packets')
    expect(stderr).toContain('3 TCP connections to ports 443 (2), 80')
    expect(stderr).toContain('libvirt RPC')
  })

  test('a header without packets is a capture', async () => {
    const { status, stderr } = await run([file('header.pcap', PLAIN.subarray(0, 24))])
    expect(status).toBe(4)
    expect(stderr).toContain('It holds 0 packets in 0.0 s, no TCP connection')
  })

  test('a header that was cut short is none', async () => {
    const { status, stderr } = await run([file('cut-header.pcap', PLAIN.subarray(0, 20))])
    expect(status).toBe(1)
    expect(stderr).toContain('ends inside its file header (after 20 bytes)')
  })

  test('json is still a document, with the capture in it', async () => {
    const { status, stdout } = await run([NO_MIGRATION, '--format', 'json'])
    expect(status).toBe(4)
    expect(report(stdout)).toMatchObject({ captures: [{ file: NO_MIGRATION, packets: 9 }], migrations: [] })
  })

  test('is not returned when one of the inputs holds one', async () => {
    const { status, stderr } = await run([NO_MIGRATION, CAPTURE])
    expect(status).toBe(0)
    expect(stderr).toContain(`${NO_MIGRATION}: no migration found`)
  })
})

describe('damage', () => {
  test('a capture that was cut short keeps what is before the cut, and warns', async () => {
    const { status, stdout, stderr } = await run([file('cut.pcap', PLAIN.subarray(0, -7)), '-f', 'json'])
    expect(status).toBe(0)
    expect(stderr).toMatch(/^warning: .*cut\.pcap: the capture ends in the middle of a record/)
    const whole = report((await run([CAPTURE, '-f', 'json'])).stdout)
    expect(report(stdout).captures[0]?.packets).toBe((whole.captures[0]?.packets ?? 0) - 1)
  })

  test('gzip that was cut short keeps the packets before the cut, and warns', async () => {
    const zipped = readFileSync('fixtures/libvirt-9.0/offload-on.pcap.gz')
    const cut = zipped.subarray(0, zipped.length >>> 1)
    const path = file('cut.pcap.gz', cut)
    const { status, stdout, stderr } = await run([path, '-f', 'json'])
    expect(stderr).toContain('the gzip data is cut short or damaged')
    expect(status).toBe(0)
    const kept = report(stdout).captures[0]
    expect(kept?.diagnostics.map((each) => each.code)).toContain('file.damaged')
    // As much as another program gets out of the same bytes.
    const readable = gunzipSync(cut, { finishFlush: 2 })
    expect(kept?.bytes).toBe(readable.length)
    expect(kept?.packets).toBeGreaterThan(10)
  })

  test('gzip with a flipped bit keeps what came before it', async () => {
    const zipped = Buffer.from(readFileSync('fixtures/libvirt-9.0/offload-on.pcap.gz'))
    zipped.writeUInt32LE((zipped.readUInt32LE(zipped.length - 8) ^ 1) >>> 0, zipped.length - 8)
    const { stdout, stderr } = await run([file('flipped.pcap.gz', zipped), '-f', 'json'])
    expect(stderr).toContain('the gzip data is cut short or damaged')
    expect(report(stdout).captures[0]?.packets).toBeGreaterThan(10)
  })

  test('gzip that is damaged before the first packet is said to be that', async () => {
    const zipped = gzipSync(PLAIN)
    const { status, stderr } = await run([file('start.pcap.gz', zipped.fill(0xff, 20, 40))])
    expect(status).toBe(1)
    expect(stderr).toContain('holds no packet that could be read: the gzip data is cut short or damaged')
  })

  test('gzip whose checksum is wrong, or with something else behind it, keeps every packet', async () => {
    const zipped = gzipSync(PLAIN)
    const wrong = Buffer.from(zipped)
    wrong.writeUInt32LE((zipped.readUInt32LE(zipped.length - 8) ^ 1) >>> 0, zipped.length - 8)
    const whole = report((await run([CAPTURE, '-f', 'json'])).stdout)
    for (const [bytes, said] of [
      [wrong, 'the gzip data is cut short or damaged (incorrect data check)'],
      [zipped.subarray(0, -9), 'the gzip data is cut short or damaged (unexpected end of file)'],
      [Buffer.concat([zipped, Buffer.from('-- end --')]), 'what follows the gzip data is something else'],
    ] as const) {
      const { stdout, stderr } = await run([file('end.pcap.gz', bytes), '-f', 'json'])
      expect(stderr).toContain(said)
      expect(report(stdout).captures[0]?.packets).toBe(whole.captures[0]?.packets)
    }
  })

  test('zeroes behind gzip, as on a tape, mean nothing', async () => {
    const padded = Buffer.concat([gzipSync(PLAIN), Buffer.alloc(100_000)])
    const { status, stderr } = await run([file('padded.pcap.gz', padded), '-f', 'json'])
    expect([status, stderr]).toEqual([0, ''])
  })

  test('gzip in several members is one capture', async () => {
    const members = Buffer.concat([gzipSync(PLAIN.subarray(0, 1000)), gzipSync(PLAIN.subarray(1000))])
    const { status, stdout, stderr } = await run([file('members.pcap.gz', members), '-f', 'json'])
    expect([status, stderr]).toEqual([0, ''])
    expect(report(stdout).captures[0]?.bytes).toBe(PLAIN.length)
  })
})

describe('what people see', () => {
  test('--help has examples, exit statuses and every option', async () => {
    const { status, stdout, stderr } = await run(['--help'])
    expect([status, stderr]).toEqual([0, ''])
    for (const text of [
      'mig-phases trace.pcap',
      '--format',
      '--output',
      'Exit status',
      'NO_COLOR',
      '--version',
    ])
      expect(stdout).toContain(text)
    expect(Math.max(...lines(stdout).map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test('--version is the version and nothing else', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' })
  })

  test.each([
    ['a pipe', {}],
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a terminal that is none', { TERM: 'xterm-256color', COLORTERM: 'truecolor' }],
  ])('there are no escape bytes in the output: %s', async (_name, env) => {
    for (const args of [[CAPTURE], [CAPTURE, '-f', 'json'], [NO_MIGRATION], ['--help'], ['--nonsense']]) {
      const { stdout, stderr } = await run(args, { env: { FORCE_COLOR: undefined, ...env } })
      expect(stdout + stderr).not.toContain('\u001b')
    }
  })

  test('a reader that has seen enough ends the run quietly', async () => {
    const many = Array.from({ length: 40 }, () => GZIPPED)
    for (const format of ['table', 'json']) {
      const enough = (text: string): boolean => text.includes('\n')
      const { status, stderr } = await run([...many, '-f', format], { enough })
      expect(stderr).toBe('')
      expect(status).toBe(0)
    }
  })

  test('text off the wire cannot act on a terminal, a page or a line', async () => {
    const name = 'vm\u001b[31m\u001b]0;owned\u0007\n<img src=x onerror=alert(1)>\u202e=1+1'
    const path = file(
      'hostile.pcap',
      pcap(capture(migrate(new Wire(), undefined, guest(xmlText(name))).passed)),
    )
    const table = await run([path])
    expect(table.status).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(table.stdout + table.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    expect(table.stdout).toContain('vm\\x1b[31m')
    expect(table.stdout).toContain('\\x0a<img')
    const json = await run([path, '-f', 'ndjson'])
    expect(lines(json.stdout)).toHaveLength(1)
    expect(JSON.parse(json.stdout).domain.name).toBe(name)
  })

  test('a hostile file name cannot act on a terminal either', async () => {
    const path = file('a\u001b[2Jb\nc.pcap', 'no capture')
    const { stderr } = await run([path])
    expect(stderr).toContain('a\\x1b[2Jb\\x0ac.pcap is not a packet capture')
    expect(lines(stderr)).toHaveLength(1)
  })
})
