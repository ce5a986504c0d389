import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import type { EchoReport, Report } from '../../src/report/model.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'mig-phases-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const CAPTURE = 'fixtures/libvirt-9.0/idle.pcap.gz'
const EXPECTED: Report = JSON.parse(readFileSync('fixtures/libvirt-9.0/idle.expected.json', 'utf8'))

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(FOLDER, name)
  writeFileSync(path, bytes)
  return path
}

/** What `ping -D -i 0.01` prints whose guest does not answer from `fromMs` to `toMs` of the capture. */
function pingLog(target: string, fromMs: number, toMs: number, startEpochNs: bigint): string {
  const lines = [`PING ${target} (${target}) 56(84) bytes of data.`]
  for (let i = 0; i < 300; i++) {
    const sentMs = 10 * i
    if (sentMs >= fromMs && sentMs < toMs) continue
    const stamp = startEpochNs / 1000n + BigInt(sentMs * 1000 + 500)
    const text = `${stamp / 1_000_000n}.${String(stamp % 1_000_000n).padStart(6, '0')}`
    lines.push(`[${text}] 64 bytes from ${target}: icmp_seq=${i + 1} ttl=64 time=0.500 ms`)
  }
  return `${lines.join('\n')}\n\n--- ${target} ping statistics ---\n`
}

const START = BigInt(EXPECTED.captures[0]?.start_epoch_ns ?? 0)
/** Around the switch-over of the fixture: 1443 … 1487 ms. */
const LOG = pingLog('10.77.0.50', 1442, 1488, START)

async function icmpOf(...words: readonly string[]): Promise<EchoReport | null | undefined> {
  const { stdout } = await run([...words, '-f', 'json'])
  const report: Report = JSON.parse(stdout)
  return report.migrations[0]?.downtime.icmp
}

describe('the downtime as a pinging client has it', () => {
  test('a capture at the source does not pretend to know it', async () => {
    const icmp = await icmpOf(CAPTURE)
    expect(icmp).toMatchObject({ target: '10.77.0.50', source: 'capture', vantage: 'source' })
    expect([icmp?.lost, icmp?.gap_s, icmp?.lower_s, icmp?.upper_s]).toEqual([null, null, null, null])
    const { stdout } = await run([CAPTURE])
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'Ping of 10.77.0.50: this capture point does not see the losses (source).',
    )
  })

  test.each([
    ['ping.txt', LOG],
    ['ping.txt.gz', gzipSync(LOG)],
  ])('is read from what ping printed: %s', async (name, bytes) => {
    const path = file(name, bytes)
    const icmp = await icmpOf(CAPTURE, '--ping', path)
    expect(icmp).toMatchObject({ target: '10.77.0.50', source: 'ping-log', file: path, vantage: 'client' })
    expect(icmp?.lost).toBe(4)
    expect(icmp?.gap_s).toBeCloseTo(0.05, 6)
    expect(icmp?.lower_s).toBeCloseTo(0.03, 6)
    expect(icmp?.upper_s).toBeCloseTo(0.05, 6)
    expect(icmp?.lost_times_interval_s).toBeCloseTo(0.04, 6)
    const { stdout, stderr } = await run([CAPTURE, '--ping', path])
    expect(stderr).toBe('')
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'Ping of 10.77.0.50: 4 lost of 300 at 10.0 ms spacing, gap 50.0 ms (30.0 ms … 50.0 ms)',
    )
  })

  test('of several logs in a file, or several files, that of the guest counts', async () => {
    const other = pingLog('10.77.0.51', 2000, 2100, START)
    const both = file('both.txt', other + LOG)
    expect(await icmpOf(CAPTURE, '--ping', both)).toMatchObject({ target: '10.77.0.50', lost: 4 })
    const files = ['--ping', file('other.txt', other), '--ping', file('own.txt', LOG)]
    expect(await icmpOf(CAPTURE, ...files)).toMatchObject({ target: '10.77.0.50', lost: 4 })
  })

  test('a log of another guest, or of another time, is not used, and that is said', async () => {
    for (const log of [
      pingLog('10.77.0.51', 1442, 1488, START),
      pingLog('10.77.0.50', 1442, 1488, START - 3_600_000_000_000n),
    ]) {
      const path = file('unused.txt', log)
      const { status, stderr } = await run([CAPTURE, '--ping', path])
      expect([status, stderr]).toEqual([0, expect.stringContaining('unused.txt: not used')])
      expect(await icmpOf(CAPTURE, '--ping', path)).toMatchObject({ source: 'capture', vantage: 'source' })
    }
  })

  test('a file that is no log, or has no time stamps, is an input that cannot be used', async () => {
    for (const [name, text, reason] of [
      ['wrong.txt', '#!/bin/sh\n', 'is no output of ping -D'],
      ['plain.txt', '64 bytes from 10.77.0.50: icmp_seq=1 ttl=64 time=0.5 ms\n', 'run ping with -D'],
      ['empty.txt', '', 'is no output of ping -D'],
    ] as const) {
      const { status, stdout, stderr } = await run([CAPTURE, '--ping', file(name, text)])
      expect([status, stderr]).toEqual([1, expect.stringContaining(`${name} `)])
      expect(stderr).toContain(reason)
      expect(stdout).toContain('Transfer')
    }
    const missing = await run([CAPTURE, '--ping', join(FOLDER, 'missing.txt')])
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('does not exist')])
  })
})
