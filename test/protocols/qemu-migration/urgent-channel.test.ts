import { describe, expect, it } from 'vitest'
import { BodyBudget } from '../../../src/core/body-budget.ts'
import { Diagnostics } from '../../../src/core/diagnostic.ts'
import type { ProtocolEvent } from '../../../src/events/event.ts'
import { QemuMigrationDecoder } from '../../../src/protocols/qemu-migration/decoder.ts'
import {
  looksLikeResumedStream,
  looksLikeUrgentChannel,
} from '../../../src/protocols/qemu-migration/signature.ts'
import { UrgentChannelDecoder } from '../../../src/protocols/qemu-migration/urgent-channel.ts'
import { expectAnyCut, feed, type Piece } from '../../support/any-cut.ts'
import { CONNECTION } from '../../support/qemu-cuts.ts'
import { ByteWriter } from '../../support/qemu-stream.ts'

const PAGE = 0x08
const ZERO = 0x02
const EOS = 0x10
const CONTINUE = 0x20

/** Three pages and a zero page of two blocks, and the end. */
const STREAM = new ByteWriter()
  .u64(0x1e90000 + PAGE)
  .name('pc.ram')
  .fill(0x5a, 4096)
  .u64(0x2000 + PAGE + CONTINUE)
  .fill(0x5a, 4096)
  .u64(0x3000 + ZERO + CONTINUE)
  .u8(0)
  .u64(0x1000 + PAGE)
  .name('0000:00:02.0/virtio-net-pci.rom')
  .fill(0x5a, 4096)
  .u64(EOS)
  .bytes()

function subject() {
  const seen: ProtocolEvent[] = []
  const diagnostics = new Diagnostics()
  const decoder = new UrgentChannelDecoder({
    connection: CONNECTION,
    direction: 'to-server',
    sink: (event) => seen.push(event),
    diagnostics,
  })
  return { decoder, seen: () => [...seen, ...diagnostics.list()], diagnostics, events: seen }
}

function totals(pieces: readonly Piece[]) {
  const { decoder, events, diagnostics } = subject()
  feed(decoder, pieces)
  return { end: events.at(-1), codes: diagnostics.list().map(({ code }) => code) }
}

describe('the channel of urgent pages', () => {
  it('counts pages and zero pages, however it is cut', () => {
    const [end] = expectAnyCut(subject, STREAM, 97) as ProtocolEvent[]
    expect(end).toMatchObject({
      type: 'qemu.urgent-end',
      bytes: STREAM.length,
      pages: { normal: 3, zero: 1, xbzrle: 0, compressed: 0 },
      complete: true,
    })
  })

  it('does not mind contents that were not captured', () => {
    const head = STREAM.subarray(0, 100)
    const { end, codes } = totals([head, { gap: 3900 }, STREAM.subarray(4000)])
    expect(end).toMatchObject({ pages: { normal: 3, zero: 1 }, complete: true })
    expect(codes).toEqual([])
  })

  it('says when the head of a page is missing, and counts no further', () => {
    const { end, codes } = totals([STREAM.subarray(0, 4100), { gap: 100 }, STREAM.subarray(4200)])
    expect(end).toMatchObject({ pages: null, complete: false })
    expect(codes).toEqual(['qemu.urgent-lost'])
  })

  it('says when something else than a page follows', () => {
    const { end, codes } = totals([STREAM, new Uint8Array(20).fill(0xff)])
    expect(end).toMatchObject({ pages: null, complete: false })
    expect(codes).toEqual(['qemu.urgent-lost'])
  })

  it('that breaks off in a page is not complete', () => {
    expect(totals([STREAM.subarray(0, 5000)]).end).toMatchObject({ pages: { normal: 2 }, complete: false })
  })
})

describe('a connection that begins', () => {
  const tell = (bytes: Uint8Array) => looksLikeUrgentChannel(bytes, 0, bytes.length)

  it('with a page and the name of its block is such a channel, as soon as the name is there', () => {
    expect(tell(STREAM)).toBe(true)
    expect(tell(STREAM.subarray(0, 15))).toBe(true)
    for (let size = 0; size < 15; size++) expect(tell(STREAM.subarray(0, size)), `${size}`).toBe('more')
  })

  it('with a long name is told by the start of it', () => {
    const long = new ByteWriter().u64(PAGE).name('/rom@etc/acpi/tables-of-some-length').bytes()
    expect(tell(long.subarray(0, 27))).toBe(true)
    expect(tell(long.subarray(0, 26))).toBe('more')
  })

  it.each([
    [
      'a page without a name',
      new ByteWriter()
        .u64(PAGE + CONTINUE)
        .name('pc.ram')
        .bytes(),
    ],
    ['an empty name', new ByteWriter().u64(PAGE).u8(0).fill(0, 20).bytes()],
    ['a name that is none', new ByteWriter().u64(PAGE).u8(3, 0x70, 1, 2).bytes()],
    [
      'a page of no block that fits into a machine',
      new ByteWriter().u32(0x10000).u32(PAGE).name('pc.ram').bytes(),
    ],
    [
      'an offset between pages',
      new ByteWriter()
        .u64(0x100 + PAGE)
        .name('pc.ram')
        .bytes(),
    ],
  ])('with %s is not', (_what, bytes) => {
    expect(tell(bytes)).toBe(false)
  })
})

describe('a stream that goes on after an interruption', () => {
  /** Of a recovery by QEMU 7.2: asks for the map of pc.ram, then goes on. */
  const RECEIVED = new ByteWriter().u8(8).u16(10).u16(7).name('pc.ram').bytes()
  const RESUME = new ByteWriter().u8(8).u16(9).u16(0).bytes()
  const PART = new ByteWriter()
    .u8(2)
    .u32(2)
    .u64(0x5000 + PAGE)
    .name('pc.ram')
    .fill(0x5a, 4096)
    .u64(EOS)
    .bytes()
  const FOOTER = new ByteWriter().u8(0x7e).u32(2).bytes()
  const END = new ByteWriter().u8(3).u32(2).u64(EOS).u8(0x7e).u32(2).u8(0).bytes()
  const WHOLE = new ByteWriter().raw(RECEIVED).raw(RESUME).raw(PART).raw(FOOTER).raw(END).bytes()

  it('is told by the command that it begins with', () => {
    expect(looksLikeResumedStream(WHOLE, 0, WHOLE.length)).toBe(true)
    for (let size = 0; size < 6; size++) expect(looksLikeResumedStream(WHOLE, 0, size)).toBe('more')
    const wrong = RECEIVED.slice()
    wrong[5] = 9
    expect(looksLikeResumedStream(wrong, 0, wrong.length)).toBe(false)
    expect(looksLikeResumedStream(RESUME, 0, RESUME.length)).toBe(false)
  })

  it('is read without a header, however it is cut', () => {
    const make = () => {
      const seen: ProtocolEvent[] = []
      const diagnostics = new Diagnostics()
      const decoder = new QemuMigrationDecoder({
        connection: CONNECTION,
        direction: 'to-server',
        sink: (event) => seen.push(event),
        diagnostics,
        maps: new BodyBudget(),
        midStream: false,
        resumed: true,
      })
      return { decoder, seen: () => [...seen, ...diagnostics.list()] }
    }
    const seen = expectAnyCut(make, WHOLE, 13) as ProtocolEvent[]
    expect(seen.map(({ type }) => type)).toEqual([
      'qemu.command',
      'qemu.command',
      'qemu.section',
      'qemu.ram-end',
      'qemu.section',
      'qemu.end',
    ])
    expect(seen.at(-1)).toMatchObject({ pages: { normal: 1, zero: 0 }, rounds: null, complete: true })
  })
})
