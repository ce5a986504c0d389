/** The sum of the 16-bit words of `bytes[start … end)`, folded, added to another one.
 *  @see RFC 1071 */
export function sum(bytes: Uint8Array, start: number, end: number, before = 0): number {
  let total = before
  let at = start
  // 2^15 words of 2^16 stay exact in 31 bits.
  while (at + 1 < end) {
    const stop = Math.min(end - 1, at + 65_534)
    for (; at < stop; at += 2) total += ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    total = fold(total)
  }
  return at < end ? fold(total + ((bytes[at] as number) << 8)) : fold(total)
}

function fold(total: number): number {
  let folded = total
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16)
  return folded
}

/** A sum over parts of a packet that its field at `at` makes all ones. */
export interface Check {
  /** Where the field is, in the bytes of the packet. */
  readonly at: number
  readonly start: number
  readonly end: number
  /** Where the addresses are that count too, and what else does; -1 without any. */
  readonly addresses: number
  readonly addressSize: number
  readonly pseudo: number
  /** Zero means that there is none: all ones stand for it. */
  readonly isUdp: boolean
}

/** Whether the field is right as it is. */
export function isRight(bytes: Uint8Array, offset: number, check: Check): boolean {
  return total(bytes, offset, check) === 0xffff
}

/** Makes the field right. */
export function makeRight(bytes: Uint8Array, check: Check): void {
  bytes[check.at] = 0
  bytes[check.at + 1] = 0
  const value = ~total(bytes, 0, check) & 0xffff
  const written = value === 0 && check.isUdp ? 0xffff : value
  bytes[check.at] = written >>> 8
  bytes[check.at + 1] = written & 0xff
}

function total(bytes: Uint8Array, offset: number, check: Check): number {
  const { start, end, addresses, addressSize, pseudo } = check
  const own = sum(bytes, offset + start, offset + end, pseudo)
  return addresses < 0 ? own : sum(bytes, offset + addresses, offset + addresses + addressSize, own)
}
