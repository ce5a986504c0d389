import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Kept, Slots } from '../../src/net/slots.ts'

test('what is kept stays as it was until it is released, whatever else is kept meanwhile', () => {
  const sizes = fc.oneof(fc.integer({ min: 0, max: 2100 }), fc.constantFrom(1023, 1024, 2048, 2049, 131_072))
  fc.assert(
    fc.property(fc.array(fc.record({ size: sizes, release: fc.nat() }), { maxLength: 60 }), (steps) => {
      const slots = new Slots()
      const held: { kept: Kept; copy: Uint8Array }[] = []
      steps.forEach(({ size, release }, step) => {
        const bytes = Uint8Array.from({ length: size + 2 }, (_, i) => (i * 7 + step * 31) & 0xff)
        held.push({ kept: slots.keep(bytes, 1, size + 1), copy: bytes.slice(1, size + 1) })
        bytes.fill(0)
        if (release % 3 === 0)
          for (const { kept } of held.splice(release % held.length, 1)) slots.release(kept)
        for (const { kept, copy } of held)
          expect(Buffer.compare(kept.bytes.subarray(kept.start, kept.end), copy)).toBe(0)
      })
    }),
    { seed: 20261128, numRuns: 50 },
  )
})

test('released room is used again; an array of its own is not kept, however large', () => {
  const slots = new Slots()
  const [first, large] = [
    slots.keep(new Uint8Array(1448), 0, 1448),
    slots.keep(new Uint8Array(131_072), 0, 131_072),
  ]
  slots.release(large)
  slots.release(first)
  for (let i = 0; i < 1000; i++) {
    const kept = slots.keep(new Uint8Array(2000), 0, 2000)
    expect(kept.bytes).toBe(first.bytes)
    slots.release(kept)
  }
})
