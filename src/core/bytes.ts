/** Plain reads at an offset. The caller has checked the length: out of range reads give nonsense, not an
 *  error (`undefined | 0` is 0), so that the packet path stays free of branches. */

export function u16be(b: Uint8Array, o: number): number {
  return ((b[o] as number) << 8) | (b[o + 1] as number)
}

export function u32be(b: Uint8Array, o: number): number {
  return (
    (((b[o] as number) << 24) |
      ((b[o + 1] as number) << 16) |
      ((b[o + 2] as number) << 8) |
      (b[o + 3] as number)) >>>
    0
  )
}

/** Exact up to 2^53; larger values lose their low bits, which no field that is read here needs. */
export function u64be(b: Uint8Array, o: number): number {
  return u32be(b, o) * 4294967296 + u32be(b, o + 4)
}

export function u16le(b: Uint8Array, o: number): number {
  return ((b[o + 1] as number) << 8) | (b[o] as number)
}

export function u32le(b: Uint8Array, o: number): number {
  return (
    (((b[o + 3] as number) << 24) |
      ((b[o + 2] as number) << 16) |
      ((b[o + 1] as number) << 8) |
      (b[o] as number)) >>>
    0
  )
}

export function u64le(b: Uint8Array, o: number): number {
  return u32le(b, o + 4) * 4294967296 + u32le(b, o)
}

const utf8 = new TextDecoder('utf-8', { fatal: false })

/** Text off the wire; bytes that are not UTF-8 become U+FFFD. */
export function text(b: Uint8Array, start: number, end: number): string {
  return utf8.decode(b.subarray(start, end))
}
