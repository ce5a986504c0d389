/** libvirt RPC message: a length word that counts itself, six header words, an XDR body; all big-endian.
 *  @see libvirt src/rpc/virnetprotocol.x */
export const FIELD = {
  length: 0,
  program: 4,
  version: 8,
  procedure: 12,
  type: 16,
  serial: 20,
  status: 24,
} as const

export const HEADER_SIZE = 28

export const PROTOCOL_VERSION = 1
