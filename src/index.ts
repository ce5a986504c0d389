export type { Diagnostic, Severity } from './core/diagnostic.ts'
export { InputError } from './core/input-error.ts'
export type { Failure, Outcome } from './phases/outcome.ts'
export { PHASES, type PhaseId } from './phases/phase.ts'
export { PingLog } from './phases/ping-log.ts'
export type { NamedPingLog } from './phases/ping-match.ts'
export { type Analysis, Analyzer, type AnalyzerOptions, analyze, type RunFacts } from './pipeline/analyzer.ts'
export { analyzeMerged, type CapturePoint } from './pipeline/merge/merger.ts'
export { assembleReport } from './report/assemble.ts'
export { renderJson, renderNdjson } from './report/json.ts'
export type {
  Boundary,
  CaptureReport,
  ConvergenceReport,
  DowntimeReport,
  EchoReport,
  Gap,
  HypervisorReport,
  InstantReport,
  Marker,
  MigrationReport,
  ModeReport,
  OpenStackReport,
  PhaseReport,
  Report,
  RoundReport,
  StorageReport,
  TransferReport,
} from './report/model.ts'
export { describeRunning, type Followed, type RunningMigration } from './report/running.ts'
