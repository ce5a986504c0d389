/** Numbers on an axis: what they are multiplied with, and the unit that then holds. */
export interface AxisUnit {
  readonly factor: number
  readonly unit: string
}

/** A unit in which the largest value of a metric is a number that people read well.
 *  @param unit of the values: s, B or bit/s */
export function axisUnit(id: string, unit: string, largest: number): AxisUnit {
  if (id === 'downtime') return { factor: 1000, unit: 'ms' }
  if (unit === 's') return largest < 0.1 ? { factor: 1000, unit: 'ms' } : { factor: 1, unit: 's' }
  const steps = ['', 'k', 'M', 'G', 'T']
  const step = largest < 1000 ? 0 : Math.min(steps.length - 1, Math.floor(Math.log10(largest) / 3))
  return { factor: 1000 ** -step, unit: `${steps[step]}${unit}` }
}
