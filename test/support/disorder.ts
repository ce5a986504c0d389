import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type CapturedPacket, Pcapng } from './capture.ts'

/** A packet of a real capture, and which way it went. */
export interface DirectedPacket extends CapturedPacket {
  /** 1-based, in the capture. */
  readonly number: number
  /** 0 from the lower address, 1 from the higher; what has no address is with those from the lower. */
  readonly direction: 0 | 1
}

/** Packets of a little-endian pcap with nanoseconds, gzipped, of IPv4 or IPv6 on Ethernet. */
export function directedPackets(path: string): DirectedPacket[] {
  const bytes = gunzipSync(readFileSync(path))
  const packets: DirectedPacket[] = []
  for (let at = 24; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at + 8)
    const frame = bytes.subarray(at + 16, at + 16 + size)
    packets.push({
      number: packets.length + 1,
      timeNs: BigInt(bytes.readUInt32LE(at)) * 1_000_000_000n + BigInt(bytes.readUInt32LE(at + 4)),
      frame: new Uint8Array(frame),
      originalLength: bytes.readUInt32LE(at + 12),
      direction: directionOf(frame),
    })
    at += 16 + size
  }
  return packets
}

function directionOf(frame: Buffer): 0 | 1 {
  const type = frame.readUInt16BE(12)
  const [at, size] = type === 0x0800 ? [26, 4] : type === 0x86dd ? [22, 16] : [0, 0]
  const [source, destination] = [frame.subarray(at, at + size), frame.subarray(at + size, at + 2 * size)]
  return Buffer.compare(source, destination) > 0 ? 1 : 0
}

/** As two interfaces write that are read in turns: of each stretch of time first what one has, then what the other has.
 *  @param first the direction that comes first in each stretch */
export function inTurns(
  packets: readonly DirectedPacket[],
  stretchNs: bigint,
  first: 0 | 1 = 1,
): DirectedPacket[] {
  const start = packets[0]?.timeNs ?? 0n
  const turnOf = ({ timeNs, direction }: DirectedPacket): bigint =>
    ((timeNs - start) / stretchNs) * 2n + (direction === first ? 0n : 1n)
  // Stable: within a turn, packets stay in the order in which they were captured.
  return [...packets].sort((a, b) => Number(turnOf(a) - turnOf(b)))
}

/** One interface for each direction. */
export function twoInterfaces(packets: readonly DirectedPacket[]): Uint8Array {
  const file = new Pcapng()
    .interface({ resolution: 9, name: 'up' })
    .interface({ resolution: 9, name: 'down' })
  for (const packet of packets) file.enhanced(packet, packet.direction)
  return file.bytes()
}
