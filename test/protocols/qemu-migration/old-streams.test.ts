import { describe, expect, it } from 'vitest'
import type { QemuSection } from '../../../src/events/qemu.ts'
import { type Decoded, decodePieces, expectAnyCut, facts, hex, without } from '../../support/qemu-cuts.ts'
import { QemuStream } from '../../support/qemu-stream.ts'

const MIB = 0x100000
const DISK = 'drive-virtio-disk0'

function sections(decoded: Decoded): QemuSection[] {
  return decoded.events.filter((event) => event.type === 'qemu.section')
}

describe('a stream without footers (machine types before 2.4)', () => {
  const old = () =>
    new QemuStream({ footers: false })
      .header()
      .ramStart([{ name: 'pc.ram', size: MIB }], 2)
      .ram('part', (ram) => ram.page('pc.ram', 0).zero('pc.ram', 0x1000, 0xcc))
      .ram('end')
  const device = hex('04 00 00 00 00 05 74 69 6d 65 72 7e 00 00 00 00 04 01')

  it('takes everything from the first device on as one section', () => {
    const bytes = old().full('timer', 0x11, 20, 0).full('cpu', device).eof().bytes()
    const decoded = expectAnyCut([bytes])
    expect(facts(decoded).slice(1)).toMatchObject([
      { type: 'qemu.ram-blocks' },
      { type: 'qemu.section', kind: 'start', id: 2, name: 'ram', size: 48 },
      { type: 'qemu.section', kind: 'part', size: 4133, pages: { normal: 1, zero: 1 } },
      { type: 'qemu.ram-end' },
      { type: 'qemu.round', index: 0, bytes: 4141, pages: { normal: 1, zero: 1 }, repeatedPages: 0 },
      { type: 'qemu.section', kind: 'end', size: 13, pages: { normal: 0, zero: 0 } },
      { type: 'qemu.device-state' },
      { type: 'qemu.section', kind: 'full', id: 0, name: null, size: 75, pages: null },
      { type: 'qemu.end', bytes: bytes.length, complete: true, pages: { normal: 1, zero: 1 } },
    ])
    expect(decoded.diagnostics).toEqual([])
  })

  it('is complete only when its last byte is that of an end', () => {
    const end = (stream: QemuStream) => decodePieces([stream.bytes()]).end?.complete
    expect(end(old().full('timer', 0x11))).toBe(false)
    expect(end(old().full('timer', 0x11).eof())).toBe(true)
    expect(end(old().full('timer', 0x11).eof().vmDescription('{}'))).toBe(true)
    expect(end(old())).toBe(false)
  })

  it('does not mind missing device state, but cannot be sure of its end', () => {
    const stream = old()
    const at = stream.size
    const bytes = stream.full('timer', 0x11, 200, 0).eof().bytes()
    expect(expectAnyCut(without(bytes, at + 50, 60)).end).toMatchObject({
      complete: true,
      pages: { normal: 1 },
    })
    expect(expectAnyCut([bytes.subarray(0, at + 50), bytes.length - at - 50]).end).toMatchObject({
      complete: false,
      pages: { normal: 1 },
    })
  })

  it('raises the first section when the stream ends behind it', () => {
    const bytes = new QemuStream({ footers: false })
      .header()
      .ramStart([{ name: 'pc.ram', size: MIB }])
      .bytes()
    expect(sections(expectAnyCut([bytes]))).toMatchObject([{ kind: 'start', size: 48 }])
  })

  it('gives up a section that has neither known records nor a footer', () => {
    const bytes = old().opaqueStart('vfio', 9, 1).bytes()
    const decoded = expectAnyCut([bytes])
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(['qemu.section'])
    expect(decoded.end?.complete).toBe(false)
  })
})

describe('section "block"', () => {
  it('is read by its records, in between those of RAM', () => {
    const bytes = new QemuStream({ footers: false })
      .header()
      .blockStart()
      .ramStart([{ name: 'pc.ram', size: MIB }], 2)
      .block('part', (block) => block.progress(0).data(DISK, 0).zero(DISK, 2048).progress(50))
      .ram('part', (ram) => ram.zero('pc.ram', 0))
      .block('part', (block) => block.data(DISK, 4096, 0x00))
      .block('end')
      .ram('end', (ram) => ram.page('pc.ram', 0))
      .full('timer', 1)
      .eof()
      .bytes()
    const decoded = decodePieces([bytes])
    expect(sections(decoded).map(({ kind, name, size, pages }) => [kind, name, size, pages?.normal])).toEqual(
      [
        ['start', 'block', 27, undefined],
        ['start', 'ram', 48, 0],
        ['part', 'block', 5 + 16 + 27 + MIB + 27 + 8, undefined],
        ['part', 'ram', 29, 0],
        ['part', 'block', 5 + 27 + MIB + 8, undefined],
        ['end', 'block', 13, undefined],
        ['end', 'ram', 5 + 15 + 4096 + 8 - 7, 1],
        ['full', null, 84, undefined],
      ],
    )
    expect(decoded.end).toMatchObject({
      storageBytes: 2 * MIB,
      complete: true,
      pages: { normal: 1, zero: 1 },
    })
  })

  it('needs no bytes of the disk', () => {
    const head = new QemuStream({ footers: false })
      .header()
      .blockStart()
      .ramStart([{ name: 'pc.ram', size: MIB }], 2)
    const at = head.size
    const bytes = head
      .block('part', (block) => block.data(DISK, 0))
      .ram('end')
      .full('timer', 1)
      .eof()
      .bytes()
    const contents = at + 5 + 27
    const decoded = expectAnyCut([
      bytes.subarray(0, contents + 10),
      MIB - 20,
      bytes.subarray(contents + MIB - 10),
    ])
    expect(decoded.end).toMatchObject({ storageBytes: MIB, complete: true })
  })

  it('is recognised in the stream as captured from QEMU 1.2', () => {
    const decoded = expectAnyCut([
      hex(`
        51 45 56 4d 00 00 00 03
        01 00 00 00 01 05 62 6c 6f 63 6b 00 00 00 00 00 00 00 01 # START 1 "block", version 1
        00 00 00 00 00 00 00 02                                  # EOS
        01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 04       # START 2 "ram"
        00 00 00 00 04 07 00 04                                  # MEM_SIZE
        1f 30 30 30 30 3a 30 30 3a 30 32 2e 30 2f 76 69 72 74 69 6f 2d 6e 65 74 2d 70 63 69 2e 72 6f 6d
        00 00 00 00 00 01 00 00
        08 69 73 61 2d 62 69 6f 73 00 00 00 00 00 02 00 00       # isa-bios
        06 70 63 2e 72 61 6d 00 00 00 00 04 00 00 00             # pc.ram
        06 70 63 2e 72 6f 6d 00 00 00 00 00 02 00 00             # pc.rom
        0c 73 79 73 74 65 6d 2e 66 6c 61 73 68 00 00 00 00 00 02 00 00
        00 00 00 00 00 00 00 10                                  # EOS
        02 00 00 00 01                                           # PART 1
        00 00 00 00 00 00 00 04 00 00 00 00 00 00 0c 04          # progress 0 %, 6 %
        00 00 00 00 00 00 00 02                                  # EOS
        02 00 00 00 02                                           # PART 2
        00 00 00 00 00 00 00 08                                  # PAGE
        1f 30 30 30 30 3a 30 30 3a 30 32 2e 30 2f 76 69 72 74 69 6f 2d 6e 65 74 2d 70 63 69 2e 72 6f 6d
        55 aa 76`),
    ])
    expect(sections(decoded).map(({ kind, id, name }) => [kind, id, name])).toEqual([
      ['start', 1, 'block'],
      ['start', 2, 'ram'],
      ['part', 1, 'block'],
    ])
    expect(decoded.end).toMatchObject({ memoryBytes: 0x4070000, pages: { normal: 1 }, storageBytes: 0 })
    expect(decoded.diagnostics).toEqual([])
  })

  it.each([
    ['flags', '00 00 00 00 00 00 00 03'],
    ['a device name', '00 00 00 00 00 00 00 01 02 00 01'],
    ['an empty device name', '00 00 00 00 00 00 00 01 00'],
  ])('does not believe %s that cannot be', (_name, record) => {
    const bytes = new QemuStream().header().blockStart().bytes()
    const decoded = expectAnyCut([bytes, hex('02 00 00 00 01'), hex(record)])
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(['qemu.desync'])
  })
})
