// Kinds that attack what follows migrations: many of them, and how they are told apart.
import { join, text, u32, u64 } from '../support/bytes.mjs'
import { call, cookie, domain, opaque, reply, string } from '../support/rpc.mjs'
import { Connection, hostName, nthConnection, pcap } from './frames.mjs'

const LIBVIRT = 16509
const MEMORY = 49152
const PROCEDURE = {
  open: 1,
  close: 2,
  feature: 60,
  authList: 66,
  prepare3: 214,
  finish3: 217,
  perform3Params: 305,
}
const FEATURE_P2P = 4
const FLAGS = 0x1b
const PAUSE_NS = 10e9
/** Migrations that are followed at once, and connections that each of them may come to own. */
const ACTIVE_MAX = 1024
const CANDIDATES_MAX = 256
/** Small calls behind a question: more than are kept until it is known whether a migration follows. */
const CALLS = 64

/** As long as bins of 100 ms last. */
const HOURS_NS = 6000e9

export const MIGRATIONS = {
  /** Migrations one after another, each to its end: no attack, but a large study. MIGRATIONS_MAX. */
  'many-migrations': pcap(1500, 20_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      migrate(capture, i)
      capture.timeNs += PAUSE_NS
    }
  }),

  /** The same without a pause: none is over before the next ones begin. ACTIVE_MAX of the tracker. */
  'finished-migrations': pcap(400, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) migrate(capture, i)
  }),

  /** Migrations that never go on: CONNECTIONS_MAX, ACTIVE_MAX. */
  'open-migrations': pcap(600, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      prepare(capture, i)
      connect(capture, i, MEMORY).ask(ramStart())
    }
  }),

  /** Migrations that last for hours, all at once, and send next to nothing: REPORT_BINS_TOTAL_MAX. */
  'long-migrations': pcap(500, 2000, (capture, count) => {
    const all = Array.from({ length: count }, (_, i) => {
      prepare(capture, i)
      const memory = connect(capture, i, MEMORY)
      memory.ask(ramStart())
      return memory
    })
    capture.timeNs += HOURS_NS
    for (const memory of all) memory.ask(ramEnd())
  }),

  /** Migrations that were prepared and have no memory. */
  'prepared-migrations': pcap(600, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) prepare(capture, i)
  }),

  /** All of one pair of hosts, prepared and never finished. */
  'prepared-migrations-of-one-host': pcap(600, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) {
      const port = 1024 + (i % 60_000)
      prepareOver(new Connection(capture, { clientPort: port, serverPort: LIBVIRT }), i, hostName(1))
    }
  }),

  /** As many migrations as are followed, each with as many other connections between its hosts as are kept:
   *  CANDIDATES_MAX. */
  candidates: pcap(20, ACTIVE_MAX, (capture, count) => {
    for (let i = 0; i < count; i++) prepare(capture, i)
    for (let round = 0; round < CANDIDATES_MAX; round++)
      for (let i = 0; i < count; i++) connect(capture, i, 1024 + round)
  }),

  /** Ends of migrations whose beginning is not in the capture: for each its memory is looked for. */
  'finished-before': pcap(600, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) finishOver(connect(capture, i, LIBVIRT), i)
  }),

  /** The same where the memory is there, and was taken for a migration of its own. */
  'finished-behind-memory': pcap(400, 8000, (capture, count) => {
    for (let i = 0; i < count; i++) connect(capture, i, MEMORY).ask(ramStart())
    for (let i = 0; i < count; i++) finishOver(connect(capture, i, LIBVIRT), i)
  }),

  /** Memory that nobody announced, of different hosts: each is a migration. */
  'memory-streams': pcap(4000, 20_000, (capture, count) => {
    for (let i = 0; i < count; i++) connect(capture, i, MEMORY).ask(ramStart())
  }),

  /** The same of one pair of hosts, where each may be one more connection of what is known. */
  'memory-streams-of-one-host': pcap(12_000, 80_000, (capture, count) => {
    for (let i = 0; i < count; i++) nthConnection(capture, i, MEMORY).ask(ramStart())
  }),

  /** Clients that order a source to migrate, of which nothing comes. */
  orders: pcap(3000, 20_000, (capture, count) => {
    for (let i = 0; i < count; i++) order(connect(capture, i, LIBVIRT), i)
  }),

  /** All orders over one connection. */
  'orders-over-one-connection': pcap(1000, 20_000, (capture, count) => {
    const rpc = connect(capture, 0, LIBVIRT)
    for (let i = 0; i < count; i++) order(rpc, i)
  }),

  /** Orders beside as many migrations of other guests, each of which might have come of them. */
  'orders-beside-migrations': pcap(400, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) prepare(capture, i)
    for (let i = 0; i < count; i++) order(connect(capture, i, LIBVIRT), count + i)
  }),

  /** Conversations that ask what a daemon asks before it prepares, and close. */
  'questions-closed': pcap(600, 20_000, (capture, count) => {
    for (let i = 0; i < count; i++) question(capture, i).close()
  }),

  /** The same, left open. */
  'questions-open': pcap(3000, 20_000, (capture, count) => {
    for (let i = 0; i < count; i++) question(capture, i)
  }),

  /** Behind the question come as many calls as are kept: PRELUDE_MAX of the tracker. */
  'questions-and-calls-closed': pcap(200, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) smallCalls(question(capture, i)).close()
  }),

  /** The same, left open. */
  'questions-and-calls-open': pcap(300, 10_000, (capture, count) => {
    for (let i = 0; i < count; i++) smallCalls(question(capture, i))
  }),
}

/** From source to destination, a pair for each migration. */
function connect(capture, number, serverPort) {
  const clientPort = 40_000 + (serverPort % 10_000)
  return new Connection(capture, { client: 2 * number, server: 2 * number + 1, clientPort, serverPort })
}

function migrate(capture, number) {
  const rpc = prepare(capture, number)
  const memory = connect(capture, number, MEMORY)
  memory.ask(join(ramStart(), ramEnd()))
  memory.close()
  finishOver(rpc, number)
  rpc.ask(call(PROCEDURE.close, 3))
  rpc.answer(reply(PROCEDURE.close, 3))
  rpc.close()
}

function prepare(capture, number) {
  return prepareOver(connect(capture, number, LIBVIRT), number, hostName(2 * number + 1))
}

function prepareOver(rpc, number, destination) {
  const guest = nthGuest(number)
  const told = opaque(cookie(guest))
  rpc.ask(call(PROCEDURE.open, 0, u32(1), string('qemu:///system'), u32(0)))
  rpc.answer(reply(PROCEDURE.open, 0))
  const rest = [u32(0), u64(FLAGS), u32(0), u64(0), string(domain(guest))]
  rpc.ask(call(PROCEDURE.prepare3, 1, told, ...rest))
  rpc.answer(reply(PROCEDURE.prepare3, 1, told, u32(1), string(`tcp:${destination}:${MEMORY}`)))
  return rpc
}

function finishOver(rpc, number) {
  const guest = nthGuest(number)
  const told = opaque(cookie(guest))
  rpc.ask(call(PROCEDURE.finish3, 2, string(guest.name), told, u32(0), u32(0), u64(FLAGS), u32(0)))
  rpc.answer(reply(PROCEDURE.finish3, 2, ...domainOf(guest), told))
}

function order(rpc, number) {
  const guest = nthGuest(number)
  const uri = [u32(1), string('qemu+tcp://compute2/system')]
  rpc.ask(call(PROCEDURE.perform3Params, number, ...domainOf(guest), ...uri, u32(0), u32(0), u32(FLAGS)))
}

function question(capture, number) {
  const rpc = nthConnection(capture, number, LIBVIRT)
  rpc.ask(call(PROCEDURE.feature, 1, u32(FEATURE_P2P)))
  rpc.answer(reply(PROCEDURE.feature, 1, u32(1)))
  return rpc
}

function smallCalls(rpc) {
  for (let i = 0; i < CALLS; i++) rpc.ask(call(PROCEDURE.authList, 2 + i))
  return rpc
}

function nthGuest(number) {
  return {
    name: `vm${number}`,
    uuid: `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
  }
}

/** `remote_nonnull_domain`. */
function domainOf({ name, uuid }) {
  return [string(name), Buffer.from(uuid.replaceAll('-', ''), 'hex'), u32(0xffffffff)]
}

/** The beginning of a guest's memory: blocks, and one zero page. */
function ramStart() {
  const [section, name, size] = [text('ram'), text('pc.ram'), 0x10000000]
  return join(
    u32(0x5145564d),
    u32(3),
    [1, ...u32(2), section.length],
    section,
    u32(0),
    u32(4),
    u64(size + 4),
    [name.length],
    name,
    u64(size),
    u64(16),
    [2, ...u32(2), ...u64(2), name.length],
    name,
    [0],
    u64(16),
  )
}

function ramEnd() {
  return join([3], u32(2), u64(16), [4], u32(3), [5], text('timer'), u32(0), u32(2), new Uint8Array(24), [0])
}
