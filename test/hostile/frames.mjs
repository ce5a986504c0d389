// Frames, connections and blocks of captures that nobody honest would write.
import { join, u32 } from '../support/bytes.mjs'
import { OutputFile, Pcap } from '../support/pcap.mjs'

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 }
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 }
const ETHERNET = 14
const IPV4 = 20
const IPV6 = 40
const TCP = 20
const MSS = 1400
const STEP_NS = 1000
const PORTS = 60_000

/** Address of the nth host: a word for IPv4, of which IPv6 has the last. */
export function host(number) {
  return 0x0a000001 + number
}

/** As text. */
export function hostName(number) {
  return [24, 16, 8, 0].map((shift) => (host(number) >>> shift) & 255).join('.')
}

/** Any word but the same one twice, in an order without order. */
export function scattered(number) {
  return Math.imul(number, 2_654_435_761) >>> 0
}

/** A kind of capture in the oldest format: `write` gets the capture and a count. @param few what a test can afford @param full what
 *  takes some seconds to read */
export function pcap(few, full, write) {
  return inFile(few, full, (out, count) => write(new Pcap(out, STEP_NS), count))
}

/** The same in pcapng. */
export function pcapng(few, full, write) {
  return inFile(few, full, (out, count) => write(new PcapNg(out), count))
}

/** The same byte by byte. */
export function inFile(few, full, write) {
  return {
    few,
    full,
    write(path, count) {
      const out = new OutputFile(path)
      write(out, count)
      out.end()
    },
  }
}

export function ipv4(source, destination, protocol, payload, { identification = 0, fragment = 0 } = {}) {
  const bytes = new Uint8Array(ETHERNET + IPV4 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(12, 0x0800)
  view.setUint8(14, 0x45)
  view.setUint16(16, IPV4 + payload.length)
  view.setUint16(18, identification)
  view.setUint16(20, fragment)
  view.setUint8(22, 64)
  view.setUint8(23, protocol)
  view.setUint32(26, source)
  view.setUint32(30, destination)
  bytes.set(payload, ETHERNET + IPV4)
  return bytes
}

export function ipv6(source, destination, protocol, payload) {
  const bytes = new Uint8Array(ETHERNET + IPV6 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(12, 0x86dd)
  view.setUint8(14, 0x60)
  view.setUint16(18, payload.length)
  view.setUint8(20, protocol)
  view.setUint8(21, 64)
  for (const [offset, address] of [
    [22, source],
    [38, destination],
  ]) {
    view.setUint16(offset, 0xfd00)
    view.setUint32(offset + 12, address)
  }
  bytes.set(payload, ETHERNET + IPV6)
  return bytes
}

export function tcp({ from, to, sequence, acknowledged = 0, flags, payload = new Uint8Array(0) }) {
  const bytes = new Uint8Array(TCP + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, from)
  view.setUint16(2, to)
  view.setUint32(4, sequence)
  view.setUint32(8, acknowledged)
  view.setUint8(12, 0x50)
  view.setUint8(13, flags)
  view.setUint16(14, 0xffff)
  bytes.set(payload, TCP)
  return bytes
}

export function udp(from, to, payload) {
  const bytes = new Uint8Array(8 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, from)
  view.setUint16(2, to)
  view.setUint16(4, bytes.length)
  bytes.set(payload, 8)
  return bytes
}

/** A TCP connection that is established at once. */
export class Connection {
  /** @param ends host numbers and ports of the two; `frame` is `ipv4` or `ipv6` */
  constructor(capture, { client = 0, server = 1, clientPort = 40_000, serverPort, frame = ipv4 }) {
    this.capture = capture
    this.frame = frame
    this.client = { address: host(client), port: clientPort, sequence: 1000 }
    this.server = { address: host(server), port: serverPort, sequence: 5000 }
    this.#segment(this.client, this.server, FLAG.syn, new Uint8Array(0))
    this.client.sequence++
    this.#segment(this.server, this.client, FLAG.syn | FLAG.ack)
    this.server.sequence++
    this.#segment(this.client, this.server, FLAG.ack)
  }

  /** The client sends. */
  ask(bytes) {
    this.#send(this.client, this.server, bytes)
  }

  /** The server sends. */
  answer(bytes) {
    this.#send(this.server, this.client, bytes)
  }

  close() {
    this.#segment(this.client, this.server, FLAG.fin | FLAG.ack)
    this.client.sequence++
    this.#segment(this.server, this.client, FLAG.fin | FLAG.ack)
    this.server.sequence++
    this.#segment(this.client, this.server, FLAG.ack)
  }

  reset() {
    this.#segment(this.server, this.client, FLAG.rst)
  }

  #send(sender, receiver, bytes) {
    for (let at = 0; at < bytes.length; at += MSS) {
      const payload = bytes.subarray(at, at + MSS)
      this.#segment(sender, receiver, FLAG.psh | FLAG.ack, payload)
      sender.sequence = (sender.sequence + payload.length) >>> 0
    }
  }

  #segment(sender, receiver, flags, payload) {
    const { port: from, sequence } = sender
    const acknowledged = flags === FLAG.syn ? 0 : receiver.sequence
    const segment = tcp({ from, to: receiver.port, sequence, acknowledged, flags, payload })
    this.capture.packet(this.frame(sender.address, receiver.address, PROTOCOL.tcp, segment))
  }
}

/** The nth of very many connections to one server: as many of one client as it has ports, then another's. */
export function nthConnection(capture, number, serverPort, frame = ipv4) {
  const clientPort = 1024 + (number % PORTS)
  const client = 2 + Math.floor(number / PORTS)
  return new Connection(capture, { client, clientPort, serverPort, frame })
}

/** Blocks with the lengths around them, little-endian. */
export class PcapNg {
  constructor(out) {
    this.out = out
    this.time = 0
  }

  block(type, body) {
    const size = 12 + body.length + (-body.length & 3)
    const { bytes, view } = this.out
    const at = this.out.reserve(size)
    view.setUint32(at, type, true)
    view.setUint32(at + 4, size, true)
    bytes.fill(0, at + 8, at + size)
    bytes.set(body, at + 8)
    view.setUint32(at + size - 4, size, true)
  }

  section() {
    const body = words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)
    this.block(0x0a0d0d0a, body)
  }

  interface(options = new Uint8Array(0)) {
    this.block(1, join(words(1, 0), options))
  }

  packet(frame, { number = 0, time = this.time++, options = new Uint8Array(0) } = {}) {
    const head = words(number, 0x00060000, time, frame.length, frame.length)
    this.block(6, join(head, frame, new Uint8Array(-frame.length & 3), options))
  }
}

/** Little-endian words. */
export function words(...values) {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true)
  return bytes
}

/** Big-endian words. */
export function netWords(...values) {
  return join(...values.map((value) => u32(value)))
}
