// Bytes of wire formats in network order, for generators that run without a build.

export function text(value) {
  return new TextEncoder().encode(value)
}

export function u16(value) {
  return [(value >>> 8) & 255, value & 255]
}

export function u32(value) {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

export function u64(value) {
  return [...u32(Math.floor(value / 2 ** 32)), ...u32(value >>> 0)]
}

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
