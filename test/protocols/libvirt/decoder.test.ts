import { describe, expect, test } from 'vitest'
import { LIBVIRT_MESSAGE_MAX } from '../../../src/core/limits.ts'
import type { LibvirtCall, LibvirtReply } from '../../../src/events/libvirt.ts'
import { PROCEDURE, PROGRAM } from '../../../src/protocols/libvirt/procedures.ts'
import { expectAnyCut } from '../../support/any-cut.ts'
import {
  args,
  call,
  concat,
  errorReply,
  hex,
  keepalive,
  message,
  reply,
  results,
  streamAbort,
  streamData,
  streamFinish,
  Xdr,
} from '../../support/libvirt.ts'
import { CONVERSATION, TUNNEL_PAYLOAD, TUNNELLED, UUID } from './sample.ts'
import { decode, LibvirtSubject, only } from './subject.ts'

describe('real messages', () => {
  test('a call: SUPPORTS_FEATURE asks for feature 13', () => {
    const { events } = decode([
      hex(
        `00 00 00 20   length 32
           20 00 80 86   remote program
           00 00 00 01   version
           00 00 00 3c   procedure 60
           00 00 00 00   call
           00 00 00 08   serial
           00 00 00 00   status ok
           00 00 00 0d   feature 13`.replaceAll(/ {3}[a-z].*/g, ''),
      ),
    ])
    expect(events).toMatchObject([
      {
        type: 'libvirt.call',
        direction: 'to-server',
        program: PROGRAM.remote,
        procedure: 60,
        serial: 8,
        size: 32,
        arguments: { kind: 'feature', feature: 13 },
      },
    ])
  })

  test('CONNECT_OPEN names the driver', () => {
    const { events } = decode([
      hex('00 00 00 38 20 00 80 86 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00 02 00 00 00 00'),
      // present, 14 bytes, qemu:///system with 2 bytes of padding, flags
      hex('00 00 00 01 00 00 00 0e 71 65 6d 75 3a 2f 2f 2f 73 79 73 74 65 6d 00 00 00 00 00 00'),
    ])
    expect(events).toMatchObject([{ arguments: { kind: 'open', name: 'qemu:///system' } }])
  })

  test('keepalive: ping and pong have a program of their own', () => {
    const ping = hex('00 00 00 1c 6b 65 65 70 00 00 00 01 00 00 00 01 00 00 00 02 00 00 00 00 00 00 00 00')
    const pong = hex('00 00 00 1c 6b 65 65 70 00 00 00 01 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00 00')
    expect(decode([ping, pong]).events).toMatchObject([
      { type: 'libvirt.keepalive', ping: true },
      { type: 'libvirt.keepalive', ping: false },
    ])
    expect(keepalive('ping')).toEqual(ping)
    expect(keepalive('pong')).toEqual(pong)
  })

  test('remote_error: prepare was refused because the guest is there already', () => {
    const bytes = hex(`
      00 00 00 d8 20 00 80 86 00 00 00 01 00 00 01 2f 00 00 00 01 00 00 00 09 00 00 00 01
      00 00 00 37 00 00 00 14 00 00 00 01 00 00 00 40 52 65 71 75 65 73 74 65 64 20 6f 70
      65 72 61 74 69 6f 6e 20 69 73 20 6e 6f 74 20 76 61 6c 69 64 3a 20 64 6f 6d 61 69 6e
      20 27 76 6d 31 27 20 69 73 20 61 6c 72 65 61 64 79 20 61 63 74 69 76 65 00 00 00 02
      00 00 00 00 00 00 00 01 00 00 00 24 52 65 71 75 65 73 74 65 64 20 6f 70 65 72 61 74
      69 6f 6e 20 69 73 20 6e 6f 74 20 76 61 6c 69 64 3a 20 25 73 00 00 00 01 00 00 00 1e
      64 6f 6d 61 69 6e 20 27 76 6d 31 27 20 69 73 20 61 6c 72 65 61 64 79 20 61 63 74 69
      76 65 00 00 00 00 00 00 ff ff ff ff ff ff ff ff 00 00 00 00`)
    const { events, diagnostics } = decode([bytes], { direction: 'to-client' })
    expect(events).toMatchObject([
      {
        type: 'libvirt.reply',
        procedure: PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS,
        serial: 9,
        ok: false,
        result: null,
        error: {
          code: 55,
          domain: 20,
          message: "Requested operation is not valid: domain 'vm1' is already active",
        },
      },
    ])
    expect(diagnostics.list()).toEqual([])
  })

  test('a finish reply of libvirt 0.10.2 holds the domain and a cookie without statistics', () => {
    const bytes = hex(`
      00 00 01 04 20 00 80 86 00 00 00 01 00 00 00 d9 00 00 00 01 00 00 00 06 00 00 00 00
      00 00 00 03 76 6d 31 00 00 00 00 00 00 00 40 00 80 00 00 00 00 00 00 50 ff ff ff ff
      00 00 00 c8 3c 71 65 6d 75 2d 6d 69 67 72 61 74 69 6f 6e 3e 0a 20 20 3c 6e 61 6d 65
      3e 76 6d 31 3c 2f 6e 61 6d 65 3e 0a 20 20 3c 75 75 69 64 3e 30 30 30 30 30 30 30 30
      2d 30 30 30 30 2d 34 30 30 30 2d 38 30 30 30 2d 30 30 30 30 30 30 30 30 30 30 35 30
      3c 2f 75 75 69 64 3e 0a 20 20 3c 68 6f 73 74 6e 61 6d 65 3e 63 65 6e 74 6f 73 36 6e
      32 3c 2f 68 6f 73 74 6e 61 6d 65 3e 0a 20 20 3c 68 6f 73 74 75 75 69 64 3e 32 32 32
      32 32 32 32 32 2d 32 32 32 32 2d 34 32 32 32 2d 38 32 32 32 2d 30 30 30 30 30 30 30
      30 30 30 31 32 3c 2f 68 6f 73 74 75 75 69 64 3e 0a 3c 2f 71 65 6d 75 2d 6d 69 67 72
      61 74 69 6f 6e 3e 0a 00`)
    const make = () => new LibvirtSubject({ direction: 'to-client' })
    expect(expectAnyCut(make, bytes)).toMatchObject({
      events: [
        {
          ok: true,
          size: 260,
          result: {
            kind: 'finish',
            domainName: 'vm1',
            domainUuid: '00000000-0000-4000-8000-000000000050',
            cookie: {
              name: 'vm1',
              hostname: 'centos6n2',
              hostUuid: '22222222-2222-4222-8222-000000000012',
              statistics: null,
            },
          },
        },
      ],
    })
  })
})

describe('any way of cutting the stream gives the same events', () => {
  test.each([
    ['to-server', CONVERSATION],
    ['to-client', CONVERSATION],
    ['to-server', TUNNELLED],
    ['to-client', TUNNELLED],
  ] as const)('%s', (direction, turns) => {
    const stream = concat(...only(turns, direction))
    const seen = expectAnyCut(() => new LibvirtSubject({ direction }), stream)
    expect(seen).toMatchObject({ left: 0 })
  })
})

describe('events', () => {
  test('one for each message, in order, with its serial and size', () => {
    const calls = only(CONVERSATION, 'to-server')
    const { events, diagnostics } = decode([concat(...calls)])
    expect(events.map((event) => (event as LibvirtCall).serial)).toEqual(calls.map((_, i) => i))
    expect(events.map((event) => (event as LibvirtCall).size)).toEqual(calls.map((bytes) => bytes.length))
    expect(diagnostics.list()).toEqual([])
  })

  test('first is the packet of the length word, last that of the last byte', () => {
    const bytes = call(PROCEDURE.CONNECT_OPEN, 2, args.open('qemu:///system'))
    const parts = [bytes.subarray(0, 1), bytes.subarray(1, 28), bytes.subarray(28, 40), bytes.subarray(40)]
    const { events } = decode([keepalive('ping'), ...parts])
    expect(events.map(({ first, last }) => [first.packet, last.packet])).toEqual([
      [1, 1],
      [2, 5],
    ])
  })

  test('evidence is copied, since the caller reuses it', () => {
    const { events } = decode([keepalive('ping'), keepalive('pong')])
    expect(events.map((event) => event.first.timeNs)).toEqual([1000, 2000])
  })

  test('calls with file descriptors have their count before the arguments', () => {
    const payload = new Xdr().u32(0).raw(args.feature(6)).done()
    const withFds = message({ procedure: 60, type: 4, serial: 1, status: 0 }, payload)
    expect(decode([withFds]).events).toMatchObject([{ arguments: { feature: 6 } }])
    const answer = new Xdr().u32(0).raw(results.prepare(null, 'tcp:a:1')).done()
    const replyWithFds = message({ procedure: 303, type: 5, serial: 1, status: 0 }, answer)
    expect(decode([replyWithFds]).events).toMatchObject([{ result: { uriOut: 'tcp:a:1' } }])
  })

  test('procedures that no report needs are counted past', () => {
    const { events } = decode([call(298, 4, new Uint8Array(400)), reply(298, 4, new Uint8Array(80))])
    expect(events).toMatchObject([
      { type: 'libvirt.call', procedure: 298, arguments: null },
      { type: 'libvirt.reply', procedure: 298, ok: true, result: null, error: null },
    ])
  })

  test('asynchronous events, other programs and unknown types are "other", with their numbers', () => {
    const { events, diagnostics } = decode([
      message({ procedure: 318, type: 2, serial: 0, status: 0 }, new Uint8Array(40)),
      message({ program: PROGRAM.qemu, procedure: 1, type: 0, serial: 3, status: 0 }, new Uint8Array(8)),
      message({ procedure: 215, type: 6, serial: 3, status: 2 }, new Uint8Array(12)),
      message({ procedure: 1, type: 77, serial: 3, status: 0 }),
      message({ procedure: 1, version: 2, type: 0, serial: 3, status: 0 }),
      message({ program: PROGRAM.keepalive, procedure: 9, type: 2, serial: 0, status: 0 }),
    ])
    expect(events).toMatchObject([
      { type: 'libvirt.other', program: PROGRAM.remote, procedure: 318, messageType: 2 },
      { type: 'libvirt.other', program: PROGRAM.qemu, procedure: 1, messageType: 0 },
      { type: 'libvirt.other', procedure: 215, messageType: 6 },
      { type: 'libvirt.other', procedure: 1, messageType: 77 },
      { type: 'libvirt.other', procedure: 1, messageType: 0 },
      { type: 'libvirt.other', program: PROGRAM.keepalive, procedure: 9, messageType: 2 },
    ])
    expect(diagnostics.list()).toEqual([])
  })

  test('the error of any procedure is read', () => {
    const bytes = errorReply(PROCEDURE.CONNECT_OPEN, 2, { code: 45, domain: 7, message: null })
    expect(decode([bytes]).events).toMatchObject([
      { ok: false, error: { code: 45, domain: 7, message: null } },
    ])
  })

  test('an unfinished message raises nothing but a diagnostic, and gives its memory back', () => {
    const bytes = call(PROCEDURE.CONNECT_OPEN, 2, args.open('qemu:///system'))
    const subject = decode([bytes.subarray(0, 40)])
    expect(subject.seen()).toMatchObject({ events: [], left: 0 })
    expect(subject.codes()).toEqual(['libvirt.unfinished'])
  })

  test('a whole body without the form of its procedure is said once', () => {
    const junk = call(PROCEDURE.DOMAIN_MIGRATE_FINISH3, 1, new Xdr().u32(0xffffffff).u64(0).done())
    const subject = decode([junk, junk])
    expect(subject.events).toMatchObject([{ arguments: { kind: 'finish', domainName: null } }, {}])
    expect(subject.diagnostics.list()).toMatchObject([{ code: 'libvirt.body', count: 2 }])
  })
})

describe('tunnelled stream', () => {
  const PREPARE = PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3

  test('payload is passed on, message by message, and ends with the client’s finish', () => {
    const subject = decode(only(TUNNELLED, 'to-server'))
    expect(subject.inner.said).toEqual([TUNNEL_PAYLOAD, 'end'])
    const stream = subject.events.filter((event) => event.type === 'libvirt.stream')
    expect(stream.map(({ status, size }) => [status, size])).toEqual([
      ['data', 3],
      ['data', 64],
      ['data', 17],
      ['finish', 0],
    ])
  })

  test('the server’s messages are events only', () => {
    const subject = decode([streamFinish(PREPARE, 5)], { direction: 'to-client' })
    expect(subject.events).toMatchObject([{ type: 'libvirt.stream', status: 'finish', size: 0, error: null }])
    expect(subject.inner.said).toEqual(['end'])
  })

  test('an abort of the server has an error, one of the client has none', () => {
    const error = { code: 39, domain: 7, message: 'stream aborted at client request' }
    expect(decode([streamAbort(PREPARE, 5, error)]).events).toMatchObject([{ status: 'abort', error }])
    const subject = decode([streamData(PREPARE, 5, hex('51 45')), streamAbort(PREPARE, 5)])
    expect(subject.events).toMatchObject([{ status: 'data' }, { status: 'abort', error: null }])
    expect(subject.inner.said).toEqual([[0x51, 0x45], 'end'])
    expect(subject.codes()).toEqual([])
  })

  test('gaps in the payload are passed on, and the end of the connection too', () => {
    const bytes = streamData(PREPARE, 5, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    const subject = decode([bytes.subarray(0, 30), { gap: 4 }, bytes.subarray(34)])
    expect(subject.inner.said).toEqual([[1, 2], { gap: 4 }, [7, 8], 'end'])
    expect(subject.events).toMatchObject([{ status: 'data', size: 8 }])
  })

  test('streams of other procedures stay out', () => {
    const subject = decode([
      streamData(208, 5, Uint8Array.of(1, 2)),
      streamData(PREPARE, 6, Uint8Array.of(3)),
    ])
    expect(subject.inner.said).toEqual([[3], 'end'])
  })

  test('a second stream of the connection is counted, not mixed in', () => {
    const one = [streamData(PREPARE, 5, Uint8Array.of(1)), streamFinish(PREPARE, 5)]
    const subject = decode([...one, streamData(PREPARE, 9, Uint8Array.of(2))])
    expect(subject.inner.said).toEqual([[1], 'end'])
    expect(subject.codes()).toEqual(['libvirt.second-stream'])
  })
})

describe('length word', () => {
  const lied = (length: number) => message({ procedure: 2, type: 0, serial: 0, status: 0, length })

  test.each([0, 27, LIBVIRT_MESSAGE_MAX + 1, 0xffffffff])('%d loses sync', (length) => {
    const subject = decode([lied(length)])
    expect(subject.seen()).toMatchObject({ events: [], left: 0 })
    expect(subject.codes()).toEqual(['libvirt.header'])
  })

  test.each([28, 29])('%d is the least there is', (length) => {
    expect(decode([lied(length), new Uint8Array(length - 28)]).events).toHaveLength(1)
  })

  test('32 MiB are believed, and cost nothing until they come', () => {
    const length = LIBVIRT_MESSAGE_MAX
    const header = message({
      procedure: PROCEDURE.DOMAIN_MIGRATE_FINISH3,
      type: 0,
      serial: 0,
      status: 0,
      length,
    })
    const subject = new LibvirtSubject()
    subject.decoder.push(header, 0, 28, { packet: 1, timeNs: 0 })
    subject.decoder.push(new Uint8Array(10), 0, 10, { packet: 2, timeNs: 0 })
    expect(subject.bodies.used).toBeLessThanOrEqual(1024)
    subject.decoder.gap(length - 38, { packet: 3, timeNs: 0 })
    expect(subject.events).toMatchObject([
      { last: { packet: 3 }, arguments: { kind: 'finish', flags: null } },
    ])
    expect(subject.bodies.used).toBe(0)
  })

  test('an unknown program loses sync', () => {
    const bytes = message({ program: 0x20008088, procedure: 1, type: 0, serial: 0, status: 0 })
    expect(decode([bytes]).codes()).toEqual(['libvirt.header'])
  })
})

test('a reply to prepare in XDR null leaves the caller’s URI in force', () => {
  const bytes = reply(PROCEDURE.DOMAIN_MIGRATE_PREPARE3, 5, results.prepare(null, null))
  const [event] = decode([bytes]).events as LibvirtReply[]
  expect(event?.result).toEqual({ kind: 'prepare', cookie: null, uriOut: null })
})

test('sample conversations name the guest', () => {
  expect(JSON.stringify(decode(only(CONVERSATION, 'to-server')).seen())).toContain(UUID)
})
