import { type GroupFigures, groupFigures } from '../figures/index.ts'
import type { PageContent } from '../report/html.ts'
import type { GroupReport, Report } from '../report/model.ts'
import type { MetricId } from '../stats/metrics.ts'
import { el, section } from './dom.ts'
import { dropFigures, figureElement } from './figures.ts'
import type { Filter } from './filter.ts'
import { foldedTable } from './tables.ts'

/** The figures and tables of groups. */
export class Study {
  readonly elements: readonly HTMLElement[]
  readonly #report: Report
  readonly #metrics: readonly MetricId[]
  readonly #phases = el('div')
  readonly #byFactor = el('div', { class: 'grid' })
  readonly #distributions = el('div', { class: 'grid' })
  #shown = ''

  constructor(report: Report, { metrics, tables }: PageContent) {
    this.#report = report
    // Written by the same program that reads them.
    this.#metrics = metrics as readonly MetricId[]
    const folds = tables.flatMap(({ heading, sheets }) => [
      el('h3', {}, heading),
      ...sheets.map((sheet) => foldedTable(sheet, { open: sheets.length === 1 })),
    ])
    this.elements = [
      section('phases', 'Phases', this.#phases),
      section('factors', 'Metrics by factor', this.#byFactor),
      section('values', 'Distributions', this.#distributions),
      section('tables', 'Tables', ...folds),
    ]
    this.#draw(report.groups ?? [])
  }

  /** @returns how many groups are shown */
  filter({ acceptsGroup }: Filter): number {
    const groups = (this.#report.groups ?? []).filter(acceptsGroup)
    this.#draw(groups)
    return groups.length
  }

  #draw(groups: readonly GroupReport[]): void {
    const shown = JSON.stringify(groups.map(({ key }) => key))
    if (shown === this.#shown) return
    this.#shown = shown
    const figures = groupFigures({ groups, migrations: this.#report.migrations }, this.#metrics)
    fill(this.#phases, figures.phases, 'No group has a migration that completed.')
    fill(this.#byFactor, figures.byFactor, 'No factor with more than one level is shown.')
    fill(this.#distributions, figures.distributions, 'No group has a migration that completed.')
  }
}

function fill(place: HTMLElement, figures: GroupFigures[keyof GroupFigures], otherwise: string): void {
  dropFigures(place)
  const made = figures.map((figure) => figureElement(figure))
  place.replaceChildren(...(made.length === 0 ? [el('p', { class: 'note' }, otherwise)] : made))
}
