import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { analyzeFile } from '../../src/files/analyze.ts'
import type { MigrationReport } from '../../src/report/model.ts'

/** From QEMU's own STOP on the source to its RESUME on the destination, seconds: logged by both QEMUs while the fixtures
 *  were captured (one kernel clock). */
const STOPPED: readonly (readonly [fixture: string, seconds: number])[] = [
  ['libvirt-9.0/idle', 0.043192],
  ['libvirt-9.0/dirty-iter', 0.113181],
  ['libvirt-9.0/xbzrle', 0.084013],
  ['libvirt-9.0/multifd', 0.048856],
  ['libvirt-9.0/postcopy', 0.081606],
  ['libvirt-9.0/rpc-only', 0.027797],
  ['libvirt-9.0/block-migration', 0.033309],
  ['libvirt-9.0/slow-keepalive', 1.007961],
  ['libvirt-1.2.2/idle', 0.087217],
  ['libvirt-1.2.2/dirty', 0.112126],
  ['libvirt-1.2.2/block-nbd', 0.097396],
  ['libvirt-0.10.2/idle', 0.141489],
  ['libvirt-0.10.2/dirty', 0.684547],
  ['libvirt-9.0/multifd-dirty', 0.415424],
  ['libvirt-9.0/block-two-disks', 0.046901],
  ['libvirt-9.0/bandwidth-limited', 0.012084],
  ['libvirt-9.0/managed', 0.031649],
  ['libvirt-0.10.2/block-stream', 0.075816],
  ['qemu-7.2/multifd-zlib', 0.135551],
  ['qemu-7.2/compress', 0.076027],
  ['qemu-7.2/postcopy-preempt', 0.134373],
  ['openstack-zed/idle', 0.203349],
  ['openstack-zed/block', 0.129457],
]

/** How far half the bracket may be from the truth when libvirt's cookie can be read. */
const HALF_WIDTH_WITH_COOKIE_S = 0.005

describe('the downtime by the packets', () => {
  it.each(STOPPED)('%s: the bracket holds what QEMU says (%f s)', async (fixture, truth) => {
    const { best_s, lower_s, upper_s, method, stream } = (await migrationOf(fixture)).downtime
    expect(method).toBe('stream')
    expect(truth).toBeGreaterThanOrEqual(lower_s!)
    expect(truth).toBeLessThanOrEqual(upper_s!)
    expect(best_s).toBeGreaterThanOrEqual(lower_s!)
    expect(best_s).toBeLessThanOrEqual(upper_s!)
    if (stream.start?.rule === 'libvirt.cookie.stopped' && stream.end?.rule === 'rarp.first')
      expect((upper_s! - lower_s!) / 2).toBeLessThanOrEqual(HALF_WIDTH_WITH_COOKIE_S)
  })

  it('is unknown for a guest that was to stay paused, for an abort, and for a failure', async () => {
    for (const fixture of ['libvirt-1.2.2/suspended', 'libvirt-9.0/abort', 'libvirt-9.0/fail-conflict']) {
      const { downtime } = await migrationOf(fixture)
      expect([fixture, downtime.best_s, downtime.lower_s]).toEqual([fixture, null, null])
    }
  })

  it.each([
    ['libvirt-9.0/suspended', 'the guest is left paused at the destination'],
    ['libvirt-9.0/abort', 'the guest was not switched over, as far as the capture shows'],
    ['libvirt-9.0/tls-stream', 'the connections are encrypted'],
    ['libvirt-9.0/snaplen128', 'when the guest was stopped cannot be read'],
    ['qemu-7.2/postcopy-recovery', 'neither libvirt nor the whole memory stream'],
  ])('of %s is unknown, and the reason is said', async (fixture, reason) => {
    const { downtime } = await migrationOf(fixture)
    expect(downtime.best_s).toBeNull()
    expect(downtime.reason).toContain(reason)
  })

  it('of a guest that did not run has no stop', async () => {
    expect((await migrationOf('libvirt-9.0/suspended')).downtime.stream.start).toBeNull()
  })

  it('does not take the state-loaded announcement of old QEMU for the resume', async () => {
    const { downtime } = await migrationOf('libvirt-1.2.2/idle')
    expect(downtime.stream.end?.rule).toBe('libvirt.finish.call')
  })

  it('stands beside what the hypervisor reports', async () => {
    const { downtime, hypervisor } = await migrationOf('libvirt-9.0/idle')
    expect(downtime.hypervisor_s).toBeCloseTo(
      (hypervisor!.downtime_ms! - hypervisor!.clock_delta_ms!) / 1000,
      9,
    )
  })
})

async function migrationOf(fixture: string): Promise<MigrationReport> {
  const path = `fixtures/${fixture}.pcap.gz`
  expect(readFileSync(path).length).toBeGreaterThan(0)
  return (await analyzeFile(path)).migrations[0]!
}
