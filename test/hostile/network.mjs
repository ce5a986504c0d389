// Kinds that attack what follows packets: addresses, fragments, tunnels, connections, segments.
import { join, text } from '../support/bytes.mjs'
import { call, message } from '../support/rpc.mjs'
import {
  FLAG,
  host,
  ipv4,
  ipv6,
  netWords,
  nthConnection,
  PROTOCOL,
  pcap,
  scattered,
  tcp,
  udp,
} from './frames.mjs'

const LIBVIRT = 16509
const MORE_FRAGMENTS = 0x2000
const GIBIBYTES_2 = 2_000_000_000
/** A call without arguments that means nothing to a migration. */
const SMALL_CALL = call(66, 1)

export const NETWORK = {
  /** Datagrams that are never whole: DATAGRAMS_MAX. */
  fragments: pcap(50_000, 1_500_000, (capture, count) => {
    for (let i = 0; i < count; i++) fragment(capture, host(i >>> 16), i & 0xffff, (i * 7) % 8000, 64)
  }),

  /** One datagram that always lacks a fragment. */
  'fragments-of-one': pcap(50_000, 3_000_000, (capture, count) => {
    for (let i = 0; i < count; i++) fragment(capture, host(0), 1, i % 8000, 64)
  }),

  /** Fragments that overlap what is there, of datagrams that begin with the next 256 packets. */
  'fragments-overlapping': pcap(10_000, 500_000, (capture, count) => {
    for (let i = 0; i < count; i++) fragment(capture, host(0), (i >>> 8) & 0xffff, (i * 3) % 8000, 1400)
  }),

  /** Addresses that are each seen once: ADDRESSES_MAX. */
  'udp-addresses': pcap(80_000, 3_000_000, (capture, count) => {
    const datagram = udp(1, 2, new Uint8Array(12))
    for (let i = 0; i < count; i++) capture.packet(ipv4(scattered(i), host(1), PROTOCOL.udp, datagram))
  }),

  /** The same in IPv6, whose addresses are texts. */
  'udp-addresses-v6': pcap(80_000, 2_000_000, (capture, count) => {
    const datagram = udp(1, 2, new Uint8Array(12))
    for (let i = 0; i < count; i++) capture.packet(ipv6(scattered(i), host(1), PROTOCOL.udp, datagram))
  }),

  /** Pings of everybody, with the same sequence number: ECHO_CONVERSATIONS_MAX. */
  'echo-requests': pcap(20_000, 800_000, (capture, count) => {
    for (let i = 0; i < count; i++)
      capture.packet(ipv4(host(0), scattered(i), PROTOCOL.icmp, echo(8, i & 0xffff, 1, 32)))
  }),

  /** The same in IPv6, and by everybody. */
  'echo-requests-v6': pcap(20_000, 600_000, (capture, count) => {
    for (let i = 0; i < count; i++)
      capture.packet(ipv6(host(i), scattered(i), PROTOCOL.icmp6, echo(128, 0, 0, 8)))
  }),

  /** One conversation of pings that nobody answers: ECHO_REQUESTS_MAX. */
  'echo-requests-of-one': pcap(50_000, 2_000_000, (capture, count) => {
    for (let i = 0; i < count; i++)
      capture.packet(ipv4(host(0), host(1), PROTOCOL.icmp, echo(8, 1, i & 0xffff, 32)))
  }),

  /** Guests that announce themselves, each once. */
  announcements: pcap(100_000, 3_000_000, (capture, count) => {
    for (let i = 0; i < count; i++) capture.packet(rarp(i))
  }),

  /** SYNs inside of VXLAN, each of a tunnel of its own. */
  tunnels: pcap(10_000, 500_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const inner = ipv4(scattered(i), i, PROTOCOL.tcp, syn(1, 2))
      const header = netWords(0x08000000, ((i & 0xffffff) << 8) >>> 0)
      capture.packet(ipv4(host(0), host(1), PROTOCOL.udp, udp(5, 4789, join(header, inner))))
    }
  }),

  /** Connections that nobody answers: UNANSWERED_MAX. */
  'syn-flood': pcap(10_000, 1_500_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const segment = syn(1024 + (i % 60_000), LIBVIRT)
      capture.packet(ipv4(host(2 + Math.floor(i / 60_000)), host(1), PROTOCOL.tcp, segment))
    }
  }),

  /** The same from an address each. */
  'syn-flood-addresses': pcap(6000, 600_000, (capture, count) => {
    for (let i = 0; i < count; i++)
      capture.packet(ipv4(scattered(i), host(1), PROTOCOL.tcp, syn(1024, LIBVIRT)))
  }),

  /** The same in IPv6. */
  'syn-flood-addresses-v6': pcap(6000, 600_000, (capture, count) => {
    for (let i = 0; i < count; i++)
      capture.packet(ipv6(scattered(i), host(1), PROTOCOL.tcp, syn(1024, LIBVIRT)))
  }),

  /** Connections that are refused: ATTEMPTS_MAX of the tracker. */
  'refused-connections': pcap(3000, 300_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const [client, port] = [host(2 + Math.floor(i / 60_000)), 1024 + (i % 60_000)]
      const refusal = { from: LIBVIRT, to: port, sequence: 0, acknowledged: 1, flags: FLAG.rst | FLAG.ack }
      capture.packet(ipv4(client, host(1), PROTOCOL.tcp, syn(port, LIBVIRT)))
      capture.packet(ipv4(host(1), client, PROTOCOL.tcp, tcp(refusal)))
    }
  }),

  /** Connections that stay open and carry nothing: CONNECTIONS_MAX. */
  'open-connections': pcap(6000, 300_000, (capture, count) => {
    for (let i = 0; i < count; i++) nthConnection(capture, i, LIBVIRT)
  }),

  /** The same in IPv6. */
  'open-connections-v6': pcap(5000, 300_000, (capture, count) => {
    for (let i = 0; i < count; i++) nthConnection(capture, i, LIBVIRT, ipv6)
  }),

  /** Connections that are reset after a word: CLOSED_CONNECTIONS_MAX. */
  'reset-connections': pcap(3000, 200_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const connection = nthConnection(capture, i, LIBVIRT)
      connection.ask(SMALL_CALL)
      connection.reset()
    }
  }),

  /** Two thousand connections that wait for a segment, out of which the others are kept: REASSEMBLY_TOTAL_BYTES_MAX. */
  holes: pcap(20_000, 500_000, (capture, count) => {
    const connections = 2000
    const payload = new Uint8Array(100).fill(65)
    for (let i = 0; i < connections; i++) begin(capture, 1024 + i)
    for (let i = 0; i < count; i++) {
      const sequence = 1101 + Math.floor(i / connections) * 200
      segment(capture, 1024 + (i % connections), sequence, payload)
    }
  }),

  /** Segments of one byte with a byte between them: REASSEMBLY_SEGMENTS_MAX and SEGMENT_OVERHEAD. */
  'holes-of-one-byte': pcap(20_000, 1_000_000, (capture, count) => {
    beginCall(capture)
    for (let i = 0; i < count; i++) segment(capture, 1024, 1200 + i * 2, Uint8Array.of(65))
  }),

  /** Each segment before all that are kept. */
  'holes-descending': pcap(20_000, 1_000_000, (capture, count) => {
    const payload = new Uint8Array(10).fill(65)
    beginCall(capture)
    for (let i = 0; i < count; i++) segment(capture, 1024, 20_001_000 - i * 20, payload)
  }),
}

function fragment(capture, source, identification, offset, size) {
  const options = { identification, fragment: MORE_FRAGMENTS | offset }
  capture.packet(ipv4(source, host(1), PROTOCOL.tcp, new Uint8Array(size), options))
}

function echo(type, identifier, sequence, size) {
  const bytes = new Uint8Array(8 + size)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, type)
  view.setUint16(4, identifier)
  view.setUint16(6, sequence)
  return bytes
}

function rarp(number) {
  const bytes = new Uint8Array(60)
  const view = new DataView(bytes.buffer)
  bytes.fill(255, 0, 6)
  view.setUint32(8, number)
  view.setUint16(12, 0x8035)
  view.setUint16(14, 1)
  view.setUint16(16, 0x0800)
  view.setUint16(18, 0x0604)
  view.setUint16(20, 3)
  view.setUint32(24, number)
  view.setUint32(34, number)
  return bytes
}

function syn(from, to) {
  return tcp({ from, to, sequence: 1000, flags: FLAG.syn })
}

/** A client's half of a connection to libvirt's port. */
function begin(capture, port) {
  capture.packet(ipv4(host(0), host(1), PROTOCOL.tcp, syn(port, LIBVIRT)))
}

/** A call that is longer than all that comes. */
function beginCall(capture) {
  begin(capture, 1024)
  segment(capture, 1024, 1001, message(1, 0, 1, text(''), GIBIBYTES_2))
}

function segment(capture, port, sequence, payload) {
  const parts = { from: port, to: LIBVIRT, sequence, acknowledged: 1, flags: FLAG.psh | FLAG.ack, payload }
  capture.packet(ipv4(host(0), host(1), PROTOCOL.tcp, tcp(parts)))
}
