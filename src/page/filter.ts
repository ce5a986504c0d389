import { printable } from '../report/format.ts'
import type { GroupReport, MigrationReport } from '../report/model.ts'
import { guestOf, wayOf } from '../report/title.ts'
import { naturalOrder } from '../stats/natural-order.ts'
import { button, el } from './dom.ts'

/** What of a report is shown: migrations by text, outcome and factors; groups by factors. */
export interface Filter {
  accepts(migration: MigrationReport): boolean
  acceptsGroup(group: GroupReport): boolean
}

/** A select of more levels helps nobody: such factors are found by text. */
const LEVELS_MAX = 60
const ALL = 'all'

/** Controls of a filter. Of what does not differ there is none.
 *  @param changed called when what is shown is to be drawn anew */
export function filterBar(
  migrations: readonly MigrationReport[],
  changed: (filter: Filter) => void,
): { readonly element: HTMLElement; readonly count: HTMLElement; readonly filter: Filter } {
  const search = el('input', {
    type: 'search',
    autocomplete: 'off',
    placeholder: 'guest, host, file, message',
  })
  const outcomes = select(migrations.map(({ outcome }) => outcome))
  const names = [...new Set(migrations.flatMap(({ factors }) => Object.keys(factors)))]
  const factors = names.flatMap((name) => {
    const levels = select(migrations.map((migration) => levelOf(migration.factors, name)))
    return levels === null ? [] : [{ name, levels }]
  })
  const controls = [outcomes, ...factors.map(({ levels }) => levels)].filter((control) => control !== null)
  const filter: Filter = {
    accepts: (migration) =>
      (outcomes === null || fits(outcomes, migration.outcome)) &&
      factors.every(({ name, levels }) => fits(levels, levelOf(migration.factors, name))) &&
      textOf(migration).includes(search.value.trim().toLowerCase()),
    acceptsGroup: ({ key }) =>
      factors.every(({ name, levels }) => !Object.hasOwn(key, name) || fits(levels, key[name] ?? '')),
  }
  const tell = (): void => changed(filter)
  let timer: ReturnType<typeof setTimeout> | undefined
  search.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(tell, TYPING_MS)
  })
  for (const control of controls) control.addEventListener('change', tell)
  const reset = button('Show all', () => {
    search.value = ''
    for (const control of controls) control.value = ALL
    tell()
  })
  const count = el('output', { class: 'count', 'aria-live': 'polite' })
  const element = el(
    'div',
    { class: 'filter', role: 'search', 'aria-label': 'What is shown' },
    labelled('Search', search),
    ...(outcomes === null ? [] : [labelled('Outcome', outcomes)]),
    ...factors.map(({ name, levels }) => labelled(printable(name), levels)),
    reset,
    count,
  )
  return { element, count, filter }
}

/** Until a reader who types is waited for. */
const TYPING_MS = 120

function levelOf(factors: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(factors, name) ? (factors[name] ?? '') : ''
}

/** Null where there is nothing to choose. The value of an option is its place, so that no level is mistaken for `all`. */
function select(values: readonly string[]): HTMLSelectElement | null {
  const levels = [...new Set(values)].sort(naturalOrder)
  if (levels.length < 2 || levels.length > LEVELS_MAX) return null
  const options = levels.map((level) =>
    el('option', { value: `=${level}` }, level === '' ? '–' : printable(level)),
  )
  return el('select', {}, el('option', { value: ALL }, 'all'), ...options)
}

function fits({ value }: HTMLSelectElement, level: string): boolean {
  return value === ALL || value === `=${level}`
}

function labelled(label: string, control: HTMLElement): HTMLElement {
  return el('label', {}, el('span', {}, label), control)
}

const texts = new WeakMap<MigrationReport, string>()

function textOf(migration: MigrationReport): string {
  const known = texts.get(migration)
  if (known !== undefined) return known
  const { capture, domain, failure, factors } = migration
  const parts = [guestOf(migration), wayOf(migration), domain.uuid, capture, failure?.message]
  const text = [...parts, ...Object.values(factors)].join('\n').toLowerCase()
  texts.set(migration, text)
  return text
}
