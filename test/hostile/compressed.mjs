// Kinds that attack decompression: much from little, and frames that take more work than they hold.
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { join } from '../support/bytes.mjs'
import { pcapHeader } from '../support/pcap.mjs'
import { inFile, words } from './frames.mjs'

const MIB = 1024 * 1024
const EMPTY = new Uint8Array(0)
const ZEROES = new Uint8Array(MIB)
const BLOCK = { raw: 0, run: 1 }

export const COMPRESSED = {
  /** Mebibytes of zeroes in a thousandth of that: no capture, which the first bytes tell. */
  'gzip-zeroes': inFile(64, 1024, (out, count) => writeGzip(out, EMPTY, count)),

  /** The same behind the header of a capture: records without a packet. */
  'gzip-empty-packets': inFile(16, 512, (out, count) => writeGzip(out, pcapHeader(), count)),

  /** Members that hold nothing, each of which takes a decompressor of its own. */
  'gzip-members': inFile(1000, 20_000, (out, count) => {
    const member = gzipSync(EMPTY)
    out.write(gzipSync(pcapHeader()))
    for (let i = 0; i < count; i++) out.write(member)
  }),

  /** Runs of 128 KiB in four bytes each. */
  'zstd-empty-packets': inFile(200, 4096, (out, count) => {
    const run = zstdBlock(BLOCK.run, 128 * 1024, Uint8Array.of(0))
    writeZstdFrame(out, 20, capturesHeader(), run, count)
  }),

  /** Blocks of one byte in a large window, which is moved for each of them: ZSTD_MOVED_SHARE_MAX. */
  'zstd-moves': inFile(20_000, 1_000_000, (out, count) => {
    const block = zstdBlock(BLOCK.raw, 1, Uint8Array.of(0))
    writeZstdFrame(out, 23, capturesHeader(), block, count)
  }),

  /** A window that nobody can ask for: ZSTD_WINDOW_MAX and ZSTD_PACKAGE_WINDOW_MAX. */
  'zstd-window': inFile(20_000, 1_000_000, (out, count) => {
    writeZstdFrame(out, 31, capturesHeader(), zstdBlock(BLOCK.raw, 1, Uint8Array.of(0)), count)
  }),

  /** Frames that hold nothing. */
  'zstd-frames': inFile(2000, 100_000, (out, count) => {
    writeZstdFrame(out, 20, capturesHeader(), EMPTY, 0)
    for (let i = 0; i < count; i++) writeZstdFrame(out, 20, EMPTY, EMPTY, 0)
  }),

  /** Blocks that repeat one byte for 64 KiB, 260 bytes each. */
  'lz4-empty-packets': inFile(400, 16_384, (out, count) => {
    const zeroes = lz4Zeroes()
    out.write(join(LZ4_HEADER, lz4Stored(pcapHeader())))
    for (let i = 0; i < count; i++) out.write(zeroes)
    out.write(words(0))
  }),

  /** Frames that hold nothing. */
  'lz4-frames': inFile(20_000, 2_000_000, (out, count) => {
    const frame = join(LZ4_HEADER, words(0))
    out.write(join(LZ4_HEADER, lz4Stored(pcapHeader()), words(0)))
    for (let i = 0; i < count; i++) out.write(frame)
  }),
}

/** One member. A mebibyte of zeroes that is flushed may be repeated as it is. */
function writeGzip(out, head, mebibytes) {
  const flushed = { finishFlush: constants.Z_FULL_FLUSH }
  const zeroes = deflateRawSync(ZEROES, flushed)
  let checksum = crc32(head)
  out.write(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255))
  out.write(deflateRawSync(head, flushed))
  for (let i = 0; i < mebibytes; i++) {
    out.write(zeroes)
    checksum = crc32(ZEROES, checksum)
  }
  out.write(deflateRawSync(EMPTY))
  out.write(words(checksum, head.length + mebibytes * MIB))
}

/** @see RFC 8878, section 3.1.1 */
function writeZstdFrame(out, windowLog, first, block, count) {
  out.write(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3))
  out.write(first)
  for (let i = 0; i < count; i++) out.write(block)
  out.write(zstdBlock(BLOCK.raw, 0, EMPTY, true))
}

function capturesHeader() {
  return zstdBlock(BLOCK.raw, 24, pcapHeader())
}

function zstdBlock(type, size, content, last = false) {
  const word = (size << 3) | (type << 1) | Number(last)
  return join([word & 255, (word >> 8) & 255, word >> 16], content)
}

/** Blocks on their own of at most 64 KiB, no checksums. @see lz4 doc/lz4_Frame_format.md */
const LZ4_HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)

function lz4Stored(content) {
  return join(words((content.length | 0x80000000) >>> 0), content)
}

/** One byte, a match of what lies one byte back, and five bytes that end a block. */
function lz4Zeroes() {
  const lengths = new Uint8Array(256).fill(255)
  const block = join([0x1f, 0, 1, 0], lengths, [0], [0x50, 0, 0, 0, 0, 0])
  return join(words(block.length), block)
}
