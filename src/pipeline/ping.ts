/** Logs of clients that ping: what `files` reads and the pipeline takes. */
export { beginsRun, PingLog } from '../phases/ping-log.ts'
export type { NamedPingLog } from '../phases/ping-match.ts'
