import { expect } from 'vitest'
import { BodyBudget } from '../../src/core/body-budget.ts'
import { type Diagnostic, Diagnostics } from '../../src/core/diagnostic.ts'
import { ROUND_MAPS_TOTAL_MAX } from '../../src/core/limits.ts'
import type { StreamDecoder } from '../../src/core/stream-decoder.ts'
import type { Connection } from '../../src/events/connection.ts'
import type { ProtocolEvent } from '../../src/events/event.ts'
import type { QemuEnd, QemuEvent } from '../../src/events/qemu.ts'
import { QemuMigrationDecoder } from '../../src/protocols/qemu-migration/decoder.ts'
import { ReturnPathDecoder } from '../../src/protocols/qemu-migration/return-path.ts'

/** Bytes that passed, or the size of bytes that were not captured. */
export type Piece = Uint8Array | number

export interface Decoded {
  readonly events: readonly QemuEvent[]
  readonly diagnostics: readonly Diagnostic[]
  readonly end: QemuEnd | null
}

/** Decoders only hand it on. */
export const CONNECTION = { id: 0 } as Connection

export type Kind = 'migration' | 'mid-stream' | 'return-path'

/** Decodes pieces in order; piece number n (from 1) is packet n, at n microseconds. The bytes are destroyed
 *  after each push, and one evidence object serves all calls, as on the packet path. */
export function decodePieces(pieces: Iterable<Piece>, kind: Kind = 'migration'): Decoded {
  const events: QemuEvent[] = []
  const diagnostics = new Diagnostics()
  const at = { packet: 0, timeNs: 0 }
  const options = {
    connection: CONNECTION,
    direction: kind === 'return-path' ? ('to-client' as const) : ('to-server' as const),
    sink: (event: ProtocolEvent) => events.push(event as QemuEvent),
    diagnostics,
    maps: new BodyBudget(ROUND_MAPS_TOTAL_MAX),
    midStream: kind === 'mid-stream',
  }
  const decoder: StreamDecoder =
    kind === 'return-path' ? new ReturnPathDecoder(options) : new QemuMigrationDecoder(options)
  for (const piece of pieces) {
    at.packet++
    at.timeNs = at.packet * 1000
    if (typeof piece === 'number') {
      decoder.gap(piece, at)
    } else {
      const borrowed = new Uint8Array(piece.length + 16).fill(0x7e)
      borrowed.set(piece, 8)
      decoder.push(borrowed, 8, 8 + piece.length, at)
      borrowed.fill(0xff)
    }
  }
  at.packet++
  decoder.end(at)
  decoder.end(at)
  const end = events.findLast((event) => event.type === 'qemu.end') ?? null
  return { events, diagnostics: diagnostics.list(), end }
}

/** The facts without where they were seen. */
export function facts(decoded: Decoded): unknown[] {
  return decoded.events.map(({ connection: _c, direction: _d, first: _f, last: _l, ...fact }) => fact)
}

/** Cuts every piece of bytes into pieces of at most `size`. */
export function segments(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let o = 0; o < bytes.length; o += size) pieces.push(bytes.subarray(o, o + size))
  return pieces
}

/** What a snap length leaves: `kept` bytes of each `size`, then a gap. */
export function snapped(bytes: Uint8Array, size: number, kept: number): Piece[] {
  return segments(bytes, size).flatMap((piece) =>
    piece.length > kept ? [piece.subarray(0, kept), piece.length - kept] : [piece],
  )
}

/** Without `size` bytes from `offset` on. */
export function without(bytes: Uint8Array, offset: number, size: number): Piece[] {
  return [bytes.subarray(0, offset), size, bytes.subarray(offset + size)]
}

/** Byte by byte, cut in two everywhere and in segments of some sizes: the same facts and diagnostics.
 *  @param step cut at every step-th position only, for streams that are long */
export function expectAnyCut(pieces: readonly Piece[], kind: Kind = 'migration', step = 1): Decoded {
  const whole = decodePieces(pieces, kind)
  const wanted = JSON.stringify([facts(whole), codes(whole)])
  const check = (cut: readonly Piece[], name: string) => {
    const decoded = decodePieces(cut, kind)
    if (JSON.stringify([facts(decoded), codes(decoded)]) !== wanted) {
      expect([facts(decoded), codes(decoded)], name).toEqual([facts(whole), codes(whole)])
    }
  }
  for (const size of [1, 2, 3, 7, 9, 64, 1448]) {
    const cut = pieces.flatMap<Piece>((piece) =>
      typeof piece === 'number' ? [piece] : segments(piece, size),
    )
    check(cut, `segments of ${size}`)
  }
  pieces.forEach((piece, index) => {
    if (typeof piece === 'number') {
      check(
        [...pieces.slice(0, index), ...new Array<number>(piece).fill(1), ...pieces.slice(index + 1)],
        'gaps of 1',
      )
      return
    }
    for (let o = 1; o < piece.length; o += step) {
      const halves = [piece.subarray(0, o), piece.subarray(o)]
      check([...pieces.slice(0, index), ...halves, ...pieces.slice(index + 1)], `piece ${index} cut at ${o}`)
    }
  })
  return whole
}

function codes(decoded: Decoded): unknown[] {
  return decoded.diagnostics.map(({ code, severity, count, message }) => ({ code, severity, count, message }))
}

/** Bytes from spaced hex; text behind `#` is a comment. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '')
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
