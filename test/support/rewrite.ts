import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A packet of a capture that is rewritten. */
export interface RewrittenPacket {
  /** 1-based. */
  readonly number: number
  readonly frame: Uint8Array
  /** Of TCP over IPv4 on Ethernet; null for anything else. */
  readonly tcp: { readonly sourcePort: number; readonly destinationPort: number } | null
}

/** A little-endian pcap, gzipped, with packets left out or cut short.
 *  @param keep how many bytes of a packet are kept; none leaves it out */
export function rewrite(path: string, keep: (packet: RewrittenPacket) => number): Uint8Array {
  const bytes = new Uint8Array(gunzipSync(readFileSync(path)))
  const view = new DataView(bytes.buffer)
  const parts: Uint8Array[] = [bytes.subarray(0, 24)]
  let number = 0
  for (let at = 24; at < bytes.length; ) {
    const size = view.getUint32(at + 8, true)
    const frame = bytes.subarray(at + 16, at + 16 + size)
    const kept = Math.min(size, keep({ number: ++number, frame, tcp: tcpOf(frame) }))
    if (kept > 0) {
      const header = bytes.slice(at, at + 16)
      new DataView(header.buffer).setUint32(8, kept, true)
      parts.push(header, frame.subarray(0, kept))
    }
    at += 16 + size
  }
  return new Uint8Array(Buffer.concat(parts))
}

function tcpOf(frame: Uint8Array): RewrittenPacket['tcp'] {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  if (frame.length < 38 || view.getUint16(12) !== 0x0800 || frame[23] !== 6) return null
  const at = 14 + ((frame[14] ?? 0) & 15) * 4
  return { sourcePort: view.getUint16(at), destinationPort: view.getUint16(at + 2) }
}
