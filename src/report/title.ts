import type { MigrationReport } from './model.ts'

/** Names off the wire, as they are: who prints them makes them printable. */

export function guestOf({ domain }: MigrationReport): string {
  return domain.name ?? domain.uuid ?? 'unnamed guest'
}

/** From where to where. */
export function wayOf({ source, destination }: MigrationReport): string {
  return `${hostOf(source)} → ${hostOf(destination)}`
}

/** The same without addresses where the hosts have names. */
export function shortWayOf({ source, destination }: MigrationReport): string {
  const name = ({ hostname, address }: MigrationReport['source']) => hostname ?? address ?? 'unknown host'
  return `${name(source)} → ${name(destination)}`
}

function hostOf({ hostname, address }: MigrationReport['source']): string {
  if (hostname === null) return address ?? 'unknown host'
  return address === null ? hostname : `${hostname} (${address})`
}
