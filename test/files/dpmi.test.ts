import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { CaptureReader } from '../../src/capture/open.ts'
import { CaptureSummary } from '../../src/capture/summary.ts'
import { Diagnostics } from '../../src/core/diagnostic.ts'
import { analyze } from '../../src/pipeline/analyzer.ts'
import { dpmi, type MeasuredPacket, measurementFrame, pcap } from '../support/capture.ts'

const CAPTURE = Uint8Array.from(gunzipSync(readFileSync('fixtures/libvirt-9.0/rpc-only.pcap.gz')))

/** Its packets, two interfaces by turns, as a measurement point would have seen them. */
function packetsOf(capture: Uint8Array): MeasuredPacket[] {
  const packets: MeasuredPacket[] = []
  const summary = new CaptureSummary()
  const reader = new CaptureReader(
    ({ packet, timeNs, bytes, start, end, originalLength }) => {
      const since1970 = (summary.startEpochNs ?? 0n) + BigInt(timeNs)
      const nic = `d0${packet % 2}`
      packets.push({ timeNs: since1970, frame: bytes.slice(start, end), originalLength, interface: nic })
    },
    summary,
    new Diagnostics(),
  )
  reader.push(capture)
  reader.end()
  return packets
}

const PACKETS = packetsOf(CAPTURE)
const migrationsOf = async (capture: Uint8Array) => (await analyze([capture])).migrations

test.each([5, 6, 7])('a capture converted to DPMI 0.%i tells the same migration', async (minor) => {
  const migrations = await migrationsOf(CAPTURE)
  expect(migrations).toHaveLength(1)
  expect(await migrationsOf(dpmi(PACKETS, { minor }))).toEqual(migrations)
})

test('a capture of measurement frames tells the migration that they carry', async () => {
  const carriers = PACKETS.map((packet, sequence) => ({
    // By another clock, a day later.
    timeNs: packet.timeNs + 86_400_000_000_007n,
    frame: measurementFrame({ sequence, packets: [packet] }),
  }))
  expect(await migrationsOf(pcap(carriers))).toEqual(await migrationsOf(CAPTURE))
})
