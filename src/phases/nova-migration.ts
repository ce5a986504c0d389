import type { Diagnostics } from '../core/diagnostic.ts'
import type { Evidence } from '../core/evidence.ts'
import { NOVA_MESSAGES_MAX, NOVA_MESSAGES_TOTAL_MAX } from '../core/limits.ts'
import type { AmqpMessage, RpcFailure } from '../events/amqp.ts'
import type { HttpRequest, HttpResponse } from '../events/http.ts'
import { PhaseMachine, type Unexpected } from './machine.ts'
import type { SignalName } from './signal.ts'
import { type Carried, carried } from './volume.ts'

/** Room for the messages of all migrations. */
export class MessageRoom {
  readonly #diagnostics: Diagnostics
  #left = NOVA_MESSAGES_TOTAL_MAX

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
  }

  /** Room for one more of a migration that has so many; false when there is none. */
  take(has: number, { packet }: Carried): boolean {
    if (has < NOVA_MESSAGES_MAX && this.#left > 0) {
      this.#left--
      return true
    }
    this.#diagnostics.report(
      'phase.messages',
      'info',
      { packet, timeNs: 0 },
      () =>
        `more messages about migrations than are remembered (${NOVA_MESSAGES_MAX} of one, ${NOVA_MESSAGES_TOTAL_MAX} of all): the bytes of the rest are not told by phase`,
    )
    return false
  }

  give(count: number): void {
    this.#left += count
  }
}

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
  /** What its messages took, as far as they were captured. */
  readonly messages: Carried[] = []
  /** The API showed the guest at its new host. */
  shown = false
  firstPacket: Evidence
  lastPacket: Evidence
  /** The last that was heard of it, also what moves nothing: messages that it took. */
  lastHeard: Evidence
  readonly #room: MessageRoom

  constructor(instanceUuid: string, at: Evidence, unexpected: Unexpected, room: MessageRoom) {
    this.#room = room
    this.instanceUuid = instanceUuid
    this.machine = new PhaseMachine(unexpected)
    this.firstPacket = at
    this.lastPacket = at
    this.lastHeard = at
  }

  signal(name: SignalName, first: Evidence, last: Evidence, inferred = false): void {
    if (first.packet < this.firstPacket.packet) this.firstPacket = first
    if (last.packet > this.lastPacket.packet) this.lastPacket = last
    this.heard(last)
    this.machine.signal({ name, first, last, inferred })
  }

  /** A message that belongs to this migration passes. */
  carries(event: AmqpMessage | HttpRequest | HttpResponse): void {
    this.heard(event.last)
    const message = carried(event)
    if (message !== null) this.addMessage(message)
  }

  addMessage(message: Carried): void {
    if (this.#room.take(this.messages.length, message)) this.messages.push(message)
  }

  heard(at: Evidence): void {
    if (at.packet > this.lastHeard.packet) this.lastHeard = at
  }
}
