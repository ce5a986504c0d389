// Captures of any size, written in large blocks, for generators that run without a build.
import { closeSync, openSync, writeSync } from 'node:fs'

const BLOCK = 4 * 1024 * 1024

export class OutputFile {
  constructor(path) {
    this.file = openSync(path, 'w')
    this.bytes = new Uint8Array(BLOCK)
    this.view = new DataView(this.bytes.buffer)
    this.used = 0
  }

  /** Offset of room in `bytes` that the caller fills before it asks for more. */
  reserve(size) {
    if (this.used + size > this.bytes.length) this.#flush()
    const offset = this.used
    this.used += size
    return offset
  }

  write(bytes) {
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const part = bytes.subarray(at, at + BLOCK)
      this.bytes.set(part, this.reserve(part.length))
    }
  }

  end() {
    this.#flush()
    closeSync(this.file)
  }

  #flush() {
    writeSync(this.file, this.bytes, 0, this.used)
    this.used = 0
  }
}

/** The oldest format, little-endian, microseconds, Ethernet. Packets are `stepNs` apart. */
export class Pcap {
  constructor(out, stepNs) {
    this.out = out
    this.stepNs = stepNs
    this.timeNs = 0
    out.write(pcapHeader())
  }

  /** Room for a packet of `size` bytes, of which its record says that it had `original`. */
  frame(size, original = size) {
    const { out } = this
    const start = out.reserve(16 + size)
    const { view, bytes } = out
    view.setUint32(start, 1_700_000_000 + Math.floor(this.timeNs / 1e9), true)
    view.setUint32(start + 4, Math.floor((this.timeNs % 1e9) / 1000), true)
    view.setUint32(start + 8, size, true)
    view.setUint32(start + 12, original, true)
    this.timeNs += this.stepNs
    return { view, bytes, offset: start + 16 }
  }

  packet(frame) {
    const { bytes, offset } = this.frame(frame.length)
    bytes.set(frame, offset)
  }

  end() {
    this.out.end()
  }
}

/** pcapng as dumpcap writes it: one interface of Ethernet, nanoseconds, enhanced packet blocks without options. */
export class Pcapng {
  constructor(out, stepNs) {
    this.out = out
    this.stepNs = stepNs
    this.ticks = 1_700_000_000_000_000_000n
    out.write(block(0x0a0d0d0a, [0x1a2b3c4d, 1, 0xffffffff, 0xffffffff]))
    // Link type, snap length, and one option: stamps are nanoseconds.
    out.write(block(1, [1, 262_144, (1 << 16) | 9, 9, 0]))
  }

  /** Room for a packet of `size` bytes, of which its block says that it had `original`. */
  frame(size, original = size) {
    const { out } = this
    const blockSize = 32 + Math.ceil(size / 4) * 4
    const start = out.reserve(blockSize)
    const { view, bytes } = out
    const words = [
      6,
      blockSize,
      0,
      Number(this.ticks >> 32n),
      Number(this.ticks & 0xffffffffn),
      size,
      original,
    ]
    for (let i = 0; i < words.length; i++) view.setUint32(start + 4 * i, words[i], true)
    bytes.fill(0, start + 28 + size, start + blockSize - 4)
    view.setUint32(start + blockSize - 4, blockSize, true)
    this.ticks += BigInt(this.stepNs)
    return { view, bytes, offset: start + 28 }
  }

  packet(frame) {
    const { bytes, offset } = this.frame(frame.length)
    bytes.set(frame, offset)
  }

  end() {
    this.out.end()
  }
}

function block(type, words) {
  const size = 12 + 4 * words.length
  return new Uint8Array(Uint32Array.from([type, size, ...words, size]).buffer)
}

export function pcapHeader() {
  const view = new DataView(new ArrayBuffer(24))
  view.setUint32(0, 0xa1b2c3d4, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, 262_144, true)
  view.setUint32(20, 1, true)
  return new Uint8Array(view.buffer)
}
