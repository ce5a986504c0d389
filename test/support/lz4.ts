import { xxh32 } from '../../src/files/xxh32.ts'

/** Writes lz4 as no compressor would: whole frames of stored blocks, or of blocks that a test made. For what the real tool writes
 *  there are samples in the tests.
 *  @see lz4 doc/lz4_Frame_format.md, version 1.6 */

export interface Lz4Options {
  readonly dictionary?: number
  readonly linked?: boolean
  readonly blockChecksums?: boolean
  readonly contentChecksum?: boolean
}

/** A block that is as it was, or one that was compressed. */
export type Lz4Block = { readonly stored: Uint8Array } | { readonly compressed: Uint8Array }

/** One frame, with blocks of at most 64 KiB. `content` is what its checksum is of. */
export function lz4(
  blocks: readonly Lz4Block[],
  content = new Uint8Array(0),
  options: Lz4Options = {},
): Uint8Array {
  const { dictionary, linked = false, blockChecksums = false, contentChecksum = false } = options
  const flags =
    0x40 +
    (linked ? 0 : 0x20) +
    (blockChecksums ? 0x10 : 0) +
    (contentChecksum ? 4 : 0) +
    (dictionary === undefined ? 0 : 1)
  const fields = Buffer.concat([
    Uint8Array.of(flags, 0x40),
    dictionary === undefined ? NONE : u32(dictionary),
  ])
  const parts = [u32(0x184d2204), fields, Uint8Array.of((xxh32(fields) >>> 8) & 255)]
  for (const block of blocks) {
    const isStored = 'stored' in block
    const bytes = isStored ? block.stored : block.compressed
    parts.push(u32(bytes.length + (isStored ? 2 ** 31 : 0)), bytes)
    if (blockChecksums) parts.push(u32(xxh32(bytes)))
  }
  parts.push(u32(0))
  if (contentChecksum) parts.push(u32(xxh32(content)))
  return Uint8Array.from(Buffer.concat(parts))
}

/** A frame that carries no data. */
export function lz4Skippable(content: Uint8Array, kind = 0): Uint8Array {
  return Uint8Array.from(Buffer.concat([u32(0x184d2a50 + kind), u32(content.length), content]))
}

const NONE = new Uint8Array(0)

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
