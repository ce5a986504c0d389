import { formatCount, printable } from '../report/format.ts'
import type { PageContent } from '../report/html.ts'
import { captureSheet, diagnosticSheet } from '../report/migration-sheets.ts'
import type { MigrationReport, Report } from '../report/model.ts'
import { button, download, el, section } from './dom.ts'
import { type Filter, filterBar } from './filter.ts'
import { MigrationList } from './list.ts'
import { methodSection } from './method.ts'
import { migrationElement } from './migration.ts'
import { Study } from './study.ts'
import { foldedTable } from './tables.ts'

/** Draws the report that the page holds. */
function main(): void {
  const report = dataOf('report') as Report // both were written by the program that wrote this script
  const content = dataOf('content') as PageContent
  const [only, ...more] = report.migrations
  const parts =
    only !== undefined && more.length === 0
      ? [section('migrations', 'Migration', migrationElement(only, 1))]
      : batchParts(report, content)
  const sections = [...parts, inputSection(report, content), methodSection(report, content)]
  document.body.prepend(
    el('a', { class: 'skip', href: '#main' }, 'Skip to the report'),
    header(report, content),
    contents(sections),
    el('main', { id: 'main' }, ...sections),
  )
}

function dataOf(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null')
}

function header(report: Report, { title, unread }: PageContent): HTMLElement {
  const { migrations, captures, tool } = report
  const outcomes = new Map<MigrationReport['outcome'], number>()
  for (const { outcome } of migrations) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  const counts = OUTCOMES.flatMap((outcome) => {
    const count = outcomes.get(outcome)
    return count === undefined ? [] : [`${formatCount(count)} ${outcome}`]
  })
  const read =
    captures.length === 0
      ? ''
      : `, from ${formatCount(captures.length)} ${captures.length === 1 ? 'capture' : 'captures'}`
  const json = button('JSON', () =>
    download('report.json', 'application/json', document.getElementById('report')?.textContent ?? ''),
  )
  json.title = 'Save the whole report'
  return el(
    'header',
    {},
    el('h1', {}, printable(title)),
    el(
      'p',
      {},
      `${formatCount(migrations.length)} ${migrations.length === 1 ? 'migration' : 'migrations'}: ${counts.join(', ')}${read}. ${tool.name} ${tool.version} `,
      json,
    ),
    ...unread.map((line) => el('p', { class: 'failure' }, `Not read: ${printable(line)}`)),
  )
}

const OUTCOMES = ['completed', 'failed', 'aborted', 'incomplete'] as const

function contents(sections: readonly HTMLElement[]): HTMLElement {
  const links = sections.map(({ id, firstElementChild }) =>
    el('li', {}, el('a', { href: `#${id}` }, firstElementChild?.textContent ?? '')),
  )
  return el('nav', { 'aria-label': 'Contents' }, el('ul', {}, ...links))
}

function batchParts(report: Report, content: PageContent): HTMLElement[] {
  const { migrations, groups } = report
  const list = new MigrationList(migrations)
  const study = groups === undefined ? null : new Study(report, content)
  const { element, count, filter } = filterBar(migrations, (changed) => apply(changed))
  const apply = (chosen: Filter): void => {
    const shown = list.filter(chosen.accepts)
    const inGroups = study === null ? '' : `, ${study.filter(chosen)} of ${groups?.length ?? 0} groups`
    count.textContent = `${formatCount(shown)} of ${formatCount(migrations.length)} migrations${inGroups}`
  }
  apply(filter)
  if (migrations.length <= FEW) list.openFirst()
  return [
    section('filter', 'Show', element),
    ...(study?.elements ?? []),
    section('migrations', 'Migrations', list.element),
  ]
}

/** So few that the first one is opened at once. */
const FEW = 3

function inputSection({ captures, migrations }: Report, { unread }: PageContent): HTMLElement {
  const sources = [
    ...captures.map(({ file, diagnostics }) => ({ name: file, diagnostics })),
    ...migrations.map(({ capture, index, diagnostics }) => ({
      name: `${capture}, migration ${index + 1}`,
      diagnostics,
    })),
  ]
  const found = diagnosticSheet(sources)
  return section(
    'input',
    'Captures and diagnostics',
    captures.length === 0 ? null : foldedTable(captureSheet(captures), { open: captures.length <= 10 }),
    found === null
      ? el('p', {}, unread.length === 0 ? 'Nothing was wrong with what was read.' : '')
      : foldedTable(found, { open: found.rows.length <= 20 }),
  )
}

main()
