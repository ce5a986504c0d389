// Kinds that attack what reads files: records and blocks.
import { join, text } from '../support/bytes.mjs'
import { host, ipv4, PROTOCOL, pcap, pcapng, scattered, udp, words } from './frames.mjs'

const SMALL = ipv4(host(0), host(1), PROTOCOL.udp, udp(1, 2, new Uint8Array(12)))

export const CONTAINERS = {
  /** Records whose length is damage by PACKET_SIZE_MAX: each makes the reader look for the next one that makes sense. */
  'record-length-absurd': pcap(40_000, 4_000_000, (capture, count) =>
    damagedRecords(capture, count, 0xffffffff),
  ),

  /** Records whose length may be right, but swallows thousands of headers. */
  'record-length-possible': pcap(40_000, 1_000_000, (capture, count) =>
    damagedRecords(capture, count, 200_000),
  ),

  /** Records without a packet: most of them to a byte. */
  'empty-packets': pcap(400_000, 8_000_000, (capture, count) => {
    for (let i = 0; i < count; i++) capture.frame(0)
  }),

  /** Interfaces that have nothing: INTERFACES_MAX. */
  interfaces: pcapng(20_000, 4_000_000, (capture, count) => {
    capture.section()
    for (let i = 0; i < count; i++) capture.interface()
    capture.packet(SMALL)
  }),

  /** Interfaces with names of their own: INTERFACE_NAMES_MAX. */
  'interface-names': pcapng(20_000, 1_000_000, (capture, count) => {
    capture.section()
    for (let i = 0; i < count; i++) {
      const name = text(String(i).padStart(8, '0'))
      capture.interface(join([2, 0, 8, 0], name, new Uint8Array(4)))
    }
    capture.packet(SMALL)
  }),

  /** Sections of one packet: all that is known of a section begins anew. */
  sections: pcapng(20_000, 1_000_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      capture.section()
      capture.interface()
      capture.packet(SMALL)
    }
  }),

  /** Packets with ten thousand empty comments each: BLOCK_SIZE_MAX. */
  'packet-options': pcapng(400, 10_000, (capture, count) => {
    const options = emptyOptions(1)
    capture.section()
    capture.interface()
    for (let i = 0; i < count; i++) capture.packet(SMALL, { options })
  }),

  /** Interfaces with ten thousand empty names each. */
  'interface-options': pcapng(400, 10_000, (capture, count) => {
    const options = emptyOptions(2)
    capture.section()
    for (let i = 0; i < count; i++) capture.interface(options)
  }),

  /** Statistics of an interface, again and again. */
  'statistics-blocks': pcapng(100_000, 4_000_000, (capture, count) => {
    capture.section()
    capture.interface()
    for (let i = 0; i < count; i++) capture.block(5, words(0, 0, 0, 0x00080005, i, 0))
  }),

  /** Blocks of a type that nobody knows. */
  'unknown-blocks': pcapng(100_000, 8_000_000, (capture, count) => {
    const body = new Uint8Array(8)
    capture.section()
    capture.interface()
    for (let i = 0; i < count; i++) capture.block(0x0bad, body)
  }),

  /** Two interfaces whose packets are almost a second out of order: ORDER_BYTES_MAX and ORDER_PACKETS_MAX. */
  disorder: pcapng(10_000, 200_000, (capture, count) => {
    const frame = ipv4(host(0), host(1), PROTOCOL.udp, udp(1, 2, new Uint8Array(1000)))
    capture.section()
    capture.interface()
    capture.interface()
    for (let i = 0; i < count; i++) {
      const back = (scattered(i) >>> 8) % 900_000
      capture.packet(frame, { number: i & 1, time: 1_000_000 + i - back })
    }
  }),
}

function damagedRecords(capture, count, size) {
  const record = join(words(1_700_000_000, 5, size, Math.max(60, size)), new Uint8Array(40))
  for (let i = 0; i < count; i++) capture.out.write(record)
}

/** 40,000 bytes of options without a value. */
function emptyOptions(code) {
  return join(...Array.from({ length: 10_000 }, () => [code, 0, 0, 0]))
}
