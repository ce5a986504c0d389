import { stderr } from 'node:process'

/** Columns of a terminal that does not say how many it has. */
const COLUMNS = 80
const CLEAR = '\r\u001b[K'

/** Cuts a text to so many columns, of which some characters take two, and some none. */
type Fit = (text: string, columns: number) => string

/** One line on standard error that is written over, where that is a terminal. Text is printed as it is. */
export class StatusLine {
  /** Null where nothing is drawn. */
  readonly #fit: Fit | null
  #shown = ''
  #over = false

  private constructor(fit: Fit | null) {
    this.#fit = fit
  }

  static async of(enabled: boolean): Promise<StatusLine> {
    if (!enabled || stderr.isTTY !== true) return new StatusLine(null)
    const { default: truncatedWidth } = await import('fast-string-truncated-width')
    return new StatusLine((text, columns) => {
      const { index, ellipsed } = truncatedWidth(text, { limit: columns, ellipsis: '…' })
      return ellipsed ? `${text.slice(0, index)}…` : text
    })
  }

  draw(text: string): void {
    if (this.#fit === null || this.#over) return
    // A line that fills the last column makes some terminals begin another.
    const line = this.#fit(text, (stderr.columns || COLUMNS) - 1)
    if (line === this.#shown) return
    stderr.write(`${CLEAR}${line}`)
    this.#shown = line
  }

  /** Makes room for something else. */
  clear(): void {
    if (this.#shown !== '') stderr.write(CLEAR)
    this.#shown = ''
  }

  /** Nothing is drawn any more. */
  end(): void {
    this.clear()
    this.#over = true
  }
}
