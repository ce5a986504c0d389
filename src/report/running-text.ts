import { PHASES } from '../phases/phase.ts'
import { formatBitRate, formatBytes, formatCount, printable } from './format.ts'
import type { RunningMigration } from './running.ts'

/** What there is besides migrations under way. */
export interface Surroundings {
  readonly packets: number
  /** Migrations that were reported. */
  readonly reported: number
  /** Seconds since the last packet, by a clock elsewhere; 0 while they keep coming. */
  readonly silence_s: number
}

/** How things stand, in one line for a terminal. */
export function renderRunning(
  running: readonly RunningMigration[],
  { packets, reported, silence_s }: Surroundings,
): string {
  const silent = silence_s > 0
  const parts = running.map((migration) => migrationText(migration, silent))
  if (parts.length === 0) {
    const before = reported === 0 ? '' : `, ${formatCount(reported)} reported`
    parts.push(
      `No migration under way${before}; ${formatCount(packets)} ${packets === 1 ? 'packet' : 'packets'}`,
    )
  }
  const note = silent ? `[no packet for ${elapsed(Math.floor(silence_s), 0)}] ` : ''
  return `${note}${parts.join(' | ')}`
}

/** Times that this machine's clock had to tell are marked. */
function migrationText(migration: RunningMigration, silent: boolean): string {
  const { guest, through, phase_elapsed_s, elapsed_s } = migration
  const name = printable(guest ?? 'unnamed guest')
  if (through) return `${name}: over, waiting for late packets`
  const about = silent ? '~' : ''
  const inPhase = phase_elapsed_s === null ? '' : ` ${about}${elapsed(phase_elapsed_s, 1)}`
  return [
    `${name}: ${phaseText(migration)}${inPhase}`,
    ...trafficTexts(migration),
    `${about}${elapsed(elapsed_s, 1)} in all`,
  ].join(', ')
}

function phaseText({ phase, phase_over, storage, postCopy }: RunningMigration): string {
  if (storage) return 'Storage copy'
  const label = PHASES.find(({ id }) => id === phase)?.label ?? 'Beginning'
  if (phase_over) return `after ${label}`
  return postCopy ? `${label} (post-copy)` : label
}

function trafficTexts({ phase, storage, throughput_bps, bytes, rounds, last_round_bytes }: RunningMigration) {
  if (throughput_bps === null || (phase !== 'transfer' && !storage)) return []
  const texts = [formatBitRate(throughput_bps), formatBytes(bytes)]
  if (rounds > 0)
    texts.push(
      `round ${rounds + 1}${last_round_bytes === null ? '' : ` after ${formatBytes(last_round_bytes)} in the last`}`,
    )
  return texts
}

/** Seconds below a minute, else minutes and hours. */
function elapsed(seconds: number, digits: number): string {
  if (seconds < 60) return `${seconds.toFixed(digits)} s`
  const whole = Math.floor(seconds)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  const rest = two(whole % 60)
  return minutes < 60
    ? `${minutes}:${rest} min`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest} h`
}
