import type { Report } from './model.ts'
import type { Sheet } from './sheet.ts'

/** What a page shows besides the report itself. */
export interface PageContent {
  readonly title: string
  /** Tables over groups, as the command line prints them, under headings. */
  readonly tables: readonly { readonly heading: string; readonly sheets: readonly Sheet[] }[]
  /** Of these metrics there are figures. */
  readonly metrics: readonly string[]
  /** How the 95 % intervals were made. */
  readonly ci: 't' | 'normal'
  /** Inputs that could not be read, and why. */
  readonly unread: readonly string[]
}

/** Script and style of a page, with what its policy allows them by: `sha256-…`. */
export interface PageAssets {
  readonly script: string
  readonly scriptHash: string
  readonly style: string
  readonly styleHash: string
}

/** A page that shows a report and needs nothing else: no network, no other file. The report is in it exactly as `--format json`
 *  prints it, but for white space, in the element with the id `report`. Its own policy forbids every request, and every script
 *  but its own. */
export function renderPage(report: Report, content: PageContent, assets: PageAssets): string {
  const policy = [
    "default-src 'none'",
    `script-src '${assets.scriptHash}'`,
    `style-src '${assets.styleHash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${escapeHtml(`${report.tool.name} ${report.tool.version}`)}">
<link rel="icon" href="data:,">
<title>${escapeHtml(content.title)}</title>
<style>${assets.style}</style>
</head>
<body>
<noscript>This report is drawn by the script inside it: open it in a browser that may run scripts. The numbers are in this file too, as JSON, in the element with the id "report".</noscript>
<script type="application/json" id="report">${dataBlock(report)}</script>
<script type="application/json" id="content">${dataBlock(content)}</script>
<script>${assets.script}</script>
</body>
</html>
`
}

/** JSON that no parser of HTML takes for anything else. */
function dataBlock(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
