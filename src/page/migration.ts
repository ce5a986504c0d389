import { timelines } from '../figures/index.ts'
import { formatMemory, printable } from '../report/format.ts'
import { failureText, modeText } from '../report/head-text.ts'
import {
  diagnosticSheet,
  evidenceSheet,
  phaseSheet,
  roundSheet,
  throughputSheet,
  trafficSheet,
} from '../report/migration-sheets.ts'
import type { MigrationReport } from '../report/model.ts'
import { sentences } from '../report/sentences.ts'
import { guestOf, wayOf } from '../report/title.ts'
import { el } from './dom.ts'
import { figureElement } from './figures.ts'
import { foldedTable, table } from './tables.ts'

/** All that is known of one migration.
 *  @param number in the report, from 1 */
export function migrationElement(migration: MigrationReport, number: number): HTMLElement {
  const { failure, transfer, diagnostics } = migration
  const title = `${number}. ${guestOf(migration)}`
  const tables = [
    evidenceSheet(migration),
    roundSheet(migration),
    trafficSheet(migration),
    diagnosticSheet([{ name: migration.capture, diagnostics }]),
  ].filter((sheet) => sheet !== null)
  const throughput = throughputSheet(migration)
  const [whole, ...closer] = timelines(migration, number)
  const convergence = transfer.rounds === null ? [] : [transfer.convergence.sentence]
  return el(
    'article',
    { class: 'migration', 'aria-label': printable(title) },
    el(
      'h3',
      {},
      printable(title),
      ' ',
      el('span', { class: 'way' }, printable(wayOf(migration))),
      ' ',
      outcomeBadge(migration),
    ),
    failure === null ? null : el('p', { class: 'failure' }, failureText(failure)),
    facts(migration),
    whole === undefined ? null : figureElement(whole, true),
    closer.length === 0
      ? null
      : el('div', { class: 'closer' }, ...closer.map((figure) => figureElement(figure, true))),
    table(phaseSheet(migration)),
    el(
      'div',
      { class: 'sentences' },
      ...[...sentences(migration, true), ...convergence].map((line) => el('p', {}, line)),
    ),
    ...tables.map((sheet) => foldedTable(sheet)),
    // Its picture is enough for paper.
    throughput === null ? null : foldedTable(throughput, { printed: false }),
  )
}

/** The word says it; the colour is only for the eye. */
export function outcomeBadge({ outcome }: MigrationReport): HTMLElement {
  return el('span', { class: `outcome ${outcome}` }, outcome)
}

function facts(migration: MigrationReport): HTMLElement {
  const { domain, capture, start_epoch_ns, factors, openstack } = migration
  const known: [string, string | null][] = [
    ['Domain', domain.uuid],
    ['Memory', domain.memory_bytes === null ? null : formatMemory(domain.memory_bytes)],
    ['Kind', modeText(migration) || null],
    ['Request', openstack?.request_id ?? null],
    ['Started', start_epoch_ns === null ? null : instantText(start_epoch_ns)],
    ['Capture', capture],
    ...Object.entries(factors).map(([name, level]): [string, string] => [name, level]),
  ]
  const pairs = known.flatMap(([name, value]) =>
    value === null ? [] : [el('div', {}, el('dt', {}, printable(name)), el('dd', {}, printable(value)))],
  )
  return el('dl', { class: 'facts' }, ...pairs)
}

/** Universal time: a report means the same everywhere. */
function instantText(epochNs: string): string {
  const ms = Number(BigInt(epochNs) / 1_000_000n)
  const date = new Date(ms)
  return Number.isNaN(date.getTime())
    ? epochNs
    : `${date.toISOString().replace('T', ' ').replace('Z', '')} UTC`
}
