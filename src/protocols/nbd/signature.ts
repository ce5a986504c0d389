import { u32be } from '../../core/bytes.ts'
import { GREETING } from './format.ts'

/** Whether a server begins like an NBD server. 'more' when it may. */
export function looksLikeNbdServer(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end - start < GREETING.size)
    return end === start || bytes[start] === GREETING.high >>> 24 ? 'more' : false
  return u32be(bytes, start) === GREETING.high && u32be(bytes, start + 4) === GREETING.low
}
