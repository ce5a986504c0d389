import { describe, expect, it } from 'vitest'
import type { QemuEvent } from '../../../src/events/qemu.ts'
import { type Decoded, decodePieces, expectAnyCut, facts, hex, segments } from '../../support/qemu-cuts.ts'
import { QemuStream, type QemuStreamOptions } from '../../support/qemu-stream.ts'

const MIB = 0x100000
const BLOCKS = [
  { name: 'pc.ram', size: MIB },
  { name: '/rom@etc/acpi/tables', size: 0x2000 },
]

function modern(options: QemuStreamOptions = {}): QemuStream {
  return new QemuStream(options)
    .header()
    .configuration('pc-i440fx-7.2')
    .command(1)
    .command(2, hex('00 00 00 01'))
    .ramStart(BLOCKS)
    .ram('part', (ram) =>
      ram.page('pc.ram', 0, 0x7e).zero('pc.ram', 0x1000).zero('pc.ram', 0x2000).page('pc.ram', 0x3000),
    )
    .ram('part', (ram) => ram.zero('/rom@etc/acpi/tables', 0x1000).page('pc.ram', 0xff000, 0x08))
    .ram('end', (ram) => ram.page('pc.ram', 0x1000, 0x22))
    .full('timer', 0x10, 24)
    .full('cpu', hex('7e 00 00 00 65 ff 7e 00 00 00 7e 7e'))
    .eof()
    .vmDescription()
}

function types(decoded: Decoded): string[] {
  return decoded.events.map((event) => event.type)
}

function only<T extends QemuEvent['type']>(decoded: Decoded, type: T): Extract<QemuEvent, { type: T }>[] {
  return decoded.events.filter((event): event is Extract<QemuEvent, { type: T }> => event.type === type)
}

describe('a stream of today', () => {
  it('gives its events in order, however it is cut', () => {
    const bytes = modern().bytes()
    const decoded = expectAnyCut([bytes])
    expect(facts(decoded)).toEqual([
      { type: 'qemu.header', version: 3 },
      { type: 'qemu.configuration', machine: 'pc-i440fx-7.2', pageSizeBytes: null },
      { type: 'qemu.command', command: 1, size: 0 },
      { type: 'qemu.command', command: 2, size: 4 },
      { type: 'qemu.ram-blocks', totalBytes: MIB + 0x2000, blocks: BLOCKS },
      { ...SECTION, kind: 'start', size: 82, pages: { ...NONE } },
      { ...SECTION, kind: 'part', size: 8251, pages: { ...NONE, normal: 2, zero: 2 } },
      { ...SECTION, kind: 'part', size: 4159, pages: { ...NONE, normal: 1, zero: 1 } },
      { type: 'qemu.ram-end' },
      {
        type: 'qemu.round',
        index: 0,
        bytes: 12410,
        pages: { ...NONE, normal: 3, zero: 3 },
        repeatedPages: 0,
      },
      { type: 'qemu.round', index: 1, bytes: 4117, pages: { ...NONE, normal: 1 }, repeatedPages: 1 },
      { ...SECTION, kind: 'end', size: 4122, pages: { ...NONE, normal: 1 } },
      { type: 'qemu.device-state' },
      { ...SECTION, kind: 'full', id: 100, name: 'timer', size: 48, pages: null },
      { ...SECTION, kind: 'full', id: 101, name: 'cpu', size: 34, pages: null },
      {
        type: 'qemu.end',
        bytes: bytes.length,
        pages: { ...NONE, normal: 4, zero: 3 },
        pageSizeBytes: 4096,
        rounds: 2,
        memoryBytes: MIB + 0x2000,
        complete: true,
        storageBytes: 0,
      },
    ])
    expect(decoded.diagnostics).toEqual([])
  })

  it('says in which packet the first and the last byte of each fact were', () => {
    const stream = new QemuStream().header()
    const configurationAt = stream.size
    stream.configuration('pc-i440fx-7.2')
    const startAt = stream.size
    stream.ramStart(BLOCKS)
    const partAt = stream.size
    stream.ram('part', (ram) => ram.page('pc.ram', 0))
    const endAt = stream.size
    stream.ram('end')
    const fullAt = stream.size
    stream.full('timer', 0)
    const eofAt = stream.size
    const bytes = stream.eof().bytes()
    for (const size of [1, 3, 5, 16, 1448]) {
      const decoded = decodePieces(segments(bytes, size))
      const packet = (offset: number) => Math.floor(offset / size) + 1
      const seen = (type: QemuEvent['type'], index = 0) => {
        const event = decoded.events.filter((each) => each.type === type)[index]
        return [event?.first.packet, event?.last.packet]
      }
      expect(seen('qemu.header')).toEqual([1, packet(7)])
      expect(seen('qemu.configuration')).toEqual([packet(configurationAt), packet(startAt - 1)])
      expect(seen('qemu.ram-blocks')).toEqual([packet(startAt + 17), packet(partAt - 14)])
      expect(seen('qemu.section', 0)).toEqual([packet(startAt), packet(partAt - 1)])
      expect(seen('qemu.section', 1)).toEqual([packet(partAt), packet(endAt - 1)])
      expect(seen('qemu.ram-end')).toEqual([packet(endAt), packet(endAt)])
      expect(seen('qemu.device-state')).toEqual([packet(fullAt), packet(fullAt)])
      expect(seen('qemu.section', 3)).toEqual([packet(fullAt), packet(eofAt - 1)])
      expect(seen('qemu.end')).toEqual([1, packet(eofAt)])
    }
  })

  it('gives the stream as captured from QEMU 7.2 its blocks and sections', () => {
    const decoded = expectAnyCut([
      hex(`
        51 45 56 4d 00 00 00 03                             # QEVM, version 3
        07 00 00 00 0d 70 63 2d 69 34 34 30 66 78 2d 37 2e 32 # configuration: pc-i440fx-7.2
        08 00 01 00 00                                      # OPEN_RETURN_PATH
        08 00 02 00 04 00 00 00 01                          # PING 1
        01 00 00 00 03 03 72 61 6d 00 00 00 00 00 00 00 04  # START 3 "ram", instance 0, version 4
        00 00 00 00 04 0c 20 04                             # MEM_SIZE
        06 70 63 2e 72 61 6d 00 00 00 00 04 00 00 00        # pc.ram
        14 2f 72 6f 6d 40 65 74 63 2f 61 63 70 69 2f 74 61 62 6c 65 73 00 00 00 00 00 02 00 00
        07 70 63 2e 62 69 6f 73 00 00 00 00 00 04 00 00     # pc.bios
        1f 30 30 30 30 3a 30 30 3a 30 32 2e 30 2f 76 69 72 74 69 6f 2d 6e 65 74 2d 70 63 69 2e 72 6f 6d
        00 00 00 00 00 04 00 00
        06 70 63 2e 72 6f 6d 00 00 00 00 00 02 00 00        # pc.rom
        15 2f 72 6f 6d 40 65 74 63 2f 74 61 62 6c 65 2d 6c 6f 61 64 65 72 00 00 00 00 00 00 10 00
        12 2f 72 6f 6d 40 65 74 63 2f 61 63 70 69 2f 72 73 64 70 00 00 00 00 00 00 10 00
        00 00 00 00 00 00 00 10 7e 00 00 00 03              # EOS, footer 3
        02 00 00 00 03                                      # PART 3
        00 00 00 00 00 00 00 08 06 70 63 2e 72 61 6d 53 ff 00 f0 # PAGE of pc.ram at 0`),
    ])
    expect(types(decoded)).toEqual([
      'qemu.header',
      'qemu.configuration',
      'qemu.command',
      'qemu.command',
      'qemu.ram-blocks',
      'qemu.section',
      'qemu.round',
      'qemu.end',
    ])
    expect(only(decoded, 'qemu.ram-blocks')[0]?.blocks.map(({ name, size }) => [name, size])).toEqual([
      ['pc.ram', 0x4000000],
      ['/rom@etc/acpi/tables', 0x20000],
      ['pc.bios', 0x40000],
      ['0000:00:02.0/virtio-net-pci.rom', 0x40000],
      ['pc.rom', 0x20000],
      ['/rom@etc/table-loader', 0x1000],
      ['/rom@etc/acpi/rsdp', 0x1000],
    ])
    expect(decoded.end).toMatchObject({
      pages: { ...NONE, normal: 1 },
      memoryBytes: 0x40c2000,
      complete: false,
    })
  })

  it('does not take device state before RAM (virtio-mem) for the device state', () => {
    const stream = new QemuStream()
      .header()
      .configuration('pc-q35-9.0')
      .full('0000:00:03.0/virtio-mem-early', 0, 40)
      .ramStart(BLOCKS)
      .ram('end')
    const before = stream.size
    const decoded = expectAnyCut([stream.full('timer', 1).eof().bytes()])
    expect(only(decoded, 'qemu.device-state')).toHaveLength(1)
    const [early, late] = [decodePieces([stream.bytes().subarray(0, before)]), decoded]
    expect(types(early)).not.toContain('qemu.device-state')
    expect(types(late).indexOf('qemu.device-state')).toBeGreaterThan(types(late).indexOf('qemu.ram-end'))
    expect(decoded.end?.complete).toBe(true)
  })

  it('ends complete at EOF, at the description, and nowhere before', () => {
    const stream = modern()
    const bytes = stream.bytes()
    const eof = modern().size - 60
    expect(bytes[eof - 1]).toBe(0)
    const complete: number[] = []
    for (let size = 8; size <= bytes.length; size++) {
      if (decodePieces([bytes.subarray(0, size)]).end?.complete) complete.push(size)
    }
    expect(complete).toEqual([eof, bytes.length])
  })

  it('ignores what follows the end, and says so', () => {
    const bytes = modern().raw(hex('01 02 03 04')).bytes()
    const decoded = expectAnyCut([bytes])
    expect(decoded.diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
      ['qemu.trailing', 'info'],
    ])
    expect(decoded.end).toMatchObject({ complete: false, pages: { ...NONE, normal: 4, zero: 3 } })
  })
})

describe('configuration', () => {
  it('reads the page size, capabilities and uuid behind the machine name', () => {
    const bytes = new QemuStream({ pageSize: 16384 })
      .header()
      .configuration('virt-9.0', {
        pageBits: 14,
        capabilities: ['multifd', 'x-ignore-shared'],
        uuid: new Uint8Array(16).fill(5),
      })
      .ramStart([{ name: 'mach-virt.ram', size: 0x10000 }])
      .ram('end', (ram) => ram.page('mach-virt.ram', 0xc000).zero('mach-virt.ram', 0x4000))
      .eof()
      .bytes()
    const decoded = expectAnyCut([bytes])
    expect(facts(decoded)[1]).toEqual({
      type: 'qemu.configuration',
      machine: 'virt-9.0',
      pageSizeBytes: 16384,
    })
    expect(decoded.end).toMatchObject({
      pageSizeBytes: 16384,
      complete: true,
      pages: { ...NONE, normal: 1, zero: 1 },
    })
  })

  it('is raised when the stream ends behind it', () => {
    const decoded = expectAnyCut([new QemuStream().header().configuration('pc-q35-9.0').bytes()])
    expect(types(decoded)).toEqual(['qemu.header', 'qemu.configuration', 'qemu.end'])
  })

  it.each([
    ['a command', (stream: QemuStream) => stream.command(1)],
    ['the START of RAM', (stream: QemuStream) => stream],
  ])('finds %s behind a subsection that it does not know', (_name, then) => {
    const stream = new QemuStream().header().configuration('pc-q35-11.0', {
      unknown: { name: 'configuration/surprise', fields: hex('08 01 02 01 05 0d 63 6f 6e 04 00 00') },
    })
    const bytes = then(stream).ramStart(BLOCKS).ram('end').eof().bytes()
    const decoded = expectAnyCut([bytes])
    expect(types(decoded)).toContain('qemu.ram-blocks')
    expect(decoded.end?.complete).toBe(true)
  })
})

describe('RAM records', () => {
  const stream = (write: Parameters<QemuStream['ram']>[1]) =>
    new QemuStream().header().ramStart(BLOCKS).ram('part', write).ram('end').full('timer', 1).eof().bytes()

  it('counts each kind and steps over its contents', () => {
    const bytes = stream((ram) =>
      ram
        .xbzrle('pc.ram', 0x2000, new Uint8Array(4096).fill(0x28))
        .xbzrle('pc.ram', 0x3000, new Uint8Array(0))
        .compressed('pc.ram', 0x5000, new Uint8Array(77).fill(0x22))
        .multifdFlush()
        .compressed('/rom@etc/acpi/tables', 0x1000, new Uint8Array(3))
        .zero('/rom@etc/acpi/tables', 0),
    )
    const decoded = expectAnyCut([bytes])
    expect(decoded.end).toMatchObject({
      pages: { normal: 0, zero: 1, xbzrle: 2, compressed: 2 },
      complete: true,
    })
  })

  it('takes a zero record with any fill byte (QEMU 1.2)', () => {
    const decoded = decodePieces([stream((ram) => ram.zero('pc.ram', 0, 0xcc).zero('pc.ram', 0x1000, 0x10))])
    expect(decoded.end).toMatchObject({ pages: { zero: 2 }, complete: true })
  })

  it('follows offsets above 4 GiB', () => {
    const bytes = new QemuStream()
      .header()
      .ramStart([{ name: 'pc.ram', size: 2 ** 43 }])
      .ram('end', (ram) =>
        ram
          .zero('pc.ram', 0)
          .page('pc.ram', 2 ** 42 + 4096)
          .zero('pc.ram', 2 ** 43 - 4096),
      )
      .eof()
      .bytes()
    expect(expectAnyCut([bytes]).end).toMatchObject({ pages: { normal: 1, zero: 2 }, complete: true })
  })

  it.each([
    ['an unknown flag', '00 00 00 00 00 00 00 01'],
    ['two kinds at once', '00 00 00 00 00 00 00 2a'],
    ['an offset behind the block', '00 00 00 00 00 10 00 22 00'],
    ['an offset of 2^56', '01 00 00 00 00 00 00 28'],
    ['a block that does not exist', '00 00 00 00 00 00 00 08 03 61 62 63'],
    ['a name that cannot be printed', '00 00 00 00 00 00 00 08 03 00 01 02'],
    ['another XBZRLE encoding', '00 00 00 00 00 00 00 60 02 00 04'],
    ['an XBZRLE page larger than a page', '00 00 00 00 00 00 00 60 01 10 01'],
    ['a compressed page that grew', '00 00 00 00 00 00 01 20 00 00 20 01'],
  ])('does not believe %s', (_name, record) => {
    const bytes = new QemuStream()
      .header()
      .ramStart(BLOCKS)
      .ram('part', (ram) => ram.zero('pc.ram', 0))
      .bytes()
    const decoded = expectAnyCut([bytes, hex('02 00 00 00 03'), hex(record)])
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(['qemu.desync'])
    expect(decoded.end).toMatchObject({ pages: null, complete: false })
  })

  it.each([
    ['an offset behind the block that CONTINUE means', hex('00 00 00 00 00 00 20 22 00')],
    ['the footer of another section', hex('00 00 00 00 00 00 00 10 7e 00 00 00 04')],
    ['no footer where others had one', hex('00 00 00 00 00 00 00 10 02 00 00 00 03')],
  ])('does not believe %s', (_name, bytes) => {
    const before = new QemuStream()
      .header()
      .ramStart(BLOCKS)
      .ram('part', (ram) => ram.zero('pc.ram', 0x5000).zero('/rom@etc/acpi/tables', 0))
      .bytes()
    const decoded = expectAnyCut([before, hex('02 00 00 00 03'), bytes])
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(['qemu.desync'])
  })

  it('does not believe blocks that are more than the total', () => {
    const list = hex('00 00 00 00 00 00 10 04 01 61 00 00 00 00 00 00 20 00 00 00 00 00 00 00 00 10')
    const decoded = expectAnyCut([new QemuStream().header().start('ram', 3, 4).bytes(), list])
    expect(decoded.diagnostics.map(({ code }) => code)).toEqual(['qemu.desync'])
    expect(types(decoded)).not.toContain('qemu.ram-blocks')
  })

  it('reads page sizes and addresses in the block list', () => {
    const blocks = [
      { name: 'huge', size: 4 * MIB, pageSize: 2 * MIB },
      { name: 'shared', size: MIB, address: 0x100000000 },
      { name: 'both', size: 2 * MIB, pageSize: 2 * MIB, address: 0 },
    ]
    for (const list of [blocks, blocks.slice(0, 1), blocks.slice(1, 2)]) {
      const bytes = new QemuStream()
        .header()
        .ramStart(list)
        .ram('end', (ram) => ram.zero(list[0]!.name, 0))
        .eof()
        .bytes()
      const decoded = expectAnyCut([bytes])
      expect(only(decoded, 'qemu.ram-blocks')[0]?.blocks).toEqual(
        list.map(({ name, size }) => ({ name, size })),
      )
      expect(decoded.end?.complete).toBe(true)
    }
  })
})

describe('other sections', () => {
  it('ends them by their footer, whatever they hold', () => {
    const decoded = expectAnyCut([
      new QemuStream()
        .header()
        .opaqueStart('dirty-bitmap', 4, hex('7e 00 00 00 03 01 7e 00 00 00 04 ff 7e'))
        .ramStart(BLOCKS)
        .ram('part', (ram) => ram.zero('pc.ram', 0))
        .opaque('part', 'dirty-bitmap', 0x7e, 9)
        .ram('end')
        .opaque('end', 'dirty-bitmap', 0)
        .full('slirp', 3)
        .eof()
        .bytes(),
    ])
    expect(only(decoded, 'qemu.section').map(({ kind, name, pages }) => [kind, name, pages?.zero])).toEqual([
      ['start', 'dirty-bitmap', undefined],
      ['start', 'ram', 0],
      ['part', 'ram', 1],
      ['part', 'dirty-bitmap', undefined],
      ['end', 'ram', 0],
      ['end', 'dirty-bitmap', undefined],
      ['full', 'slirp', undefined],
    ])
    expect(decoded.end?.complete).toBe(true)
  })

  it('ends the last one at the end of the stream', () => {
    const bytes = new QemuStream().header().ramStart(BLOCKS).ram('end').full('timer', 1, 20).bytes()
    const decoded = expectAnyCut([bytes])
    expect(only(decoded, 'qemu.section').at(-1)).toMatchObject({ kind: 'full', name: 'timer', size: 44 })
    expect(decoded.end?.complete).toBe(false)
  })
})

describe('post-copy', () => {
  const postcopy = (footers: boolean) =>
    new QemuStream({ footers })
      .header()
      .command(1)
      .command(3, new Uint8Array(16))
      .ramStart([{ name: 'pc.ram', size: MIB, pageSize: 4096 }])
      .ram('part', (ram) => ram.page('pc.ram', 0).page('pc.ram', 0x1000))
      .command(6, hex('00 06 70 63 2e 72 61 6d 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 00'))
      .command(2, hex('00 00 00 02'))
      .packaged((inner) =>
        inner.command(4).full('timer', 0).full('cpu', 9).command(2, hex('00 00 00 03')).command(5),
      )
      .command(2, hex('00 00 00 04'))
      .ram('part', (ram) => ram.page('pc.ram', 0x1000))
      .ram('end', (ram) => ram.zero('pc.ram', 0x2000))
      .eof()

  it('reads on inside the package; RAM ends after the device state', () => {
    const decoded = expectAnyCut([postcopy(true).bytes()])
    expect(types(decoded).slice(3)).toEqual([
      'qemu.ram-blocks',
      'qemu.section',
      'qemu.section',
      'qemu.round',
      'qemu.command',
      'qemu.command',
      'qemu.command', // PACKAGED
      'qemu.command', // LISTEN
      'qemu.device-state',
      'qemu.section',
      'qemu.section',
      'qemu.command', // PING
      'qemu.command', // RUN
      'qemu.command',
      'qemu.section',
      'qemu.ram-end',
      'qemu.section',
      'qemu.end',
    ])
    expect(only(decoded, 'qemu.command').map(({ command, size }) => [command, size])).toEqual([
      [1, 0],
      [3, 16],
      [6, 25],
      [2, 4],
      [7, 193],
      [4, 0],
      [2, 4],
      [5, 0],
      [2, 4],
    ])
    expect(decoded.end).toMatchObject({ complete: true, pages: { normal: 3, zero: 1 } })
  })

  it('steps over a package whose device state has no footers (machine types before 2.4)', () => {
    const decoded = expectAnyCut([postcopy(false).bytes()])
    expect(types(decoded)).toContain('qemu.device-state')
    expect(only(decoded, 'qemu.section').map(({ kind, name }) => [kind, name])).toEqual([
      ['start', 'ram'],
      ['part', 'ram'],
      ['full', null],
      ['part', 'ram'],
      ['end', 'ram'],
    ])
    expect(decoded.end).toMatchObject({ complete: true, pages: { normal: 3, zero: 1 } })
  })

  it('goes on behind the package when bytes inside are missing', () => {
    const stream = postcopy(true)
    const bytes = stream.bytes()
    const inside = bytes.findIndex(
      (_byte, o) => bytes[o] === 0x74 && bytes[o + 1] === 0x69 && bytes[o + 2] === 0x6d,
    )
    const decoded = expectAnyCut([bytes.subarray(0, inside), 20, bytes.subarray(inside + 20)])
    expect(decoded.end).toMatchObject({ complete: true, pages: { normal: 3, zero: 1 } })
    expect(types(decoded)).toContain('qemu.ram-end')
  })
})

const NONE = { normal: 0, zero: 0, xbzrle: 0, compressed: 0 }
const SECTION = { type: 'qemu.section', id: 3, name: 'ram' }
