/** Writes zstd as no compressor would: whole frames of raw blocks and of runs. For what the real tool writes there is a
 *  sample in the tests.
 *  @see RFC 8878, section 3.1 */

const BLOCK_MAX = 128 * 1024

export interface ZstdOptions {
  /** What the frame says that reading it takes, a power of two. */
  readonly windowSize?: number
  readonly dictionary?: number
  /** Bytes of content of one block. */
  readonly blockSize?: number
}

/** One frame for each content. */
export function zstd(contents: readonly Uint8Array[], options: ZstdOptions = {}): Uint8Array {
  return Uint8Array.from(Buffer.concat(contents.map((content) => frame(content, options))))
}

function frame(content: Uint8Array, options: ZstdOptions): Uint8Array {
  const { windowSize = 2 ** 20, dictionary, blockSize = BLOCK_MAX } = options
  const parts = [header(windowSize, dictionary)]
  for (let at = 0; at === 0 || at < content.length; at += blockSize) {
    const piece = content.subarray(at, at + blockSize)
    parts.push(block(0, piece.length, piece, at + blockSize >= content.length))
  }
  return Buffer.concat(parts)
}

function header(windowSize: number, dictionary: number | undefined): Uint8Array {
  const descriptor = dictionary === undefined ? 0 : 1
  const start = [0x28, 0xb5, 0x2f, 0xfd, descriptor, (Math.log2(windowSize) - 10) << 3]
  return Uint8Array.from(dictionary === undefined ? start : [...start, dictionary])
}

function block(type: number, size: number, content: Uint8Array, last: boolean): Uint8Array {
  const word = (size << 3) | (type << 1) | Number(last)
  return Buffer.concat([Uint8Array.of(word & 255, (word >> 8) & 255, word >> 16), content])
}

/** One frame of runs of zeroes, `BLOCK_MAX` each: four bytes of input for each. */
export function zstdZeroes(runs: number, runSize = BLOCK_MAX): Uint8Array {
  const run = block(1, runSize, Uint8Array.of(0), false)
  const bytes = new Uint8Array(6 + runs * run.length + 3)
  bytes.set(header(2 ** 20, undefined))
  for (let i = 0; i < runs; i++) bytes.set(run, 6 + i * run.length)
  bytes.set(block(0, 0, new Uint8Array(0), true), bytes.length - 3)
  return bytes
}

/** A frame that carries no data. */
export function zstdSkippable(content: Uint8Array, kind = 0): Uint8Array {
  const head = new Uint8Array(8)
  const view = new DataView(head.buffer)
  view.setUint32(0, 0x184d2a50 + kind, true)
  view.setUint32(4, content.length, true)
  return Uint8Array.from(Buffer.concat([head, content]))
}
