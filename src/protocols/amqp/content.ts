import type { BodyBudget } from '../../core/body-budget.ts'
import { text } from '../../core/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import { AMQP_BODY_MAX } from '../../core/limits.ts'
import { Prefix, type PrefixStop } from '../../core/prefix.ts'
import type { AmqpMessage, Rpc } from '../../events/amqp.ts'
import { readRpc } from './oslo.ts'

/** A message of which the method frame has passed, and its content has not. */
export class Content {
  readonly kind: AmqpMessage['kind']
  readonly first: Evidence
  readonly exchange: string | null
  readonly routingKey: string | null
  /** Bytes of the body; null before the content header, and when that was not captured. */
  size: number | null = null
  /** Bytes of body frames that have passed. */
  received = 0
  /** The packet with the end of the last body frame, while more are to come. */
  seenUntil: Evidence | null = null
  readonly #body: Prefix

  constructor(
    kind: AmqpMessage['kind'],
    first: Evidence,
    exchange: string | null,
    routingKey: string | null,
    bodies: BodyBudget,
  ) {
    this.kind = kind
    this.first = first
    this.exchange = exchange
    this.routingKey = routingKey
    this.#body = new Prefix(bodies, AMQP_BODY_MAX)
  }

  get whole(): boolean {
    return this.size !== null && this.received >= this.size
  }

  get stop(): PrefixStop | null {
    return this.#body.stop
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    this.#body.push(bytes, start, end)
  }

  gap(): void {
    this.#body.gap()
  }

  get body(): Prefix {
    return this.#body
  }

  /** What the body says, as far as it was kept. */
  read(): Rpc | null {
    const body = this.#body
    if (body.kept === 0) return null
    return readRpc(text(body.bytes, 0, body.kept), this.whole && body.stop === null)
  }

  release(): void {
    this.#body.release()
  }
}
