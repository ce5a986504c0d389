import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Decompressor } from './source.ts'

/** Bytes that are decompressed at once, and those that come of it at most before they are handed on. */
const PIECE_SIZE = 16 * 1024
const CHUNK_SIZE = 256 * 1024

/** What zlib says where no member begins. */
const NO_MEMBER = 'incorrect header check'

/** Decompresses gzip, members one after another. What comes before damage, or before the end of a file that was cut, is
 *  kept. */
export class Gunzip implements Decompressor {
  damage: string | null = null
  readonly #raw: AsyncIterable<Uint8Array>

  constructor(raw: AsyncIterable<Uint8Array>) {
    this.#raw = raw
  }

  /** One piece after the other, as a stream that fails loses what it has not handed on. */
  async *blocks(): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: CHUNK_SIZE })
    const output: Uint8Array[] = []
    let size = 0
    gunzip.on('data', (chunk: Uint8Array) => output.push(chunk))
    const over = finished(gunzip).catch((error: Error) => this.#damaged(error.message, size))
    try {
      for await (const piece of this.#pieces()) {
        if (gunzip.destroyed || gunzip.readableEnded) break
        await Promise.race([over, new Promise((resolve) => gunzip.write(piece, resolve))])
        for (const chunk of output.splice(0)) {
          size += chunk.length
          yield chunk
        }
      }
      if (!gunzip.destroyed) gunzip.end()
      await over
      yield* output
    } finally {
      gunzip.destroy()
    }
  }

  #damaged(reason: string, size: number): void {
    this.damage =
      reason === NO_MEMBER && size > 0
        ? 'what follows the gzip data is something else, which was left out'
        : `the gzip data is cut short or damaged (${reason})`
  }

  /** Damage costs the piece it is in. Most is at the end, where the pieces become smaller and smaller. */
  async *#pieces(): AsyncGenerator<Uint8Array> {
    let last = new Uint8Array(0)
    for await (const block of this.#raw)
      for (let at = 0; at < block.length; at += PIECE_SIZE) {
        if (last.length > 0) yield last
        last = block.slice(at, at + PIECE_SIZE)
      }
    for (let at = 0; at < last.length; ) {
      const size = Math.ceil((last.length - at) / 2)
      yield last.subarray(at, at + size)
      at += size
    }
  }
}
