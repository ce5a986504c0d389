import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCompletion } from '../../src/cli/args/completion.ts'
import { describeProgram } from '../../src/cli/args/description.ts'
import { renderBash } from '../../src/cli/completion/bash.ts'
import { renderFish } from '../../src/cli/completion/fish.ts'
import { renderZsh } from '../../src/cli/completion/zsh.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-completion-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0

beforeAll(async () => {
  const commands = await describeProgram()
  const scripts = { bash: renderBash(commands), zsh: renderZsh(commands), fish: renderFish(commands) }
  for (const [shell, script] of Object.entries(scripts))
    writeFileSync(join(FOLDER, `script.${shell}`), script)
  mkdirSync(join(FOLDER, 'runs'))
  for (const name of ['trace.pcap', 'trial one.pcap', 'list', "it's $(touch here).pcap"])
    writeFileSync(join(FOLDER, name), '')
})

/** What bash offers at the end of a line. Words are those that it makes of it, which are taken apart at an equals sign. */
function bash(...words: readonly string[]): string[] {
  const script = `source script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mig_phases; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', 'mig-phases', ...words], {
    cwd: FOLDER,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}

describe.skipIf(!has('bash'))('bash (skipped where it is not installed)', () => {
  test('the command writes a script that bash takes, and that asks for nothing later', async () => {
    const { status, stdout, stderr } = await run(['completion', 'bash'])
    expect([status, stderr]).toEqual([0, ''])
    const bin = resolve('bin/mig-phases.js')
    const script = `source <("${process.execPath}" "${bin}" completion bash) && complete -p mig-phases`
    const defined = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    expect(defined.stdout).toBe('complete -F _mig_phases mig-phases\n')
    expect(stdout).not.toMatch(/\$\(\s*mig-phases|`mig-phases/)
  })

  test.each<[string, string[], string[]]>([
    ['commands', ['do'], ['doctor']],
    ['commands and files', ['tr'], ['trace.pcap', 'trial one.pcap']],
    ['a command and a file', ['a'], ['annotate']],
    ['options', ['--mer'], ['--merge']],
    ['options of a command', ['annotate', '--o'], ['--output', '--only-markers']],
    ['options behind a capture', ['trace.pcap', '--no'], ['--no-progress']],
    ['choices', ['trace.pcap', '-f', ''], ['table', 'json', 'ndjson', 'csv', 'md', 'perfetto', 'otlp']],
    ['choices of a command', ['doctor', '--format', 'j'], ['json']],
    ['choices behind an equals sign', ['--format', '=', 'per'], ['perfetto']],
    ['all behind an equals sign', ['stats', '--ci', '='], ['t', 'normal']],
    ['names with commas between', ['--tables', 'shares,an'], ['shares,anova']],
    ['metrics', ['compare', 'a', 'b', '--metrics', 'down'], ['downtime']],
    ['phases to explain', ['explain', 'trace.pcap', 'rem'], ['remote_connect']],
    ['captures to explain', ['explain', 'trac'], ['trace.pcap']],
    ['a file behind an option', ['trace.pcap', '-o', 'lis'], ['list']],
    ['a list of captures', ['@li'], ['@list']],
    ['standard input', ['-'], ['-', '-h', '--help']],
    ['nothing for a number', ['trace.pcap', '--jobs', ''], []],
    ['files of any name, and nothing of theirs is run', ['it'], ["it's $(touch here).pcap"]],
    ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
  ])('%s: %j', (_what, words, offered) => {
    expect(bash(...words).toSorted()).toEqual(offered.toSorted())
  })

  test('every option of every command', async () => {
    for (const { name, options } of await describeProgram()) {
      const offered = bash(...(name === null ? ['trace.pcap'] : [name]), '--')
      expect(offered).toEqual(
        expect.arrayContaining([...options.map((option) => `--${option.name}`), '--help']),
      )
    }
  })
})

describe.skipIf(!has('zsh'))('zsh (skipped where it is not installed)', () => {
  test('takes the script', () => {
    const { status, stderr } = spawnSync(
      'zsh',
      ['-f', '-c', 'zmodload zsh/zle; source ./script.zsh; print -r -- $_comps[mig-phases]'],
      {
        cwd: FOLDER,
        encoding: 'utf8',
        env: { ...process.env, HOME: FOLDER, ZDOTDIR: FOLDER },
      },
    )
    expect([status, stderr]).toEqual([0, ''])
  })
})

describe.skipIf(!has('fish'))('fish (skipped where it is not installed)', () => {
  test.each([
    ['sta', ['stats']],
    ['explain trace.pcap dow', ['downtime']],
    ['trace.pcap --format ot', ['otlp']],
    ['stats x --tables phases,sh', ['phases,shares']],
    ['trace.pcap --no', ['--no-progress']],
  ])('%s', (line, offered) => {
    const { stdout } = spawnSync('fish', ['-c', `source script.fish; complete -C 'mig-phases ${line}'`], {
      cwd: FOLDER,
      encoding: 'utf8',
      env: { ...process.env, HOME: FOLDER },
    })
    expect(
      stdout
        .trim()
        .split('\n')
        .map((each) => each.split('\t')[0]),
    ).toEqual(offered)
  })
})

test.each([
  [undefined, '/usr/bin/zsh', 'zsh'],
  [undefined, '/bin/bash', 'bash'],
  [undefined, '', 'bash'],
  ['fish', '/bin/bash', 'fish'],
] as const)('the shell that is asked for, or that $SHELL names: %s %s', (shell, environment, expected) => {
  expect(readCompletion({ shell }, environment).shell).toBe(expected)
})
