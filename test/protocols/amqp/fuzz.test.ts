import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Direction } from '../../../src/events/connection.ts'
import { feed, type Piece } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { concat } from '../../support/libvirt.ts'
import { mutate, mutation } from '../mutation.ts'
import { FROM_BROKER, TO_BROKER, TOKEN } from './sample.ts'
import { AmqpSubject } from './subject.ts'

function run(pieces: readonly Piece[], direction: Direction, midStream: boolean): AmqpSubject {
  const subject = new AmqpSubject({ direction, midStream })
  feed(subject.decoder, pieces)
  return subject
}

function check(pieces: readonly Piece[], direction: Direction, midStream: boolean): void {
  const subject = run(pieces, direction, midStream)
  const size = pieces.reduce((sum, p) => sum + (p instanceof Uint8Array ? p.length : p.gap), 0)
  expect(subject.events.length).toBeLessThanOrEqual(1 + size / 12)
  expect(JSON.stringify(subject.events).length).toBeLessThan(10_000 + 80 * size)
  expect(JSON.stringify(subject.events)).not.toContain(TOKEN)
  expect(subject.bodies.used).toBe(0)
  expect(subject.diagnostics.list().length).toBeLessThan(4)
}

/** What was changed gives the same events whole and in small pieces. */
function checkCut(pieces: readonly Piece[], direction: Direction, midStream: boolean, step: number): void {
  const seen = (stream: readonly Piece[]) =>
    run(stream, direction, midStream).events.map(({ first, last, connection, ...rest }) => rest)
  const small = pieces.flatMap((piece): Piece[] => {
    if (!(piece instanceof Uint8Array)) return [piece]
    const count = Math.ceil(piece.length / step)
    return Array.from({ length: count }, (_, i) => piece.subarray(i * step, (i + 1) * step))
  })
  expect(seen(small)).toEqual(seen(pieces))
}

test.each([
  ['to-server', TO_BROKER],
  ['to-client', FROM_BROKER],
] as const)(
  'mutated frames %s never throw, and stay bounded',
  (direction, messages) => {
    const streams = fc.constantFrom<Piece[]>(
      [...messages],
      [concat(...messages)],
      [concat(...messages, ...messages)],
    )
    const changes = fc.array(mutation, { maxLength: 8 })
    fc.assert(
      fc.property(
        streams,
        changes,
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        (stream, list, mid, step) => {
          const pieces = list.reduce(mutate, stream)
          check(pieces, direction, mid)
          checkCut(pieces, direction, mid, step)
        },
      ),
      fuzz(500, 42),
    )
  },
  60_000,
)

test('noise raises nothing that is unbounded', () => {
  const noise = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 })
  fc.assert(
    fc.property(noise, fc.boolean(), (pieces, mid) => {
      check(pieces, 'to-server', mid)
    }),
    fuzz(500, 7),
  )
})

// Quadratic time would not end before the timeout.
test('time is linear in the size of what is searched', () => {
  const hostile = [
    [1],
    [1, 0, 1, 0, 0],
    [1, 0, 1, 0, 0, 0, 20, 0, 60, 0],
    [0],
    [1, 0, 1, 0, 0, 0, 13, 0, 60, 0, 80],
  ]
  for (const pattern of hostile) {
    const stream = Uint8Array.from({ length: 4_000_000 }, (_, i) => pattern[i % pattern.length] as number)
    run([stream], 'to-server', true)
    run([stream], 'to-client', false)
  }
}, 20_000)
