import { fileStem } from '../figures/index.ts'
import { sheetCsv } from '../report/csv-text.ts'
import { printable } from '../report/format.ts'
import type { Sheet } from '../report/sheet.ts'
import { button, copyText, download, el } from './dom.ts'

/** Rows of one table that are shown; all are in what is copied and saved. */
const ROWS_SHOWN = 500

/** A table with its caption, and buttons that copy it or save it as CSV. */
export function table(sheet: Sheet): HTMLElement {
  return el(
    'div',
    { class: 'sheet' },
    tableTools(() => sheet),
    scroller(sheet),
  )
}

/** What becomes of a folded table without the reader's doing. */
interface Folding {
  readonly open?: boolean
  /** Opened for the printer. */
  readonly printed?: boolean
}

/** What fills a folded table that the printer gets. */
const printedTables = new Map<HTMLDetailsElement, () => void>()
const openedForPrinter: HTMLDetailsElement[] = []

addEventListener('beforeprint', () => {
  for (const [details, fill] of printedTables) {
    if (!details.isConnected || details.open) continue
    details.open = true
    openedForPrinter.push(details)
    fill()
  }
})
addEventListener('afterprint', () => {
  for (const details of openedForPrinter.splice(0)) details.open = false
})

/** The same behind a summary. */
export function foldedTable(sheet: Sheet, { open = false, printed = true }: Folding = {}): HTMLElement {
  const details = el('details', { class: 'folded', open }, el('summary', {}, printable(sheet.title)))
  // Most are never opened.
  const fill = (): void => {
    if (details.open && details.childElementCount === 1) details.append(table(sheet))
  }
  details.addEventListener('toggle', fill)
  fill()
  if (printed) printedTables.set(details, fill)
  return details
}

/** Forgets the tables in an element that goes. */
export function dropTables(within: Element): void {
  for (const details of within.querySelectorAll('details')) printedTables.delete(details)
}

/** @param sheetOf asked when a button is pressed */
export function tableTools(sheetOf: () => Sheet): HTMLElement {
  const copy = button('Copy', () => void copyText(tabbed(sheetOf()), copy), {
    class: 'small',
    title: 'Copy the table',
  })
  const csv = button('CSV', () => {
    const sheet = sheetOf()
    download(`${fileStem(sheet.title.toLowerCase())}.csv`, 'text/csv', sheetCsv(sheet))
  })
  csv.className = 'small'
  csv.title = 'Save the table as CSV, at full precision'
  return el('div', { class: 'tools' }, copy, csv)
}

/** As spreadsheets take it from the clipboard: the text that is shown, which is no formula there. */
function tabbed({ columns, rows }: Sheet): string {
  const lines = [columns.map(({ label }) => label), ...rows.map((row) => row.map(({ text }) => text))]
  return lines.map((cells) => cells.map(inertCell).join('\t')).join('\n')
}

function inertCell(text: string): string {
  const plain = printable(text)
  return /^[=+@]/.test(plain) || /^-(?![\d.])/.test(plain) ? `'${plain}` : plain
}

function scroller(sheet: Sheet): HTMLElement {
  const { title, columns, rows, notes } = sheet
  const head = el(
    'tr',
    {},
    ...columns.map(({ label, numeric }) =>
      el('th', { scope: 'col', class: numeric ? 'number' : '' }, printable(label)),
    ),
  )
  const body = el('tbody')
  for (const row of rows.slice(0, ROWS_SHOWN)) {
    const cells = row.map(({ text }, place) => {
      const attributes = { class: columns[place]?.numeric === true ? 'number' : '' }
      return place === 0
        ? el('th', { ...attributes, scope: 'row' }, printable(text))
        : el('td', attributes, printable(text))
    })
    body.append(el('tr', {}, ...cells))
  }
  const left = rows.length - ROWS_SHOWN
  const more = left > 0 ? [`${left.toLocaleString('en-US')} more rows are in the CSV.`] : []
  return el(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': printable(title) },
    el('table', {}, el('caption', {}, printable(title)), el('thead', {}, head), body),
    ...[...notes, ...more].map((note) => el('p', { class: 'note' }, printable(note))),
  )
}
