/** Numbers and text for people. Unknown is `–`, never 0. */

export const UNKNOWN = '–'

export function formatSeconds(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(6)
}

/** A duration in running text: µs below a millisecond, ms below ten seconds. */
export function formatDuration(value: number | null): string {
  if (value === null) return UNKNOWN
  // Adding 0 takes the sign from what rounds to nothing.
  if (Math.abs(value) < 1e-3) return `${(Math.round(value * 1e6) + 0).toFixed(0)} µs`
  return Math.abs(value) < 10 ? `${(value * 1000).toFixed(1)} ms` : `${value.toFixed(1)} s`
}

export function formatShare(part: number | null, whole: number | null): string {
  // What reaches beyond the whole (part of it was not captured) has no share.
  if (part === null || whole === null || whole <= 0 || part > whole * (1 + 1e-9)) return UNKNOWN
  return `${((100 * part) / whole).toFixed(1)} %`
}

export function formatCount(value: number | null): string {
  return value === null ? UNKNOWN : value.toLocaleString('en-US')
}

export function formatBytes(value: number | null): string {
  return value === null ? UNKNOWN : scaled(value, ['B', 'kB', 'MB', 'GB', 'TB'])
}

export function formatBitRate(value: number | null): string {
  return value === null ? UNKNOWN : scaled(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])
}

/** Powers of 1024, as guests' memory is given. */
export function formatMemory(value: number | null): string {
  if (value === null) return UNKNOWN
  return value >= 1024 ** 3 ? `${trim(value / 1024 ** 3)} GiB` : `${trim(value / 1024 ** 2)} MiB`
}

function scaled(value: number, units: readonly string[]): string {
  let index = 0
  let rest = value
  while (rest >= 1000 && index < units.length - 1) {
    rest /= 1000
    index++
  }
  return `${index === 0 ? rest.toFixed(0) : rest.toFixed(1)} ${units[index]}`
}

function trim(value: number): string {
  return Number(value.toFixed(2)).toString()
}

/** Text off the wire for a terminal: control characters, which could move the cursor or change colours, and characters
 *  that change the direction of writing are shown as escapes. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0)
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}
