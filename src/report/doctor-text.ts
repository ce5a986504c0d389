import type { Examination, Finding } from './doctor.ts'
import { formatBytes, formatCount, printable } from './format.ts'
import { type Palette, PLAIN, wrap } from './terminal.ts'

/** What was found of one capture, for a terminal: a line about it, and each finding with its remedy. */
export function renderExamination(examination: Examination, palette: Palette = PLAIN): string {
  const { file, fit, findings } = examination
  const name = palette.bold(file === '-' ? 'standard input' : printable(file))
  const verdict = fit ? palette.good('fit') : palette.bad('not fit')
  const head = `${name}  ${verdict}${palette.dim(factsText(examination))}`
  return `${[head, ...findings.flatMap((finding) => findingLines(finding, palette))].join('\n')}\n`
}

/** How many captures are fit, for more than one. */
export function renderVerdict(fit: number, captures: number): string {
  return `${formatCount(captures)} captures: ${formatCount(fit)} fit, ${formatCount(captures - fit)} not fit\n`
}

function factsText({ facts }: Examination): string {
  if (facts === null) return ''
  const migrations = `${facts.migrations === 0 ? 'no' : facts.migrations} ${facts.migrations === 1 ? 'migration' : 'migrations'}`
  const parts = [
    facts.format,
    facts.link_types.map(printable).join(' and '),
    `${formatCount(facts.packets)} ${facts.packets === 1 ? 'packet' : 'packets'}`,
    formatBytes(facts.wire_bytes),
    `${facts.duration_s.toFixed(3)} s`,
    migrations,
  ]
  return `  ${parts.filter((part) => part !== '').join(', ')}`
}

function findingLines({ id, severity, sentence, remedy }: Finding, palette: Palette): string[] {
  const colour = severity === 'problem' ? palette.bad : palette.warn
  const [first = '', ...rest] = wrap(`${severity}: ${id}: ${printable(sentence)}`, '  ')
  const coloured = first.replace(severity, () => colour(severity))
  return [coloured, ...rest.map((line) => `  ${line}`), ...wrap(`→ ${printable(remedy)}`, '    ')]
}
