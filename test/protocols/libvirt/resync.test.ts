import { describe, expect, test } from 'vitest'
import { PROCEDURE } from '../../../src/protocols/libvirt/procedures.ts'
import { expectAnyCut } from '../../support/any-cut.ts'
import { args, call, concat, hex, keepalive, streamData } from '../../support/libvirt.ts'
import { CONVERSATION } from './sample.ts'
import { decode, LibvirtSubject, only } from './subject.ts'

const open = call(PROCEDURE.CONNECT_OPEN, 2, args.open('qemu:///system'))

describe('without sync', () => {
  test('the next header is found at any distance', () => {
    for (let junk = 28; junk < 100; junk++) {
      const bytes = concat(new Uint8Array(junk).fill(0x41), open)
      expect(decode([bytes]).events).toMatchObject([{ procedure: PROCEDURE.CONNECT_OPEN }])
    }
  })

  test('one that begins inside the header that did not parse is found too', () => {
    for (let junk = 1; junk < 28; junk++) {
      const bytes = concat(new Uint8Array(junk).fill(0x41), open, keepalive('ping'))
      expect(decode([bytes]).events).toHaveLength(2)
    }
  })

  test('any cut gives the same, with starts of headers in between', () => {
    const stream = concat(
      hex('ff ff ff ff'),
      open.subarray(0, 27), // all but the last byte agree
      hex('77'),
      new Uint8Array(30), // zeroes, as in the memory of a guest
      open.subarray(0, 11),
      keepalive('ping'),
      hex('01 00 00'),
      open,
    )
    const seen = expectAnyCut(() => new LibvirtSubject(), stream)
    expect(seen).toMatchObject({ events: [{ type: 'libvirt.keepalive' }, { type: 'libvirt.call' }] })
  }, 20_000)

  test('first is the packet where the header that was found begins', () => {
    const parts = [hex('41 41'), open.subarray(0, 3), open.subarray(3, 9), open.subarray(9)]
    const { events } = decode([new Uint8Array(30).fill(0x41), ...parts])
    expect(events).toMatchObject([{ first: { packet: 3 }, last: { packet: 5 } }])
  })

  test('what fields say about each other counts: an unpadded call is none', () => {
    const odd = open.slice()
    odd[3] = 0x39
    expect(decode([new Uint8Array(28).fill(0x41), odd]).events).toEqual([])
  })
})

describe('from the middle of a connection', () => {
  test('the first header is searched for without a diagnostic', () => {
    const stream = concat(...only(CONVERSATION, 'to-server'))
    const start = 40
    const subject = decode([stream.subarray(start)], { midStream: true })
    const whole = decode([stream]).events.length
    expect(subject.events).toHaveLength(whole - 2)
    expect(subject.codes()).toEqual([])
  })

  test('inside a tunnelled stream, the payload starts with what is missing', () => {
    const data = streamData(PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, 5, new Uint8Array(8).fill(7))
    const subject = decode([new Uint8Array(100).fill(1), data], { midStream: true })
    expect(subject.inner.said).toEqual([{ gap: 100 }, Array(8).fill(7), 'end'])
  })

  test('bytes that are no libvirt at all raise nothing', () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i * 7) & 0xff)
    const subject = decode([noise], { midStream: true })
    expect(subject.seen()).toEqual({ events: [], inner: ['end'], left: 0 })
  })
})
