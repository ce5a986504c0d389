import { describe, expect, it } from 'vitest'
import { type ConvergenceFacts, describeConvergence } from '../../src/report/convergence.ts'
import type { RoundReport } from '../../src/report/model.ts'

const PAGE = 4096
/** 100 Mbit/s. */
const PAGES_PER_SECOND = 100e6 / 8 / PAGE

/** Rounds of so many pages, at 100 Mbit/s: all but the first repeat pages. */
function roundsOf(...pages: number[]): RoundReport[] {
  let at = 0
  return pages.map((normal, index) => {
    const start_s = at
    const duration = normal / PAGES_PER_SECOND
    at += duration
    const next = pages[index + 1]
    return {
      index,
      start_s,
      end_s: at,
      normal_pages: normal,
      zero_pages: 0,
      xbzrle_pages: 0,
      compressed_pages: 0,
      repeated_pages: index === 0 ? 0 : normal,
      bytes: normal * PAGE,
      throughput_bps: 100e6,
      dirty_rate_bps: next === undefined ? null : (next * PAGE * 8) / duration,
    }
  })
}

function judge(pages: number[], more: Partial<ConvergenceFacts> = {}) {
  return describeConvergence({
    rounds: roundsOf(...pages),
    reason: null,
    pageSize: PAGE,
    memoryBytes: 100_000 * PAGE,
    outcome: 'completed',
    postCopied: false,
    throttle: 0,
    downtimeLimitS: 0.3,
    ...more,
  })
}

describe('a migration that completed', () => {
  it.each([
    ['in one round', [100_000]],
    ['in two', [100_000, 50]],
    ['while what was left shrank', [100_000, 10_000, 2000, 400]],
    ['with a last few rounds that fitted the downtime limit', [100_000, 5000, 400, 400, 410]],
  ])('%s converged', (_how, pages) => {
    expect(judge(pages)).toMatchObject({ verdict: 'converged', required_bandwidth_bps: null })
  })

  it('after rounds that did not shrink was marginal, and says what would have been enough', () => {
    const { verdict, sentence, required_bandwidth_bps } = judge([100_000, 30_000, 30_000, 5000])
    expect(verdict).toBe('marginal')
    expect(required_bandwidth_bps).toBeCloseTo((30_000 * PAGE * 8) / 0.3)
    expect(sentence).toContain('did not in 1 of the steps')
    expect(sentence).toContain('3.3 Gbit/s, this bandwidth a limit of 9830.4 ms')
  })

  it('because the guest was throttled was marginal', () => {
    expect(judge([100_000, 10_000, 50], { throttle: 40 })).toMatchObject({
      verdict: 'marginal',
      sentence: expect.stringContaining('slowed the guest down by 40 %'),
      required_bandwidth_bps: null,
    })
  })
})

describe('a migration that was cancelled', () => {
  it('while what was left did not shrink was not converging', () => {
    const { verdict, sentence, required_bandwidth_bps } = judge([100_000, 99_000, 99_500, 99_000, 500], {
      outcome: 'aborted',
    })
    expect(verdict).toBe('not_converging')
    expect(sentence).toMatch(
      /^Cancelled without converging after 5 rounds, .* dirtied against 100.0 Mbit\/s sent/,
    )
    expect(required_bandwidth_bps).toBeCloseTo((99_500 * PAGE * 8) / 0.3)
  })

  it('while what was left shrank slowly was marginal', () => {
    expect(judge([100_000, 70_000, 50_000, 10], { outcome: 'aborted' }).verdict).toBe('marginal')
  })

  it.each([
    ['while it converged', [100_000, 10_000, 1000, 10]],
    ['in its second round', [100_000, 10]],
    ['in its first round', [60_000]],
  ])('%s is not judged', (_when, pages) => {
    expect(judge(pages, { outcome: 'aborted' })).toMatchObject({
      verdict: null,
      required_bandwidth_bps: null,
    })
  })

  it('before all of memory had passed is not judged by the few pages that repeat', () => {
    const { verdict, sentence } = judge([50_000, 1, 1], { outcome: 'aborted' })
    expect(verdict).toBeNull()
    expect(sentence).toContain('8.2 kB of it twice')
  })

  it('in its first round tells how long that would have taken', () => {
    const { sentence } = judge([60_000], { outcome: 'aborted' })
    expect(sentence).toContain('Cancelled in the first pass over memory: 245.8 MB of 409.6 MB')
    expect(sentence).toContain('the first pass alone takes 32.8 s')
  })
})

it('the switch to post-copy ends pre-copy, not its convergence', () => {
  expect(judge([100_000, 99_000, 99_000, 10], { postCopied: true })).toMatchObject({
    verdict: 'not_converging',
    sentence: expect.stringMatching(/^Switched to post-copy without converging/),
  })
})

it('without rounds nothing is judged, and the reason is said', () => {
  expect(judge([], { rounds: null, reason: 'bytes are missing' })).toMatchObject({
    verdict: null,
    sentence: 'Not judged: bytes are missing.',
    bandwidth_bps: null,
    required_bandwidth_bps: null,
  })
})
