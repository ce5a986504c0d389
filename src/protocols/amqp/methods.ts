/** Frame types. @see AMQP 0-9-1 section 4.2.3; rabbitmq-codegen amqp-rabbitmq-0.9.1.json */
export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const

/** Type, channel and size. */
export const FRAME_HEADER_SIZE = 7

/** The octet behind each frame. */
export const FRAME_END = 0xce

/** What a client says first: "AMQP", 0, 0, 9, 1. */
export const PROTOCOL_HEADER = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1)

/** Class and method, as they stand on the wire: `class * 65536 + method`. */
export const METHOD = {
  connectionClose: (10 << 16) | 50,
  channelClose: (20 << 16) | 40,
  publish: (60 << 16) | 40,
  return: (60 << 16) | 50,
  deliver: (60 << 16) | 60,
  getOk: (60 << 16) | 71,
  ack: (60 << 16) | 80,
  reject: (60 << 16) | 90,
  nack: (60 << 16) | 120,
} as const

export const BASIC_CLASS = 60

/** The methods that only clients send. */
const FROM_CLIENT: Readonly<Record<number, readonly number[]>> = {
  10: [11, 21, 31, 40],
  20: [10],
  40: [10, 20, 30, 40],
  50: [10, 20, 30, 40, 50],
  60: [10, 20, 40, 70, 90, 100, 110],
  85: [10],
  90: [10, 20, 30],
}

/** The methods that only servers send. */
const FROM_SERVER: Readonly<Record<number, readonly number[]>> = {
  10: [10, 20, 30, 41, 60, 61],
  20: [11],
  40: [11, 21, 31, 51],
  50: [11, 21, 31, 41, 51],
  60: [11, 21, 50, 60, 71, 72, 111],
  85: [11],
  90: [11, 21, 31],
}

/** The methods that either sends: closing, flow, cancelling, acknowledging, new secrets. */
const FROM_EITHER: Readonly<Record<number, readonly number[]>> = {
  10: [50, 51, 70, 71],
  20: [20, 21, 40, 41],
  60: [30, 31, 80, 120],
}

/** Who sends a method: null for both, undefined for no method of AMQP 0-9-1. */
export function senderOf(classId: number, methodId: number): 'client' | 'server' | null | undefined {
  if (FROM_CLIENT[classId]?.includes(methodId)) return 'client'
  if (FROM_SERVER[classId]?.includes(methodId)) return 'server'
  return FROM_EITHER[classId]?.includes(methodId) ? null : undefined
}

/** How large the arguments of a method that starts or acknowledges a message can be, class and method included;
 *  names have 0 to 255 bytes and a length byte. */
export const ARGUMENT_SIZES: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [METHOD.publish, [9, 519]],
  [METHOD.return, [9, 774]],
  [METHOD.deliver, [16, 781]],
  [METHOD.getOk, [19, 529]],
  [METHOD.ack, [13, 13]],
  [METHOD.reject, [13, 13]],
  [METHOD.nack, [13, 13]],
])
