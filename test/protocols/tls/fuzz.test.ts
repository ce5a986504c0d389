import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Diagnostics } from '../../../src/core/diagnostic.ts'
import { TLS_RECORDS_MAX } from '../../../src/core/limits.ts'
import type { Connection } from '../../../src/events/connection.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import { TlsDecoder } from '../../../src/protocols/tls/decoder.ts'
import { feed, type Piece } from '../../support/any-cut.ts'
import { fuzz } from '../../support/fuzz.ts'
import { mutate, mutation } from '../mutation.ts'

const record = (type: number, size: number): Uint8Array =>
  Uint8Array.of(type, 3, 3, size >>> 8, size & 0xff, ...new Array<number>(size).fill(type))

/** A handshake, and what a conversation of libvirt's looks like. */
const RECORDS = [
  record(22, 300),
  record(22, 122),
  record(20, 1),
  ...[90, 2048, 45, 16_384 + 17, 45, 61].map((size) => record(23, size)),
]

function run(pieces: readonly Piece[]) {
  const events: ProtocolEvent[] = []
  const diagnostics = new Diagnostics()
  const connection = { id: 0 } as Connection
  const decoder = new TlsDecoder({
    connection,
    direction: 'to-server',
    sink: (event) => events.push(event),
    diagnostics,
  })
  feed(decoder, pieces)
  return { events, codes: diagnostics.list().map(({ code }) => code) }
}

test('mutated records never throw, stay bounded, and are the same in any cut', () => {
  const changes = fc.array(mutation, { maxLength: 8 })
  fc.assert(
    fc.property(changes, fc.integer({ min: 1, max: 700 }), (list, step) => {
      const pieces = list.reduce(mutate, [...RECORDS] as Piece[])
      const small = pieces.flatMap((piece): Piece[] => {
        if (!(piece instanceof Uint8Array)) return [piece]
        const count = Math.ceil(piece.length / step)
        return Array.from({ length: count }, (_, i) => piece.subarray(i * step, (i + 1) * step))
      })
      const whole = run(pieces)
      const size = pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : 0), 0)
      expect(whole.events.length).toBeLessThanOrEqual(Math.min(TLS_RECORDS_MAX, size / 5))
      const told = ({ events, codes }: ReturnType<typeof run>) => [
        events.map(({ first, last, ...rest }) => rest),
        codes,
      ]
      expect(told(run(small))).toEqual(told(whole))
    }),
    fuzz(1000, 20261128),
  )
})
