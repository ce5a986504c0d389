import { describe, expect, it } from 'vitest'
import { decodePieces, expectAnyCut, facts, hex, segments } from '../../support/qemu-cuts.ts'
import { ReturnStream } from '../../support/qemu-stream.ts'

const message = (number: number, value: number | null = null) => ({
  type: 'qemu.return',
  message: number,
  value,
})

describe('the return path', () => {
  it('gives each message, with the value of PONG and SHUT', () => {
    const bytes = new ReturnStream()
      .pong(1)
      .requestPages(0x3e71000, 4096, 'pc.ram')
      .requestPages(0x3e4f000, 4096)
      .message(7, new Uint8Array())
      .message(42, new Uint8Array(300))
      .shut(1)
      .bytes()
    const decoded = expectAnyCut([bytes], 'return-path')
    expect(facts(decoded)).toEqual([
      message(2, 1),
      message(3),
      message(4),
      message(7),
      message(42),
      message(1, 1),
    ])
  })

  it('reads a post-copy migration of QEMU 7.2 as captured', () => {
    const bytes = hex(`
      00 02 00 04 00 00 00 01 00 02 00 04 00 00 00 02 00 02 00 04 00 00 00 03    # PONG 1, 2, 3
      00 03 00 13 00 00 00 00 03 e7 10 00 00 00 10 00 06 70 63 2e 72 61 6d       # REQ_PAGES_ID
      00 04 00 0c 00 00 00 00 03 e4 f0 00 00 00 10 00                            # REQ_PAGES
      00 02 00 04 00 00 00 04 00 01 00 04 00 00 00 00                            # PONG 4, SHUT 0`)
    const decoded = expectAnyCut([bytes], 'return-path')
    const pongs = [1, 2, 3].map((value) => message(2, value))
    expect(facts(decoded)).toEqual([...pongs, message(3), message(4), message(2, 4), message(1, 0)])
  })

  it('steps over the bitmap behind RECV_BITMAP', () => {
    const bitmap = hex('00 02 00 04 00 00 00 09 00 01 00 04 00 00 00 00')
    const bytes = new ReturnStream().receivedBitmap('pc.ram', bitmap).shut().bytes()
    expect(facts(expectAnyCut([bytes], 'return-path'))).toEqual([message(5), message(1, 0)])
  })

  it('says which packets carried a message', () => {
    const bytes = new ReturnStream().pong(7).requestPages(0, 4096).shut().bytes()
    const decoded = decodePieces(segments(bytes, 4), 'return-path')
    expect(decoded.events.map(({ first, last }) => [first.packet, last.packet])).toEqual([
      [1, 2],
      [3, 6],
      [7, 8],
    ])
  })

  it('loses nothing when bytes are missing inside a message', () => {
    const bytes = new ReturnStream().requestPages(0, 4096).shut().bytes()
    const decoded = expectAnyCut([bytes.subarray(0, 6), 10, bytes.subarray(16)], 'return-path')
    expect(facts(decoded)).toEqual([message(4), message(1, 0)])
    expect(decoded.diagnostics).toEqual([])
  })

  it('finds its place again where two messages follow each other', () => {
    const bytes = new ReturnStream()
      .pong(1)
      .requestPages(4096, 4096, 'pc.ram')
      .requestPages(0, 4096)
      .shut()
      .bytes()
    const decoded = expectAnyCut([bytes.subarray(0, 4), 7, bytes.subarray(11)], 'return-path')
    expect(facts(decoded)).toEqual([message(4), message(1, 0)])
    expect(decoded.diagnostics).toMatchObject([{ code: 'qemu.return-path-lost', count: 1 }])
  })

  it('does not believe a single message in what may be the data of another', () => {
    const bytes = hex('00 04 00 0c 00 00 00 02 00 04 00 00 00 00 10 00 00 01 00 04 00 00 00 00')
    expect(facts(expectAnyCut([new Uint8Array(2), 3, bytes.subarray(6)], 'return-path'))).toEqual([
      message(1, 0),
    ])
  })

  it('believes a last SHUT that ends the stream', () => {
    const bytes = new ReturnStream().pong(1).shut(0).bytes()
    expect(facts(expectAnyCut([3, bytes.subarray(3)], 'return-path'))).toEqual([message(1, 0)])
    expect(facts(expectAnyCut([3, bytes.subarray(3, 15)], 'return-path'))).toEqual([])
  })
})
