import { concat } from './libvirt.ts'

/** Writes what the AMQP decoder reads, with oslo.messaging's envelope. For tests and for synthetic captures. */

const encoder = new TextEncoder()

/** RabbitMQ's default. */
const FRAME_MAX = 131072

export const AMQP_HEADER = encoder.encode('AMQP\0\0\t\u0001')

/** Big-endian, chained: `new Octets().u16(1).shortString('nova').done()`. */
export class Octets {
  readonly #parts: Uint8Array[] = []

  u8(value: number): this {
    return this.raw(Uint8Array.of(value))
  }

  u16(value: number): this {
    return this.raw(Uint8Array.of(value >>> 8, value & 0xff))
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff)
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value >>> 0)
  }

  shortString(text: string): this {
    const bytes = encoder.encode(text)
    return this.u8(bytes.length).raw(bytes)
  }

  longString(text: string): this {
    const bytes = encoder.encode(text)
    return this.u32(bytes.length).raw(bytes)
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  done(): Uint8Array {
    return concat(...this.#parts)
  }
}

export function frame(type: number, channel: number, payload: Uint8Array): Uint8Array {
  return new Octets().u8(type).u16(channel).u32(payload.length).raw(payload).u8(0xce).done()
}

export const HEARTBEAT = frame(8, 0, new Uint8Array(0))

export function method(channel: number, classId: number, methodId: number, args = new Octets()): Uint8Array {
  return frame(1, channel, new Octets().u16(classId).u16(methodId).raw(args.done()).done())
}

export interface Parcel {
  readonly exchange: string
  readonly routingKey: string
  /** A text as it is, a value as JSON. */
  readonly body: string | object
  readonly channel?: number
  readonly frameMax?: number
  readonly deliveryTag?: number
}

/** The frames of a published message: method, content header, body frames. */
export function publishFrames(parcel: Parcel): Uint8Array[] {
  const args = new Octets().u16(0).shortString(parcel.exchange).shortString(parcel.routingKey).u8(0)
  return [method(parcel.channel ?? 1, 60, 40, args), ...contentFrames(parcel)]
}

export function deliverFrames(parcel: Parcel): Uint8Array[] {
  const args = new Octets()
    .shortString('1')
    .u64(parcel.deliveryTag ?? 1)
    .u8(0)
  args.shortString(parcel.exchange).shortString(parcel.routingKey)
  return [method(parcel.channel ?? 1, 60, 60, args), ...contentFrames(parcel)]
}

export function publish(parcel: Parcel): Uint8Array {
  return concat(...publishFrames(parcel))
}

export function deliver(parcel: Parcel): Uint8Array {
  return concat(...deliverFrames(parcel))
}

export function getOk(parcel: Parcel): Uint8Array {
  const args = new Octets().u64(parcel.deliveryTag ?? 1).u8(0)
  args.shortString(parcel.exchange).shortString(parcel.routingKey).u32(0)
  return concat(method(parcel.channel ?? 1, 60, 71, args), ...contentFrames(parcel))
}

export function returned(parcel: Parcel): Uint8Array {
  const args = new Octets().u16(312).shortString('NO_ROUTE')
  args.shortString(parcel.exchange).shortString(parcel.routingKey)
  return concat(method(parcel.channel ?? 1, 60, 50, args), ...contentFrames(parcel))
}

function contentFrames(parcel: Parcel): Uint8Array[] {
  const { channel = 1, frameMax = FRAME_MAX } = parcel
  const body = encoder.encode(typeof parcel.body === 'string' ? parcel.body : JSON.stringify(parcel.body))
  // content-type, content-encoding, headers, delivery-mode, priority
  const header = new Octets().u16(60).u16(0).u64(body.length).u16(0xf800)
  header.shortString('application/json').shortString('utf-8').u32(0).u8(2).u8(0)
  const frames = [frame(2, channel, header.done())]
  const size = frameMax - 8
  for (let at = 0; at < body.length; at += size) frames.push(frame(3, channel, body.subarray(at, at + size)))
  return frames
}

export function ack(deliveryTag: number, channel = 1, multiple = false): Uint8Array {
  return method(channel, 60, 80, new Octets().u64(deliveryTag).u8(multiple ? 1 : 0))
}

export function nack(deliveryTag: number, channel = 1): Uint8Array {
  return method(channel, 60, 120, new Octets().u64(deliveryTag).u8(0))
}

export function connectionClose(code: number, text: string): Uint8Array {
  return method(0, 10, 50, new Octets().u16(code).shortString(text).u16(0).u16(0))
}

export function channelClose(channel: number, code: number, text: string): Uint8Array {
  return method(channel, 20, 40, new Octets().u16(code).shortString(text).u16(60).u16(40))
}

/** The login of a client, which holds a password. */
export function startOk(user: string, password: string): Uint8Array {
  const args = new Octets()
    .u32(0)
    .shortString('PLAIN')
    .longString(`\0${user}\0${password}`)
    .shortString('en_US')
  return method(0, 10, 11, args)
}

/** One turn of a connection's beginning. */
export interface OpeningTurn {
  readonly from: 'client' | 'server'
  readonly bytes: Uint8Array
}

/** How a client of RabbitMQ begins: login, limits, virtual host, a channel that confirms what is published. */
export function opening(user: string, password: string): OpeningTurn[] {
  const client = (bytes: Uint8Array): OpeningTurn => ({ from: 'client', bytes })
  const server = (bytes: Uint8Array): OpeningTurn => ({ from: 'server', bytes })
  const limits = (): Octets => new Octets().u16(2047).u32(FRAME_MAX).u16(60)
  const start = new Octets().u8(0).u8(9).u32(0).longString('PLAIN AMQPLAIN').longString('en_US')
  return [
    client(AMQP_HEADER),
    server(method(0, 10, 10, start)),
    client(startOk(user, password)),
    server(method(0, 10, 30, limits())),
    client(method(0, 10, 31, limits())),
    client(method(0, 10, 40, new Octets().shortString('/').shortString('').u8(0))),
    server(method(0, 10, 41, new Octets().shortString(''))),
    client(method(1, 20, 10, new Octets().shortString(''))),
    server(method(1, 20, 11, new Octets().longString(''))),
    client(method(1, 85, 10, new Octets().u8(0))),
    server(method(1, 85, 11)),
  ]
}

/** The envelope of oslo.messaging: JSON in JSON. */
export function oslo(message: object): object {
  return { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }
}

export interface Call {
  readonly method: string
  readonly args: object
  /** Null makes it a cast. */
  readonly msgId: string | null
  readonly replyQueue?: string
  readonly requestId?: string
  readonly token?: string
  readonly version?: string
  readonly uniqueId?: string
  /** What calls carry since the server may be asked for signs of life. */
  readonly callMonitor?: boolean
}

/** A request, its members in the order of oslo.messaging on Python 3. */
export function request(call: Call): object {
  const timeout = (call.callMonitor ?? true) ? { _timeout: null } : {}
  const correlation =
    call.msgId === null ? {} : { _msg_id: call.msgId, _reply_q: call.replyQueue ?? 'reply_0', ...timeout }
  return oslo({
    method: call.method,
    args: call.args,
    version: call.version ?? '6.0',
    ...correlation,
    _unique_id: call.uniqueId ?? '76e866d1b56b488c88b879c6211e675b',
    _context_user: '93e3182dab7f41ce85c1af21d172db79',
    _context_auth_token: call.token ?? 'gAAAAABsecret',
    _context_request_id: call.requestId ?? null,
  })
}

export interface Answer {
  readonly result?: unknown
  readonly failure?: object
  /** Null leaves it out, as oslo.messaging 1.x does in the first of its two replies. */
  readonly ending?: boolean | null
  readonly uniqueId?: string
}

export function reply(msgId: string, parts: Answer = {}): object {
  return oslo({
    result: parts.result ?? null,
    failure: parts.failure === undefined ? null : JSON.stringify(parts.failure),
    ...(parts.ending === null ? {} : { ending: parts.ending ?? true }),
    _msg_id: msgId,
    _unique_id: parts.uniqueId ?? 'b8e6aca88cf843c8b986937af138d113',
  })
}

/** A versioned object of Nova. */
export function novaObject(name: string, data: object, changes: readonly string[] = []): object {
  return {
    'nova_object.name': name,
    'nova_object.namespace': 'nova',
    'nova_object.version': '1.7',
    'nova_object.data': data,
    'nova_object.changes': changes,
  }
}
