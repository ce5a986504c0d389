import { describe, expect, test } from 'vitest'
import { Packet } from '../../src/capture/packet.ts'
import { Addresses } from '../../src/redact/addresses.ts'
import { isRight, makeRight, sum } from '../../src/redact/checksums.ts'
import { FrameMask } from '../../src/redact/frame.ts'
import { Keyed } from '../../src/redact/keyed.ts'
import { ETHERTYPE, ipv4, ipv6, LINK, rarp, tcp } from '../support/capture.ts'
import { concat, hex } from '../support/libvirt.ts'
import { echo, erspan, gre, onEthernet, udp, vxlan } from '../support/tunnel.ts'
import { KEY } from './redacted.ts'

const ENDS = { source: '10.77.0.11', destination: '10.77.0.12' }

interface Masked {
  readonly bytes: Uint8Array
  readonly checks: number
}

/** @param linkType of the frame @param size bytes of the frame that were captured */
function mask(frame: Uint8Array, linkType = 1, size = frame.length): Masked {
  const packet = new Packet()
  packet.bytes = frame
  packet.end = size
  packet.originalLength = frame.length
  packet.linkType = linkType
  const bytes = new Uint8Array(size)
  const checks = new FrameMask(new Addresses(new Keyed(KEY))).mask(packet, 0, bytes)
  for (const check of checks) makeRight(bytes, check)
  return { bytes, checks: checks.length }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** With checksums of IP and TCP that are right. */
function rightFrame(payload: Uint8Array): Uint8Array {
  const frame = LINK.ethernet.frame(
    ETHERTYPE.ipv4,
    ipv4(
      ENDS,
      tcp({ sourcePort: 1, destinationPort: 2, sequence: 7, acknowledgement: 8, flags: 16 }, payload),
    ),
  )
  const size = frame.length - 34
  const none = { isUdp: false }
  makeRight(frame, { at: 24, start: 14, end: 34, addresses: -1, addressSize: 0, pseudo: 0, ...none })
  makeRight(frame, {
    at: 50,
    start: 34,
    end: frame.length,
    addresses: 26,
    addressSize: 8,
    pseudo: 6 + size,
    ...none,
  })
  return frame
}

describe('checksums', () => {
  test('the sum of the example of RFC 1071', () => {
    expect(sum(hex('00 01 f2 03 f4 f5 f6 f7'), 0, 8)).toBe(0xddf2)
  })

  test('that were right are right again, of the new contents', () => {
    const frame = rightFrame(Uint8Array.from({ length: 101 }, (_, i) => i))
    const { bytes, checks } = mask(frame)
    expect(checks).toBe(2)
    expect(sum(bytes, 14, 34)).toBe(0xffff)
    const check = {
      at: 50,
      start: 34,
      end: frame.length,
      addresses: 26,
      addressSize: 8,
      pseudo: 6 + frame.length - 34,
      isUdp: false,
    }
    expect(isRight(bytes, 0, check)).toBe(true)
  })

  test('that were wrong, or of what was not captured, are none: they would tell the sum of what was there', () => {
    const frame = rightFrame(new Uint8Array(100).fill(3))
    expect([...mask(frame, 1, 100).bytes.subarray(50, 52)]).toEqual([0, 0])
    frame[50] = (frame[50] as number) ^ 0x5a
    expect([...mask(frame).bytes.subarray(50, 52)]).toEqual([0, 0])
  })
})

describe('headers', () => {
  test('of TCP stay but for addresses, and options that are not known', () => {
    const header = { sourcePort: 50_000, destinationPort: 16_509, sequence: 7, acknowledgement: 8, flags: 24 }
    const segment = tcp(header, Uint8Array.of(9, 9, 9, 9))
    // 4 bytes of options where the payload begins: no operation and one of an unknown kind.
    segment[12] = 0x60
    segment.set([1, 34, 3, 77], 20)
    const { bytes } = mask(LINK.ethernet.frame(ETHERTYPE.ipv4, ipv4(ENDS, segment)))
    expect(hexOf(bytes.subarray(34, 54))).toBe(hexOf(segment.subarray(0, 20)))
    expect([...bytes.subarray(54, 58)]).toEqual([1, 34, 3, 0])
  })

  test('of an error keep what is quoted, with other addresses', () => {
    const quoted = ipv4(ENDS, udp(4, new Uint8Array(20).fill(0x77)))
    const error = concat(hex('03 03 12 34 00 00 00 00'), quoted)
    const { bytes } = mask(onEthernet({ ...ENDS, protocol: 1 }, error))
    const inner = bytes.subarray(34 + 8)
    expect(hexOf(inner.subarray(12, 16))).toBe(hexOf(bytes.subarray(26, 30)))
    expect(hexOf(inner.subarray(20, 26))).toBe(hexOf(quoted.subarray(20, 26)))
    expect([...inner.subarray(28)].every((byte) => byte === 0)).toBe(true)
  })

  test('of an echo request stay, its payload does not', () => {
    const { bytes } = mask(onEthernet({ ...ENDS, protocol: 1 }, echo(5, new Uint8Array(40).fill(0x77))))
    expect(hexOf(bytes.subarray(34, 36) as Uint8Array)).toBe('0800')
    expect(hexOf(bytes.subarray(38, 42))).toBe('12340005')
    expect(bytes.includes(0x77)).toBe(false)
  })

  test('of an announcement of a guest have its MAC address as the frame has it', () => {
    const { bytes } = mask(LINK.ethernet.frame(ETHERTYPE.rarp, rarp('52:54:00:77:00:50')))
    expect(hexOf(bytes).includes('525400770050')).toBe(false)
    expect(hexOf(bytes.subarray(22, 28))).toBe(hexOf(bytes.subarray(32, 38)))
    expect(hexOf(bytes.subarray(22, 25))).toBe('525400')
  })

  test('of IPv6 neighbours have other addresses', () => {
    const solicitation = concat(
      hex('87 00 00 00 00 00 00 00'),
      hex('fd 00 00 77 00 00 00 00 00 00 00 00 00 00 00 11'),
      hex('01 01 52 54 00 77 00 50'),
    )
    const frame = LINK.ethernet.frame(
      ETHERTYPE.ipv6,
      ipv6({ source: 'fd00:77::12', destination: 'ff02::1:ff00:11', protocol: 58 }, solicitation),
    )
    const text = hexOf(mask(frame).bytes)
    expect(text).not.toMatch(/fd000077|525400770050/)
    expect(text).toContain('8700')
  })

  const INNER = onEthernet({ source: '192.168.0.1', destination: '192.168.0.2', protocol: 1 }, echo(5))
  test.each([
    ['VXLAN', onEthernet({ ...ENDS, protocol: 17 }, vxlan(7, INNER)), 34 + 16],
    ['GRE', onEthernet({ ...ENDS, protocol: 47 }, gre({ type: 0x6558, key: 9 }, INNER)), 34 + 8],
    ['a mirror', onEthernet({ ...ENDS, protocol: 47 }, erspan[2](INNER)), 34 + 16],
  ])('inside of %s are treated alike', (_, frame, at) => {
    const { bytes } = mask(frame)
    expect(hexOf(bytes.subarray(at))).toBe(hexOf(mask(INNER).bytes))
    expect(hexOf(bytes.subarray(at + 26, at + 28))).toBe('c0a8')
    expect(hexOf(bytes.subarray(at + 34, at + 36))).toBe('0800')
  })

  test.each([
    ['a link that is not known', 250],
    ['raw IP that is none', 101],
  ])('of %s do not stay', (_, linkType) => {
    expect(mask(new Uint8Array(60).fill(0x77), linkType).bytes.includes(0x77)).toBe(false)
  })

  test('may break off anywhere', () => {
    const frames = [
      rightFrame(new Uint8Array(8).fill(0x77)),
      onEthernet({ ...ENDS, protocol: 17 }, vxlan(7, INNER)),
    ]
    for (const frame of frames)
      for (let size = 0; size < frame.length; size++) {
        const { bytes } = mask(frame, 1, size)
        expect(hexOf(bytes)).not.toMatch(/0a4d000b|0a4d000c|c0a80001/)
      }
  })
})
