import type { Evidence } from '../core/evidence.ts'
import type { RpcFailure } from '../events/amqp.ts'
import { PhaseMachine, type Unexpected } from './machine.ts'
import type { SignalName } from './signal.ts'

/** A step of Nova that went wrong, and what it said. */
export interface NovaFailure {
  /** The remote method, or what was asked of the API. */
  readonly step: string
  readonly failure: RpcFailure
}

/** Nova's side of one live migration: from the user's request to the last confirmation. The libvirt side is joined to
 *  it by the instance's uuid. */
export class NovaMigration {
  readonly machine: PhaseMachine
  readonly instanceUuid: string
  /** The request id of the user's request, which all of Nova's messages for it carry. */
  requestId: string | null = null
  /** Names of the compute hosts. */
  sourceHost: string | null = null
  destinationHost: string | null = null
  /** Status of the migration record, as last saved. */
  status: string | null = null
  failed: NovaFailure | null = null
  /** TCP handshake with Keystone: what a remote identity service adds to each of its exchanges. */
  keystoneRoundTripNs: number | null = null
  /** The source's order to settle was a cast: nobody confirms it. */
  postIsCast = false
  firstPacket: Evidence
  lastPacket: Evidence

  constructor(instanceUuid: string, at: Evidence, unexpected: Unexpected) {
    this.instanceUuid = instanceUuid
    this.machine = new PhaseMachine(unexpected)
    this.firstPacket = at
    this.lastPacket = at
  }

  signal(name: SignalName, first: Evidence, last: Evidence, inferred = false): void {
    if (first.packet < this.firstPacket.packet) this.firstPacket = first
    if (last.packet > this.lastPacket.packet) this.lastPacket = last
    this.machine.signal({ name, first, last, inferred })
  }
}
