import type { GroupKey } from '../stats/group.ts'

/** A group's name for people: `flavor m1.small, load idle`. */
export function groupName(key: GroupKey): string {
  const parts = Object.entries(key).map(([name, level]) => `${name} ${level ?? '–'}`)
  return parts.length === 0 ? 'all migrations' : parts.join(', ')
}
