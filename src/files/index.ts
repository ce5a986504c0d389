export { type AnalyzeFileOptions, analyzeFile, type Progress } from './analyze.ts'
export { findCaptures } from './find.ts'
export { analyzeMergedFiles } from './merge.ts'
export { readPingLog } from './ping.ts'
