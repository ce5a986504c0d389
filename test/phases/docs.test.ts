import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { IGNORED, type Region, STATES, TRANSITIONS } from '../../src/phases/table.ts'

const PAGE = 'docs/phases.md'
/** What follows this line is printed from the table. */
const MARK = '<!-- printed from src/phases/table.ts by `npm run golden` -->'

it('docs/phases.md shows the table as it is', () => {
  const page = readFileSync(PAGE, 'utf8')
  const written = page.slice(0, page.indexOf(MARK) + MARK.length)
  expect(page).toContain(MARK)
  const expected = `${written}\n\n${printTable()}`
  if (process.env.REWRITE === '1') writeFileSync(PAGE, expected)
  else expect(page).toBe(expected)
})

function printTable(): string {
  const regions = Object.keys(STATES) as Region[]
  return `${regions.map((region) => `${transitions(region)}\n\n${ignored(region)}`).join('\n\n')}\n`
}

function transitions(region: Region): string {
  const rows = TRANSITIONS.filter((row) => row.region === region).map((row) => {
    const actions = row.actions.map(({ edge, interval, rule }) => `${edge} of ${interval}: \`${rule}\``)
    return [row.from.join(', '), `\`${row.signal}\``, row.to ?? 'stays', actions.join('; '), row.note]
  })
  return `## ${region}\n\n${table(['from', 'signal', 'to', 'writes', 'meaning'], rows)}`
}

function ignored(region: Region): string {
  const rows = IGNORED.filter((row) => row.region === region).map((row) => [
    row.from.join(', '),
    `\`${row.signal}\``,
    row.reason,
  ])
  return `### Signals of ${region} that change nothing\n\n${table(['in', 'signal', 'because'], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
