const BARS = '▁▂▃▄▅▆▇█'
const WIDTH = 60

/** Values as bars of eight heights, the largest the highest; of more values than fit, means over neighbours. */
export function sparkline(values: readonly number[]): string {
  const columns = Math.min(values.length, WIDTH)
  const means = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns)
    const to = Math.floor(((column + 1) * values.length) / columns)
    return values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from)
  })
  const top = means.reduce((largest, value) => Math.max(largest, value), 0)
  return means.map((value) => BARS[top === 0 ? 0 : Math.round((value / top) * 7)]).join('')
}
