const BEFORE = '(?<![0-9A-Za-z\\x80-\\xff])'
const BEHIND = '(?![0-9A-Za-z\\x80-\\xff])'
const HEX = '[0-9A-Fa-f]'

const UUID = `${HEX}{8}-(?:${HEX}{4}-){3}${HEX}{12}`
const DATE = '\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?'
const MAC = `(?:${HEX}{2}:){5}${HEX}{2}|(?:${HEX}{2}-){5}${HEX}{2}`
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`

/** What says by its form what it is: the groups are `uuid` (that of a request with `req-` before it), `hex` (one without
 *  hyphens), `date`, `mac`, `ipv4`, and `ipv6`, which has to be looked at more closely. */
export const PATTERN = new RegExp(
  [
    `${BEFORE}(?<uuid>(?:req-)?${UUID})${BEHIND}`,
    `${BEFORE}(?<hex>${HEX}{32})${BEHIND}`,
    `${BEFORE}(?<date>${DATE})${BEHIND}`,
    `(?<![0-9A-Za-z:])(?<mac>${MAC})(?![0-9A-Za-z:])`,
    `(?<![0-9A-Za-z:.])(?<ipv6>(?:${HEX}{0,4}:){2,7}(?:${IPV4}|${HEX}{1,4})?)(?![0-9A-Za-z:]|\\.\\d)`,
    `(?<![0-9A-Za-z]|\\d\\.)(?<ipv4>${IPV4}(?:/\\d{1,2})?)(?!\\.?\\d|[A-Za-z])`,
  ].join('|'),
  'g',
)

const GROUPS = 8

/** The text of an address with other groups, in the same form and length; null for what is none.
 *  @param replace eight groups for eight groups, each with as many digits as before
 *  @see RFC 4291 section 2.2 */
export function replaceIpv6Text(
  text: string,
  replace: (groups: readonly number[]) => readonly number[],
): string | null {
  const parts = readIpv6(text)
  if (parts === null) return null
  const groups = replace(parts.map(({ value }) => value))
  let replaced = text
  parts.forEach(({ start, end }, i) => {
    if (end === start) return
    const digits = (groups[i] ?? 0).toString(16).padStart(end - start, '0')
    const inCase = /[A-F]/.test(text) ? digits.toUpperCase() : digits
    replaced = replaced.slice(0, start) + inCase + replaced.slice(end)
  })
  return replaced.length === text.length ? replaced : null
}

interface Group {
  readonly value: number
  /** Where its digits stand; the same twice for those that are left out. */
  readonly start: number
  readonly end: number
}

function readIpv6(text: string): Group[] | null {
  const gap = text.indexOf('::')
  if (gap >= 0 && text.indexOf('::', gap + 1) >= 0) return null
  const head = readGroups(text, 0, gap < 0 ? text.length : gap)
  const tail = gap < 0 ? [] : readGroups(text, gap + 2, text.length)
  if (head === null || tail === null) return null
  const missing = GROUPS - head.length - tail.length
  if (gap < 0 ? missing !== 0 : missing < 1) return null
  const empty = Array.from({ length: missing }, () => ({ value: 0, start: 0, end: 0 }))
  return [...head, ...empty, ...tail]
}

function readGroups(text: string, start: number, end: number): Group[] | null {
  const groups: Group[] = []
  let at = start
  while (at < end) {
    const colon = text.indexOf(':', at)
    const stop = colon < 0 || colon > end ? end : colon
    const digits = text.slice(at, stop)
    if (!/^[0-9A-Fa-f]{1,4}$/.test(digits)) return null
    groups.push({ value: Number.parseInt(digits, 16), start: at, end: stop })
    at = stop + 1
  }
  return groups
}
