// Kinds that attack decoders: lengths, nesting, and what waits for more.
import { join, text, u32, u64 } from '../support/bytes.mjs'
import { call, message, opaque } from '../support/rpc.mjs'
import { Connection, netWords, nthConnection, pcap, scattered } from './frames.mjs'

const LIBVIRT = 16509
const LIBVIRT_TLS = 16514
const MEMORY = 49152
const STORAGE = 49153
const MIB = 1024 * 1024
const QEMU_START = join(u32(0x5145564d), u32(3))
const BLOCK = 'pc.ram'
/** Lowest bits of a record. */
const RAM = { zero: 0x02, size: 0x04, end: 0x10, sameBlock: 0x20 }
const FILLER = new Uint8Array(1000).fill(65)

export const PROTOCOLS = {
  /** Calls of the largest size, of which a little comes, on many connections: BODIES_TOTAL_MAX. */
  'libvirt-lengths': pcap(3000, 150_000, (capture, count) => {
    for (let i = 0; i < count; i++) nthConnection(capture, i, LIBVIRT).ask(message(1, 0, 1, FILLER, 32 * MIB))
  }),

  /** Calls with one text of 30 MiB: LIBVIRT_BODY_MAX. */
  'libvirt-texts': pcap(2, 30, (capture, count) => {
    const rpc = new Connection(capture, { serverPort: LIBVIRT })
    const body = opaque(new Uint8Array(30 * MIB - 4).fill(60))
    for (let i = 0; i < count; i++) rpc.ask(call(307, i, body))
  }),

  /** Descriptions of a domain that are nothing but elements in elements. */
  'libvirt-elements': pcap(2, 100, (capture, count) => {
    const rpc = new Connection(capture, { serverPort: LIBVIRT })
    const xml = opaque(text('<a>'.repeat(MIB / 2)))
    for (let i = 0; i < count; i++) rpc.ask(call(214, i, u32(0), u32(0), u64(0), u32(0), u64(0), xml))
  }),

  /** Calls that are never answered, over one connection. */
  'libvirt-calls': pcap(20_000, 2_000_000, (capture, count) => {
    const rpc = new Connection(capture, { serverPort: LIBVIRT })
    for (let i = 0; i < count; i++) rpc.ask(call(66, i))
  }),

  /** Configurations of 4 GiB. */
  'qemu-lengths': pcap(8000, 100_000, (capture, count) => {
    const start = join(QEMU_START, [7], u32(0xffffffff), FILLER)
    for (let i = 0; i < count; i++) nthConnection(capture, i, MEMORY).ask(start)
  }),

  /** RAM blocks without end: RAM_BLOCKS_MAX. */
  'qemu-blocks': pcap(100_000, 2_000_000, (capture, count) => {
    const memory = new Connection(capture, { serverPort: MEMORY })
    memory.ask(ramStart(2 ** 50))
    for (let i = 0; i < count; i += 20)
      memory.ask(
        join(...Array.from({ length: 20 }, (_, j) => ramBlock(String(i + j).padStart(40, 'x'), 4096))),
      )
  }),

  /** The largest block that is believed, with a page here and there: ROUND_MAPS_TOTAL_MAX. */
  'qemu-huge-memory': pcap(100_000, 4_000_000, (capture, count) => {
    const memory = new Connection(capture, { serverPort: MEMORY })
    memory.ask(join(wholeRamStart(2 ** 46), firstPage(0)))
    zeroPages(memory, count, (i) => scattered(i) * 2 ** 14)
  }),

  /** The same memory many times, each with a page at its end. */
  'qemu-huge-memories': pcap(600, 20_000, (capture, count) => {
    const start = join(wholeRamStart(2 ** 40), firstPage(2 ** 40 - 4096))
    for (let i = 0; i < count; i++) nthConnection(capture, i, MEMORY).ask(start)
  }),

  /** Two pages by turns, so that each round has no more: ROUNDS_MAX. */
  'qemu-rounds': pcap(100_000, 4_000_000, (capture, count) => {
    const memory = new Connection(capture, { serverPort: MEMORY })
    memory.ask(join(wholeRamStart(2 ** 30), firstPage(0)))
    zeroPages(memory, count, (i) => (i & 1) * 4096)
  }),

  /** The beginnings of channels, all of different migrations: CHANNELS_MAX. */
  'multifd-channels': pcap(1000, 20_000, (capture, count) => {
    const packet = join(
      netWords(0x11223344, 1, 0, ...Array(6).fill(0xffffffff)),
      new Uint8Array(700).fill(65),
    )
    for (let i = 0; i < count; i++) {
      const channel = nthConnection(capture, i, MEMORY)
      channel.ask(join(netWords(0x11223344, 1), new Uint8Array(16).fill(i), [i & 255], new Uint8Array(39)))
      channel.ask(packet)
    }
  }),

  /** Options of 4 GiB. */
  'nbd-lengths': pcap(3000, 100_000, (capture, count) => {
    const option = join(text('IHAVEOPT'), netWords(7, 0xffffffff), FILLER)
    for (let i = 0; i < count; i++) greet(nthConnection(capture, i, STORAGE)).ask(option)
  }),

  /** Reads that are never answered: NBD_READS_MAX. */
  'nbd-reads': pcap(100_000, 4_000_000, (capture, count) => {
    const storage = greet(new Connection(capture, { serverPort: STORAGE }))
    storage.ask(join(text('IHAVEOPT'), netWords(1, 4), text('disk')))
    for (let i = 0; i < count; i += 40) {
      const reads = Array.from({ length: 40 }, (_, j) => netWords(0x25609513, 0, 0, i + j, 0, 0, 0xffffffff))
      storage.ask(join(...reads))
    }
  }),

  /** Greetings that promise more than a record holds. */
  'tls-lengths': pcap(4500, 200_000, (capture, count) => {
    const hello = join([22, 3, 1, 255, 255, 1, 255, 255, 255, 3, 3], FILLER)
    for (let i = 0; i < count; i++) nthConnection(capture, i, LIBVIRT_TLS).ask(hello)
  }),

  /** Records of one byte: TLS_RECORDS_MAX. */
  'tls-records': pcap(400_000, 10_000_000, (capture, count) => {
    const connection = new Connection(capture, { serverPort: LIBVIRT_TLS })
    const records = join(...Array.from({ length: 200 }, () => [23, 3, 3, 0, 1, 65]))
    connection.ask(Uint8Array.of(22, 3, 1, 0, 5, 1, 0, 0, 1, 0))
    for (let i = 0; i < count; i += 200) connection.ask(records)
  }),
}

function ramStart(size) {
  return join(QEMU_START, [1], u32(2), [3], text('ram'), u32(0), u32(4), u64(size + RAM.size))
}

function ramBlock(name, size) {
  return join([name.length], text(name), u64(size))
}

/** With its only block. */
function wholeRamStart(size) {
  return join(ramStart(size), ramBlock(BLOCK, size), u64(RAM.end))
}

/** The beginning of a section that goes on. */
function firstPage(address) {
  return join([2], u32(2), u64(address + RAM.zero), [BLOCK.length], text(BLOCK), [0])
}

function zeroPages(memory, count, addressOf) {
  const [size, atOnce] = [9, 100]
  for (let i = 0; i < count; i += atOnce) {
    const pages = new Uint8Array(atOnce * size)
    for (let j = 0; j < atOnce; j++) pages.set(u64(addressOf(i + j) + RAM.zero + RAM.sameBlock), j * size)
    memory.ask(pages)
  }
}

function greet(connection) {
  connection.answer(join(text('NBDMAGICIHAVEOPT'), [0, 3]))
  connection.ask(netWords(3))
  return connection
}
