import { u32be } from '../../core/bytes.ts'
import { LIBVIRT_MESSAGE_MAX } from '../../core/limits.ts'
import { FIELD, HEADER_SIZE, PROTOCOL_VERSION } from './header.ts'
import { KEEPALIVE, MESSAGE_TYPE, PROGRAM, STATUS } from './procedures.ts'

const PROGRAMS: readonly number[] = Object.values(PROGRAM)

/** libvirt 11 has some 450 procedures; a number far above is not one. */
const PROCEDURE_MAX = 4095

/** Highest first byte of a length word that is believed. */
const LENGTH_FIRST_BYTE_MAX = Math.floor(LIBVIRT_MESSAGE_MAX / 2 ** 24)

/** Whether `bytes[start … end)` starts with the header of a libvirt message: 'more' while the bytes at hand
 *  agree but do not yet make a header (28 bytes), false as soon as one disagrees. Seventeen of the bytes are
 *  fixed, so that random data, or the memory of a guest, does not pass by chance. */
export function looksLikeLibvirt(bytes: Uint8Array, start: number, end: number): boolean | 'more' {
  if (end <= start) return 'more'
  // Nearly every position of a scan ends here.
  if ((bytes[start] as number) > LENGTH_FIRST_BYTE_MAX) return false
  if (!mayBe(bytes, start + FIELD.length, end, HEADER_SIZE, LIBVIRT_MESSAGE_MAX)) return false
  if (!mayBeProgram(bytes, start + FIELD.program, end)) return false
  if (!mayBe(bytes, start + FIELD.version, end, PROTOCOL_VERSION, PROTOCOL_VERSION)) return false
  if (!mayBe(bytes, start + FIELD.procedure, end, 1, PROCEDURE_MAX)) return false
  if (!mayBe(bytes, start + FIELD.type, end, MESSAGE_TYPE.call, MESSAGE_TYPE.streamHole)) return false
  if (!mayBe(bytes, start + FIELD.status, end, STATUS.ok, STATUS.continue)) return false
  return end - start < HEADER_SIZE ? 'more' : fieldsAgree(bytes, start)
}

/** Whether a program number is one that libvirt daemons speak over TCP. */
export function isProgram(program: number): boolean {
  return PROGRAMS.includes(program)
}

/** Whether the word at `at`, of which only the bytes before `end` are known, can lie in `least … most`. */
function mayBe(bytes: Uint8Array, at: number, end: number, least: number, most: number): boolean {
  return word(bytes, at, end, 0xff) >= least && word(bytes, at, end, 0) <= most
}

function mayBeProgram(bytes: Uint8Array, at: number, end: number): boolean {
  const least = word(bytes, at, end, 0)
  const most = word(bytes, at, end, 0xff)
  for (const program of PROGRAMS) if (program >= least && program <= most) return true
  return false
}

function word(bytes: Uint8Array, at: number, end: number, fill: number): number {
  if (at + 4 <= end) return u32be(bytes, at)
  let value = 0
  for (let i = at; i < at + 4; i++) value = value * 256 + (i < end ? (bytes[i] as number) : fill)
  return value
}

/** What the fields of a whole header say about each other. */
function fieldsAgree(bytes: Uint8Array, start: number): boolean {
  const length = u32be(bytes, start + FIELD.length)
  const type = u32be(bytes, start + FIELD.type)
  const status = u32be(bytes, start + FIELD.status)
  if (u32be(bytes, start + FIELD.program) === PROGRAM.keepalive) {
    const procedure = u32be(bytes, start + FIELD.procedure)
    return length === HEADER_SIZE && type === MESSAGE_TYPE.message && procedure <= KEEPALIVE.pong
  }
  // Only raw stream payload is not padded to words; the end of a stream is a header alone.
  if (type === MESSAGE_TYPE.stream) return status !== STATUS.ok || length === HEADER_SIZE
  if (length % 4 !== 0) return false
  switch (type) {
    case MESSAGE_TYPE.reply:
    case MESSAGE_TYPE.replyWithFds:
      return status === STATUS.ok || (status === STATUS.error && length > HEADER_SIZE)
    case MESSAGE_TYPE.streamHole:
      return true
    default:
      return status === STATUS.ok
  }
}
