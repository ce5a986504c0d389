import { pipeline, Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import {
  ZSTD_MOVED_MAX,
  ZSTD_MOVED_SHARE_MAX,
  ZSTD_PACKAGE_WINDOW_MAX,
  ZSTD_WINDOW_MAX,
} from '../core/limits.ts'
import { type DecodeFrame, Unzstd } from './unzstd.ts'

/** Decompresses zstd: with Node where it can, which is since 22.15, else with a package. */
export async function openZstd(raw: AsyncIterable<Uint8Array>): Promise<Unzstd> {
  return hasZstd(zlib)
    ? new Unzstd(raw, nodeFrames(zlib.createZstdDecompress), ZSTD_WINDOW_MAX)
    : new Unzstd(raw, await packageFrames(), ZSTD_PACKAGE_WINDOW_MAX)
}

type CreateZstd = () => Transform

function hasZstd(module: object): module is { createZstdDecompress: CreateZstd } {
  return 'createZstdDecompress' in module
}

function nodeFrames(create: CreateZstd): DecodeFrame {
  return async function* (units) {
    const stream = create()
    pipeline(Readable.from(units, { objectMode: false }), stream, () => {})
    for await (const chunk of stream) yield chunk as Uint8Array
  }
}

/** Loads the package, which only they need who have such a file. It checks no checksum. A block is at most 128 KiB when
 *  decompressed, so that what piles up in one call is bounded; but each moves the whole window, and each frame makes one, so
 *  that their number is bounded too. */
export async function packageFrames(): Promise<DecodeFrame> {
  const { Decompress } = await import('fzstd')
  let moved = 0
  let read = 0
  return async function* (units, windowSize) {
    const output: Uint8Array[] = []
    const decoder = new Decompress((bytes) => output.push(bytes))
    moved += windowSize
    for await (const unit of units) {
      decoder.push(unit)
      for (const block of output.splice(0)) {
        moved += windowSize
        read += block.length
        yield block
      }
      if (moved > ZSTD_MOVED_MAX && moved > read * ZSTD_MOVED_SHARE_MAX)
        throw new Error('its frames and blocks are too small to be read in reasonable time')
    }
    decoder.push(new Uint8Array(0), true)
    yield* output
  }
}
