import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Direction } from '../../../src/events/connection.ts'
import { feed, type Piece } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { concat } from '../../support/libvirt.ts'
import { mutate, mutation } from '../mutation.ts'
import { PASSWORD, REQUESTS, RESPONSES, TOKEN } from './sample.ts'
import { HttpSubject } from './subject.ts'

function run(pieces: readonly Piece[], direction: Direction, midStream: boolean): HttpSubject {
  const subject = new HttpSubject({ direction, midStream, asked: direction === 'to-client' ? REQUESTS : [] })
  feed(subject.decoder, pieces)
  return subject
}

function check(pieces: readonly Piece[], direction: Direction, midStream: boolean): void {
  const subject = run(pieces, direction, midStream)
  const size = pieces.reduce((sum, p) => sum + (p instanceof Uint8Array ? p.length : p.gap), 0)
  // The shortest message is a status line.
  expect(subject.events.length).toBeLessThanOrEqual(REQUESTS.length + 1 + size / 13)
  expect(JSON.stringify(subject.events).length).toBeLessThan(10_000 + 60 * size)
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
  ['to-server', REQUESTS],
  ['to-client', RESPONSES],
] as const)(
  'mutated messages %s never throw, and stay bounded',
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

test('no cut and no gap lets a secret into an event', () => {
  const messages = concat(...REQUESTS)
  const places = fc.integer({ min: 0, max: messages.length })
  fc.assert(
    fc.property(places, fc.integer({ min: 0, max: 300 }), fc.boolean(), (at, size, mid) => {
      const pieces = [messages.subarray(0, at), { gap: size }, messages.subarray(at + size)]
      const said = JSON.stringify(run(pieces, 'to-server', mid).events)
      expect(said).not.toContain(TOKEN.slice(20, 40))
      expect(said).not.toContain(PASSWORD.slice(5))
    }),
    fuzz(500, 3),
  )
})

test('noise raises nothing that is unbounded', () => {
  const noise = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 })
  fc.assert(
    fc.property(noise, fc.boolean(), (pieces, mid) => {
      check(pieces, 'to-server', mid)
      check(pieces, 'to-client', mid)
    }),
    fuzz(500, 7),
  )
})

// Quadratic time would not end before the timeout.
test('time is linear in the size of what is searched', () => {
  const hostile = ['GET /', ' HTTP/1.1 ', 'HTTP/1.1 2', 'GET /a HTTP/1.1\n', '\n', 'x']
  for (const text of hostile) {
    const stream = new TextEncoder().encode(text.repeat(Math.ceil(4_000_000 / text.length)))
    run([stream], 'to-server', true)
    run([stream], 'to-client', true)
    run([stream], 'to-server', false)
  }
}, 20_000)
