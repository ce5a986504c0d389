import type { ConnectionEvent } from './base.ts'

/** A remote exception. */
export interface RpcFailure {
  readonly class: string | null
  /** Bounded. */
  readonly message: string | null
}

/** Something that Nova tells about an instance from outside, such as `network-vif-plugged`. */
export interface ExternalEvent {
  readonly name: string | null
  /** For network events, the port. */
  readonly tag: string | null
  readonly status: string | null
  readonly instanceUuid: string | null
}

/** The versioned object that `object_action` is about. */
export interface RpcObject {
  /** `Migration`, `Instance` … */
  readonly name: string | null
  /** `save`, `refresh` … */
  readonly action: string | null
  readonly uuid: string | null
  /** Of a migration: queued, preparing, running, completed, error … */
  readonly status: string | null
  readonly taskState: string | null
  /** Fields that were changed, bounded. */
  readonly changes: readonly string[]
}

/** The record of a migration that travels with a message. */
export interface RpcMigration {
  readonly uuid: string | null
  readonly sourceCompute: string | null
  readonly destCompute: string | null
  readonly status: string | null
}

/** The oslo.messaging envelope's content. Everything that is not here, above all the caller's token, is dropped
 *  where it is decoded. @see oslo.messaging oslo_messaging/_drivers/common.py */
export interface Rpc {
  /** A call expects a reply, a cast does not. A request whose end was not captured may be a call and count as a
   *  cast: see `partial`. */
  readonly type: 'call' | 'cast' | 'reply' | 'notification'
  /** Of requests; the event type of notifications. */
  readonly method: string | null
  /** Pairs a call with its replies. */
  readonly msgId: string | null
  readonly replyQueue: string | null
  readonly uniqueId: string | null
  /** Of replies: false is a sign of life, with the result still to come; null in old releases, whose first message is
   *  the result. */
  readonly ending: boolean | null
  readonly failure: RpcFailure | null
  /** `req-…`, as in the HTTP response to the user. */
  readonly requestId: string | null
  /** Lower-case UUID. */
  readonly instanceUuid: string | null
  /** `dest` of live_migration; `host` of other methods. */
  readonly dest: string | null
  readonly host: string | null
  readonly migration: RpcMigration | null
  readonly object: RpcObject | null
  readonly events: readonly ExternalEvent[]
  /** Only the start of the message could be read (a gap, or too long): what comes later in it is null. */
  readonly partial: boolean
}

/** A message with its content, raised once, at the end of its last body frame; `first` is its method frame. */
export interface AmqpMessage extends ConnectionEvent<'amqp.message'> {
  readonly kind: 'publish' | 'deliver' | 'get' | 'return'
  readonly channel: number
  /** '' is the default exchange; null when that part of the method was not captured. */
  readonly exchange: string | null
  readonly routingKey: string | null
  /** Bytes of the body; null when the content header was not captured. */
  readonly size: number | null
  /** False when it is not known where the message ends: `last` is then where reading broke off. Bytes that were not
   *  captured do no harm while the lengths of frame and body are known; a frame end among them is taken for granted. */
  readonly complete: boolean
  /** Null for a body that is no oslo message. */
  readonly rpc: Rpc | null
}

/** The broker's answer to a publisher: it has taken the message on, or (`ok` false) has not. Acknowledgements of
 *  consumers are not reported. It says nothing about the receiver. */
export interface AmqpConfirm extends ConnectionEvent<'amqp.confirm'> {
  readonly channel: number
  /** Counts the messages published on the channel since confirms were switched on, from 1. */
  readonly deliveryTag: number
  /** All messages up to that one. */
  readonly multiple: boolean
  readonly ok: boolean
}

/** One side closes a channel or the connection and says why. */
export interface AmqpClose extends ConnectionEvent<'amqp.close'> {
  readonly scope: 'connection' | 'channel'
  readonly channel: number
  /** 200 is an ordinary end. Null when not captured. */
  readonly code: number | null
  readonly text: string | null
}

export type AmqpEvent = AmqpMessage | AmqpConfirm | AmqpClose
