// Writes a capture of one peer-to-peer migration of any size: honest bytes of Ethernet, IPv4, TCP, libvirt RPC and the
// QEMU stream, MTU-sized segments, one acknowledgement for every second one. Usage: node test/bench/generate.mjs
// FILE MEGABYTES [zero] — `zero`: pages are zero records, packed densely.
import { closeSync, openSync, writeSync } from 'node:fs'

const PAGE = 4096
const MSS = 1448
const SEGMENT_NS = 12_000
const PAGES_PER_SECTION = 256

/** The whole capture, written to a file descriptor in large blocks. */
export function generate(file, bytes, kind = 'pages') {
  const out = new Pcap(openSync(file, 'w'))
  const rpc = new Connection(out, 40000, 16509)
  rpc.open()
  rpc.send('client', call(1, 0, u32(1), string('qemu:///system'), u32(0)))
  rpc.send('server', reply(1, 0))
  rpc.send('client', call(214, 1, opaque(cookie()), u32(0), u64(0x1b), u32(0), u64(0), string(domain())))
  rpc.send('server', reply(214, 1, opaque(cookie()), u32(1), string('tcp:10.0.0.2:49152')))
  const memory = new Connection(out, 40001, 49152)
  memory.open()
  for (const part of stream(bytes, kind)) memory.send('client', part)
  memory.close()
  rpc.send('client', call(217, 2, string('vm1'), opaque(cookie()), u32(0), u32(0), u64(0x1b), u32(0)))
  rpc.send('server', reply(217, 2, string('vm1'), new Uint8Array(16), u32(0xffffffff), opaque(cookie())))
  rpc.send('client', call(2, 3))
  rpc.send('server', reply(2, 3))
  rpc.close()
  out.end()
}

function* stream(bytes, kind) {
  const blocks = PAGE * Math.max(256, Math.ceil(bytes / PAGE))
  yield join([0x51, 0x45, 0x56, 0x4d], u32(3))
  const name = text('pc.ram')
  yield join(
    [1],
    u32(2),
    [3],
    text('ram'),
    u32(0),
    u32(4),
    u64(blocks + 4),
    [name.length],
    name,
    u64(blocks),
    u64(16),
  )
  const record = kind === 'zero' ? 9 : 8 + PAGE
  const pages = Math.floor(bytes / record)
  const contents =
    kind === 'zero' ? new Uint8Array(1) : Uint8Array.from({ length: PAGE }, (_, i) => (i * 7) & 255)
  const flag = kind === 'zero' ? 0x02 : 0x08
  for (let first = 0; first < pages; first += PAGES_PER_SECTION) {
    const parts = [[2], u32(2)]
    for (let page = first; page < Math.min(pages, first + PAGES_PER_SECTION); page++) {
      const offset = (page * PAGE) % blocks
      const named = page === first ? [name.length, ...name] : []
      parts.push(u64(offset - (offset % PAGE) + (page === first ? flag : flag + 0x20)), named, contents)
    }
    yield join(...parts, u64(16))
  }
  yield join([3], u32(2), u64(16))
  yield join([4], u32(3), [5], text('timer'), u32(0), u32(2), new Uint8Array(24), [0])
}

class Connection {
  constructor(out, clientPort, serverPort) {
    this.out = out
    this.ports = { client: clientPort, server: serverPort }
    this.sequence = { client: clientPort * 1000, server: serverPort * 1000 }
    this.unacknowledged = 0
  }

  open() {
    this.#segment('client', 2)
    this.sequence.client++
    this.#segment('server', 0x12)
    this.sequence.server++
    this.#segment('client', 0x10)
  }

  close() {
    this.#segment('server', 0x11)
    this.#segment('client', 0x11)
  }

  send(from, bytes) {
    for (let offset = 0; offset < bytes.length; offset += MSS) {
      const payload = bytes.subarray(offset, offset + MSS)
      this.#segment(from, 0x18, payload)
      this.sequence[from] = (this.sequence[from] + payload.length) >>> 0
      if (++this.unacknowledged % 2 === 0) this.#segment(from === 'client' ? 'server' : 'client', 0x10)
    }
  }

  #segment(from, flags, payload = new Uint8Array(0)) {
    const to = from === 'client' ? 'server' : 'client'
    const ends = from === 'client' ? [1, 2] : [2, 1]
    const header = this.out.frame(66 + payload.length)
    const { view, bytes, offset } = header
    bytes.set([2, 0, 0, 0, 0, ends[1], 2, 0, 0, 0, 0, ends[0], 8, 0, 0x45, 0], offset)
    view.setUint16(offset + 16, 52 + payload.length)
    bytes.set([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, ends[0], 10, 0, 0, ends[1]], offset + 18)
    view.setUint16(offset + 34, this.ports[from])
    view.setUint16(offset + 36, this.ports[to])
    view.setUint32(offset + 38, this.sequence[from])
    view.setUint32(offset + 42, this.sequence[to])
    bytes.set([0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1], offset + 46)
    bytes.set(payload, offset + 66)
  }
}

class Pcap {
  constructor(file) {
    this.file = file
    this.bytes = new Uint8Array(4 * 1024 * 1024)
    this.view = new DataView(this.bytes.buffer)
    this.timeNs = 0
    this.used = 24
    for (const [at, value] of [
      [0, 0xa1b23c4d],
      [16, 262144],
      [20, 1],
    ])
      this.view.setUint32(at, value, true)
    this.view.setUint16(4, 2, true)
    this.view.setUint16(6, 4, true)
  }

  frame(size) {
    if (this.used + 16 + size > this.bytes.length) this.#flush()
    const { view } = this
    view.setUint32(this.used, 1_700_000_000 + Math.floor(this.timeNs / 1e9), true)
    view.setUint32(this.used + 4, this.timeNs % 1e9, true)
    view.setUint32(this.used + 8, size, true)
    view.setUint32(this.used + 12, size, true)
    this.timeNs += SEGMENT_NS
    const offset = this.used + 16
    this.used = offset + size
    return { view, bytes: this.bytes, offset }
  }

  end() {
    this.#flush()
    closeSync(this.file)
  }

  #flush() {
    writeSync(this.file, this.bytes, 0, this.used)
    this.used = 0
  }
}

function call(procedure, serial, ...args) {
  return message(procedure, 0, serial, join(...args))
}

function reply(procedure, serial, ...results) {
  return message(procedure, 1, serial, join(...results))
}

function message(procedure, type, serial, body) {
  const words = [28 + body.length, 0x20008086, 1, procedure, type, serial, 0]
  return join(...words.map(u32), body)
}

function cookie() {
  return text(
    '<qemu-migration><name>vm1</name><uuid>00000000-0000-4000-8000-000000000001</uuid><hostname>host</hostname><hostuuid>00000000-0000-4000-8000-000000000002</hostuuid></qemu-migration>\0',
  )
}

function domain() {
  return "<domain type='kvm'><name>vm1</name><uuid>00000000-0000-4000-8000-000000000001</uuid><memory unit='KiB'>4194304</memory></domain>"
}

function string(value) {
  return opaque(text(value))
}

function opaque(bytes) {
  return join(u32(bytes.length), bytes, new Uint8Array(-bytes.length & 3))
}

function text(value) {
  return new TextEncoder().encode(value)
}

function u32(value) {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

function u64(value) {
  return [...u32(Math.floor(value / 2 ** 32)), ...u32(value >>> 0)]
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [file, megabytes, kind] = process.argv.slice(2)
  if (file === undefined || !(Number(megabytes) > 0)) {
    process.stderr.write('usage: node test/bench/generate.mjs FILE MEGABYTES [zero]\n')
    process.exit(2)
  }
  generate(file, Number(megabytes) * 1e6, kind)
}
