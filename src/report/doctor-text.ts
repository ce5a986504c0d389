import type { Examination, Finding } from './doctor.ts'
import type { Content, RunExamination, RunPoint } from './doctor-run.ts'
import { formatBytes, formatCount, formatDuration, printable } from './format.ts'
import { type Palette, PLAIN, wrap } from './terminal.ts'

/** What was found of one capture, for a terminal: a line about it, and each finding with its remedy. */
export function renderExamination(examination: Examination, palette: Palette = PLAIN): string {
  const { file, fit, findings } = examination
  const name = palette.bold(file === '-' ? 'standard input' : printable(file))
  const verdict = fit ? palette.good('fit') : palette.bad('not fit')
  const head = `${name}  ${verdict}${palette.dim(factsText(examination))}`
  return `${[head, ...findings.flatMap((finding) => findingLines(finding, palette))].join('\n')}\n`
}

/** What captures of one run are together, for a terminal: a line for each, what is the matter with all, and how to read them. */
export function renderRun(run: RunExamination, palette: Palette = PLAIN): string {
  const { fit, points, findings } = run
  const name = palette.bold(`${formatCount(points.length)} captures of one run`)
  const verdict = fit ? palette.good('fit together') : palette.bad('not fit together')
  const lines = points.flatMap((point, index) => wrap(pointText(point, index), '  '))
  const files = points.map(({ file }) => shellWord(file)).join(' ')
  return `${[
    `${name}  ${verdict}${palette.dim(`  ${migrationsText(run.migrations)}`)}`,
    ...lines.map((line) => (/^ {2}\d+: /.test(line) ? line : `  ${line}`)),
    ...findings.flatMap((finding) => findingLines(finding, palette)),
    // In one line, so that it can be copied.
    `  → mig-phases --merge ${files}`,
  ].join('\n')}\n`
}

/** How many captures are fit, for more than one.
 *  @param together those of them that are so only with others of their run */
export function renderVerdict(fit: number, together: number, captures: number): string {
  const helped = together === 0 ? '' : ` (${formatCount(together)} with others of the run)`
  return `${formatCount(captures)} captures: ${formatCount(fit)} fit${helped}, ${formatCount(captures - fit)} not fit\n`
}

const CONTENTS: Readonly<Record<Content, string>> = {
  authentication: 'authentication',
  'nova-api': "Nova's API",
  'nova-messages': "Nova's messages",
  order: "the client's order",
  libvirt: 'libvirt',
  storage: 'storage copy',
  memory: 'memory',
  pings: 'pings',
}

function pointText(point: RunPoint, index: number): string {
  const { file, holds, made_good, left } = point
  const parts = [
    holds.length === 0 ? 'nothing of the migration' : holds.map((content) => CONTENTS[content]).join(', '),
    index === 0 ? null : clockText(point),
    made_good.length === 0 ? null : `the others make good ${made_good.join(', ')}`,
    left.length === 0 ? null : `they do not help against ${left.join(', ')}`,
  ]
  return `${index + 1}: ${printable(file)}: ${parts.filter((part) => part !== null).join('; ')}`
}

/** Differences are told against the first point. */
function clockText({ clock_offset_s: offset, clock_offset_spread_s: spread }: RunPoint): string {
  if (offset === null) return 'no packet in common with 1, so that its clock is taken as it is'
  const size = formatDuration(Math.abs(offset))
  const side = offset > 0 ? 'behind' : 'ahead of'
  if (spread === null) return `clock ${size} ${side} that of 1, the way between them included`
  if (Math.abs(offset) <= spread) return `clock as that of 1, within ${formatDuration(spread)}`
  return `clock ${size} ${side} that of 1, within ${formatDuration(spread)}`
}

/** A file name as a shell takes it. */
function shellWord(name: string): string {
  const text = printable(name)
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function factsText({ facts }: Examination): string {
  if (facts === null) return ''
  const parts = [
    facts.format,
    facts.link_types.map(printable).join(' and '),
    `${formatCount(facts.packets)} ${facts.packets === 1 ? 'packet' : 'packets'}`,
    formatBytes(facts.wire_bytes),
    `${facts.duration_s.toFixed(3)} s`,
    migrationsText(facts.migrations),
  ]
  return `  ${parts.filter((part) => part !== '').join(', ')}`
}

const migrationsText = (count: number): string =>
  `${count === 0 ? 'no' : formatCount(count)} ${count === 1 ? 'migration' : 'migrations'}`

function findingLines({ id, severity, sentence, remedy }: Finding, palette: Palette): string[] {
  const colour = severity === 'problem' ? palette.bad : palette.warn
  const [first = '', ...rest] = wrap(`${severity}: ${id}: ${printable(sentence)}`, '  ')
  const coloured = first.replace(severity, () => colour(severity))
  return [coloured, ...rest.map((line) => `  ${line}`), ...wrap(`→ ${printable(remedy)}`, '    ')]
}
