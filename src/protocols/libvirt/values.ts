/** Texts of the wire as values; null for what does not have the form. */

/** Decimal digits with an optional sign; exact up to 2^53. */
export function integer(text: string): number | null {
  const trimmed = text.trim()
  return /^-?\d{1,20}$/.test(trimmed) ? Number(trimmed) : null
}

/** Lower-case with hyphens, as libvirt prints it; libvirt also reads it without hyphens. */
export function uuid(text: string): string | null {
  const digits = text.replaceAll(/[\s-]/g, '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? hyphenate(digits) : null
}

export function uuidOfBytes(bytes: Uint8Array, start: number): string {
  let digits = ''
  for (let i = start; i < start + 16; i++) digits += (bytes[i] as number).toString(16).padStart(2, '0')
  return hyphenate(digits)
}

/** Lower-case with colons. */
export function mac(text: string): string | null {
  const address = text.trim().toLowerCase().replaceAll('-', ':')
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address) ? address : null
}

function hyphenate(digits: string): string {
  const parts = [0, 8, 12, 16, 20].map((start, i) => digits.slice(start, [8, 12, 16, 20, 32][i]))
  return parts.join('-')
}
