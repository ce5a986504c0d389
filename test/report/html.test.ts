import { expect, test } from 'vitest'
import { type PageAssets, type PageContent, renderPage } from '../../src/report/html.ts'
import { changed, reportOf } from './reports.ts'

const IDLE = 'libvirt-9.0/idle.expected.json'
const ASSETS: PageAssets = { script: 'run()', scriptHash: 'sha256-A', style: 'a{}', styleHash: 'sha256-B' }
const CONTENT: PageContent = { title: 'A title', tables: [], metrics: [], ci: 't', unread: [] }

/** What stands in the page as data. */
function embedded(html: string, id: string): unknown {
  const [, json] =
    new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, 's').exec(html) ?? []
  return JSON.parse(json ?? '')
}

test('the report is in the page as it is', () => {
  const report = reportOf(IDLE)
  const html = renderPage(report, CONTENT, ASSETS)
  expect(embedded(html, 'report')).toEqual(report)
  expect(embedded(html, 'content')).toEqual(CONTENT)
})

test('the policy allows the own script and style, and no request', () => {
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(
    renderPage(reportOf(IDLE), CONTENT, ASSETS),
  )!
  expect(policy!.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'sha256-A'",
    "style-src 'sha256-B'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ])
})

test('nothing in the data ends its element or begins another', () => {
  const hostile = '</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>'
  const report = changed(IDLE, ({ domain }) => ({ domain: { ...domain, name: hostile } }))
  const html = renderPage(report, { ...CONTENT, title: `${hostile}"&` }, ASSETS)
  expect(embedded(html, 'report')).toEqual(report)
  expect(html.match(/<\/?script/g)).toHaveLength(6)
  expect(html).not.toContain('<img')
  expect(html).not.toContain('<!--')
  expect(html).toContain('<title>&lt;/script&gt;&lt;script&gt;alert(1)')
})

test('a page without scripts says what to do', () => {
  expect(renderPage(reportOf(IDLE), CONTENT, ASSETS)).toMatch(/<noscript>This report is drawn by the script/)
})
