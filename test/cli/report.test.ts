import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { NO_OPTIONS } from '../../src/cli/args/analyze.ts'
import { readReport } from '../../src/cli/args/report.ts'
import type { PageContent } from '../../src/report/html.ts'
import { guest, migrate } from '../pipeline/synthetic.ts'
import { capture, pcap, Wire } from '../support/capture.ts'
import { xmlText } from '../support/libvirt.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-report-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const ONE = 'fixtures/built/prefixed.pcap.gz'
const BATCH = [ONE, 'fixtures/built/force-complete.pcap.gz', 'fixtures/libvirt-9.0/fail-connect.pcap.gz']

function embedded(html: string, id: 'report' | 'content') {
  const [, json] =
    new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, 's').exec(html) ?? []
  return JSON.parse(json ?? '')
}

describe('mig-phases report', () => {
  test('writes a page to standard output that is no terminal, and to a file', async () => {
    const { status, stdout, stderr } = await run(['report', ONE])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^<!doctype html>\n/)
    const path = join(FOLDER, 'one.html')
    expect((await run(['report', ONE, '-o', path])).stdout).toBe('')
    expect(readFileSync(path, 'utf8')).toBe(stdout)
  })

  test('holds the document of --format json, with groups for a batch', async () => {
    const [page, json] = await Promise.all([run(['report', ...BATCH]), run([...BATCH, '-f', 'json'])])
    expect([page.status, page.stderr]).toEqual([0, ''])
    expect(embedded(page.stdout, 'report')).toEqual(JSON.parse(json.stdout))
    const content: PageContent = embedded(page.stdout, 'content')
    expect(content.title).toBe('Live migrations')
    expect(content.tables.map(({ heading }) => heading)).toEqual([
      'Phases of each group',
      'Shares of the total',
    ])
    expect(content.metrics).toContain('transfer')
  })

  test('takes results files as well, alone and beside captures', async () => {
    const results = join(FOLDER, 'results.ndjson')
    await run([...BATCH.slice(0, 2), '--resume', results])
    const alone = await run(['report', results, '--title', 'A study'])
    expect([alone.status, alone.stderr]).toEqual([0, ''])
    const { captures, migrations } = embedded(alone.stdout, 'report')
    const { stdout: json } = await run([...BATCH.slice(0, 2), '-f', 'json'])
    expect([captures, migrations]).toEqual([[], JSON.parse(json).migrations])
    expect(embedded(alone.stdout, 'content').title).toBe('A study')
    const both = await run(['report', results, BATCH[2]!])
    expect(embedded(both.stdout, 'report').migrations).toHaveLength(3)
  })

  test('groups, filters and chooses tables as other commands do', async () => {
    const folder = join(FOLDER, 'runs')
    for (const [load, name] of [
      ['idle', 'prefixed'],
      ['busy', 'force-complete'],
    ] as const) {
      mkdirSync(join(folder, load), { recursive: true })
      for (const n of [1, 2])
        writeFileSync(
          join(folder, load, `run-${n}.pcap`),
          gunzipSync(readFileSync(`fixtures/built/${name}.pcap.gz`)),
        )
    }
    const factors = ['--factors', '{load}/run-{n}']
    const all = await run(['report', folder, ...factors, '--ci', 'normal', '--metrics', 'transfer'])
    expect([all.status, all.stderr]).toEqual([0, ''])
    const { groups } = embedded(all.stdout, 'report')
    expect(groups.map(({ key }: { key: object }) => key)).toEqual([{ load: 'busy' }, { load: 'idle' }])
    const content: PageContent = embedded(all.stdout, 'content')
    expect([content.ci, content.metrics]).toEqual(['normal', ['transfer']])
    expect(content.tables.map(({ heading }) => heading)).toEqual([
      'Phases of each group',
      'Shares of the total',
      'Variability',
      'Analyses of variance',
    ])
    const some = await run(['report', folder, ...factors, '--filter', 'load=idle', '--tables', 'shares'])
    expect(embedded(some.stdout, 'report').migrations).toHaveLength(2)
    expect(embedded(some.stdout, 'content').tables).toHaveLength(1)
  })

  test('--svg writes the figures; alone, no page', async () => {
    const figures = join(FOLDER, 'figures', 'new')
    const { status, stdout, stderr } = await run(['report', ...BATCH, '--svg', figures])
    expect([status, stdout, stderr]).toEqual([0, '', ''])
    const names = readdirSync(figures)
    expect(names).toContain('phases-share.svg')
    expect(names.some((name) => /^timeline-instance-[0-9a-f]+-1\.svg$/.test(name))).toBe(true)
    expect(names).toContain('timeline-unnamed-guest-3.svg')
    const page = join(FOLDER, 'both.html')
    expect((await run(['report', ONE, '--svg', figures, '-o', page])).status).toBe(0)
    expect(readFileSync(page, 'utf8')).toContain('<!doctype html>')
  })

  test('a hostile name leads no figure out of its folder, and is no markup in it', async () => {
    const name = '../../<script>alert(1)</script>\u001b[2J'
    const path = join(FOLDER, 'hostile.pcap')
    writeFileSync(path, pcap(capture(migrate(new Wire(), undefined, guest(xmlText(name))).passed)))
    const figures = join(FOLDER, 'a', 'b', 'figures')
    const { status, stdout, stderr } = await run(['report', path, '--svg', figures, '-o', '-'])
    expect([status, stderr]).toEqual([0, ''])
    expect(readdirSync(join(FOLDER, 'a', 'b'))).toEqual(['figures'])
    for (const file of readdirSync(figures)) {
      expect(file).toMatch(/^timeline-script-alert-1-script-2J-1[a-z-]*\.svg$/)
      const text = readFileSync(join(figures, file), 'utf8')
      for (const bad of ['<script', '\u001b']) expect(text).not.toContain(bad)
    }
    expect(stdout).not.toContain('<script>alert')
    expect(embedded(stdout, 'report').migrations[0].domain.name).toBe(name)
  })

  test('without a migration: why, exit status 4, and no page', async () => {
    const path = join(FOLDER, 'none.pcap')
    writeFileSync(path, pcap([]))
    const page = join(FOLDER, 'none.html')
    const { status, stderr } = await run(['report', path, '-o', page])
    expect(status).toBe(4)
    expect(stderr).toMatch(/none\.pcap: no /)
    expect(() => readFileSync(page)).toThrow()
    const results = join(FOLDER, 'empty.ndjson')
    writeFileSync(results, '')
    expect((await run(['report', results])).status).toBe(4)
  })

  test('what could not be read is said, on the page too, and the rest is shown', async () => {
    const page = join(FOLDER, 'part.html')
    const { status, stderr } = await run(['report', ONE, join(FOLDER, 'gone.pcap'), '-o', page])
    expect(status).toBe(1)
    expect(stderr).toContain('gone.pcap')
    const { unread } = embedded(readFileSync(page, 'utf8'), 'content')
    expect(unread).toHaveLength(1)
    expect(unread[0]).toContain('gone.pcap')
  })

  test('a page or figures that cannot be written end with 1 and say what to do', async () => {
    const file = join(FOLDER, 'file')
    writeFileSync(file, '')
    const page = await run(['report', ONE, '-o', join(file, 'x.html')])
    expect([page.status, page.stderr]).toEqual([1, expect.stringContaining('cannot be written')])
    const figures = await run(['report', ONE, '--svg', join(file, 'figures')])
    expect([figures.status, figures.stderr]).toEqual([
      1,
      expect.stringMatching(/figures cannot be written \(ENOTDIR\)/),
    ])
  })

  test.each([
    [['report'], 'no capture and no results file given'],
    [['report', ONE, '--svg', ''], '--svg needs the name of a folder'],
    [['report', 'a.ndjson', 'b.pcap', '--merge'], '--merge puts captures together'],
    [['report', ...BATCH, '--group-by', 'load'], '--group-by load: no run has such a factor'],
  ])('%j makes no sense', async (words, reason) => {
    const { status, stderr } = await run(words)
    expect(stderr).toContain(reason)
    expect(status).toBe(2)
  })
})

test('a page does not go to a terminal', () => {
  const words = { ...NO_OPTIONS, inputs: ['a.pcap'], title: undefined, svg: undefined }
  expect(() => readReport(words, true)).toThrow('name a file with -o report.html')
  expect(readReport(words, false).page).toBe(true)
  expect(readReport({ ...words, output: '-' }, true).page).toBe(true)
  expect(readReport({ ...words, svg: 'figures' }, true).page).toBe(false)
})
