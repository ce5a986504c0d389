import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lanes } from '../../src/net/lanes.ts'
import { ReassemblyPool } from '../../src/net/reassembly.ts'
import { TcpConnection } from '../../src/net/tcp.ts'
import { ETHERTYPE, FLAG, ipv4, LINK, tcp } from '../support/capture.ts'
import { ascii, Tap } from './tap.ts'

const AT = { packet: 1, timeNs: 0 }
const end = { number: 0, address: '', port: 0 }
const connection = (id: number) => new TcpConnection(id, end, end, true, new ReassemblyPool(), AT)

test('a lane is that of the last connection with these words, or none; both directions are of one', () => {
  const word = fc.oneof(fc.constantFrom(0, -1, 0x7fffffff, -0x80000000), fc.integer({ min: -40, max: 40 }))
  const put = fc.record({ source: word, destination: word, ports: word, fromLow: fc.boolean() })
  fc.assert(
    fc.property(fc.array(put, { maxLength: 80 }), (puts) => {
      const lanes = new Lanes()
      const last = new Map<string, { connection: TcpConnection; fromLow: boolean }>()
      puts.forEach(({ source, destination, ports, fromLow }, id) => {
        const one = connection(id)
        lanes.put(source, destination, ports, one, fromLow)
        const back = (ports << 16) | (ports >>> 16)
        last.set(`${source} ${destination} ${ports}`, { connection: one, fromLow })
        last.set(`${destination} ${source} ${back}`, { connection: one, fromLow: !fromLow })
      })
      for (const [key, expected] of last) {
        const [source = 0, destination = 0, ports = 0] = key.split(' ').map(Number)
        const lane = lanes.find(source, destination, ports)
        if (lane === null) continue
        const { fromLow, fromHigh } = expected.connection
        expect(lane.connection).toBe(expected.connection)
        expect(lane.fromLow).toBe(expected.fromLow)
        expect([lane.own, lane.peer]).toEqual(expected.fromLow ? [fromLow, fromHigh] : [fromHigh, fromLow])
      }
    }),
    { seed: 20261128 },
  )
})

describe('a packet of a known connection that is not the ordinary one', () => {
  const ENDS = { source: '10.0.0.9', destination: '10.0.0.2' }
  const PORTS = { sourcePort: 50_000, destinationPort: 16_509 }
  const known = () => {
    const tap = new Tap()
    pass(tap, ipv4(ENDS, tcp({ ...PORTS, sequence: 99, flags: FLAG.syn })))
    pass(tap, ipv4(ENDS, tcp({ ...PORTS, sequence: 100 }, ascii('abc'))))
    return tap
  }
  const pass = (tap: Tap, packet: Uint8Array, originalLength?: number) => {
    const frame = LINK.ethernet.frame(ETHERTYPE.ipv4, packet)
    tap.feed([{ frame, timeNs: 0n, ...(originalLength === undefined ? {} : { originalLength }) }])
  }
  const next = tcp({ ...PORTS, sequence: 103 }, ascii('def'))

  test.each<[string, (tap: Tap) => void, string]>([
    ['with options of IP', (tap) => pass(tap, ipv4({ ...ENDS, options: new Uint8Array(4) }, next)), 'abcdef'],
    ['without a total length', (tap) => pass(tap, ipv4({ ...ENDS, totalLength: 0 }, next)), 'abcdef'],
    ['padded', (tap) => pass(tap, Uint8Array.from([...ipv4(ENDS, next), 1, 2, 3, 4])), 'abcdef'],
    ['of UDP', (tap) => pass(tap, ipv4({ ...ENDS, protocol: 17 }, next)), 'abc'],
    ['longer than its frame', (tap) => pass(tap, ipv4({ ...ENDS, totalLength: 900 }, next)), 'abc'],
    ['a fragment', (tap) => pass(tap, ipv4({ ...ENDS, fragment: 0x2000 }, next)), 'abc'],
    ['cut in its payload', (tap) => pass(tap, ipv4(ENDS, next).subarray(0, 41), 57), 'abcd__'],
    ['cut in its header', (tap) => pass(tap, ipv4(ENDS, next).subarray(0, 38), 57), 'abc___'],
    [
      'with a header of TCP that is longer than it',
      (tap) => {
        const bytes = Uint8Array.from(next)
        bytes[12] = 0xf0
        pass(tap, ipv4(ENDS, bytes))
      },
      'abc',
    ],
    [
      'with a header of TCP that is too short to be one',
      (tap) => {
        const bytes = Uint8Array.from(next)
        bytes[12] = 0x40
        pass(tap, ipv4(ENDS, bytes))
      },
      'abc',
    ],
  ])('%s', (_name, more, text) => {
    const tap = known()
    more(tap)
    expect(tap.texts()).toEqual([[text, '']])
  })
})
