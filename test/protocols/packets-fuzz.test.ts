import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Evidence } from '../../src/core/evidence.ts'
import type { EventSink, ProtocolEvent } from '../../src/events/event.ts'
import { decodeIcmp } from '../../src/protocols/icmp/decoder.ts'
import { decodeRarp } from '../../src/protocols/rarp/decoder.ts'
import { rarp } from '../support/capture.ts'
import { fuzz } from '../support/fuzz.ts'

type Decode = (bytes: Uint8Array, start: number, end: number, at: Evidence, sink: EventSink) => void

const ENDS = { source: '10.0.0.1', destination: '10.0.0.2', sourceMac: null, destinationMac: null }
const icmp =
  (version: 4 | 6): Decode =>
  (bytes, start, end, at, sink) =>
    decodeIcmp(bytes, start, end, version, ENDS, at, sink)

const REQUEST = Uint8Array.of(8, 0, 0, 0, 0x41, 0xa8, 0, 93, 1, 2, 3, 4, 5, 6, 7, 8)
const REQUEST6 = Uint8Array.from(REQUEST, (byte, index) => (index === 0 ? 128 : byte))

/** Decodes bytes between others. */
function run(decode: Decode, bytes: Uint8Array, filler: number): ProtocolEvent[] {
  const around = new Uint8Array(bytes.length + 128).fill(filler)
  around.set(bytes, 64)
  const events: ProtocolEvent[] = []
  decode(around, 64, 64 + bytes.length, { packet: 1, timeNs: 0 }, (event) => events.push(event))
  return events
}

test.each<[string, Decode, Uint8Array]>([
  ['ICMP', icmp(4), REQUEST],
  ['ICMPv6', icmp(6), REQUEST6],
  ['RARP', decodeRarp, rarp('52:54:00:77:00:50')],
])('%s: what was changed or cut never throws, and nothing beside it is read', (_name, decode, packet) => {
  expect(run(decode, packet, 0)).toHaveLength(1)
  const change = fc.record({ at: fc.nat(packet.length - 1), value: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(packet.length), (changes, size) => {
      const bytes = packet.slice(0, size)
      for (const { at, value } of changes) if (at < size) bytes[at] = value
      const events = run(decode, bytes, 0)
      expect(events.length).toBeLessThanOrEqual(1)
      expect(run(decode, bytes, 0xff)).toEqual(events)
      expect(run(decode, bytes, 0x08)).toEqual(events)
    }),
    fuzz(3000, 20261128),
  )
})
