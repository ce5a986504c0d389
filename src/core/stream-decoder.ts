import type { Evidence } from './evidence.ts'

/** What reads one direction of a byte stream. Any way of cutting the stream gives the same events;
 *  nothing is ever thrown for strange input. */
export interface StreamDecoder {
  /** Bytes in stream order: `bytes[start … end)`, borrowed until the call returns.
   *  @param at the packet that carried them, borrowed too: `keep` what must last */
  push(bytes: Uint8Array, start: number, end: number, at: Evidence): void
  /** `size` bytes passed on the wire but were not captured. */
  gap(size: number, at: Evidence): void
  /** No more bytes: FIN, RST or the end of the capture. */
  end(at: Evidence): void
}
