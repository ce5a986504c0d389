import fc from 'fast-check'
import { expect, test } from 'vitest'
import { feed, type Piece } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { concat } from '../../support/libvirt.ts'
import { mutate, mutation } from '../mutation.ts'
import { CONVERSATION, TUNNELLED } from './sample.ts'
import { LibvirtSubject, only } from './subject.ts'

function check(pieces: readonly Piece[], direction: 'to-server' | 'to-client'): void {
  const subject = new LibvirtSubject({ direction })
  feed(subject.decoder, pieces)
  const size = pieces.reduce(
    (sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.gap),
    0,
  )
  expect(subject.events.length).toBeLessThanOrEqual(size / 28)
  expect(JSON.stringify(subject.events).length).toBeLessThan(2000 + 40 * size)
  expect(subject.bodies.used).toBe(0)
  expect(subject.inner.said.filter((said) => said === 'end')).toHaveLength(1)
  expect(subject.diagnostics.list().length).toBeLessThan(8)
}

/** What was changed gives the same events whole and in small pieces. */
function checkCut(pieces: readonly Piece[], direction: 'to-server' | 'to-client', step: number): void {
  const run = (stream: readonly Piece[]) => {
    const subject = new LibvirtSubject({ direction })
    feed(subject.decoder, stream)
    const events = subject.events.map(({ first, last, connection, ...rest }) => rest)
    return { events, inner: subject.inner.said }
  }
  const small = pieces.flatMap((piece): Piece[] => {
    if (!(piece instanceof Uint8Array)) return [piece]
    const count = Math.ceil(piece.length / step)
    return Array.from({ length: count }, (_, i) => piece.subarray(i * step, (i + 1) * step))
  })
  expect(run(small)).toEqual(run(pieces))
}

test.each([
  ['to-server', CONVERSATION],
  ['to-client', CONVERSATION],
  ['to-server', TUNNELLED],
  ['to-client', TUNNELLED],
] as const)(
  'mutated conversations %s never throw, and stay bounded',
  (direction, turns) => {
    const messages = only(turns, direction)
    const streams = fc.constantFrom<Piece[]>(messages, [concat(...messages)])
    const changes = fc.array(mutation, { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(streams, changes, fc.integer({ min: 1, max: 50 }), (stream, list, step) => {
        const pieces = list.reduce(mutate, stream)
        check(pieces, direction)
        checkCut(pieces, direction, step)
      }),
      fuzz(400, 42),
    )
  },
  60_000,
)

test('noise raises nothing that is unbounded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }), (pieces) => {
      check(pieces, 'to-server')
    }),
    fuzz(500, 7),
  )
})
