import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../src/core/input-error.ts'
import { KeptBytes } from '../../src/redact/kept-bytes.ts'
import { RedactedCopy } from '../../src/redact/redacted-copy.ts'
import { boundaries, migrate, told, WHOLE } from '../pipeline/synthetic.ts'
import { capture, damage, dpmi, Pcapng, pcap, Wire } from '../support/capture.ts'
import { fuzz } from '../support/fuzz.ts'
import { analyse, eachPacket, KEY, redact } from './redacted.ts'

const PASSED = migrate(new Wire()).passed
const PACKETS = capture(PASSED)

function pcapng(byteOrder: 'little' | 'big'): Uint8Array {
  const made = new Pcapng(byteOrder).interface({ resolution: 9, name: 'eth-of-acme', offsetSeconds: 3600n })
  for (const packet of PACKETS) made.enhanced(packet, 0, { drops: 2 })
  return made.bytes()
}

const FILES: Readonly<Record<string, Uint8Array>> = {
  'pcap, ns': pcap(PACKETS),
  'pcap, µs, big-endian': pcap(PACKETS, { form: 'us', byteOrder: 'big' }),
  'pcap with check sequences': pcap(PACKETS, { fcsSize: 4 }),
  'pcapng, little-endian': pcapng('little'),
  'pcapng, big-endian': pcapng('big'),
  DPMI: dpmi(PACKETS),
}

describe.each(Object.entries(FILES))('%s', (name, bytes) => {
  test('becomes a pcapng with the same packets and phases', () => {
    const redacted = redact(bytes)
    const [before, after] = [told(analyse(bytes)), told(analyse(redacted.bytes))]
    expect(after.capture.format).toBe('pcapng')
    expect(after.capture).toMatchObject({
      packets: before.capture.packets,
      captured_bytes: before.capture.captured_bytes,
      start_epoch_ns: before.capture.start_epoch_ns,
      dropped_packets: before.capture.dropped_packets,
    })
    if (name !== 'pcap with check sequences')
      expect(boundaries(after.migrations[0] as never, PASSED)).toEqual(WHOLE)
    expect(Buffer.from(redacted.bytes).includes('acme')).toBe(false)
  })

  test('any cut of the file gives the same bytes', () => {
    const whole = redact(bytes)
    for (const cut of [977, 4096]) expect(Buffer.compare(redact(bytes, KEY, cut).bytes, whole.bytes)).toBe(0)
  })
})

test('the same key gives the same bytes, another one other names', () => {
  const [bytes] = Object.values(FILES) as [Uint8Array]
  const [one, again, other] = [redact(bytes), redact(bytes), redact(bytes, Uint8Array.of(1, 2, 3))]
  expect(Buffer.compare(one.bytes, again.bytes)).toBe(0)
  const names = ({ bytes }: { readonly bytes: Uint8Array }): unknown =>
    told(analyse(bytes)).migrations[0]?.domain
  expect(names(other)).not.toEqual(names(one))
})

test.each(['duplicate', 'retransmit', 'delay', 'overlap', 'lose'] as const)(
  '%s: damaged segments tell the same as in the original',
  (kind) => {
    for (let index = 3; index < PASSED.length; index += Math.ceil(PASSED.length / 25)) {
      const original = pcap(capture(damage(PASSED, kind, index)))
      const [before, after] = [told(analyse(original)), told(analyse(redact(original).bytes))]
      const facts = ({ migrations, capture }: typeof before): unknown => [
        migrations.map(({ phases, outcome, transfer }) => ({ phases, outcome, transfer })),
        capture.diagnostics,
      ]
      expect([kind, index, facts(after)]).toEqual([kind, index, facts(before)])
    }
  },
)

test('what is no capture is refused', () => {
  expect(() => redact(new TextEncoder().encode('GIF89a, and nothing else that could be read'))).toThrow(
    InputError,
  )
})

test('damage anywhere does not stop it, and packets that are read come through', () => {
  const original = Uint8Array.from(gunzipSync(readFileSync('fixtures/built/check-refused.pcap.gz')))
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 24, max: original.length - 1 }), fc.integer({ min: 0, max: 255 })),
        { maxLength: 40 },
      ),
      (changes) => {
        const damaged = original.slice()
        for (const [at, value] of changes) damaged[at] = value
        const { bytes } = redact(damaged)
        const [before, after] = [eachPacket(damaged, () => {}), eachPacket(bytes, () => {})]
        expect([after.packets, after.capturedBytes]).toEqual([before.packets, before.capturedBytes])
        expect(Buffer.from(bytes).includes('fake-password')).toBe(false)
        expect(Buffer.from(bytes).includes('fake-token')).toBe(false)
      },
    ),
    fuzz(60, 7),
  )
})

test('memory is bounded: what waits too long goes without what was not decided', () => {
  const wire = new Wire()
  // A start of a message that never ends holds up all that follows.
  const stuck = wire.connection({ name: 'stuck', client: '10.0.0.1:1', server: '10.0.0.2:2' }).open()
  stuck.send('client', new TextEncoder().encode('GE'), 'half a method')
  const packets = capture(wire.passed)
  const filler = capture(new Wire().packet(0x88cc, new Uint8Array(60_000), 'filler').passed)[0]
  const copy = new RedactedCopy({ key: KEY }, () => {})
  let written = 0
  const counting = new RedactedCopy({ key: KEY }, (block) => {
    written += block.length
  })
  const head = pcap(packets)
  const record = pcap([filler as never]).subarray(24)
  for (const each of [copy, counting]) each.push(head)
  for (let i = 0; i < 1300; i++) counting.push(record)
  expect(counting.blanked.undecidedPackets).toBe(1)
  expect(written).toBeGreaterThan(1_000_000)
  counting.end()
  expect(counting.packets).toBe(packets.length + 1300)
})

test('bytes that are kept are found again, as in a plain map', () => {
  const additions = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 200 }), fc.uint8Array({ minLength: 1, maxLength: 9 })),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(
      additions,
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      (parts, from, size) => {
        const kept = new KeptBytes()
        const model = new Map<number, number>()
        for (const [at, bytes] of parts) {
          if ([...bytes.keys()].some((i) => model.has(at + i))) continue
          kept.add(at, bytes)
          for (const [i, byte] of bytes.entries()) model.set(at + i, byte)
        }
        const target = new Uint8Array(size)
        const copied = kept.copy(from, size, target, 0)
        expect([...target]).toEqual(Array.from({ length: size }, (_, i) => model.get(from + i) ?? 0))
        expect(copied).toBe([...model.keys()].filter((at) => at >= from && at < from + size).length)
      },
    ),
    { seed: 3 },
  )
})
