import { renderMigrationsCsv } from '../report/csv.ts'
import { formatBytes, formatDuration, formatSeconds, printable } from '../report/format.ts'
import type { MigrationReport } from '../report/model.ts'
import { guestOf, shortWayOf } from '../report/title.ts'
import { naturalOrder } from '../stats/natural-order.ts'
import { button, download, el } from './dom.ts'
import { dropFigures } from './figures.ts'
import { migrationElement, outcomeBadge } from './migration.ts'
import { dropTables } from './tables.ts'

/** A migration with its place in the report. */
interface Entry {
  readonly migration: MigrationReport
  /** From 1. */
  readonly number: number
}

interface ListColumn {
  readonly label: string
  readonly numeric: boolean
  /** What is sorted by; null is last, whichever way. */
  readonly value: (entry: Entry) => string | number | null
  readonly cell: (entry: Entry) => string | HTMLElement
}

const ROWS_FIRST = 100
const ROWS_MORE = 200

/** The migrations as a table that can be sorted; each can be opened in place. */
export class MigrationList {
  readonly element: HTMLElement
  readonly #entries: readonly Entry[]
  readonly #columns: readonly ListColumn[]
  readonly #body = el('tbody')
  readonly #heads: HTMLElement[] = []
  /** Rows by migration, made once. */
  readonly #rows = new Map<Entry, HTMLTableRowElement>()
  readonly #open = new Map<Entry, HTMLTableRowElement>()
  readonly #more = el('p', { class: 'more' })
  /** Rows that are shown, of those that pass the filter. */
  #limit = ROWS_FIRST
  #sortedBy = 0
  #descending = false
  #accepts: (migration: MigrationReport) => boolean = () => true

  constructor(migrations: readonly MigrationReport[]) {
    this.#entries = migrations.map((migration, place) => ({ migration, number: place + 1 }))
    this.#columns = columnsOf(migrations)
    const head = el('tr', {}, ...this.#columns.map((column, index) => this.#head(column, index)))
    const csv = button('CSV', () => this.#save(), {
      class: 'small',
      title: 'Save what is shown as CSV, with all metrics',
    })
    const caption = el('caption', {}, 'Migrations: press a number to open one, a heading to sort')
    this.element = el(
      'div',
      { class: 'sheet' },
      el('div', { class: 'tools' }, csv),
      el(
        'div',
        { class: 'scroller list', tabindex: 0, role: 'region', 'aria-label': 'Migrations' },
        el('table', {}, caption, el('thead', {}, head), this.#body),
      ),
      this.#more,
    )
    this.#fill()
  }

  /** @returns how many are shown */
  filter(accepts: (migration: MigrationReport) => boolean): number {
    this.#accepts = accepts
    this.#limit = ROWS_FIRST
    return this.#fill()
  }

  openFirst(): void {
    const [first] = this.#entries
    if (first !== undefined) this.#toggle(first)
  }

  #head(column: ListColumn, index: number): HTMLElement {
    const head = el(
      'th',
      {
        scope: 'col',
        class: column.numeric ? 'number' : '',
        'aria-sort': index === 0 ? 'ascending' : 'none',
      },
      button(column.label, () => this.#sort(index), { class: 'sort' }),
    )
    this.#heads.push(head)
    return head
  }

  #sort(index: number): void {
    this.#descending = this.#sortedBy === index && !this.#descending
    this.#sortedBy = index
    this.#heads.forEach((head, place) => {
      const way = this.#descending ? 'descending' : 'ascending'
      head.setAttribute('aria-sort', place === index ? way : 'none')
    })
    this.#fill()
  }

  #fill(): number {
    const column = this.#columns[this.#sortedBy]
    const shown = this.#shown()
    if (column !== undefined)
      shown.sort((a, b) => this.#order(column.value(a), column.value(b)) || a.number - b.number)
    const rows = shown.slice(0, this.#limit).flatMap((entry) => {
      const detail = this.#open.get(entry)
      return [this.#row(entry), ...(detail === undefined ? [] : [detail])]
    })
    this.#body.replaceChildren(...rows)
    this.#tellMore(shown.length)
    return shown.length
  }

  /** Long tables are slow to lay out: the rest comes when it is asked for. */
  #tellMore(shown: number): void {
    const show = (limit: number) => (): void => {
      this.#limit = limit
      this.#fill()
    }
    const left = shown - this.#limit
    if (left <= 0) this.#more.replaceChildren()
    else
      this.#more.replaceChildren(
        `${this.#limit} of ${shown.toLocaleString('en-US')} rows are shown. `,
        button(`Show ${Math.min(left, ROWS_MORE)} more`, show(this.#limit + ROWS_MORE)),
        ' ',
        button('Show all', show(Number.POSITIVE_INFINITY)),
      )
  }

  #shown(): Entry[] {
    return this.#entries.filter(({ migration }) => this.#accepts(migration))
  }

  #order(a: string | number | null, b: string | number | null): number {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : naturalOrder(`${a}`, `${b}`)
    return this.#descending ? -order : order
  }

  #row(entry: Entry): HTMLTableRowElement {
    const known = this.#rows.get(entry)
    if (known !== undefined) return known
    const cells = this.#columns.map(({ numeric, cell }, place) => {
      const attributes = { class: numeric ? 'number' : '' }
      if (place > 0) return el('td', attributes, cell(entry))
      const toggle = button(`${entry.number}`, () => this.#toggle(entry), {
        class: 'open',
        'aria-expanded': 'false',
        'aria-label': `Migration ${entry.number}, ${printable(guestOf(entry.migration))}: details`,
      })
      return el('th', { ...attributes, scope: 'row' }, toggle)
    })
    const row = el('tr', {}, ...cells)
    this.#rows.set(entry, row)
    return row
  }

  #toggle(entry: Entry): void {
    const row = this.#row(entry)
    const open = this.#open.get(entry)
    row.querySelector('.open')?.setAttribute('aria-expanded', `${open === undefined}`)
    if (open !== undefined) {
      dropFigures(open)
      dropTables(open)
      open.remove()
      this.#open.delete(entry)
      return
    }
    const detail = el(
      'tr',
      { class: 'detail' },
      el('td', { colspan: this.#columns.length }, migrationElement(entry.migration, entry.number)),
    )
    this.#open.set(entry, detail)
    row.after(detail)
  }

  #save(): void {
    const shown = this.#shown().map(({ migration }) => migration)
    download('migrations.csv', 'text/csv', renderMigrationsCsv(shown))
  }
}

function columnsOf(migrations: readonly MigrationReport[]): ListColumn[] {
  const factors = [...new Set(migrations.flatMap((migration) => Object.keys(migration.factors)))]
  const folder = commonFolder(migrations.map(({ capture }) => capture))
  return [
    { label: 'No.', numeric: true, value: ({ number }) => number, cell: ({ number }) => `${number}` },
    words('Guest', (migration) => guestOf(migration)),
    words('From → to', (migration) => shortWayOf(migration)),
    ...factors.map((name) =>
      words(printable(name), ({ factors: levels }) =>
        Object.hasOwn(levels, name) ? (levels[name] ?? null) : null,
      ),
    ),
    {
      label: 'Outcome',
      numeric: false,
      value: ({ migration }) => migration.outcome,
      cell: ({ migration }) => outcomeBadge(migration),
    },
    words('Memory', ({ mode }) => mode.memory),
    number('Total (s)', ({ total_migration_time_s }) => total_migration_time_s, formatSeconds),
    number(
      'Transfer (s)',
      ({ phases }) => phases.find(({ id }) => id === 'transfer')?.duration_s ?? null,
      formatSeconds,
    ),
    number('Downtime', ({ downtime }) => downtime.best_s, formatDuration),
    number('Data', ({ transfer }) => transfer.wire_bytes, formatBytes),
    words('Capture', ({ capture }) => capture.slice(folder)),
  ]
}

/** Length of the path that all files are below: it tells nothing in a list. */
function commonFolder([first = '', ...others]: readonly string[]): number {
  let length = first.lastIndexOf('/') + 1
  while (length > 0 && !others.every((path) => path.startsWith(first.slice(0, length))))
    length = first.lastIndexOf('/', length - 2) + 1
  return length
}

function words(label: string, value: (migration: MigrationReport) => string | null): ListColumn {
  return {
    label,
    numeric: false,
    value: ({ migration }) => value(migration),
    cell: ({ migration }) => printable(value(migration) ?? '–'),
  }
}

function number(
  label: string,
  value: (migration: MigrationReport) => number | null,
  text: (value: number | null) => string,
): ListColumn {
  return {
    label,
    numeric: true,
    value: ({ migration }) => value(migration),
    cell: ({ migration }) => text(value(migration)),
  }
}
