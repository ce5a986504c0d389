import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { renderPage } from '../../docs/man/page.ts'
import { describeProgram } from '../../src/cli/args/description.ts'

const PAGE = 'docs/man/mig-phases.1'

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0

test('the manual page says what the options are told (npm run golden)', async () => {
  const page = renderPage(await describeProgram())
  if (process.env.REWRITE === '1') writeFileSync(PAGE, page)
  expect(page).toBe(readFileSync(PAGE, 'utf8'))
})

test('the package installs it', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8')).man).toEqual([`./${PAGE}`])
})

test('it has the sections of a manual page, and every command and option', async () => {
  const page = readFileSync(PAGE, 'utf8')
  const sections = [...page.matchAll(/^\.SH (.+)$/gm)].map((match) => match[1])
  expect(sections).toEqual([
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    'COMMANDS',
    'OPTIONS',
    'EXIT STATUS',
    'EXAMPLES',
    'FILES',
    'ENVIRONMENT',
    'SEE ALSO',
  ])
  for (const { name, options } of await describeProgram()) {
    if (name !== null) expect(page).toContain(`.SS ${name} `)
    for (const option of options) expect(page).toContain(`\\-\\-${option.name.replaceAll('-', '\\-')}\\fR`)
  }
})

describe.skipIf(!has('groff'))('groff (skipped where it is not installed)', () => {
  test('reads it without a warning', () => {
    const { status, stdout, stderr } = spawnSync(
      'groff',
      ['-man', '-Tutf8', '-ww', '-P-c', '-P-b', '-P-u', PAGE],
      {
        encoding: 'utf8',
      },
    )
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain("mig-phases runs/ --factors '{flavor}/{load}/{n}'")
    expect(stdout).toContain('--downtime-limit MS')
  })
})

describe.skipIf(!has('man'))('man (skipped where it is not installed)', () => {
  test('shows it without a warning', () => {
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', PAGE], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', PAGER: 'cat', MANPAGER: 'cat' },
    })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('EXIT STATUS')
  })
})
