/** FNV-1a over the UTF-8 bytes of a text: the same everywhere, in every run, and without a library. It keeps apart what differs by
 *  chance; it is no protection against somebody who wants two texts to meet.
 *  @see draft-eastlake-fnv, "FNV-1a"; the constants are those of its table */
interface Fnv {
  readonly bits: number
  readonly offset: bigint
  readonly prime: bigint
}

const FNV_64: Fnv = { bits: 64, offset: 0xcbf29ce484222325n, prime: 0x100000001b3n }
const FNV_128: Fnv = {
  bits: 128,
  offset: 0x6c62272e07bb014262b821756295c58dn,
  prime: 0x1000000000000000000013bn,
}

/** 16 hexadecimal digits. */
export function fnv64(text: string): string {
  return hash(text, FNV_64)
}

/** 32 hexadecimal digits. */
export function fnv128(text: string): string {
  return hash(text, FNV_128)
}

function hash(text: string, { bits, offset, prime }: Fnv): string {
  let value = offset
  for (const byte of new TextEncoder().encode(text))
    value = BigInt.asUintN(bits, (value ^ BigInt(byte)) * prime)
  return value.toString(16).padStart(bits / 4, '0')
}
