/** Writes captures that no network ever saw, byte by byte as the tools write them. From the bottom up:
 *
 *  - containers: `pcap(packets)`, `new Pcapng().interface().enhanced(packet).bytes()`, `dpmi(packets)`
 *  - frames: `LINK.vlan.frame(ETHERTYPE.ipv4, ipv4({…}, tcp({…}, payload)))`
 *  - a story: what passes a tap, connection by connection, which can be damaged before it is written
 *
 *  ```ts
 *  const wire = new Wire()
 *  const rpc = wire.connection({ name: 'rpc', client: '10.0.0.1:50000', server: '10.0.0.2:16509' })
 *  rpc.open().send('client', request, 'call').send('server', answer, 'reply').close('client')
 *  const bytes = pcap(capture(damage(wire.passed, 'retransmit', 4)))
 *  ```
 *  Checksums are zero: nobody who reads a capture may trust them. */

// Containers

export interface CapturedPacket {
  /** Since 1970. */
  readonly timeNs: bigint
  readonly frame: Uint8Array
  /** On the wire; the frame's own length without it. */
  readonly originalLength?: number
  /** What the record header claims; only to lie about it. */
  readonly claimedLength?: number
}

export type ByteOrder = 'big' | 'little'

/** Grows by fields of either byte order. */
class Fields {
  readonly #parts: Uint8Array[] = []
  readonly #little: boolean

  constructor(byteOrder: ByteOrder) {
    this.#little = byteOrder === 'little'
  }

  u16(value: number): this {
    const bytes = new Uint8Array(2)
    new DataView(bytes.buffer).setUint16(0, value, this.#little)
    return this.raw(bytes)
  }

  u32(value: number | bigint): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, Number(BigInt.asUintN(32, BigInt(value))), this.#little)
    return this.raw(bytes)
  }

  u64(value: bigint): this {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), this.#little)
    return this.raw(bytes)
  }

  raw(...parts: readonly Uint8Array[]): this {
    this.#parts.push(...parts)
    return this
  }

  /** Zeroes up to a multiple of four. */
  pad(): this {
    return this.raw(new Uint8Array((4 - (this.bytes().length % 4)) % 4))
  }

  bytes(): Uint8Array {
    return joined(this.#parts)
  }
}

/** Like `concat`, for any number of parts. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const PCAP_MAGIC = { us: 0xa1b2c3d4, ns: 0xa1b23c4d, modified: 0xa1b2cd34 } as const

export interface PcapOptions {
  readonly byteOrder?: ByteOrder
  /** `modified`: microseconds, and Kuznetsov's longer record header. */
  readonly form?: keyof typeof PCAP_MAGIC
  readonly linkType?: number
  /** Bytes of frame check sequence that the header announces. */
  readonly fcsSize?: number
  readonly snapLength?: number
  /** Of version 2. */
  readonly minor?: number
}

export function pcap(packets: readonly CapturedPacket[], options: PcapOptions = {}): Uint8Array {
  const { byteOrder = 'little', form = 'ns', linkType = 1, fcsSize = 0 } = options
  const { snapLength = 262_144, minor = 4 } = options
  const fcsWord = fcsSize === 0 ? 0 : 0x04000000 + ((fcsSize / 2) << 28)
  const file = new Fields(byteOrder).u32(PCAP_MAGIC[form]).u16(2).u16(minor).u32(0).u32(0)
  file.u32(snapLength).u32(linkType + fcsWord)
  for (const packet of packets) {
    const fraction = packet.timeNs % 1_000_000_000n
    file.u32(packet.timeNs / 1_000_000_000n).u32(form === 'ns' ? fraction : fraction / 1000n)
    file.u32(packet.claimedLength ?? packet.frame.length).u32(packet.originalLength ?? packet.frame.length)
    if (form === 'modified') file.u32(2).u16(0x0800).u16(0)
    file.raw(packet.frame)
  }
  return file.bytes()
}

export interface PcapngInterface {
  readonly linkType?: number
  /** if_tsresol: n for 10^-n s, 0x80 + n for 2^-n s; left out, the reader must assume 6. */
  readonly resolution?: number
  readonly offsetSeconds?: bigint
  /** 0: no limit. */
  readonly snapLength?: number
  /** As it stands in the option: bits, as the tools write it. */
  readonly fcsSize?: number
  readonly name?: string
}

/** What a packet block says beside the packet. */
export interface PacketRemarks {
  /** Packets lost since the one before. */
  readonly drops?: number
  /** Bytes of frame check sequence, in the packet's flags. */
  readonly fcsSize?: number
  /** No options at all, as capture tools write it. */
  readonly plain?: boolean
}

const BLOCK = {
  section: 0x0a0d0d0a,
  interface: 1,
  obsolete: 2,
  simple: 3,
  statistics: 5,
  enhanced: 6,
} as const
const NOTHING = new Uint8Array(0)

/** Blocks in the order of the calls. The file begins with a section. */
export class Pcapng {
  readonly #blocks: Uint8Array[] = []
  #byteOrder: ByteOrder = 'little'
  #interfaces: PcapngInterface[] = []

  constructor(byteOrder: ByteOrder = 'little') {
    this.section(byteOrder)
  }

  section(byteOrder: ByteOrder = 'little', [major, minor]: readonly [number, number] = [1, 0]): this {
    this.#byteOrder = byteOrder
    this.#interfaces = []
    return this.block(BLOCK.section, this.#fields().u32(0x1a2b3c4d).u16(major).u16(minor).u64(-1n).bytes())
  }

  interface(options: PcapngInterface = {}): this {
    this.#interfaces.push(options)
    const body = this.#fields()
      .u16(options.linkType ?? 1)
      .u16(0)
      .u32(options.snapLength ?? 0)
    this.#option(body, 2, new TextEncoder().encode(options.name ?? 'eth0'))
    if (options.resolution !== undefined) this.#option(body, 9, Uint8Array.of(options.resolution))
    if (options.fcsSize !== undefined) this.#option(body, 13, Uint8Array.of(options.fcsSize))
    if (options.offsetSeconds !== undefined)
      this.#option(body, 14, this.#fields().u64(options.offsetSeconds).bytes())
    return this.block(BLOCK.interface, this.#option(body, 0, NOTHING).bytes())
  }

  enhanced(packet: CapturedPacket, on = 0, remarks: PacketRemarks = {}): this {
    const body = this.#packet(this.#fields().u32(on), packet, on)
    if (remarks.plain === true) return this.block(BLOCK.enhanced, body.bytes())
    this.#option(body, 1, new TextEncoder().encode('a comment'))
    if (remarks.fcsSize !== undefined)
      this.#option(
        body,
        2,
        this.#fields()
          .u32(remarks.fcsSize << 5)
          .bytes(),
      )
    if (remarks.drops !== undefined) this.#option(body, 4, this.#fields().u64(BigInt(remarks.drops)).bytes())
    return this.block(BLOCK.enhanced, this.#option(body, 0, NOTHING).bytes())
  }

  obsolete(packet: CapturedPacket, on = 0, { drops = 0 }: PacketRemarks = {}): this {
    return this.block(BLOCK.obsolete, this.#packet(this.#fields().u16(on).u16(drops), packet, on).bytes())
  }

  /** Without time or interface. */
  simple(packet: CapturedPacket): this {
    const original = packet.originalLength ?? packet.frame.length
    return this.block(BLOCK.simple, this.#fields().u32(original).raw(packet.frame).pad().bytes())
  }

  statistics(on: number, drops: { readonly byInterface?: bigint; readonly bySystem?: bigint }): this {
    const body = this.#fields().u32(on).u64(0n)
    this.#option(body, 4, this.#fields().u64(1000n).bytes())
    if (drops.byInterface !== undefined) this.#option(body, 5, this.#fields().u64(drops.byInterface).bytes())
    if (drops.bySystem !== undefined) this.#option(body, 7, this.#fields().u64(drops.bySystem).bytes())
    return this.block(BLOCK.statistics, body.bytes())
  }

  /** Bytes that are no block. */
  junk(bytes: Uint8Array): this {
    this.#blocks.push(bytes)
    return this
  }

  /** Any block; `claimedSize` only to lie about its length. */
  block(type: number, body: Uint8Array, claimedSize?: number): this {
    const padded = this.#fields().raw(body).pad().bytes()
    const size = claimedSize ?? padded.length + 12
    this.#blocks.push(this.#fields().u32(type).u32(size).raw(padded).u32(size).bytes())
    return this
  }

  bytes(): Uint8Array {
    return joined(this.#blocks)
  }

  #packet(body: Fields, packet: CapturedPacket, on: number): Fields {
    const { resolution = 6, offsetSeconds = 0n } = this.#interfaces[on] ?? {}
    const exponent = BigInt(resolution & 0x7f)
    const ticksPerSecond = (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent
    const ticks = ((packet.timeNs - offsetSeconds * 1_000_000_000n) * ticksPerSecond) / 1_000_000_000n
    body.u32(BigInt.asUintN(64, ticks) >> 32n).u32(ticks)
    body.u32(packet.claimedLength ?? packet.frame.length).u32(packet.originalLength ?? packet.frame.length)
    return body.raw(packet.frame).pad()
  }

  #option(body: Fields, code: number, value: Uint8Array): Fields {
    return body.u16(code).u16(value.length).raw(value).pad()
  }

  #fields(): Fields {
    return new Fields(this.#byteOrder)
  }
}

/** A frame as a measurement point of DPMI keeps it. */
export interface MeasuredPacket extends CapturedPacket {
  /** Below the nanosecond, 0 … 999. */
  readonly picoseconds?: number
  readonly interface?: string
  readonly point?: string
}

/** Headers and frames, one behind the other, as they stand in files and in measurement frames.
 *  @see DPMI/libcap_utils caputils/capture.h */
function capRecords(packets: readonly MeasuredPacket[], byteOrder: ByteOrder): Uint8Array {
  const records = new Fields(byteOrder)
  for (const packet of packets) {
    const { timeNs, frame, picoseconds = 0 } = packet
    records.raw(padded(packet.interface ?? 'd00', 8), padded(packet.point ?? 'mp1', 8))
    records.u32(timeNs / 1_000_000_000n).u64((timeNs % 1_000_000_000n) * 1000n + BigInt(picoseconds))
    records
      .u32(packet.originalLength ?? frame.length)
      .u32(packet.claimedLength ?? frame.length)
      .raw(frame)
  }
  return records.bytes()
}

/** Text and zeroes behind it. */
function padded(text: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes.set(new TextEncoder().encode(text))
  return bytes
}

export interface DpmiOptions {
  readonly byteOrder?: ByteOrder
  /** The digit behind `0.`; 0.5 and 0.6 have headers of their own. */
  readonly minor?: number
  readonly major?: number
  readonly comment?: string
  readonly mpid?: string
  /** Between the header and the comment, of 0.7 and later. */
  readonly extensions?: Uint8Array
}

/** A capture file of DPMI. @see DPMI/libcap_utils caputils/file.h */
export function dpmi(packets: readonly MeasuredPacket[], options: DpmiOptions = {}): Uint8Array {
  const { byteOrder = 'little', major = 0, minor = 7, mpid = 'mp1', extensions = NOTHING } = options
  const comment = new TextEncoder().encode(options.comment ?? 'made by hand')
  const file = new Fields(byteOrder)
  if (minor === 5) file.u32(comment.length).u32(major).u32(minor).raw(padded(mpid, 200))
  else if (minor === 6) file.u32(comment.length).raw(Uint8Array.of(major, minor), padded(mpid, 202))
  else {
    file
      .u64(0x8f1ae247c53d9b6en)
      .u16(major)
      .u16(minor)
      .u16(216 + extensions.length)
      .u16(comment.length)
    file.raw(padded(mpid, 200), extensions)
  }
  return file.raw(comment, capRecords(packets, byteOrder)).bytes()
}

export interface MeasurementFrame {
  readonly sequence: number
  readonly packets: readonly MeasuredPacket[]
  /** What the header says; only to lie about it. */
  readonly announced?: number
  readonly minor?: number
  /** Last byte of the destination's address. */
  readonly stream?: number
}

/** The Ethernet frame in which a measurement point sends frames. @see DPMI/libcap_utils caputils/send.h */
export function measurementFrame(options: MeasurementFrame): Uint8Array {
  const { sequence, packets, announced = packets.length, minor = 7, stream = 1 } = options
  return big()
    .raw(Uint8Array.of(1, 0, 0, 0, 1, stream, 2, 0, 0, 0, 0, 9))
    .u16(0x0810)
    .u32(sequence)
    .u32(announced)
    .u32(0)
    .u16(0)
    .u16(minor)
    .raw(capRecords(packets, 'little'))
    .bytes()
}

// Frames

export const ETHERTYPE = { ipv4: 0x0800, rarp: 0x8035, ipv6: 0x86dd } as const

/** A way to put a network packet into a frame, and the LINKTYPE that says so. */
export interface Link {
  readonly linkType: number
  readonly frame: (etherType: number, packet: Uint8Array) => Uint8Array
}

const big = (): Fields => new Fields('big')
const MACS = Uint8Array.of(0x52, 0x54, 0, 0x77, 0, 2, 0x52, 0x54, 0, 0x77, 0, 1)

/** Ethernet with tags, outermost first: `[ethertype, VLAN]`. */
function tagged(tags: readonly (readonly [number, number])[]): Link['frame'] {
  return (etherType, packet) => {
    const frame = big().raw(MACS)
    for (const [tagType, vlan] of tags) frame.u16(tagType).u16(vlan)
    return frame.u16(etherType).raw(packet).bytes()
  }
}

function loopback(byteOrder: ByteOrder, ipv6Family: number): Link['frame'] {
  return (etherType, packet) =>
    new Fields(byteOrder)
      .u32(etherType === ETHERTYPE.ipv6 ? ipv6Family : 2)
      .raw(packet)
      .bytes()
}

/** @see draft-ietf-opsawg-pcap, "linktypes" */
export const LINK = {
  ethernet: { linkType: 1, frame: tagged([]) },
  vlan: { linkType: 1, frame: tagged([[0x8100, 77]]) },
  qinq: {
    linkType: 1,
    frame: tagged([
      [0x88a8, 7],
      [0x8100, 77],
    ]),
  },
  raw: { linkType: 101, frame: (_etherType, packet) => packet },
  sll: {
    linkType: 113,
    frame: (etherType, packet) =>
      big().u16(0).u16(1).u16(6).raw(MACS.subarray(6)).u16(0).u16(etherType).raw(packet).bytes(),
  },
  sll2: {
    linkType: 276,
    frame: (etherType, packet) =>
      big().u16(etherType).u16(0).u32(2).u16(1).u16(6).raw(MACS.subarray(6)).u16(0).raw(packet).bytes(),
  },
  null: { linkType: 0, frame: loopback('little', 30) },
  loop: { linkType: 108, frame: loopback('big', 24) },
} as const satisfies Record<string, Link>

/** Of `1.2.3.4` or any form of IPv6 without an embedded IPv4 address. */
export function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number)
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'))
  const [head = '', tail] = text.split('::')
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeroes = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const address = big()
  for (const group of [...before, ...zeroes, ...after]) address.u16(Number.parseInt(group, 16))
  return address.bytes()
}

export interface Ipv4Header {
  readonly source: string
  readonly destination: string
  readonly protocol?: number
  /** A multiple of four bytes. */
  readonly options?: Uint8Array
  /** The true one without it; 0 is what super-frames have. */
  readonly totalLength?: number
  readonly identification?: number
  /** Flags and offset, as they stand in the header. */
  readonly fragment?: number
}

export function ipv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const { options = NOTHING, protocol = 6 } = header
  const size = 20 + options.length
  return big()
    .raw(Uint8Array.of(0x40 + size / 4, 0))
    .u16(header.totalLength ?? size + payload.length)
    .u16(header.identification ?? 1)
    .u16(header.fragment ?? 0x4000)
    .raw(Uint8Array.of(64, protocol, 0, 0), addressBytes(header.source), addressBytes(header.destination))
    .raw(options, payload)
    .bytes()
}

export interface Ipv6Header {
  readonly source: string
  readonly destination: string
  readonly protocol?: number
  /** Extension headers, outermost first: the number and all behind "next header" and its length byte. */
  readonly extensions?: readonly {
    readonly type: number
    readonly length: number
    readonly body: Uint8Array
  }[]
  readonly payloadLength?: number
}

export function ipv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
  const { extensions = [], protocol = 6 } = header
  const types = [...extensions.map((extension) => extension.type), protocol]
  const inner = big()
  extensions.forEach(({ length, body }, i) => {
    inner.raw(Uint8Array.of(types[i + 1] ?? 0, length), body)
  })
  const rest = inner.raw(payload).bytes()
  return big()
    .u32(0x60000000)
    .u16(header.payloadLength ?? rest.length)
    .raw(Uint8Array.of(types[0] ?? 0, 64), addressBytes(header.source), addressBytes(header.destination))
    .raw(rest)
    .bytes()
}

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const

export interface TcpHeader {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly sequence: number
  readonly acknowledgement?: number
  readonly flags?: number
  /** A multiple of four bytes. */
  readonly options?: Uint8Array
}

export function tcp(header: TcpHeader, payload: Uint8Array = NOTHING): Uint8Array {
  const { options = NOTHING } = header
  return big()
    .u16(header.sourcePort)
    .u16(header.destinationPort)
    .u32(header.sequence)
    .u32(header.acknowledgement ?? 0)
    .raw(Uint8Array.of((20 + options.length) << 2, header.flags ?? FLAG.ack))
    .u16(501)
    .u32(0)
    .raw(options, payload)
    .bytes()
}

/** The broadcast by which QEMU makes a guest's NIC known at its new place. */
export function rarp(mac: string): Uint8Array {
  const address = Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16))
  const nowhere = new Uint8Array(4)
  return big().u16(1).u16(0x0800).u16(0x0604).u16(3).raw(address, nowhere, address, nowhere).bytes()
}

// A story

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Segment {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly sequence: number
  readonly acknowledgement: number
  readonly flags: number
  readonly payload: Uint8Array
}

/** One packet that passed the tap. */
export interface Passed {
  /** After the first. */
  readonly timeNs: number
  /** What it belongs to: `prepare call`, `rpc syn`; a message of several segments has it on all of them. */
  readonly note: string
  readonly segment: Segment | null
  /** That of IPv4: what a host sends again has another one, a copy that a mirror made the same. */
  readonly identification?: number
  /** For all that is not TCP. */
  readonly other: { readonly etherType: number; readonly packet: Uint8Array } | null
}

/** All that passes a tap, in order. One clock: a packet every `stepNs`, longer where `wait` says so. */
export class Wire {
  readonly passed: Passed[] = []
  readonly #stepNs: number
  #timeNs = 0

  constructor(stepNs = 50_000) {
    this.#stepNs = stepNs
  }

  /** Of the next packet. */
  get timeNs(): number {
    return this.#timeNs
  }

  wait(ns: number): this {
    this.#timeNs += ns
    return this
  }

  connection(options: ScriptOptions): TcpScript {
    return new TcpScript(this, options)
  }

  segment(segment: Segment, note: string): this {
    return this.#pass({ note, segment, other: null })
  }

  packet(etherType: number, packet: Uint8Array, note: string): this {
    return this.#pass({ note, segment: null, other: { etherType, packet } })
  }

  #pass(what: Omit<Passed, 'timeNs'>): this {
    this.passed.push({ ...what, timeNs: this.#timeNs })
    this.#timeNs += this.#stepNs
    return this
  }
}

export type Side = 'client' | 'server'

export interface ScriptOptions {
  /** Put before the notes of SYN, FIN and RST. */
  readonly name: string
  /** `10.0.0.1:50000`, `[fd00::1]:50000`. */
  readonly client: string
  readonly server: string
  /** Largest payload of a segment. */
  readonly mss?: number
  /** Initial sequence numbers: near 2^32 the stream wraps. */
  readonly clientIsn?: number
  readonly serverIsn?: number
}

/** One TCP connection. Each send is cut into segments, and acknowledged. */
export class TcpScript {
  readonly #wire: Wire
  readonly #name: string
  readonly #mss: number
  readonly #ends: Readonly<Record<Side, Endpoint>>
  /** The next sequence number of each side. */
  readonly #next: Record<Side, number>

  constructor(wire: Wire, options: ScriptOptions) {
    this.#wire = wire
    this.#name = options.name
    this.#mss = options.mss ?? 1448
    this.#ends = { client: endpoint(options.client), server: endpoint(options.server) }
    this.#next = { client: options.clientIsn ?? 1_000_000, server: options.serverIsn ?? 3_000_000_000 }
  }

  open(): this {
    this.#say('client', FLAG.syn, NOTHING, `${this.#name} syn`)
    this.#say('server', FLAG.syn | FLAG.ack, NOTHING, `${this.#name} syn-ack`)
    return this.acknowledge('client')
  }

  send(from: Side, bytes: Uint8Array, note: string): this {
    for (let at = 0; at < bytes.length; at += this.#mss) {
      const payload = bytes.subarray(at, at + this.#mss)
      this.#say(from, FLAG.ack | (at + this.#mss >= bytes.length ? FLAG.psh : 0), payload, note)
    }
    return this.acknowledge(other(from))
  }

  acknowledge(from: Side): this {
    return this.#say(from, FLAG.ack, NOTHING, '')
  }

  /** An idle sender asks whether the other is still there: a byte of old data. */
  probe(from: Side): this {
    const segment = this.#segment(from, FLAG.ack, Uint8Array.of(0))
    this.#wire.segment({ ...segment, sequence: (segment.sequence - 1) >>> 0 }, `${this.#name} probe`)
    return this.acknowledge(other(from))
  }

  /** Both sides, this one first. */
  close(first: Side): this {
    this.finish(first).finish(other(first))
    return this.acknowledge(first)
  }

  finish(from: Side): this {
    return this.#say(from, FLAG.fin | FLAG.ack, NOTHING, `${this.#name} fin`)
  }

  reset(from: Side): this {
    return this.#say(from, FLAG.rst | FLAG.ack, NOTHING, `${this.#name} rst`)
  }

  /** The SYN, and a RST for an answer. */
  refused(): this {
    return this.#say('client', FLAG.syn, NOTHING, `${this.#name} syn`).reset('server')
  }

  #say(from: Side, flags: number, payload: Uint8Array, note: string): this {
    this.#wire.segment(this.#segment(from, flags, payload), note)
    const counted = payload.length + ((flags & (FLAG.syn | FLAG.fin)) === 0 ? 0 : 1)
    this.#next[from] = (this.#next[from] + counted) >>> 0
    return this
  }

  #segment(from: Side, flags: number, payload: Uint8Array): Segment {
    return {
      from: this.#ends[from],
      to: this.#ends[other(from)],
      sequence: this.#next[from] >>> 0,
      acknowledgement: (flags & FLAG.ack) === 0 ? 0 : this.#next[other(from)] >>> 0,
      flags,
      payload,
    }
  }
}

function other(side: Side): Side {
  return side === 'client' ? 'server' : 'client'
}

function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

export type Damage =
  /** The capture does not have it, although it arrived. */
  | 'lose'
  /** Twice in a row, as on a tap that sees both sides of a bridge. */
  | 'duplicate'
  /** Again, some packets later. */
  | 'retransmit'
  /** Some packets later: reordered, or lost before the tap and sent again. */
  | 'delay'
  /** In two segments that share their middle. */
  | 'overlap'

/** Does something to one packet. Positions keep their times, so the clock stays in order.
 *  @param later by how many packets, for `retransmit` and `delay` */
export function damage(passed: readonly Passed[], kind: Damage, index: number, later = 3): Passed[] {
  const packet = passed[index]
  if (packet === undefined) return [...passed]
  const target = Math.min(index + later, passed.length - 1)
  const copyAt = (position: number): Passed => ({ ...packet, timeNs: passed[position]?.timeNs ?? 0 })
  switch (kind) {
    case 'lose':
      return passed.toSpliced(index, 1)
    case 'duplicate':
      return passed.toSpliced(index, 0, packet)
    case 'retransmit':
      return passed.toSpliced(target + 1, 0, { ...copyAt(target), identification: 2 })
    case 'delay': {
      const moved = passed.toSpliced(index, 1).toSpliced(target, 0, packet)
      return moved.map((each, i) => ({ ...each, timeNs: passed[i]?.timeNs ?? 0 }))
    }
    case 'overlap': {
      const { segment } = packet
      if (segment === null || segment.payload.length < 3) return [...passed]
      const third = Math.floor(segment.payload.length / 3)
      const first = { ...segment, payload: segment.payload.subarray(0, 2 * third) }
      const sequence = (segment.sequence + third) >>> 0
      const second = { ...segment, sequence, payload: segment.payload.subarray(third) }
      return passed.toSpliced(index, 1, { ...packet, segment: first }, { ...packet, segment: second })
    }
  }
}

/** When captures begin, where nothing else is said. */
export const START_NS = 1_795_175_111_123_456_789n

export interface CaptureOptions {
  readonly link?: Link
  /** Of the first packet, since 1970. */
  readonly startNs?: bigint
  /** Bytes kept of a frame. */
  readonly snapLength?: number
}

/** What a capture tool writes of it. */
export function capture(passed: readonly Passed[], options: CaptureOptions = {}): CapturedPacket[] {
  const { link = LINK.ethernet, startNs = START_NS, snapLength = 262_144 } = options
  return passed.map((packet) => {
    const frame = frameOf(packet, link)
    const timeNs = startNs + BigInt(packet.timeNs)
    return { timeNs, frame: frame.subarray(0, snapLength), originalLength: frame.length }
  })
}

function frameOf({ segment, other, identification = 1 }: Passed, link: Link): Uint8Array {
  if (segment === null) return link.frame(other?.etherType ?? 0, other?.packet ?? NOTHING)
  const { from, to, payload } = segment
  const inner = tcp({ ...segment, sourcePort: from.port, destinationPort: to.port }, payload)
  const ends = { source: from.address, destination: to.address }
  return from.address.includes(':')
    ? link.frame(ETHERTYPE.ipv6, ipv6(ends, inner))
    : link.frame(ETHERTYPE.ipv4, ipv4({ ...ends, identification }, inner))
}
