/** Two random 32-bit numbers, drawn once per run by whoever makes the decoders. */
export type PrintSalt = readonly [number, number]

const FNV_PRIME = 0x01000193
const FNV_OFFSET = 0x811c9dc5

/** A fingerprint of a token, to find the token that was handed out where it is used, without keeping it: 64 bits from
 *  two salted hashes (FNV-1a with the finalizer of MurmurHash3). A token has far more than 64 bits of chance in it,
 *  and the salt dies with the run. */
export function tokenPrint(token: string, salt: PrintSalt): string {
  return hash(token, salt[0]) + hash(token, salt[1] ^ 0x5bd1e995)
}

function hash(text: string, salt: number): string {
  let value = FNV_OFFSET ^ salt
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME)
    value ^= value >>> 15
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, '0')
}
