import { describe, expect, it } from 'vitest'
import type { QemuEvent } from '../../../src/events/qemu.ts'
import {
  type Decoded,
  decodePieces,
  expectAnyCut,
  type Piece,
  segments,
  snapped,
  without,
} from '../../support/qemu-cuts.ts'
import { QemuStream } from '../../support/qemu-stream.ts'

const MIB = 0x100000
const COUNTS = { normal: 5, zero: 40, xbzrle: 0, compressed: 0 }

/** Up to the END of RAM. */
function upToEnd(footers = true): QemuStream {
  return new QemuStream({ footers })
    .header()
    .ramStart([{ name: 'pc.ram', size: MIB }])
    .ram('part', (ram) => {
      ram.page('pc.ram', 0, 0x28).page('pc.ram', 0x1000, 0x00)
      for (let page = 2; page < 42; page++) ram.zero('pc.ram', page * 4096)
    })
    .ram('part', (ram) => ram.page('pc.ram', 0x60000).page('pc.ram', 0x61000))
}

function stream(footers = true): QemuStream {
  return upToEnd(footers)
    .ram('end', (ram) => ram.page('pc.ram', 0x62000))
    .full('timer', 1, 100)
    .eof()
    .vmDescription()
}

function types(decoded: Decoded): string[] {
  return decoded.events.map((event) => event.type)
}

function packetOf(decoded: Decoded, type: QemuEvent['type']): number | undefined {
  return decoded.events.find((event) => event.type === type)?.first.packet
}

const firstPage = new QemuStream().header().ramStart([{ name: 'pc.ram', size: MIB }]).size + 5 + 8 + 7

describe('missing bytes', () => {
  it('cost nothing inside a page', () => {
    const bytes = stream().bytes()
    for (const [offset, size] of [
      [firstPage, 4096],
      [firstPage, 1],
      [firstPage + 4000, 96],
      [firstPage + 1000, 1448],
    ] as const) {
      const decoded = expectAnyCut(without(bytes, offset, size), 'migration', 5)
      expect(decoded.end).toMatchObject({ complete: true, pages: COUNTS, bytes: bytes.length })
      expect(decoded.diagnostics).toEqual([])
    }
  })

  it('cost nothing in the description', () => {
    const bytes = stream().bytes()
    const decoded = expectAnyCut([bytes.subarray(0, bytes.length - 20), 20])
    expect(decoded.end).toMatchObject({ complete: true, pages: COUNTS })
  })

  it('make the pages unknown where a record may be among them, once and for all', () => {
    const bytes = stream().bytes()
    for (const size of [9, 4096 + 9, 2 * 4104]) {
      const decoded = expectAnyCut(without(bytes, firstPage + 100, 3996 + size), 'migration', 3)
      expect(decoded.end).toMatchObject({
        pages: null,
        complete: false,
        bytes: bytes.length,
        memoryBytes: MIB,
      })
      expect(decoded.diagnostics).toMatchObject([{ code: 'qemu.lost', severity: 'warning', count: 1 }])
      expect(decoded.diagnostics[0]?.message).toContain('pages cannot be counted')
    }
  })

  it('do not hide what comes after: the chain of records is found again, and then the end of RAM', () => {
    const bytes = stream().bytes()
    const whole = decodePieces(segments(bytes, 512))
    // The header of the second page; the zero pages behind it are found.
    const offset = Math.floor((firstPage + 4096) / 512) * 512
    const pieces = segments(bytes, 512).map<Piece>((piece, index) => (index * 512 === offset ? 512 : piece))
    const decoded = decodePieces(pieces)
    for (const type of ['qemu.ram-end', 'qemu.device-state'] as const) {
      expect(packetOf(decoded, type)).toBe(packetOf(whole, type))
    }
    expect(decoded.events.filter(({ type }) => type === 'qemu.section').slice(1)).toMatchObject([
      { kind: 'part', name: 'ram', pages: { normal: 2, zero: 0 } },
      { kind: 'end', pages: { normal: 1 } },
      { kind: 'full', name: 'timer' },
    ])
    expect(decoded.end?.pages).toBeNull()
  })

  it.each([true, false])('leave the seam between two sections as a way back (footers: %s)', (footers) => {
    // Everything of the pages is missing but the last bytes of the last one.
    const bytes = stream(footers).bytes()
    const endAt = upToEnd(footers).size
    const decoded = expectAnyCut(without(bytes, firstPage + 5000, endAt - 30 - firstPage - 5000))
    expect(types(decoded)).toContain('qemu.ram-end')
    expect(types(decoded)).toContain('qemu.device-state')
    expect(types(decoded).filter((type) => type === 'qemu.ram-end')).toHaveLength(1)
    expect(decoded.end).toMatchObject({ pages: null })
  })

  it('keep the page totals when only device state or its description is missing', () => {
    const whole = stream()
    const bytes = whole.bytes()
    const timer = whole.size - 61 - 124
    const decoded = expectAnyCut(without(bytes, timer + 40, 100))
    expect(decoded.end).toMatchObject({ pages: COUNTS, complete: false })
    expect(types(decoded)).toContain('qemu.device-state')
    // With its footer, the next section is found.
    expect(expectAnyCut(without(bytes, timer + 40, 40)).end).toMatchObject({ pages: COUNTS, complete: true })
  })

  it('are lost in any state without a word too much', () => {
    const bytes = stream().bytes()
    const whole = decodePieces([bytes])
    const known = new Set(
      whole.events.map((event) => JSON.stringify([event.type, 'kind' in event && event.kind])),
    )
    for (let offset = 0; offset < bytes.length; offset += 7) {
      const decoded = decodePieces(without(bytes, offset, Math.min(40, bytes.length - offset)))
      const { end } = decoded
      expect(end?.bytes).toBe(bytes.length)
      if (end?.pages !== null) expect(end?.pages).toEqual(COUNTS)
      if (end?.complete) expect(end.pages).toEqual(COUNTS)
      for (const event of decoded.events) {
        expect(known).toContain(JSON.stringify([event.type, 'kind' in event && event.kind]))
      }
      for (const type of ['qemu.ram-end', 'qemu.device-state']) {
        expect(types(decoded).filter((each) => each === type).length).toBeLessThanOrEqual(1)
      }
    }
  })
})

describe('a snap length', () => {
  it('leaves the end of RAM where a packet begins with the seam', () => {
    const bytes = stream().bytes()
    const endAt = upToEnd().size
    // Cut the packets so that one begins with the footer before the END.
    const first = bytes.subarray(0, endAt - 5)
    const rest = bytes.subarray(endAt - 5)
    const decoded = decodePieces([...snapped(first, 1448, 64), ...snapped(rest, 1448, 64)])
    expect(decoded.end).toMatchObject({ pages: null, bytes: bytes.length })
    expect(types(decoded)).toContain('qemu.ram-end')
  })

  it('raises nothing from page contents', () => {
    const contents = new Uint8Array(4096)
    for (let i = 0; i < 4096; i++) contents[i] = (i * 2654435761) >>> 13
    const long = new QemuStream().header().ramStart([{ name: 'pc.ram', size: MIB }])
    long.ram('part', (ram) => {
      for (let page = 0; page < 200; page++) ram.page('pc.ram', page * 4096, contents)
    })
    const decoded = decodePieces(snapped(long.bytes(), 1448, 74))
    expect(types(decoded)).toEqual(['qemu.header', 'qemu.ram-blocks', 'qemu.section', 'qemu.end'])
    expect(decoded.end?.pages).toBeNull()
  })
})

describe('a stream that was joined under way', () => {
  it('finds its place by a chain of records, and then knows what it sees', () => {
    const bytes = stream()
      .bytes()
      .subarray(firstPage + 500)
    const decoded = expectAnyCut([bytes], 'mid-stream')
    expect(types(decoded).slice(0, -1)).toEqual([
      'qemu.section',
      'qemu.ram-end',
      'qemu.section',
      'qemu.device-state',
      'qemu.section',
    ])
    expect(decoded.events[0]).toMatchObject({ kind: 'part', id: 3, name: null, pages: { normal: 2 } })
    expect(decoded.end).toMatchObject({ pages: null, memoryBytes: null, complete: false })
    expect(decoded.diagnostics).toMatchObject([{ code: 'qemu.mid-stream', severity: 'info' }])
  })

  it('does so without footers too', () => {
    const bytes = stream(false)
      .bytes()
      .subarray(firstPage + 500)
    expect(types(expectAnyCut([bytes], 'mid-stream'))).toEqual([
      'qemu.section',
      'qemu.ram-end',
      'qemu.section',
      'qemu.device-state',
      'qemu.section',
      'qemu.end',
    ])
  })

  it('needs three records in a row, the end of the section counted', () => {
    const seam = (records: number) => {
      const tail = new QemuStream().header().ramStart([{ name: 'pc.ram', size: MIB }])
      const at = tail.size + 5
      tail.ram('part', (ram) => {
        for (let page = 0; page < records; page++) ram.zero('pc.ram', page * 4096)
      })
      return types(decodePieces([tail.command(4).bytes().subarray(at)], 'mid-stream'))
    }
    expect(seam(1)).toEqual(['qemu.end'])
    expect(seam(2)).toEqual(['qemu.command', 'qemu.end'])
  })

  it('knows the device state behind the END that it was joined in', () => {
    const tail = new QemuStream()
      .header()
      .ramStart([{ name: 'pc.ram', size: MIB }])
      .ram('end', (ram) => ram.zero('pc.ram', 0).zero('pc.ram', 0x1000).zero('pc.ram', 0x2000))
      .full('timer', 1)
    expect(types(decodePieces([tail.bytes().subarray(tail.size - 88 - 13 - 34)], 'mid-stream'))).toEqual([
      'qemu.device-state',
      'qemu.section',
      'qemu.end',
    ])
  })

  it('remembers the number of "ram" from a footer, for the next seam', () => {
    const footer = [0x7e, 0, 0, 0, 3]
    const records = stream()
      .bytes()
      .subarray(firstPage + 4096 + 8 + 4096, firstPage + 4096 + 8 + 4096 + 360 + 13)
    const pieces = [records, 500, Uint8Array.of(...footer, 3, 0, 0, 0, 3, 0, 0)]
    expect(types(expectAnyCut(pieces, 'mid-stream'))).toEqual(['qemu.ram-end', 'qemu.end'])
  })

  it('takes no other seam for one of RAM', () => {
    const end = (footer: number, next: number) =>
      Uint8Array.of(0x7e, 0, 0, 0, footer, 3, 0, 0, 0, next, 1, 2, 3)
    const eos = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x10)
    const known = stream().bytes().subarray(0, firstPage)
    for (const [footer, next] of [
      [3, 4],
      [4, 4],
    ] as const) {
      const seam = end(footer, next)
      expect(types(expectAnyCut([known, 5000, seam]))).not.toContain('qemu.ram-end')
      expect(types(expectAnyCut([known, 5000, eos, seam]))).not.toContain('qemu.ram-end')
      // And goes on looking.
      expect(types(expectAnyCut([known, 5000, eos, seam, end(3, 3)]))).toContain('qemu.ram-end')
    }
    // Without the number of "ram" two equal ids are enough, but only behind an EOS.
    expect(types(expectAnyCut([end(4, 4)], 'mid-stream'))).toEqual(['qemu.end'])
    expect(types(expectAnyCut([eos, end(4, 4)], 'mid-stream'))).toContain('qemu.ram-end')
    expect(types(expectAnyCut([eos, end(3, 4)], 'mid-stream'))).toEqual(['qemu.end'])
  })

  it('unlearns the number of a section that turned out not to be RAM', () => {
    const disk = Uint8Array.of(
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x10,
      0x7e,
      0,
      0,
      0,
      9,
      2,
      0,
      0,
      0,
      9,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
    )
    const bytes = stream()
      .bytes()
      .subarray(firstPage + 500)
    expect(types(expectAnyCut([disk, bytes], 'mid-stream', 7))).toContain('qemu.ram-end')
  })

  it('says in which packet the seam was', () => {
    // From the EOS before the END on: nothing but the seam is left to resume at.
    const bytes = stream()
      .bytes()
      .subarray(upToEnd().size - 13)
    for (const size of [1, 3, 10]) {
      const decoded = decodePieces(segments(bytes, size), 'mid-stream')
      expect(packetOf(decoded, 'qemu.ram-end')).toBe(Math.floor(13 / size) + 1)
    }
  })
})
