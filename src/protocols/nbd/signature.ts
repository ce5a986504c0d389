import { u32be } from '../../core/bytes.ts'

/** "NBDMAGIC", with which a server greets. @see NBD doc/proto.md, "Old style negotiation" */
const GREETING = { first: 0x4e42444d, second: 0x41474943, size: 8 } as const

/** Whether a server begins like an NBD server. 'more' when it may. */
export function looksLikeNbdServer(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end - start < GREETING.size)
    return end === start || bytes[start] === GREETING.first >>> 24 ? 'more' : false
  return u32be(bytes, start) === GREETING.first && u32be(bytes, start + 4) === GREETING.second
}
