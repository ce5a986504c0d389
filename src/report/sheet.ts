/** A table of results, whatever it is printed as. */
export interface Sheet {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
  /** Sentences below the table. */
  readonly notes: readonly string[]
}

export interface Column {
  readonly label: string
  /** Key in machine-readable renderings. */
  readonly id: string
  /** Numbers stand to the right. */
  readonly numeric: boolean
}

/** A value at full precision, and the text that people read. */
export interface Cell {
  readonly value: string | number | null
  readonly text: string
}

export const UNKNOWN_CELL: Cell = { value: null, text: '–' }

export function textCell(text: string): Cell {
  return { value: text, text }
}

/** @param digits after the point */
export function numberCell(value: number | null, digits: number): Cell {
  return value === null ? UNKNOWN_CELL : { value, text: value.toFixed(digits) }
}

export function column(id: string, label: string, numeric = true): Column {
  return { id, label, numeric }
}
