import { expect, test } from 'vitest'
import { type RecordParser, RecordStream } from '../../src/capture/records.ts'

/** Gives up each place after a look at the next `wanted` bytes, as a search does in bytes made to mislead it. */
class Misled implements RecordParser {
  readonly wanted = 300_000
  calls = 0
  held = 0

  parse(_bytes: Uint8Array, start: number, end: number): number {
    this.calls++
    this.held = Math.max(this.held, end - start)
    let offset = start
    while (end - offset >= this.wanted) offset += 4
    return offset
  }

  finish(): boolean {
    return true
  }
}

test('a search that gives up one small record after the other stays linear', () => {
  const parser = new Misled()
  const stream = new RecordStream(parser)
  const piece = new Uint8Array(1024 * 1024)
  const pieces = 16
  for (let i = 0; i < pieces; i++) stream.push(piece)
  expect(parser.calls).toBeLessThanOrEqual(4 * pieces)
  expect(parser.held).toBeLessThanOrEqual(piece.length + 2 * parser.wanted)
})
