/** A nanosecond pcap whose clock was ahead. */
export function shifted(bytes: Uint8Array, seconds: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  const view = new DataView(copy.buffer)
  for (let at = 24; at + 16 <= copy.length; at += 16 + view.getUint32(at + 8, true)) {
    const ns = view.getUint32(at + 4, true) + Math.round((seconds - Math.floor(seconds)) * 1e9)
    view.setUint32(at, view.getUint32(at, true) + Math.floor(seconds) + Math.floor(ns / 1e9), true)
    view.setUint32(at + 4, ns % 1e9, true)
  }
  return copy
}
