import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { CaptureReader } from '../../src/capture/open.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { Trace } from '../../src/pipeline/trace.ts'

/** The disks of the only migration of a capture. */
function disksOf(name: string): unknown[] {
  const diagnostics = new Diagnostics()
  const trace = new Trace(diagnostics)
  const reader = new CaptureReader((packet) => trace.packet(packet), new CaptureSummary(), diagnostics)
  reader.push(new Uint8Array(gunzipSync(readFileSync(`fixtures/${name}.pcap.gz`))))
  reader.end()
  const [migration] = trace.end([], null)
  return [...(migration?.libvirt?.disks.values() ?? [])]
}

const DISK = { exportName: 'drive-virtio-disk0', disconnected: true, errors: 0 }

/** Sums that were checked against the payload of the connection: what is left over is heads of 28 bytes and the options. */
it.each([
  [
    'libvirt-1.2.2/block-nbd',
    {
      sizeBytes: 16 * 2 ** 20,
      writes: { count: 7, bytes: 5 * 2 ** 20 },
      writeZeroes: { count: 0 },
      reads: { count: 1, bytes: 2048 },
      firstWrite: { packet: 214 },
      lastWrite: { packet: 4438 },
      complete: true,
      unread: { count: 0, bytes: 0 },
    },
  ],
  [
    'openstack-zed/block',
    {
      sizeBytes: 64 * 2 ** 20,
      writes: { count: 8, bytes: 97 * 2 ** 16 },
      flushes: 5,
      complete: true,
      unread: { count: 0, bytes: 0 },
    },
  ],
  [
    // Captured with 256 bytes a packet, which leaves out the heads of four writes.
    'libvirt-9.0/block-migration',
    {
      sizeBytes: 16 * 2 ** 20,
      writes: { count: 2, bytes: 5 * 2 ** 18 },
      writeZeroes: { count: 2, bytes: 11 * 2 ** 20 },
      flushes: 5,
      complete: false,
      unread: { count: 4, bytes: 4 * 2 ** 20 },
    },
  ],
])('%s: the migration knows what its disk carried', (name, sums) => {
  expect(disksOf(name)).toMatchObject([{ ...DISK, ...sums }])
})
