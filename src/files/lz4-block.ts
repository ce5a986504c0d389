import { u16le } from '../core/bytes.ts'

/** Match lengths are counted from here. */
const MATCH_MIN = 4
/** A length of this, in four bits, goes on in the bytes behind. */
const LENGTH_GOES_ON = 15
/** Below this, copying byte by byte is quicker than a call. */
const CALL_MIN = 32

/** What became of a block. */
export interface Lz4Content {
  /** Where it ends in the output. */
  readonly end: number
  /** False when the block was cut or makes no sense behind that. */
  readonly whole: boolean
}

/** Decompresses a block of lz4 behind the `from` bytes of `output` that came before it and that it may refer to. What does not fit
 *  into `output` is damage.
 *  @see lz4 doc/lz4_Block_format.md */
export function decodeLz4Block(input: Uint8Array, output: Uint8Array, from: number): Lz4Content {
  const end = input.length
  let at = 0
  let to = from
  while (at < end) {
    const token = input[at++] as number
    let literals = token >>> 4
    if (literals === LENGTH_GOES_ON) {
      const last = lastOfLength(input, at)
      literals += (last - at) * 255 + (input[last] as number)
      at = last + 1
    }
    const there = Math.min(literals, Math.max(0, end - at), output.length - to)
    copyLiterals(input, at, output, to, there)
    to += there
    if (there < literals || at > end) break
    at += literals
    // The last sequence has literals only.
    if (at === end) return { end: to, whole: true }
    let length = token & 15
    const distance = u16le(input, at)
    at += 2
    if (length === LENGTH_GOES_ON) {
      const last = lastOfLength(input, at)
      length += (last - at) * 255 + (input[last] as number)
      at = last + 1
    }
    length += MATCH_MIN
    // Behind a match there is at least the token of the last sequence.
    if (at >= end || distance === 0 || distance > to || to + length > output.length) break
    copyMatch(output, to, distance, length)
    to += length
  }
  return { end: to, whole: false }
}

/** Where a length ends that goes on at `at`: at the first byte that is not 255, maybe behind the input. */
function lastOfLength(input: Uint8Array, at: number): number {
  let last = at
  while (input[last] === 255) last++
  return last
}

function copyLiterals(input: Uint8Array, at: number, output: Uint8Array, to: number, size: number): void {
  if (size < CALL_MIN) for (let i = 0; i < size; i++) output[to + i] = input[at + i] as number
  else output.set(input.subarray(at, at + size), to)
}

/** Repeats what is `distance` before; where that is less than `length`, it repeats itself. */
function copyMatch(output: Uint8Array, to: number, distance: number, length: number): void {
  if (length < CALL_MIN) {
    for (let i = to; i < to + length; i++) output[i] = output[i - distance] as number
    return
  }
  // Each copy doubles what there is to copy from.
  for (let done = 0; done < length; ) {
    const piece = Math.min(length - done, distance + done)
    output.copyWithin(to + done, to - distance, to - distance + piece)
    done += piece
  }
}
