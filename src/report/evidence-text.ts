import { meaningOf, RULES } from '../phases/rules.ts'
import type { ExplainedPart } from './explained-parts.ts'
import { UNKNOWN } from './format.ts'

/** The rule that set a boundary or marker, which packet it takes, and what that means. */
export function ruleText(edge: 'start' | 'end' | 'marker', id: ExplainedPart, rule: string): string {
  const meaning = meaningOf(edge, id, rule)
  return `${rule}: ${RULES[rule] ?? UNKNOWN}${meaning === null ? '' : `; ${meaning}`}`
}

/** A display filter of Wireshark for single packets; null for none. */
export function frameFilter(packets: readonly (number | null)[]): string | null {
  const known = packets.filter((packet) => packet !== null)
  const sorted = [...new Set(known)].sort((a, b) => a - b)
  return sorted.length === 0 ? null : sorted.map((packet) => `frame.number == ${packet}`).join(' || ')
}
