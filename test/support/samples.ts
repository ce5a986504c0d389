/** A sample with exactly this mean and sample standard deviation (but for rounding): pairs that lie evenly on both sides of
 *  the mean, and the mean itself when n is odd. All values differ when sd is not 0, none is outside Tukey's fences, and all
 *  are positive while sd is below 0.76 mean.
 *  @param n at least 2 */
export function sampleWith(mean: number, sd: number, n: number): number[] {
  const pairs = Math.floor(n / 2)
  // From 1 to 2: far from the mean, so that the farthest is not very far.
  const distances = Array.from({ length: pairs }, (_, i) => 1 + i / Math.max(1, pairs - 1))
  const squares = 2 * distances.reduce((sum, distance) => sum + distance ** 2, 0)
  const unit = sd * Math.sqrt((n - 1) / squares)
  const below = distances.map((distance) => mean - unit * distance)
  const above = distances.map((distance) => mean + unit * distance)
  return [...below.reverse(), ...(n % 2 === 1 ? [mean] : []), ...above]
}

/** A sample with exactly this mean and sample standard deviation (but for rounding): all values a little below the mean, but the
 *  first one, which is far above. The smallest is only sd / √n below the mean, so that parts that vary much still fit into a
 *  whole that does not.
 *  @param n at least 2 */
export function skewedSampleWith(mean: number, sd: number, n: number): number[] {
  const step = sd / Math.sqrt(n)
  return Array.from({ length: n }, (_, i) => (i === 0 ? mean + (n - 1) * step : mean - step))
}

/** A row of a published table, rounded as printed. */
export interface PrintedRow {
  readonly mean: number
  readonly sd: number
  /** Of a 95 % interval by the normal distribution. */
  readonly ci95_half_width: number
  readonly cov_percent: number
}

export type PrintedColumn = keyof PrintedRow

/** The normal distribution's 97.5 % quantile that the tables were computed with: where they print six digits, 1.96 does not
 *  fit. */
const Z_975 = 1.959964

/** Digits after the point that the tables print; a number with more was printed with more. */
const PRINTED_DIGITS: Record<PrintedColumn, number> = { mean: 4, sd: 4, ci95_half_width: 4, cov_percent: 2 }

export function digitsOf(row: PrintedRow, column: PrintedColumn): number {
  const printed = `${row[column]}`.split('.')[1]?.length ?? 0
  return Math.max(PRINTED_DIGITS[column], printed)
}

/** A mean and a standard deviation that round to what a row prints.
 *  @param heeded columns that the two have to fit besides mean and sd
 *  @returns null when no mean and standard deviation fit: the row contradicts itself */
export function momentsBehind(
  row: PrintedRow,
  n: number,
  heeded: readonly PrintedColumn[] = ['ci95_half_width', 'cov_percent'],
): { readonly mean: number; readonly sd: number } | null {
  let mean = printedAs(row, 'mean')
  let sd = printedAs(row, 'sd')
  if (heeded.includes('ci95_half_width')) {
    const widths = Math.sqrt(n) / Z_975
    const half = printedAs(row, 'ci95_half_width')
    sd = both(sd, { low: half.low * widths, high: half.high * widths })
  }
  if (heeded.includes('cov_percent')) {
    const percent = printedAs(row, 'cov_percent')
    mean = both(mean, { low: (100 * sd.low) / percent.high, high: (100 * sd.high) / percent.low })
    const middle = (mean.low + mean.high) / 2
    sd = both(sd, { low: (percent.low * middle) / 100, high: (percent.high * middle) / 100 })
  }
  if (mean.low > mean.high || sd.low > sd.high) return null
  return { mean: (mean.low + mean.high) / 2, sd: (sd.low + sd.high) / 2 }
}

interface Range {
  readonly low: number
  readonly high: number
}

/** What a printed number may have been before it was rounded. */
function printedAs(row: PrintedRow, column: PrintedColumn): Range {
  const half = 0.5 * 10 ** -digitsOf(row, column)
  return { low: row[column] - half, high: row[column] + half }
}

function both(one: Range, other: Range): Range {
  return { low: Math.max(one.low, other.low), high: Math.min(one.high, other.high) }
}
