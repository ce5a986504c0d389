import { anovaSheets } from '../report/anova-sheet.ts'
import { factorSheet, groupSheet, sharesSheet, variabilitySheet } from '../report/group-sheets.ts'
import type { Sheet } from '../report/sheet.ts'
import { renderMarkdown, renderSheet } from '../report/sheet-text.ts'
import type { Run } from '../stats/group.ts'
import type { MetricId } from '../stats/metrics.ts'
import { type Grouping, TABLES, type TableName } from './args/shared.ts'
import { UsageError } from './args/usage-error.ts'
import { groupsOf, namesOf } from './grouping.ts'
import { palette } from './output.ts'

/** The tables that were asked for. */
export async function renderGroups(
  runs: readonly Run[],
  grouping: Grouping,
  markdown: boolean,
  terminal: boolean,
): Promise<string> {
  const sheets = grouping.tables.flatMap((table) => sheetsOf(table, runs, grouping))
  const colours = await palette(terminal)
  return sheets.map((sheet) => (markdown ? renderMarkdown(sheet) : renderSheet(sheet, colours))).join('\n\n')
}

/** Headings of the tables, where several kinds stand together. */
const HEADINGS: Readonly<Record<TableName, string>> = {
  phases: 'Phases of each group',
  shares: 'Shares of the total',
  factors: 'Metrics by two factors',
  variability: 'Variability',
  anova: 'Analyses of variance',
}

/** Tables over groups, each kind under its heading.
 *  @param tables null: all that make sense for the groups that there are */
export function groupTables(
  runs: readonly Run[],
  grouping: Grouping,
  tables: readonly TableName[] | null,
): { heading: string; sheets: Sheet[] }[] {
  return (tables ?? sensibleTables(runs, grouping)).map((table) => ({
    heading: HEADINGS[table],
    sheets: sheetsOf(table, runs, grouping),
  }))
}

function sensibleTables(runs: readonly Run[], grouping: Grouping): TableName[] {
  const { length: factors } = namesOf(runs, grouping)
  const several = factors > 0 && groupsOf(runs, grouping).length > 1
  return TABLES.filter((table) => {
    if (table === 'factors') return factors === 2
    return table === 'phases' || table === 'shares' || several
  })
}

function sheetsOf(table: TableName, runs: readonly Run[], grouping: Grouping): Sheet[] {
  const names = namesOf(runs, grouping)
  const metrics = knownMetrics(runs, grouping.metrics)
  switch (table) {
    case 'phases':
      return groupsOf(runs, grouping).map(groupSheet)
    case 'shares':
      return [sharesSheet(groupsOf(runs, grouping))]
    case 'factors':
      return metrics.map((metric) => factorSheet(runs, twoOf(names, table), metric, grouping.ci))
    case 'variability':
      return [variabilitySheet(runs, names, metrics)]
    case 'anova':
      return anovaSheets(runs, names, metrics)
  }
}

function twoOf(names: readonly string[], table: TableName): [string, string] {
  const [rows, columns] = names
  if (rows === undefined || columns === undefined || names.length > 2)
    throw new UsageError(`--tables ${table} takes two factors: --group-by ROWS,COLUMNS`)
  return [rows, columns]
}

/** Of metrics that no run has there is nothing to say. */
export function knownMetrics(runs: readonly Run[], metrics: readonly MetricId[]): MetricId[] {
  return metrics.filter((id) => runs.some((run) => (run.metrics[id] ?? null) !== null))
}
