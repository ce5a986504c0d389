/** The methods that OpenStack's APIs know, and those of any web server.
 *  @see RFC 9110 section 9, RFC 5789 */
const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'] as const

const encoder = new TextEncoder()
const METHOD_STARTS = METHODS.map((method) => encoder.encode(`${method} `))
const VERSION_START = encoder.encode('HTTP/1.')
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39

/** Whether `bytes[start … end)` starts with a request line (a method, a space and something that may be a target) or
 *  a status line ("HTTP/1." and a digit): 'more' while the bytes at hand agree but do not suffice. */
export function looksLikeHttp(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end <= start) return 'more'
  const response = startsWith(bytes, start, end, VERSION_START)
  if (response === true) {
    const version = bytes[start + VERSION_START.length]
    if (start + VERSION_START.length >= end || version === undefined) return 'more'
    return version >= DIGIT_0 && version <= DIGIT_9
  }
  let undecided = response === 'more'
  for (const method of METHOD_STARTS) {
    const answer = startsWith(bytes, start, end, method)
    if (answer === true)
      return start + method.length < end ? isPrintable(bytes[start + method.length]) : 'more'
    if (answer === 'more') undecided = true
  }
  return undecided ? 'more' : false
}

/** Of bytes that look like HTTP: whether a client sent them. */
export function httpFromClient(bytes: Uint8Array, start: number): boolean {
  return startsWith(bytes, start, start + VERSION_START.length, VERSION_START) !== true
}

/** The method that a run of bytes ends with; null when it ends with none. */
export function methodAtEnd(tail: string): string | null {
  for (const method of METHODS) if (tail.endsWith(method)) return method
  return null
}

function startsWith(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean | 'more' {
  const size = Math.min(wanted.length, end - start)
  for (let i = 0; i < size; i++) if (bytes[start + i] !== wanted[i]) return false
  return size === wanted.length ? true : 'more'
}

function isPrintable(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte < 0x7f
}
