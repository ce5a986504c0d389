import { parseHTML } from 'linkedom'
import type { Report } from '../report/model.ts'
import { METRICS } from '../stats/metrics.ts'
import { groupFigures, timelines } from './index.ts'

export interface FigureFile {
  /** No folder in it. */
  readonly name: string
  readonly text: string
}

/** Width of the figures, pixels: a page of a paper at 96 a inch, with its margins. */
const WIDTH = 800

/** All figures of a report as SVG files, one after the other. They need no browser; the same report gives the same bytes.
 *  @param metrics of which there are figures */
export function* figureFiles(report: Report, metrics: readonly string[]): Generator<FigureFile> {
  const { document } = parseHTML('<!doctype html><html></html>')
  const wanted = METRICS.map(({ id }) => id).filter((id) => metrics.includes(id))
  const { phases, byFactor, distributions } = groupFigures(report, wanted)
  const taken = new Set<string>()
  for (const figure of [...phases, ...byFactor, ...distributions, ...timelinesOf(report)]) {
    const text = figure.draw({ document, width: WIDTH }).outerHTML
    yield {
      name: `${uniqueName(figure.id, taken)}.svg`,
      text: `<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`,
    }
  }
}

function* timelinesOf({ migrations }: Report) {
  for (const [index, migration] of migrations.entries()) yield* timelines(migration, index + 1)
}

/** Factors may differ in nothing but characters that no file name has. */
function uniqueName(id: string, taken: Set<string>): string {
  let name = id
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${id}-${number}`
  taken.add(name.toLowerCase())
  return name
}
