import { u32be } from '../../core/bytes.ts'
import { BLOCK, BLOCK_SIZE, printable } from './stream-format.ts'

const FLAG_MASK = 0x1ff

/** Records of the old section "block", which carries disks inside the stream: a be64 of sector and flags, then for
 *  a device block its device name and 1 MiB, even where the disk ends earlier.
 *  @see protocols.md D.3
 *  @see QEMU 1.2 … 9.0 block-migration.c, later migration/block.c */
export class BlockReader {
  /** Disk contents so far. */
  storageBytes = 0
  /** Contents of the last record read that lie behind the bytes given. The caller resets it. */
  skip = 0
  /** The last record read ended the section. The caller resets it. */
  ended = false
  /** Bytes of the last record read without its contents. */
  headSize = 0

  /** Reads one record: bytes used, 0 when it is none, minus the bytes that it needs. */
  read(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 8) return -8
    const flags = u32be(bytes, start + 4) & FLAG_MASK
    this.headSize = 8
    if (flags === BLOCK.eos) {
      this.ended = true
      return 8
    }
    if (flags === BLOCK.progress) return 8
    const zero = flags === (BLOCK.deviceBlock | BLOCK.zeroBlock)
    if (flags !== BLOCK.deviceBlock && !zero) return 0
    if (end - start < 9) return -9
    const size = 9 + (bytes[start + 8] as number)
    if (end - start < size) return -size
    if (size === 9 || !printable(bytes, start + 9, start + size)) return 0
    this.headSize = size
    if (zero) return size
    this.storageBytes += BLOCK_SIZE
    const next = start + size + BLOCK_SIZE
    if (next <= end) return size + BLOCK_SIZE
    this.skip = next - end
    return end - start
  }
}
