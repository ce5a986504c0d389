import { METRICS, type MetricId } from '../stats/metrics.ts'
import { type Cell, UNKNOWN_CELL } from './sheet.ts'

/** Downtimes are printed in milliseconds, as everybody quotes them; bytes as they are. */
function scaleOf(id: string): { readonly factor: number; readonly unit: string | null } {
  if (id === 'downtime') return { factor: 1000, unit: 'ms' }
  return { factor: 1, unit: id === 'wire_bytes' ? 'B' : null }
}

/** A metric's label as tables print it. */
export function labelOf(id: string, label: string): string {
  const { unit } = scaleOf(id)
  return unit === null ? label : `${label} (${unit})`
}

export function metricLabel(id: MetricId): string {
  return labelOf(id, METRICS.find((metric) => metric.id === id)?.label ?? id)
}

/** A figure of a metric, scaled, with the digits of the published tables. */
export function figure(id: string, value: number | null): Cell {
  const digits = id === 'wire_bytes' ? 0 : 4
  if (value === null) return UNKNOWN_CELL
  // What rounds to nothing has no sign.
  const text = (value * scaleOf(id).factor).toFixed(digits).replace(/^-(0(?:\.0+)?)$/, '$1')
  return { value, text }
}
