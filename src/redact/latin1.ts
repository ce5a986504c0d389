const PIECE = 8192

/** The bytes as a string of one character each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at += PIECE)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + PIECE)))
  return text
}

/** Writes such a string. */
export function writeLatin1(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}
