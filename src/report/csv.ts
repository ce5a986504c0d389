import { METRICS } from '../stats/metrics.ts'
import { renderCsv } from './csv-text.ts'
import { runOf } from './metrics-of.ts'
import type { GroupReport, MigrationReport } from './model.ts'

/** A row for each migration: what it was, its factors, and all metrics in their own units. */
export function renderMigrationsCsv(migrations: readonly MigrationReport[]): string {
  const factors = [...new Set(migrations.flatMap((migration) => Object.keys(migration.factors)))]
  const header = [
    'capture',
    'index',
    'domain',
    'uuid',
    'source',
    'destination',
    'kind',
    'memory_mode',
    'outcome',
    ...factors,
    ...METRICS.map(({ id, unit }) => `${id}_${unit === 's' ? 's' : 'bytes'}`.replace('bytes_bytes', 'bytes')),
    'downtime_lower_s',
    'downtime_upper_s',
    'downtime_method',
  ]
  const rows = migrations.map((migration) => {
    const { capture, index, domain, source, destination, kind, mode, outcome, downtime } = migration
    const { metrics } = runOf(migration)
    return [
      capture,
      index,
      domain.name,
      domain.uuid,
      source.hostname ?? source.address,
      destination.hostname ?? destination.address,
      kind,
      mode.memory,
      outcome,
      ...factors.map((name) => migration.factors[name] ?? null),
      ...METRICS.map(({ id }) => metrics[id] ?? null),
      downtime.lower_s,
      downtime.upper_s,
      downtime.method,
    ]
  })
  return renderCsv(header, rows)
}

/** A row for each group and metric, at full precision. */
export function renderGroupsCsv(groups: readonly GroupReport[]): string {
  const names = [...new Set(groups.flatMap(({ key }) => Object.keys(key)))]
  const figures = [
    'n',
    'mean',
    'sd',
    'ci95_half_width',
    'ci95_low',
    'ci95_high',
    'cov',
    'median',
    'min',
    'max',
    'max_min_ratio',
    'share_of_total',
  ] as const
  const header = [...names, 'migrations', 'failed', 'metric', 'label', 'unit', ...figures, 'outliers']
  const rows = groups.flatMap(({ key, migrations, failed, metrics }) =>
    metrics.map((metric) => [
      ...names.map((name) => key[name] ?? null),
      migrations,
      failed,
      metric.id,
      metric.label,
      metric.unit,
      ...figures.map((figure) => metric[figure]),
      metric.outliers.length,
    ]),
  )
  return renderCsv(header, rows)
}
