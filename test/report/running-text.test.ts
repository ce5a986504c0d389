import { describe, expect, test } from 'vitest'
import type { RunningMigration } from '../../src/report/running.ts'
import { renderRunning } from '../../src/report/running-text.ts'

const TRANSFER: RunningMigration = {
  guest: 'vm1',
  phase: 'transfer',
  phase_over: false,
  storage: false,
  postCopy: false,
  through: false,
  elapsed_s: 14.02,
  phase_elapsed_s: 12.34,
  throughput_bps: 945e6,
  bytes: 1.3e9,
  rounds: 2,
  last_round_bytes: 12.3e6,
}
const QUIET = { packets: 12_345, reported: 0, silence_s: 0 }

const one = (changes: Partial<RunningMigration>, silence_s = 0): string =>
  renderRunning([{ ...TRANSFER, ...changes }], { ...QUIET, silence_s })

describe('how things stand, in one line', () => {
  test('phase, throughput, bytes, round, time', () => {
    expect(one({})).toBe(
      'vm1: Transfer 12.3 s, 945.0 Mbit/s, 1.3 GB, round 3 after 12.3 MB in the last, 14.0 s in all',
    )
  })

  test.each<[string, Partial<RunningMigration>, string]>([
    [
      'before the first phase',
      { phase: null, phase_elapsed_s: null, elapsed_s: 0.5 },
      'vm1: Beginning, 0.5 s in all',
    ],
    [
      'the first round',
      { rounds: 0, last_round_bytes: null },
      'vm1: Transfer 12.3 s, 945.0 Mbit/s, 1.3 GB, 14.0 s in all',
    ],
    ['rounds of which no bytes are known', { last_round_bytes: null }, 'round 3, 14.0 s'],
    ['minutes', { phase_elapsed_s: 61.9, elapsed_s: 3599.9 }, 'Transfer 1:01 min'],
    ['hours', { elapsed_s: 90_061 }, '25:01:01 h in all'],
    ['no traffic where none is told', { phase: 'cleanup' }, 'vm1: Cleanup 12.3 s, 14.0 s in all'],
    [
      'between phases',
      { phase: 'prepare', phase_over: true, phase_elapsed_s: 0.1 },
      'vm1: after Preparation 0.1 s',
    ],
    ['disks', { phase: 'prepare', storage: true }, 'vm1: Storage copy 12.3 s, 945.0 Mbit/s'],
    ['post-copy', { postCopy: true }, 'Transfer (post-copy) 12.3 s'],
    ['late packets', { through: true }, 'vm1: over, waiting for late packets'],
    ['a guest without a name', { guest: null }, 'unnamed guest: Transfer'],
    ['a hostile name', { guest: 'a\u001b[2J\r\nb\u202e' }, 'a\\x1b[2J\\x0d\\x0ab\\u202e: Transfer'],
  ])('%s', (_what, changes, text) => {
    expect(one(changes)).toContain(text)
  })

  test('on a silent wire, times that another clock tells are marked', () => {
    expect(one({ throughput_bps: 0 }, 75.9)).toBe(
      '[no packet for 1:15 min] vm1: Transfer ~12.3 s, 0 bit/s, 1.3 GB, round 3 after 12.3 MB in the last, ~14.0 s in all',
    )
  })

  test('several at once, and none', () => {
    expect(renderRunning([TRANSFER, { ...TRANSFER, guest: 'vm2', through: true }], QUIET)).toMatch(
      / in all \| vm2: over, waiting for late packets$/,
    )
    expect(renderRunning([], QUIET)).toBe('No migration under way; 12,345 packets')
    expect(renderRunning([], { ...QUIET, reported: 1234 })).toBe(
      'No migration under way, 1,234 reported; 12,345 packets',
    )
  })
})
