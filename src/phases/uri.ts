/** Where a migration stream is to go. */
export interface MigrationTarget {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
}

/** Reads `tcp:HOST:PORT`, `tcp://HOST:PORT`, with IPv6 in brackets or bare, and `rdma://`. Null when there is no
 *  port in it. @see protocols.md C.3, "URI forms" */
export function parseMigrationUri(uri: string): MigrationTarget | null {
  const match = /^[a-z0-9+.-]+:(?:\/\/)?(?:\[([^\]]{1,255})\]|([^/?#]{1,255})):(\d{1,5})(?:[/?#].*)?$/i.exec(
    uri,
  )
  if (match === null) return null
  const port = Number(match[3])
  return port > 0 && port < 65536 ? { host: match[1] ?? match[2] ?? '', port } : null
}

/** Whether a host is written as an address, so that it can be compared with packets. */
export function isAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

/** Addresses that stand for "any": the daemon's own address is meant. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
