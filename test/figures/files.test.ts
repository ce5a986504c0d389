import { expect, test } from 'vitest'
import { figureFiles } from '../../src/figures/files.ts'
import { fileStem } from '../../src/figures/index.ts'
import { describeGroups } from '../../src/report/groups.ts'
import { runOf } from '../../src/report/metrics-of.ts'
import type { Report } from '../../src/report/model.ts'
import { reportOf } from '../report/reports.ts'

const METRICS = ['transfer', 'downtime']

function study(factor: readonly [string, string]): Report {
  const report = reportOf('libvirt-9.0/concurrent.expected.json')
  const migrations = report.migrations.map((migration, index) => ({
    ...migration,
    factors: { [factor[0]]: `${index}`, [factor[1]]: `${index}` },
  }))
  return { ...report, migrations, groups: describeGroups(migrations.map(runOf), [...factor], 't') }
}

test('the figures of a study and its migrations, each under its own name', () => {
  const names = [...figureFiles(study(['load', 'flavor']), METRICS)].map(({ name }) => name)
  expect(names).toEqual([
    'phases-share.svg',
    'phases-duration.svg',
    'transfer-by-load.svg',
    'transfer-by-flavor.svg',
    'transfer-distribution.svg',
    'timeline-vm1-1.svg',
    'timeline-vm1-1-transfer.svg',
    'timeline-vm2-2.svg',
    'timeline-vm2-2-transfer.svg',
  ])
})

test('factors that differ only in what no file name has do not overwrite each other', () => {
  const names = [...figureFiles(study(['a/b', 'a:b']), ['transfer'])].map(({ name }) => name)
  expect(names).toContain('transfer-by-a-b.svg')
  expect(names).toContain('transfer-by-a-b-2.svg')
  expect(new Set(names).size).toBe(names.length)
})

test('files say what they are, have a size, and are the same every time', () => {
  const files = () => [...figureFiles(study(['load', 'flavor']), METRICS)]
  for (const { text } of files()) {
    expect(text).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/,
    )
    expect(text).toMatch(/viewBox="0 0 800 \d+" height="\d+" width="800"/)
    // Text stays text, and nothing is asked of a style sheet.
    expect(text).toMatch(/<text /)
    expect(text).not.toMatch(/<style|<image|href=|class=/)
  }
  expect(files()).toEqual(files())
})

test.each([
  ['vm1', 'vm1'],
  ['../../etc/passwd', 'etc-passwd'],
  ['..', 'unnamed'],
  ['C:\\con', 'C-con'],
  ['-rf', 'rf'],
  ['.hidden', 'hidden'],
  ['', 'unnamed'],
  ['вм', 'unnamed'],
  ['a'.repeat(300), 'a'.repeat(80)],
  ['<img src=x onerror=alert(1)>', 'img-src-x-onerror-alert-1'],
])('a file name made of %j leads nowhere else', (text, stem) => {
  expect(fileStem(text)).toBe(stem)
})
