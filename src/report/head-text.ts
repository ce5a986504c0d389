import { printable } from './format.ts'
import type { MigrationReport } from './model.ts'

/** Where it went wrong, and what was said. */
export function failureText(failure: NonNullable<MigrationReport['failure']>): string {
  const code = failure.code === null ? '' : ` (libvirt error ${failure.code})`
  const where = [failure.phase, failure.step].filter((part) => part !== null).join(', ')
  const what = failure.class === null ? failure.message : `${failure.class}: ${failure.message}`
  return `${where === '' ? '' : `in ${where}: `}${printable(what)}${code}`
}

/** What kind of migration it was, in words; empty where nothing tells. */
export function modeText({ mode, libvirt_connection_time_s: rpc, transfer }: MigrationReport): string {
  if (rpc === null && transfer.connections === 0) return ''
  if (mode.flags === null) return mode.tls ? 'encrypted (TLS)' : 'flags not captured'
  const words = [
    mode.memory === 'none' ? 'offline' : mode.live === true ? 'live' : 'not live',
    mode.memory === 'post-copy' ? 'post-copy' : mode.post_copy === true ? 'post-copy allowed' : null,
    mode.paused === true ? 'paused' : null,
    mode.peer2peer === true ? 'peer-to-peer' : 'managed by the client',
    mode.tunnelled ? 'tunnelled' : null,
    mode.multifd_channels > 0 ? `${mode.multifd_channels} multifd channels` : null,
    mode.storage === null ? null : `storage ${mode.storage}`,
    mode.compression,
    mode.bandwidth_limit_mib_s === null ? null : `limited to ${mode.bandwidth_limit_mib_s} MiB/s`,
    `flags ${mode.flags.join(' ')}`,
  ]
  return words.filter((word) => word !== null).join(', ')
}
