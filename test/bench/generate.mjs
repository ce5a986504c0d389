// Writes a capture of one peer-to-peer migration of any size: honest bytes of Ethernet, IPv4, TCP, libvirt RPC and the
// QEMU stream, one acknowledgement for every second segment. Usage: node test/bench/generate.mjs FILE MEGABYTES [KIND]
import { AMQP_HEADER, publish } from '../support/amqp.mjs'
import { join, text, u32, u64 } from '../support/bytes.mjs'
import { OutputFile, Pcap, Pcapng } from '../support/pcap.mjs'
import { call, cookie, domain, opaque, reply, string } from '../support/rpc.mjs'

const PAGE = 4096
const MSS = 1448
/** What a network card of the sender's takes at once, and a capture on that machine shows. */
const GSO_SIZE = 45 * MSS
/** Segments until a lost one is sent again. */
const RESEND_AFTER = 30
/** Segments of the migration between two small conversations of others, between two messages of a service, and messages between
 *  two requests. */
const SMALL_FLOW_EVERY = 40
const MESSAGE_EVERY = 40
const MESSAGES_PER_REQUEST = 10
const SEGMENT_NS = 12_000
const PAGES_PER_SECTION = 256
/** Pages until the contents repeat: more than compressors look back. */
const DIFFERENT_PAGES = 64

/** What a kind of capture is like: `format` of the file, `zeroShare` of the pages, `size` of segments, `loss` and `reordering` as shares of the
 *  segments, `around`: what else passes. */
export const KINDS = {
  pages: {},
  pcapng: { format: Pcapng },
  gso: { size: GSO_SIZE },
  'zero-heavy': { zeroShare: 0.95 },
  zero: { zeroShare: 1 },
  flows: { around: 'flows' },
  openstack: { around: 'openstack' },
  lossy: { loss: 0.05, reordering: 0.05 },
}

/** The whole capture, written to a file descriptor in large blocks. */
export function generate(file, bytes, kind = 'pages') {
  const { format = Pcap, zeroShare = 0, size = MSS, loss = 0, reordering = 0, around = null } = KINDS[kind]
  const out = new format(new OutputFile(file), SEGMENT_NS)
  const rpc = new Connection(out, 40000, 16509)
  rpc.open()
  rpc.send('client', call(1, 0, u32(1), string('qemu:///system'), u32(0)))
  rpc.send('server', reply(1, 0))
  rpc.send('client', call(214, 1, opaque(cookie()), u32(0), u64(0x1b), u32(0), u64(0), string(domain())))
  rpc.send('server', reply(214, 1, opaque(cookie()), u32(1), string('tcp:10.0.0.2:49152')))
  const memory = new Connection(out, 40001, 49152)
  memory.open()
  Object.assign(memory, { size, loss, reordering, around: around && new AROUND[around](out) })
  for (const part of stream(bytes, zeroShare)) memory.send('client', part)
  memory.close()
  rpc.send('client', call(217, 2, string('vm1'), opaque(cookie()), u32(0), u32(0), u64(0x1b), u32(0)))
  rpc.send('server', reply(217, 2, string('vm1'), new Uint8Array(16), u32(0xffffffff), opaque(cookie())))
  rpc.send('client', call(2, 3))
  rpc.send('server', reply(2, 3))
  rpc.close()
  out.end()
}

function* stream(bytes, zeroShare) {
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
  const pages = Math.floor(bytes / (8 + zeroShare + (1 - zeroShare) * PAGE))
  // Half of each page is noise, so that captures compress as those of guests do.
  const contents = Uint8Array.from({ length: DIFFERENT_PAGES * PAGE }, (_, i) =>
    i % PAGE < PAGE / 2 ? random() * 256 : 0,
  )
  // Every page but some of a hundred is a zero page, which is a record with a byte.
  const isZero = (page) => page % 100 < zeroShare * 100
  const section = new Uint8Array(PAGES_PER_SECTION * (9 + PAGE) + 64)
  const view = new DataView(section.buffer)
  for (let first = 0; first < pages; first += PAGES_PER_SECTION) {
    section.set([2, ...u32(2)])
    let end = 5
    for (let page = first; page < Math.min(pages, first + PAGES_PER_SECTION); page++) {
      const address = (page * PAGE) % blocks
      const flag = (isZero(page) ? 0x02 : 0x08) + (page === first ? 0 : 0x20)
      view.setUint32(end, Math.floor(address / 2 ** 32))
      view.setUint32(end + 4, (address >>> 0) + flag)
      end += 8
      if (page === first) {
        section.set([name.length, ...name], end)
        end += 1 + name.length
      }
      const from = (page % DIFFERENT_PAGES) * PAGE
      if (!isZero(page)) section.set(contents.subarray(from, from + PAGE), end)
      else section[end] = 0
      end += isZero(page) ? 1 : PAGE
    }
    section.set(u64(16), end)
    yield section.slice(0, end + 8)
  }
  yield join([3], u32(2), u64(16))
  yield join([4], u32(3), [5], text('timer'), u32(0), u32(2), new Uint8Array(24), [0])
}

class Connection {
  constructor(out, clientPort, serverPort) {
    this.out = out
    this.ports = { client: clientPort, server: serverPort }
    this.sequence = { client: clientPort * 1000, server: serverPort * 1000 }
    this.segments = 0
    this.size = MSS
    this.loss = 0
    this.reordering = 0
    /** Segments that are still to come, the next one first. */
    this.late = []
    this.around = null
  }

  open() {
    this.#segment('client', 2)
    this.sequence.client++
    this.#segment('server', 0x12)
    this.sequence.server++
    this.#segment('client', 0x10)
  }

  close() {
    for (const { sequence, payload } of this.late.splice(0)) this.#segment('client', 0x18, payload, sequence)
    this.#segment('server', 0x11)
    this.#segment('client', 0x11)
  }

  send(from, bytes) {
    for (let offset = 0; offset < bytes.length; offset += this.size) {
      const payload = bytes.subarray(offset, offset + this.size)
      this.#sendSegment(from, payload)
      this.sequence[from] = (this.sequence[from] + payload.length) >>> 0
      while (this.late.length > 0 && this.late[0].due <= this.segments) {
        const { sequence, payload } = this.late.shift()
        this.#segment(from, 0x18, payload, sequence)
      }
      if (++this.segments % 2 === 0) this.#segment(from === 'client' ? 'server' : 'client', 0x10)
      this.around?.segment(this.segments)
    }
  }

  /** Now, a segment later than the next, or, being lost, again after a while. */
  #sendSegment(from, payload) {
    const chance = this.loss + this.reordering === 0 ? 1 : random()
    const sequence = this.sequence[from]
    if (chance < this.loss) this.late.push({ due: this.segments + RESEND_AFTER, sequence, payload })
    else if (chance < this.loss + this.reordering)
      this.late.unshift({ due: this.segments + 1, sequence, payload })
    else this.#segment(from, 0x18, payload)
  }

  #segment(from, flags, payload = new Uint8Array(0), sequence = this.sequence[from]) {
    const to = from === 'client' ? 'server' : 'client'
    const ends = from === 'client' ? [1, 2] : [2, 1]
    const header = this.out.frame(66 + payload.length)
    const { view, bytes, offset } = header
    bytes.set([2, 0, 0, 0, 0, ends[1], 2, 0, 0, 0, 0, ends[0], 8, 0, 0x45, 0], offset)
    view.setUint16(offset + 16, 52 + payload.length)
    bytes.set([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, ends[0], 10, 0, 0, ends[1]], offset + 18)
    view.setUint16(offset + 34, this.ports[from])
    view.setUint16(offset + 36, this.ports[to])
    view.setUint32(offset + 38, sequence)
    view.setUint32(offset + 42, Math.min(this.sequence[to], ...this.late.map((each) => each.sequence)))
    bytes.set([0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1], offset + 46)
    bytes.set(payload, offset + 66)
  }
}

/** Requests to a service, and answers, each over a connection of its own. */
class SmallFlows {
  constructor(out) {
    this.out = out
    this.port = 1024
  }

  segment(number) {
    if (number % SMALL_FLOW_EVERY === 0) this.next()
  }

  next() {
    this.port = this.port < 39_000 ? this.port + 1 : 1024
    const flow = new Connection(this.out, this.port, 8774)
    const body = `{"server": {"id": "00000000-0000-4000-8000-000000000001", "status": "MIGRATING"}}`
    flow.open()
    flow.send(
      'client',
      text('GET /v2.1/servers/00000000-0000-4000-8000-000000000001 HTTP/1.1\r\nHost: api\r\n\r\n'),
    )
    flow.send('server', text(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
    flow.close()
  }
}

/** What services tell each other all the time, over a connection to the broker that stays, and a request now and then. */
class OpenStackChatter {
  constructor(out) {
    this.requests = new SmallFlows(out)
    this.broker = new Connection(out, 40002, 5672)
    this.broker.open()
    this.broker.send('client', AMQP_HEADER)
    this.messages = 0
  }

  segment(number) {
    if (number % MESSAGE_EVERY !== 0) return
    this.broker.send('client', publish(1, 'conductor', report(this.messages++)))
    if (this.messages % MESSAGES_PER_REQUEST === 0) this.requests.next()
  }
}

/** A compute service says that it is alive, some 3 KB: JSON in JSON, as oslo.messaging sends it. */
function report(number) {
  const service = { host: 'compute1', binary: 'nova-compute', report_count: number, topic: 'compute' }
  const versions = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`Object${i}`, `1.${i}`]))
  const args = { objinst: { 'nova_object.data': service }, objmethod: 'save', object_versions: versions }
  const message = { method: 'object_action', args, version: '3.0', _unique_id: `${number}`.padStart(32, '0') }
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })
}

const AROUND = { flows: SmallFlows, openstack: OpenStackChatter }

let state = 1

/** From 0 to 1, the same in each run. @see Numerical Recipes, "An Even Quicker Generator" */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [file, megabytes, kind = 'pages'] = process.argv.slice(2)
  if (file === undefined || !(Number(megabytes) > 0) || !(kind in KINDS)) {
    process.stderr.write(
      `usage: node test/bench/generate.mjs FILE MEGABYTES [${Object.keys(KINDS).join('|')}]\n`,
    )
    process.exit(2)
  }
  generate(file, Number(megabytes) * 1e6, kind)
}
