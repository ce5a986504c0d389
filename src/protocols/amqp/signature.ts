import { u16be, u32be } from '../../core/bytes.ts'
import {
  ARGUMENT_SIZES,
  BASIC_CLASS,
  FRAME,
  FRAME_END,
  FRAME_HEADER_SIZE,
  PROTOCOL_HEADER,
  senderOf,
} from './methods.ts'

/** Frame header, class and method: what tells a method frame from other bytes. */
export const METHOD_START_SIZE = FRAME_HEADER_SIZE + 4

/** Class, weight and body size of a content header. */
const CONTENT_START_SIZE = FRAME_HEADER_SIZE + 12

/** Frames of brokers that are set up as usual: RabbitMQ's default is 128 KiB. */
const USUAL_FRAME_MAX = 1024 * 1024
const USUAL_CHANNEL_MAX = 4095

/** Whether `bytes[start … end)` starts with the protocol header, or with a frame in the middle of a connection:
 *  its end octet is where it should be and the next frame looks like one, as far as the bytes go. 'more' while
 *  what is there agrees but does not suffice. */
export function looksLikeAmqp(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end <= start) return 'more'
  if (bytes[start] === PROTOCOL_HEADER[0]) return isProtocolHeader(bytes, start, end)
  if (!mayBeFrame(bytes, start, end)) return false
  if (end - start < FRAME_HEADER_SIZE) return 'more'
  const endOctet = start + FRAME_HEADER_SIZE + u32be(bytes, start + 3)
  if (endOctet >= end) return contentAgrees(bytes, start, end)
  if (bytes[endOctet] !== FRAME_END) return false
  if (contentAgrees(bytes, start, endOctet) === false || !mayBeFrame(bytes, endOctet + 1, end)) return false
  // A body says nothing by itself.
  return bytes[start] === FRAME.body && endOctet + 1 === end ? 'more' : true
}

/** Whether a client sent the bytes, which look like AMQP; null where they do not tell. */
export function amqpFromClient(bytes: Uint8Array, start: number, end: number): boolean | null {
  if (bytes[start] === PROTOCOL_HEADER[0]) return true
  if (bytes[start] !== FRAME.method || end - start < METHOD_START_SIZE) return null
  const sender = senderOf(u16be(bytes, start + 7), u16be(bytes, start + 9))
  return sender === 'client' ? true : sender === 'server' ? false : null
}

/** Whether a message, or the acknowledgement of one, may start here: some 60 of the 88 bits of frame header, class
 *  and method are fixed, so that the text of a body does not pass by chance. 'more' below 11 bytes. */
export function startsMessage(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end <= start) return 'more'
  // Nearly every position of a scan ends here.
  if (bytes[start] !== FRAME.method) return false
  if (end - start >= 4 && bytes[start + 3] !== 0) return false
  if (end - start >= 5 && bytes[start + 4] !== 0) return false
  if (end - start < METHOD_START_SIZE) return 'more'
  const sizes = ARGUMENT_SIZES.get(u32be(bytes, start + FRAME_HEADER_SIZE))
  const size = u32be(bytes, start + 3)
  return sizes !== undefined && size >= sizes[0] && size <= sizes[1]
}

export function isFrameType(type: number | undefined): boolean {
  return type === FRAME.method || type === FRAME.header || type === FRAME.body || type === FRAME.heartbeat
}

function isProtocolHeader(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  const size = Math.min(PROTOCOL_HEADER.length, end - start)
  for (let i = 0; i < size; i++) if (bytes[start + i] !== PROTOCOL_HEADER[i]) return false
  return size === PROTOCOL_HEADER.length ? true : 'more'
}

/** As far as the bytes go: type, channel and size. */
function mayBeFrame(bytes: Uint8Array, start: number, end: number): boolean {
  const known = end - start
  if (known >= 1 && !isFrameType(bytes[start])) return false
  if (known >= 3 && u16be(bytes, start + 1) > USUAL_CHANNEL_MAX) return false
  return known < FRAME_HEADER_SIZE || u32be(bytes, start + 3) <= USUAL_FRAME_MAX
}

/** What a frame holds, of which `bytes[start … end)` is known: false when it disagrees with the frame's type, true
 *  when it alone is proof enough. */
function contentAgrees(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  const payload = start + FRAME_HEADER_SIZE
  switch (bytes[start]) {
    case FRAME.method:
      if (end - start < METHOD_START_SIZE) return 'more'
      return senderOf(u16be(bytes, payload), u16be(bytes, payload + 2)) !== undefined
    case FRAME.header:
      if (end - start < CONTENT_START_SIZE) return 'more'
      return u32be(bytes, payload) === BASIC_CLASS << 16 && u32be(bytes, payload + 4) === 0
    case FRAME.heartbeat:
      return u16be(bytes, start + 1) === 0 && u32be(bytes, start + 3) === 0 ? 'more' : false
    default:
      return 'more'
  }
}
