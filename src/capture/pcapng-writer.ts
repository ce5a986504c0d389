import { u32be, u32le } from '../core/bytes.ts'
import { BLOCK } from './pcapng.ts'

/** Takes bytes of a file in their order. They are borrowed until the call returns. */
export type ByteSink = (bytes: Uint8Array) => void

const OPTION = {
  end: 0,
  comment: 1,
  interfaceName: 2,
  application: 4,
  timestampResolution: 9,
  fcsLength: 13,
  timestampOffset: 14,
  packetFlags: 2,
  packetDrops: 4,
} as const
const OPTION_SIZE_MAX = 0xffff
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** Where a section header has its length, and that of a section that does not say. */
const SECTION_LENGTH_AT = 16
const UNKNOWN_LENGTH = 0xff
/** Type, total length, and the total length again behind the body. */
const BLOCK_FRAME_SIZE = 12
const TRAILER_SIZE = 4
/** An enhanced or obsolete packet block before its data. */
const PACKET_HEADER_SIZE = 28
/** Where such a block has its captured length. */
const CAPTURED_AT = 20
/** A simple packet block before its data, and where it has the original length. */
const SIMPLE_HEADER_SIZE = 12
const SIMPLE_ORIGINAL_AT = 8

const NOTHING = new Uint8Array(0)
const utf8 = new TextEncoder()

export interface SectionFields {
  readonly application: string
  readonly comment: string | null
}

/** A section header block, little-endian as all blocks that are new.
 *  @see draft-ietf-opsawg-pcapng, "Section Header Block" */
export function sectionHeader({ application, comment }: SectionFields): Uint8Array {
  const body = new Uint8Array(16).fill(UNKNOWN_LENGTH, 8)
  const view = new DataView(body.buffer)
  view.setUint32(0, BYTE_ORDER_MAGIC, true)
  view.setUint16(4, 1, true)
  view.setUint16(6, 0, true)
  const remark = comment === null ? NOTHING : textOption(OPTION.comment, comment, true)
  const tool = textOption(OPTION.application, application, true)
  return block(BLOCK.sectionHeader, true, body, remark, tool, option(OPTION.end, NOTHING, true))
}

export interface InterfaceFields {
  /** LINKTYPE number. */
  readonly linkType: number
  /** Bytes; 0: no limit. */
  readonly snapLength: number
  /** Stamps count 10^-resolution seconds; with the highest of eight bits, 2^-resolution. */
  readonly resolution: number
  readonly name: string | null
  /** Bytes of frame check sequence at the end of each packet; null where nobody says. */
  readonly fcsSize: number | null
  /** Seconds that are to be added to stamps. */
  readonly offsetSeconds?: bigint
}

/** @see draft-ietf-opsawg-pcapng, "Interface Description Block" */
export function interfaceDescription(fields: InterfaceFields): Uint8Array {
  const { linkType, snapLength, resolution, name, fcsSize, offsetSeconds = 0n } = fields
  const body = new Uint8Array(8)
  const view = new DataView(body.buffer)
  view.setUint16(0, linkType, true)
  view.setUint32(4, snapLength, true)
  return block(
    BLOCK.interfaceDescription,
    true,
    body,
    name === null ? NOTHING : textOption(OPTION.interfaceName, name, true),
    option(OPTION.timestampResolution, Uint8Array.of(resolution), true),
    fcsSize === null ? NOTHING : option(OPTION.fcsLength, Uint8Array.of(fcsSize * 8), true),
    offsetSeconds === 0n ? NOTHING : option(OPTION.timestampOffset, u64Bytes(offsetSeconds), true),
    option(OPTION.end, NOTHING, true),
  )
}

export interface EnhancedFields {
  readonly interface: number
  /** Since 1970, in the interface's resolution. */
  readonly ticks: bigint
  /** Bytes on the wire. */
  readonly originalLength: number
  readonly data: Uint8Array
  readonly comments: readonly string[]
  readonly flags?: number | null
  readonly drops?: bigint | null
}

/** @see draft-ietf-opsawg-pcapng, "Enhanced Packet Block" */
export function enhancedPacket(fields: EnhancedFields): Uint8Array {
  const { ticks, originalLength, data, comments, flags = null, drops = null } = fields
  if (comments.length === 0 && flags === null && drops === null) return plainPacket(fields)
  const body = new Uint8Array(PACKET_HEADER_SIZE - 8 + padded(data.length))
  const view = new DataView(body.buffer)
  view.setUint32(0, fields.interface, true)
  view.setUint32(4, Number(ticks >> 32n), true)
  view.setUint32(8, Number(ticks & 0xffff_ffffn), true)
  view.setUint32(12, data.length, true)
  view.setUint32(16, originalLength, true)
  body.set(data, PACKET_HEADER_SIZE - 8)
  return block(
    BLOCK.enhancedPacket,
    true,
    body,
    commentOptions(comments, true),
    flags === null ? NOTHING : option(OPTION.packetFlags, u32Bytes(flags), true),
    drops === null ? NOTHING : option(OPTION.packetDrops, u64Bytes(drops), true),
    option(OPTION.end, NOTHING, true),
  )
}

/** One without options: most are, and this copies the data once. */
function plainPacket(fields: EnhancedFields): Uint8Array {
  const { ticks, originalLength, data } = fields
  const size = PACKET_HEADER_SIZE + padded(data.length) + TRAILER_SIZE
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, BLOCK.enhancedPacket, true)
  view.setUint32(4, size, true)
  view.setUint32(8, fields.interface, true)
  view.setUint32(12, Number(ticks >> 32n), true)
  view.setUint32(16, Number(ticks & 0xffff_ffffn), true)
  view.setUint32(20, data.length, true)
  view.setUint32(24, originalLength, true)
  bytes.set(data, PACKET_HEADER_SIZE)
  view.setUint32(size - TRAILER_SIZE, size, true)
  return bytes
}

/** A packet of the first interface that has no time.
 *  @see draft-ietf-opsawg-pcapng, "Simple Packet Block" */
export function simplePacket(originalLength: number, data: Uint8Array): Uint8Array {
  const body = new Uint8Array(4 + padded(data.length))
  body.set(u32Bytes(originalLength))
  body.set(data, 4)
  return block(BLOCK.simplePacket, true, body)
}

/** Counters of an interface, by the code of their option.
 *  @see draft-ietf-opsawg-pcapng, "Interface Statistics Block" */
export function interfaceStatistics(
  from: number,
  ticks: bigint,
  counters: readonly (readonly [code: number, value: bigint])[],
): Uint8Array {
  const body = new Uint8Array(12)
  const view = new DataView(body.buffer)
  view.setUint32(0, from, true)
  view.setUint32(4, Number(ticks >> 32n), true)
  view.setUint32(8, Number(ticks & 0xffff_ffffn), true)
  const options = counters.map(([code, value]) => option(code, u64Bytes(value), true))
  return block(BLOCK.interfaceStatistics, true, body, ...options, option(OPTION.end, NOTHING, true))
}

/** The whole enhanced or obsolete packet block with comments before the options it has, which stay as they are. Null for one
 *  whose captured length reaches beyond it: there is no place where its options would be. */
export function withComments(
  packet: Uint8Array,
  comments: readonly string[],
  little: boolean,
): Uint8Array | null {
  const u32 = little ? u32le : u32be
  const optionsAt = PACKET_HEADER_SIZE + padded(u32(packet, CAPTURED_AT))
  const optionsEnd = packet.length - TRAILER_SIZE
  if (optionsAt > optionsEnd) return null
  const options =
    optionsAt < optionsEnd ? packet.subarray(optionsAt, optionsEnd) : option(OPTION.end, NOTHING, little)
  const added = commentOptions(comments, little)
  return block(u32(packet, 0), little, packet.subarray(8, optionsAt), added, options)
}

/** An enhanced packet block of interface 0 in place of a simple one, which cannot have comments.
 *  @param simple the whole block
 *  @param captured bytes of the packet in it
 *  @param stamp the two words of a time stamp as they stand in a block, which a simple one does not have */
export function enhanceSimple(
  simple: Uint8Array,
  captured: number,
  stamp: Uint8Array,
  comments: readonly string[],
  little: boolean,
): Uint8Array {
  const head = new Uint8Array(PACKET_HEADER_SIZE - 8)
  head.set(stamp, 4)
  new DataView(head.buffer).setUint32(12, captured, little)
  head.set(simple.subarray(SIMPLE_ORIGINAL_AT, SIMPLE_ORIGINAL_AT + 4), 16)
  const data = new Uint8Array(padded(captured))
  data.set(simple.subarray(SIMPLE_HEADER_SIZE, SIMPLE_HEADER_SIZE + captured))
  const options = commentOptions(comments, little)
  return block(BLOCK.enhancedPacket, little, head, data, options, option(OPTION.end, NOTHING, little))
}

/** The section header without the length of its section, which comments make longer. */
export function withoutLength(section: Uint8Array): Uint8Array {
  const copy = section.slice()
  copy.fill(UNKNOWN_LENGTH, SECTION_LENGTH_AT, SECTION_LENGTH_AT + 8)
  return copy
}

/** A block of parts whose lengths are multiples of four. */
function block(type: number, little: boolean, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, BLOCK_FRAME_SIZE)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, little)
  view.setUint32(4, size, little)
  let at = 8
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  view.setUint32(at, size, little)
  return bytes
}

function commentOptions(comments: readonly string[], little: boolean): Uint8Array {
  const options = comments.map((comment) => textOption(OPTION.comment, comment, little))
  const bytes = new Uint8Array(options.reduce((size, each) => size + each.length, 0))
  let at = 0
  for (const each of options) {
    bytes.set(each, at)
    at += each.length
  }
  return bytes
}

/** As much of the text as an option holds, in whole characters. */
function textOption(code: number, value: string, little: boolean): Uint8Array {
  const bytes = new Uint8Array(OPTION_SIZE_MAX)
  const { written } = utf8.encodeInto(value, bytes)
  return option(code, bytes.subarray(0, written), little)
}

function option(code: number, value: Uint8Array, little: boolean): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, code, little)
  view.setUint16(2, value.length, little)
  bytes.set(value, 4)
  return bytes
}

function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function u64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes
}

/** Data and options are filled up to 32 bits. */
function padded(size: number): number {
  return Math.ceil(size / 4) * 4
}
