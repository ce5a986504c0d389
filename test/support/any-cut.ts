import { expect } from 'vitest'
import type { Evidence } from '../../src/core/evidence.ts'
import type { StreamDecoder } from '../../src/core/stream-decoder.ts'

/** Bytes, or a run of bytes that passed but were not captured. */
export type Piece = Uint8Array | { readonly gap: number }

/** A fresh decoder and what it has said so far. */
export interface Subject {
  readonly decoder: StreamDecoder
  readonly seen: () => unknown
}

/** Checks that a stream gives the same events when it is cut in two anywhere, and when it comes byte by byte,
 *  as when it comes whole. Gaps are cut too. Evidence and connections are left out of the comparison. Each
 *  push lends its bytes from inside a larger buffer, which is overwritten afterwards: a decoder that keeps
 *  what is only lent fails.
 *  @returns what was seen of the whole stream
 *  @param step cut at every step-th position only, for long streams */
export function expectAnyCut(make: () => Subject, stream: Uint8Array | readonly Piece[], step = 1): unknown {
  const pieces = stream instanceof Uint8Array ? [stream] : stream
  const size = pieces.reduce((sum, piece) => sum + pieceSize(piece), 0)
  const whole = run(make, pieces)
  for (let at = step; at < size; at += step) {
    expect(run(make, cut(pieces, at)), `cut in two at ${at} of ${size}`).toEqual(whole)
  }
  expect(run(make, pieces.flatMap(singles)), 'byte by byte').toEqual(whole)
  return whole
}

/** Feeds the pieces, each as a packet of its own, and ends the stream. */
export function feed(decoder: StreamDecoder, pieces: readonly Piece[]): void {
  const at: { packet: number; timeNs: number } & Evidence = { packet: 0, timeNs: 0 }
  for (const piece of pieces) {
    at.packet++
    at.timeNs += 1000
    if (piece instanceof Uint8Array) lend(decoder, piece, at)
    else decoder.gap(piece.gap, at)
  }
  decoder.end(at)
}

function run(make: () => Subject, pieces: readonly Piece[]): unknown {
  const subject = make()
  feed(subject.decoder, pieces)
  return withoutEvidence(subject.seen())
}

const MARGIN = 7

function lend(decoder: StreamDecoder, bytes: Uint8Array, at: Evidence): void {
  const buffer = new Uint8Array(bytes.length + 2 * MARGIN).fill(0xee)
  buffer.set(bytes, MARGIN)
  decoder.push(buffer, MARGIN, MARGIN + bytes.length, at)
  buffer.fill(0xdd)
}

function pieceSize(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.length : piece.gap
}

function cut(pieces: readonly Piece[], position: number): Piece[] {
  let left = position
  return pieces.flatMap((piece) => {
    const at = left
    const size = pieceSize(piece)
    left -= size
    if (at <= 0 || at >= size) return [piece]
    return piece instanceof Uint8Array
      ? [piece.subarray(0, at), piece.subarray(at)]
      : [{ gap: at }, { gap: size - at }]
  })
}

function singles(piece: Piece): Piece[] {
  return piece instanceof Uint8Array
    ? Array.from(piece, (_, i) => piece.subarray(i, i + 1))
    : Array.from({ length: piece.gap }, () => ({ gap: 1 }))
}

const EVIDENCE_KEYS = new Set(['first', 'last', 'at', 'connection'])

function withoutEvidence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEvidence)
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([key]) => !EVIDENCE_KEYS.has(key))
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutEvidence(inner)]))
}
