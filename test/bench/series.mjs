// Real captures again and again as one that goes on for days: each time with other ports, guests and requests, and later.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FILE_HEADER = 24
const RECORD_HEADER = 16
const MAGIC_NS = 0xa1b23c4d
const EPHEMERAL_START = 10_000
const EPHEMERAL_PORTS = 50_000
/** Request ids, and uuids of instances and guests, as they stand in texts. */
const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const ID_DIGITS = 6

/** Packets of a capture in the oldest format, with where their ports are. */
function read(path) {
  const bytes = new Uint8Array(gunzipSync(readFileSync(path)))
  const view = new DataView(bytes.buffer)
  const scale = view.getUint32(0, true) === MAGIC_NS ? 1 : 1000
  const start = view.getUint32(FILE_HEADER, true)
  const records = []
  for (let at = FILE_HEADER; at < bytes.length; ) {
    const size = RECORD_HEADER + view.getUint32(at + 8, true)
    const seconds = view.getUint32(at, true) - start
    const nanoseconds = view.getUint32(at + 4, true) * scale
    records.push({
      seconds,
      nanoseconds,
      bytes: bytes.subarray(at, at + size),
      ports: portsOf(bytes, at),
      ids: idsOf(bytes, at, size),
    })
    at += size
  }
  return records
}

/** Offset of the ephemeral port in the record of a TCP segment over IPv4; 0 for anything else. */
function portsOf(bytes, at) {
  const ip = RECORD_HEADER + 14
  if (bytes[at + ip - 2] !== 8 || bytes[at + ip - 1] !== 0 || bytes[at + ip + 9] !== 6) return 0
  const tcp = ip + (bytes[at + ip] & 15) * 4
  const port = (offset) => bytes[at + offset] * 256 + bytes[at + offset + 1]
  return port(tcp) > port(tcp + 2) ? tcp : tcp + 2
}

/** Offsets of the last digits of each id. */
function idsOf(bytes, at, size) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString('latin1')
  return [...text.matchAll(IDS)].map(({ index }) => index + 36 - ID_DIGITS)
}

/** @param paths captures of Ethernet @param times how often all of them come @param pauseSeconds from one to the next
 *  @returns pieces of the whole, each valid until the next */
export function* series(paths, times, pauseSeconds) {
  const captures = paths.map(read)
  yield fileHeader()
  let now = 1_795_000_000
  for (let time = 0; time < times; time++) {
    for (const records of captures) {
      // Some packets at once, as a pipe has them.
      for (let at = 0; at < records.length; at += 32)
        yield Buffer.concat(records.slice(at, at + 32).map((record) => changed(record, time, now)))
      now += Math.max(...records.map(({ seconds }) => seconds)) + pauseSeconds
    }
  }
}

function changed({ seconds, nanoseconds, bytes, ports, ids }, time, now) {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  view.setUint32(0, now + seconds, true)
  view.setUint32(4, nanoseconds, true)
  if (ports > 0) {
    const port = view.getUint16(ports)
    view.setUint16(ports, EPHEMERAL_START + ((port + time * 7) % EPHEMERAL_PORTS))
  }
  const digits = Buffer.from(time.toString(16).padStart(ID_DIGITS, '0'))
  for (const offset of ids) copy.set(digits, offset)
  return copy
}

function fileHeader() {
  const header = new Uint8Array(FILE_HEADER)
  const view = new DataView(header.buffer)
  view.setUint32(0, MAGIC_NS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, 262_144, true)
  view.setUint32(20, 1, true)
  return header
}
