import { stderr, stdout } from 'node:process'
import { renderGroupsCsv } from '../report/csv.ts'
import type { StatsArguments } from './args/stats.ts'
import { EXIT, type ExitStatus } from './exit.ts'
import { groupsOf } from './grouping.ts'
import { renderGroups } from './groups.ts'
import { Destination } from './output.ts'
import { readRuns } from './runs.ts'

/** Makes the tables of groups from results files. */
export async function reduceResults(args: StatsArguments): Promise<ExitStatus> {
  const { results, grouping, format, output } = args
  const runs = await readRuns(results, grouping)
  if (runs.length === 0) {
    stderr.write('mig-phases: no migration in these results, or none that passes the filter\n')
    return EXIT.noMigration
  }
  const destination = new Destination(output)
  await destination.write(await render())
  await destination.close()
  return EXIT.ok

  async function render(): Promise<string> {
    if (format === 'json') return `${JSON.stringify({ groups: groupsOf(runs, grouping) }, null, 2)}\n`
    if (format === 'csv') return renderGroupsCsv(groupsOf(runs, grouping))
    const terminal = output === null && stdout.isTTY === true
    return `${await renderGroups(runs, grouping, format === 'md', terminal)}\n`
  }
}
