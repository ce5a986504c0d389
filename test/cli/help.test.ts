import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeProgram } from '../../src/cli/args/description.ts'
import { run } from './run.ts'

const commands = await describeProgram()
const examples = commands.flatMap((command) => command.examples)

/** A folder in which the files are that the examples name, and first in the path a `mig-phases` and what writes captures. */
const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-help-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const ZIPPED = readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz')
const CAPTURE = gunzipSync(ZIPPED)

function program(name: string, script: string): void {
  const path = join(FOLDER, 'bin', name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

beforeAll(() => {
  for (const folder of [
    'bin',
    'runs/small/idle',
    'runs/small/busy',
    'before',
    'after',
    'results',
    '.config/fish/completions',
  ])
    mkdirSync(join(FOLDER, folder), { recursive: true })
  program('mig-phases', `exec "${process.execPath}" "${resolve('bin/mig-phases.js')}" "$@"`)
  for (const name of ['tcpdump', 'ssh']) program(name, `cat "${FOLDER}/trace.pcap"`)
  for (const name of ['trace.pcap', 'trial.pcap', 'src.pcap', 'controller.pcap'])
    writeFileSync(join(FOLDER, name), CAPTURE)
  writeFileSync(join(FOLDER, 'trace.pcap.gz'), ZIPPED)
  writeFileSync(join(FOLDER, 'k'), 'a key that nobody guesses')
  for (const name of ['runs/small/idle/1', 'runs/small/busy/1', 'before/1', 'before/2', 'after/1', 'after/2'])
    writeFileSync(join(FOLDER, `${name}.pcap`), CAPTURE)
  const words = ['runs', '--factors', '{flavor}/{load}/{n}', '-f', 'ndjson']
  const { stdout } = spawnSync(join(FOLDER, 'bin/mig-phases'), words, { cwd: FOLDER })
  for (const name of ['results.ndjson', 'results/1.ndjson']) writeFileSync(join(FOLDER, name), stdout)
})

describe('every example of the help does what it says', () => {
  test.each(examples)('$command', ({ command }) => {
    const { status, stderr } = spawnSync('bash', ['-c', command.replaceAll('~', '$HOME')], {
      cwd: FOLDER,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(FOLDER, 'bin')}:${process.env.PATH}`, HOME: FOLDER },
    })
    expect(stderr).not.toMatch(/--help|not found|No such file/)
    // A capture of a conversation alone is not fit for measuring, which doctor says with its status.
    expect(status).toBe(command.includes('doctor') ? 1 : 0)
  })
})

describe.each(
  commands.map((command) => ({ ...command, words: command.name === null ? [] : [command.name] })),
)('the help of $name', ({ name, words, about, usage, options, epilogue, examples: own }) => {
  test('says what it is for, its options, examples and exit statuses, in 100 columns', async () => {
    const { status, stdout, stderr } = await run([...words, '--help'])
    expect([status, stderr]).toEqual([0, ''])
    const text = stdout.replaceAll(/\s+/g, ' ')
    expect(text).toContain(about)
    expect(stdout.split('\n')[0]).toBe(['mig-phases', ...words, usage].join(' '))
    for (const option of options) {
      expect(stdout).toContain(`--${option.name} `)
      expect(option.about, `${name} --${option.name}`).not.toBe('')
      expect(text).toContain(option.about.replaceAll(/\s+/g, ' '))
    }
    expect(own.length).toBeGreaterThan(0)
    for (const example of own) expect(text).toContain(example.about)
    expect(epilogue).toMatch(/^Exit status: 0 /)
    expect(text).toContain(epilogue)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })
})

test('every command is in the help, and in the list of words that name one', async () => {
  const { stdout } = await run(['--help'])
  for (const { name, about } of commands) {
    if (name === null) continue
    expect(stdout).toContain(`mig-phases ${name} `)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(about)
    // A word that was not known to be a command would be taken for a capture.
    expect((await run([name])).stderr).not.toContain('does not exist')
  }
})
