import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { migrate } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-redact-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const at = (name: string): string => join(FOLDER, name)

function file(name: string, content: Uint8Array | string): string {
  writeFileSync(at(name), content)
  return at(name)
}

const TRACE = file('trace.pcap', pcap(capture(migrate(new Wire()).passed)))
const KEY = 'a key of more than sixteen'

test('writes a copy without names, says what was done, and reads it back', async () => {
  const copy = at('share.pcapng')
  const { status, stdout, stderr } = await run(['redact', TRACE, '-o', copy])
  expect([status, stdout]).toEqual([0, ''])
  expect(stderr).toMatch(
    /\d+ packets; \d+ addresses, \d+ names and \d+ identifiers? replaced, .* bytes blank/,
  )
  expect(stderr).toContain('look at the copy before you share it')
  expect(readFileSync(copy).includes('compute1')).toBe(false)
  const report = await run([copy])
  expect(report.stdout).toContain('completed')
  expect(readdirSync(FOLDER).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('the same key, by word or by file, gives the same copy; without one it is another each time', async () => {
  const keyFile = file('key', `${KEY}\n`)
  const outputs = ['a', 'b', 'c', 'd'].map((name) => at(`${name}.pcapng`))
  const options = [['--key', KEY], ['--key-file', keyFile], [], []]
  for (const [i, output] of outputs.entries())
    await run(['redact', TRACE, '-o', output, ...(options[i] ?? [])])
  const [a, b, c, d] = outputs.map((output) => readFileSync(output).toString('latin1'))
  expect(a).toBe(b)
  expect(c).not.toBe(a)
  expect(c).not.toBe(d)
})

test('--map lists what stands for what, for the owner alone', async () => {
  const map = at('map.tsv')
  const { stderr } = await run(['redact', TRACE, '-o', at('mapped.pcapng'), '--map', map])
  expect(stderr).toContain('Keep it to yourself')
  const lines = readFileSync(map, 'utf8').split('\n')
  const name = lines.find((line) => line.startsWith('name\tcompute1\t'))?.split('\t')[2] ?? ''
  expect(name).toMatch(/^[a-z]{7}\d$/)
  expect(readFileSync(at('mapped.pcapng')).includes(name)).toBe(true)
  expect(lines.some((line) => line.startsWith('ipv4\t10.77.0.11\t10.'))).toBe(true)
  expect(statSync(map).mode & 0o777).toBe(0o600)
})

test.each([
  ['a key that can be guessed', [TRACE, '-o', at('x.pcapng'), '--key', 'short'], 1, 'at least 16'],
  ['two keys', [TRACE, '-o', at('x.pcapng'), '--key', KEY, '--key-file', 'k'], 2, 'exclude'],
  ['no output', [TRACE], 2, 'output'],
  ['standard input', ['-', '-o', at('x.pcapng')], 2, 'save standard input'],
  ['the capture itself', [TRACE, '-o', TRACE], 1, 'not overwritten'],
  ['the capture for the map', [TRACE, '-o', at('x.pcapng'), '--map', TRACE], 1, 'not overwritten'],
  ['no such file', [at('missing'), '-o', at('x.pcapng')], 1, 'missing'],
  ['a folder that is not there', [TRACE, '-o', at('none/x.pcapng')], 1, 'cannot be written'],
])('%s is refused, and nothing is written', async (_, args, status, message) => {
  const outcome = await run(['redact', ...args])
  expect([outcome.status, outcome.stdout]).toEqual([status, ''])
  expect(outcome.stderr).toContain(message)
  expect(existsSync(at('x.pcapng'))).toBe(false)
  expect(existsSync(at('x.pcapng.part'))).toBe(false)
})

test('a copy that cannot be finished leaves what was there', async () => {
  const before = file('old.pcapng', 'as it was')
  const broken = file('broken.pcap', 'this is no capture at all, whatever it is called')
  const { status } = await run(['redact', broken, '-o', before])
  expect(status).toBe(1)
  expect(readFileSync(before, 'utf8')).toBe('as it was')
  expect(existsSync(`${before}.part`)).toBe(false)
})

test('another tool reads it: as many packets, the same times and lengths', async ({ skip }) => {
  const fields = [
    '-T',
    'fields',
    '-e',
    'frame.number',
    '-e',
    'frame.time_epoch',
    '-e',
    'frame.len',
    '-e',
    'frame.cap_len',
  ]
  const told = (path: string): string =>
    execFileSync('tshark', ['-r', path, ...fields], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
  } catch {
    skip('tshark is not installed here')
  }
  const copy = at('other.pcapng')
  await run(['redact', TRACE, '-o', copy])
  expect(told(copy)).toBe(told(TRACE))
})
