import fc from 'fast-check'
import type { Piece } from '../support/any-cut.ts'

/** Words that upset lengths, counts and line ends. */
const WORDS = [0, 1, 2, 3, 27, 28, 0x0a0d, 0xce, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 24, 2 ** 25]

/** One change to a stream: where (as a fraction), what. */
export const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  kind: fc.constantFrom('flip', 'word', 'delete', 'insert', 'gap'),
  size: fc.integer({ min: 1, max: 300 }),
  value: fc.constantFrom(...WORDS),
})

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

export function mutate(pieces: Piece[], change: Mutation): Piece[] {
  const index = Math.floor(change.at * pieces.length)
  const piece = pieces[index]
  if (!(piece instanceof Uint8Array) || piece.length < 4) return pieces
  const at = Math.floor(((change.at * pieces.length) % 1) * (piece.length - 3))
  const bytes = piece.slice()
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  const changed: Piece[] = [bytes]
  if (change.kind === 'flip') bytes[at] = (bytes[at] as number) ^ (change.size & 0xff)
  if (change.kind === 'word') new DataView(bytes.buffer).setUint32(at, change.value)
  if (change.kind === 'delete') changed.splice(0, 1, before, after.subarray(change.size))
  if (change.kind === 'insert')
    changed.splice(0, 1, before, new Uint8Array(change.size).fill(change.value), after)
  if (change.kind === 'gap') changed.splice(0, 1, before, { gap: change.size }, after.subarray(change.size))
  return pieces.toSpliced(index, 1, ...changed)
}
