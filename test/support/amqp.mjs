// Frames of AMQP 0-9-1, for generators that run without a build.
import { join, text, u16, u32 } from './bytes.mjs'

export const AMQP_HEADER = join(text('AMQP'), [0, 0, 9, 1])
export const FRAME = { method: 1, header: 2, body: 3 }
const FRAME_SIZE = 100_000

export function frame(type, channel, payload) {
  return join([type, ...u16(channel), ...u32(payload.length)], payload, [0xce])
}

/** `basic.publish` to Nova's exchange, with the header and the body. */
export function publish(channel, routingKey, body) {
  const bytes = text(body)
  const parts = [published(channel, routingKey), contentHeader(channel, bytes.length)]
  for (let at = 0; at < bytes.length; at += FRAME_SIZE)
    parts.push(frame(FRAME.body, channel, bytes.subarray(at, at + FRAME_SIZE)))
  return join(...parts)
}

export function published(channel, routingKey) {
  const key = text(routingKey)
  return frame(FRAME.method, channel, join([0, 60, 0, 40, 0, 0, 4], text('nova'), [key.length], key, [0]))
}

export function contentHeader(channel, size) {
  return frame(FRAME.header, channel, join([0, 60, 0, 0], u32(0), u32(size), [0, 0]))
}
