import Table from 'cli-table3'

/** Colours of a terminal; the identity where there is none. */
export interface Palette {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
}

const identity = (text: string): string => text
export const PLAIN: Palette = { bold: identity, dim: identity, good: identity, bad: identity, warn: identity }

/** Longest line of running text: a table of 100 columns is readable everywhere. */
const WIDTH = 100

export interface TextColumn {
  readonly label: string
  readonly align: 'left' | 'right'
}

/** A table for a terminal. Texts are printed as they are. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  palette: Palette,
): string {
  const table = new Table({
    head: columns.map(({ label }) => palette.bold(label)),
    colAligns: columns.map(({ align }) => align),
    style: { head: [], border: [], compact: true },
    chars: LINES,
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

/** Rules above, below and under the head; columns are told apart by space. */
const LINES = {
  top: '─',
  'top-mid': '─',
  'top-left': '',
  'top-right': '',
  bottom: '─',
  'bottom-mid': '─',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': '─',
  right: '',
  'right-mid': '',
  middle: ' ',
}

/** Breaks running text at spaces. Colours are added after, so that they do not count. */
export function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent
    }
    line += line.length > indent.length ? ` ${word}` : word
  }
  lines.push(line)
  return lines
}
