import { describe, expect, test } from 'vitest'
import { sniff } from '../../src/capture/magic.ts'
import { InputError } from '../../src/core/input-error.ts'
import { dpmi, Pcapng, pcap } from '../support/capture.ts'
import { hex } from '../support/libvirt.ts'
import { read, singles } from './read.ts'

const capture = (format: string) => ({ kind: 'capture', format })
const compressed = (compression: string) => ({ kind: 'compressed', compression })

describe('the first bytes tell', () => {
  test.each([
    ['pcap, µs, big-endian', 'a1 b2 c3 d4', capture('pcap')],
    ['pcap, µs, little-endian', 'd4 c3 b2 a1', capture('pcap')],
    ['pcap, ns, big-endian', 'a1 b2 3c 4d', capture('pcap')],
    ['pcap, ns, little-endian', '4d 3c b2 a1', capture('pcap')],
    ['modified pcap, big-endian', 'a1 b2 cd 34', capture('pcap')],
    ['modified pcap, little-endian', '34 cd b2 a1', capture('pcap')],
    ['pcapng, little-endian', '0a 0d 0d 0a 1c 00 00 00 4d 3c 2b 1a', capture('pcapng')],
    ['pcapng, big-endian', '0a 0d 0d 0a 00 00 00 1c 1a 2b 3c 4d', capture('pcapng')],
    ['DPMI 0.7', '6e 9b 3d c5 47 e2 1a 8f 00 00 07 00 d8 00 00 00', capture('dpmi')],
    ['DPMI 0.7, big-endian', '8f 1a e2 47 c5 3d 9b 6e 00 00 00 07 00 d8 00 00', capture('dpmi')],
    ['half the magic of DPMI', '6e 9b 3d c5 00 00 00 00 00 00 07 00 d8 00 00 00', { kind: 'unknown' }],
    ['a text of empty lines', '0a 0d 0d 0a 0a 0d 0d 0a 0a 0d 0d 0a', { kind: 'unknown' }],
    ['gzip', '1f 8b 08 00', compressed('gzip')],
    ['zstd', '28 b5 2f fd', compressed('zstd')],
    ['lz4', '04 22 4d 18', compressed('lz4')],
    ['lz4 of the old kind', '02 21 4c 18', compressed('lz4')],
    ['xz', 'fd 37 7a 58 5a 00', compressed('xz')],
    ['bzip2', '42 5a 68 39', compressed('bzip2')],
    ['text', '23 21 2f 62', { kind: 'unknown' }],
    ['zeroes', '00 00 00 00 00 00 00 00 00 00 00 00', { kind: 'unknown' }],
    ['three bytes', 'd4 c3 b2', { kind: 'unknown' }],
  ])('%s', (_name, bytes, kind) => {
    expect(sniff(hex(bytes))).toEqual(kind)
  })

  test.each([
    ['snoop', '73 6e 6f 6f 70 00 00 00'],
    ['Sniffer', '54 52 53 4e'],
    ['NetXray', '58 43 50 00'],
    ['Network Monitor', '47 4d 42 55'],
    ['pcap 1.9', 'd4 c3 b2 a1 01 00 09 00'],
    ['pcapng 1.1', '0a 0d 0d 0a 1c 00 00 00 4d 3c 2b 1a 01 00 01 00'],
    ['pcapng 2.0, big-endian', '0a 0d 0d 0a 00 00 00 1c 1a 2b 3c 4d 00 02 00 00'],
    ['DPMI 0.8', '6e 9b 3d c5 47 e2 1a 8f 00 00 08 00 d8 00 00 00'],
  ])('%s is known, not read, and has a way out', (_name, bytes) => {
    expect(sniff(hex(bytes))).toMatchObject({
      kind: 'unsupported',
      advice: expect.stringContaining('IN OUT'),
    })
  })
})

describe('what is no capture is refused in words', () => {
  test.each([
    ['nothing', '', 'is empty'],
    ['short junk', '01 02 03', 'is not a packet capture'],
    ['long junk', '41 '.repeat(100), 'is not a packet capture'],
    ['xz inside', 'fd 37 7a 58 5a 00 00 04 e6 d6 b4 46', 'is compressed with xz'],
    ['snoop', '73 6e 6f 6f 70 00 00 00 00 00 00 02', 'is a Solaris snoop capture'],
  ])('%s', (_name, text, message) => {
    const bytes = hex(text)
    for (const pieces of [[bytes], singles(bytes)]) {
      const run = () => read(...pieces)
      expect(run).toThrow(InputError)
      expect(run).toThrow(message)
    }
  })
})

describe('a capture without packets is one', () => {
  test.each([
    ['pcap', pcap([])],
    ['pcapng', new Pcapng().bytes()],
    ['pcapng with an interface', new Pcapng().interface().bytes()],
    ['pcapng 1.2', new Pcapng().section('big', [1, 2]).bytes()],
    ['DPMI', dpmi([])],
  ])('%s', (_name, file) => {
    for (const pieces of [[file], singles(file)]) {
      const { packets, summary, diagnostics } = read(...pieces)
      expect(packets).toEqual([])
      expect(diagnostics).toEqual([])
      expect(summary).toMatchObject({ packets: 0, startEpochNs: null, fileBytes: file.length })
    }
  })
})
