import type { Evidence } from '../core/evidence.ts'
import type { Connection } from '../events/connection.ts'
import { actionOf, type LibvirtCall, type LibvirtError, type LibvirtReply } from '../events/libvirt.ts'
import type { Migration } from './migration.ts'

/** What a management client tells the source daemon to do: `perform`, in its own connection. With `--p2p` the source does the
 *  rest; without it the client itself talks to the destination as well.
 *  @see protocols.md C.2, H.4 */
export class SourceOrder {
  readonly connection: Connection
  readonly domainName: string | null
  readonly domainUuid: string | null
  readonly flags: number | null
  readonly serial: number
  /** First byte of the call. */
  readonly start: Evidence
  /** Last byte of the reply; null until it came. */
  end: Evidence | null = null
  ok: boolean | null = null
  error: LibvirtError | null = null

  constructor(call: LibvirtCall) {
    const facts = call.arguments?.kind === 'perform' ? call.arguments : null
    this.connection = call.connection
    this.domainName = facts?.domainName ?? null
    this.domainUuid = facts?.domainUuid ?? null
    this.flags = facts?.flags ?? null
    this.serial = call.serial
    this.start = call.first
  }

  answers({ serial, procedure }: LibvirtReply): boolean {
    return this.end === null && serial === this.serial && actionOf(procedure) === 'perform'
  }

  replied(reply: LibvirtReply): void {
    this.end = reply.last
    this.ok = reply.ok
    this.error = reply.error
  }

  /** Whether this migration is what came of the order: the same guest, from that source, at that time. */
  fits({ domain, rpc, memory }: Migration): boolean {
    const uuid = domain?.uuid ?? null
    if (uuid !== null && this.domainUuid !== null && uuid !== this.domainUuid) return false
    const source = this.connection.server.address
    const connections = [...(rpc === null ? [] : [rpc]), ...memory]
    const related = connections.some(
      ({ client }) => client.address === source || client.address === this.connection.client.address,
    )
    const end = this.end?.timeNs ?? Number.POSITIVE_INFINITY
    const meanwhile = connections.some(
      ({ firstPacket, lastPacket }) => firstPacket.timeNs <= end && lastPacket.timeNs >= this.start.timeNs,
    )
    return related && meanwhile
  }
}
