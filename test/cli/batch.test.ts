import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StudyScene } from '../support/study.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-batch-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const RUNS = join(FOLDER, 'runs')
const FACTORS = ['--factors', '{flavor}/{load}/run-{n}']
const PER_GROUP = 5

/** Transfer grows with the flavor and not with the load; downtime with the load. */
const transferOf = (flavor: number, i: number): number => flavor + 0.01 * i
const downtimeOf = (load: number, i: number): number => 0.02 + 0.02 * load + 0.001 * ((i * 3) % 5)

beforeAll(() => {
  const scene = new StudyScene()
  for (const flavor of [1, 2])
    for (const [load, name] of ['idle', 'busy'].entries()) {
      const folder = join(RUNS, `m${flavor}`, name)
      mkdirSync(folder, { recursive: true })
      for (let i = 0; i < PER_GROUP; i++) {
        const transfer = transferOf(flavor, i)
        const libvirt = transfer + 1.2
        const bytes = scene.bytes({
          auth: 0.1 + 0.001 * i,
          init: 1,
          remote_connect: 0.01,
          prepare: 0.5,
          transfer,
          finish: 0.2,
          cleanup: 0.4,
          post_migration: 0.5,
          libvirt_migration_time: libvirt,
          total_migration_time: libvirt + 2,
          downtime: downtimeOf(load, i),
        })
        writeFileSync(join(folder, `run-${i}.pcap`), bytes)
      }
    }
})

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

describe('groups', () => {
  test('come from the path, and are printed in natural order', async () => {
    const { status, stdout, stderr } = await run([RUNS, ...FACTORS])
    expect([status, stderr]).toEqual([0, ''])
    expect(lines(stdout).filter((line) => line.startsWith('flavor'))).toEqual([
      'flavor m1, load busy: 5 migrations',
      'flavor m1, load idle: 5 migrations',
      'flavor m2, load busy: 5 migrations',
      'flavor m2, load idle: 5 migrations',
    ])
    expect(stdout).toMatch(/Transfer +1\.0200 +0\.0158 +0\.0196 +1\.55 +5/)
    expect(stdout).not.toContain('→')
  })

  test('come from the folder when nobody says', async () => {
    const { stdout } = await run([RUNS, '--format', 'json'])
    const { groups } = JSON.parse(stdout)
    expect(groups.map((group: { key: object }) => group.key)).toEqual([
      { directory: 'm1/busy' },
      { directory: 'm1/idle' },
      { directory: 'm2/busy' },
      { directory: 'm2/idle' },
    ])
  })

  test('come from a manifest, which also names the captures', async () => {
    const manifest = join(FOLDER, 'runs.csv')
    writeFileSync(
      manifest,
      'file, host\nruns/m1/idle/run-0.pcap,"=a, b"\nruns/m1/idle/run-1.pcap,c\nruns/m1/idle/run-2.pcap,c\n',
    )
    const { stdout, stderr } = await run(['--manifest', manifest, '-f', 'csv'])
    expect(stderr).toBe('')
    const [header, first, ...others] = lines(stdout)
    expect(header).toContain(',outcome,host,auth_s,')
    // Text that a spreadsheet would take for a formula is not one.
    expect(first).toContain(`completed,"'=a, b",`)
    expect(others).toHaveLength(2)
  })

  test('are of the factors that are asked for, and of the runs that pass the filter', async () => {
    const { stdout } = await run([RUNS, ...FACTORS, '--group-by', 'load', '--filter', 'flavor=m2'])
    expect(lines(stdout).filter((line) => line.startsWith('load'))).toEqual([
      'load busy: 5 migrations',
      'load idle: 5 migrations',
    ])
  })

  test('with a factor that nobody has are refused, with the ones there are', async () => {
    const { status, stderr } = await run([RUNS, ...FACTORS, '--group-by', 'colour'])
    expect(status).toBe(2)
    expect(stderr).toContain('no run has such a factor, only flavor, load, n')
  })

  test('are Markdown when asked for', async () => {
    const { stdout } = await run([RUNS, ...FACTORS, '-f', 'md', '--tables', 'phases,shares'])
    expect(stdout).toContain('### flavor m1, load busy: 5 migrations\n\n| Phase | Mean |')
    expect(stdout).toMatch(/\| Transfer \| 1\.0200 \| 0\.0158 \|/)
    expect(stdout).toContain('Share of the total migration time')
  })

  test('say which factor matters', async () => {
    const words = [
      RUNS,
      ...FACTORS,
      '--tables',
      'anova,factors,variability',
      '--metrics',
      'transfer,downtime',
    ]
    const { stdout } = await run([...words, '--group-by', 'flavor,load'])
    expect(stdout).toMatch(/Transfer depends on flavor \(p < 0\.001, η² 1\.00\), not shown for load/)
    expect(stdout).toMatch(/Downtime \(ms\) depends on load \(p < 0\.001, η² 0\.9\d\), not shown for flavor/)
    expect(stdout).toMatch(/m2 +2\.0200 ± 0\.0196 +2\.0200 ± 0\.0196/)
    expect(stdout).toContain('Variability over 4 treatments (flavor × load)')
  })
})

describe('inputs', () => {
  test('may be patterns and lists, and one that is named twice counts once', async () => {
    const list = join(FOLDER, 'list.txt')
    writeFileSync(list, `# two\n${join(RUNS, 'm1/idle/run-0.pcap')}\n\n${join(RUNS, 'm2/idle/run-0.pcap')}\n`)
    const { stdout } = await run([join(RUNS, '*/idle/run-[01].pcap'), `@${list}`, '-f', 'ndjson'])
    expect(lines(stdout).map((line) => JSON.parse(line).capture.replace(RUNS, ''))).toEqual([
      '/m1/idle/run-0.pcap',
      '/m1/idle/run-1.pcap',
      '/m2/idle/run-0.pcap',
      '/m2/idle/run-1.pcap',
    ])
  })

  test('that cannot be read do not stop the others, and are said last', async () => {
    const folder = join(FOLDER, 'broken')
    mkdirSync(folder)
    for (const name of ['a.pcap', 'c.pcap'])
      copyFileSync(join(RUNS, 'm1/idle/run-0.pcap'), join(folder, name))
    writeFileSync(join(folder, 'b.pcap'), readFileSync(join(folder, 'a.pcap')).subarray(0, 20))
    const { status, stdout, stderr } = await run([folder, '-f', 'ndjson'])
    expect(status).toBe(1)
    expect(lines(stdout)).toHaveLength(2)
    expect(lines(stderr).at(-1)).toMatch(/b\.pcap ends inside its file header/)
  })

  test('give the same output on any number of threads', async () => {
    const one = await run([RUNS, ...FACTORS, '-f', 'ndjson', '--jobs', '1'])
    const three = await run([RUNS, ...FACTORS, '-f', 'ndjson', '--jobs', '3'])
    expect(lines(one.stdout)).toHaveLength(4 * PER_GROUP)
    expect(three.stdout).toBe(one.stdout)
  })
})

describe('results', () => {
  test('reduced later give the tables of the batch itself', async () => {
    const [first, second] = [join(FOLDER, 'one.ndjson'), join(FOLDER, 'two.ndjson')]
    await run([join(RUNS, 'm1'), '--factors', '{flavor}/{load}/run-{n}', '-f', 'ndjson', '-o', first])
    await run([join(RUNS, 'm2'), '--factors', '{flavor}/{load}/run-{n}', '-f', 'ndjson', '-o', second])
    const direct = await run([RUNS, ...FACTORS])
    const reduced = await run(['stats', first, second])
    expect(reduced).toEqual(direct)
    const twice = await run(['stats', first, second, first])
    expect(twice.stdout).toBe(direct.stdout)
    expect(twice.stderr).toContain('10 migrations are in several results files')
  })

  test('with a line that was not finished are read to there', async () => {
    const file = join(FOLDER, 'torn.ndjson')
    await run([join(RUNS, 'm1'), ...FACTORS, '-f', 'ndjson', '-o', file])
    appendFileSync(file, '{"capture":"x"')
    const { status, stdout, stderr } = await run(['stats', file, '-f', 'csv'])
    expect(status).toBe(0)
    expect(stderr).toContain('line 11 was not written to its end')
    expect(lines(stdout)[1]).toMatch(/^m1,busy,5,0,auth,Authentication,s,5,0\.102/)
  })

  test('that are none are an error', async () => {
    expect((await run(['stats', join(FOLDER, 'nothing.ndjson')])).status).toBe(1)
    const { status, stderr } = await run(['stats', 'package.json'])
    expect(status).toBe(4)
    expect(stderr).toContain('no migration in these results')
  })
})

describe('a batch that is continued', () => {
  const words = (file: string): string[] => [RUNS, ...FACTORS, '--resume', file]

  test('skips what is done, and nothing else', async () => {
    const file = join(FOLDER, 'resumed.ndjson')
    expect((await run(words(file))).status).toBe(0)
    const whole = readFileSync(file, 'utf8')
    expect(lines(whole)).toHaveLength(4 * PER_GROUP)
    // Half a line at the end, as a killed run leaves it.
    writeFileSync(file, whole.slice(0, -2000))
    expect((await run(words(file))).status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(whole)
    // Nothing to do.
    expect((await run(words(file))).status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(whole)
  })

  test('reads a capture again that has changed since', async () => {
    const capture = join(FOLDER, 'changing.pcap')
    const file = join(FOLDER, 'changing.ndjson')
    copyFileSync(join(RUNS, 'm1/idle/run-0.pcap'), capture)
    await run([capture, '--resume', file])
    copyFileSync(join(RUNS, 'm2/idle/run-1.pcap'), capture)
    utimesSync(capture, 1, 1)
    await run([capture, '--resume', file])
    const [line, ...others] = lines(readFileSync(file, 'utf8'))
    expect(others).toEqual([])
    expect(JSON.parse(line ?? '').libvirt_migration_time_s).toBeCloseTo(transferOf(2, 1) + 1.2, 6)
  })

  test('does not touch a file that holds something else', async () => {
    const file = join(FOLDER, 'notes.txt')
    writeFileSync(file, 'my notes\nabout migrations\n')
    const { status, stderr } = await run(words(file))
    expect(status).toBe(1)
    expect(stderr).toContain('is no file of results')
    expect(readFileSync(file, 'utf8')).toBe('my notes\nabout migrations\n')
  })

  test('loses nothing and counts nothing twice, whenever it is killed', async () => {
    const undisturbed = join(FOLDER, 'undisturbed.ndjson')
    await run(words(undisturbed))
    const file = join(FOLDER, 'killed.ndjson')
    for (const afterMs of [150, 220, 260, 300, 340]) await killed(words(file), afterMs)
    expect((await run(words(file))).status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(undisturbed, 'utf8'))
  })
})

async function killed(words: readonly string[], afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['bin/mig-phases.js', ...words], { stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(timer)
}

describe('a comparison', () => {
  test('of two folders tells differences from chance', async () => {
    const { status, stdout } = await run(['compare', join(RUNS, 'm1'), join(RUNS, 'm2')])
    expect(status).toBe(0)
    expect(stdout).toMatch(/Transfer +1\.0200 +2\.0200 +1\.0000 .* \+98\.0 +1\.98 +< 0\.001 .*different/)
    expect(stdout).toMatch(/Downtime \(ms\) .* 1\.000 .*~/)
  })

  test('of two groups fails on a significant change only', async () => {
    const groups = ['compare', 'load=idle', 'load=busy', '--of', RUNS, ...FACTORS]
    const worse = await run([...groups, '--fail-if', 'downtime>5%', '--fail-if', 'transfer>0.1%'])
    expect(worse.status).toBe(3)
    expect(lines(worse.stderr)).toEqual(['mig-phases: regression: downtime>5%'])
    expect((await run([...groups, '--fail-if', 'downtime>500%'])).status).toBe(0)
    expect((await run([...groups, '--fail-if', 'downtime<5%'])).status).toBe(0)
  })

  test.each([
    [['compare', 'load=idle', 'load=busy'], '--of names what it is a group of'],
    [['compare', RUNS, RUNS, '--fail-if', 'speed>5%'], '--fail-if takes METRIC>AMOUNT'],
    [['compare', RUNS], 'Not enough non-option arguments'],
  ])('%j is refused', async (words, why) => {
    const { status, stderr } = await run(words)
    expect(status).toBe(2)
    expect(stderr).toContain(why)
  })
})
