import { describe, expect, test } from 'vitest'
import { PROCEDURE } from '../../../src/protocols/libvirt/procedures.ts'
import { expectAnyCut, type Piece } from '../../support/any-cut.ts'
import {
  args,
  call,
  concat,
  domainXml,
  errorReply,
  hex,
  keepalive,
  message,
  results,
  streamData,
  streamFinish,
} from '../../support/libvirt.ts'
import { CONVERSATION, MAC, MIGRATION, TUNNELLED, UUID } from './sample.ts'
import { decode, LibvirtSubject, only } from './subject.ts'

const SEGMENT = 1448

/** A capture with a snap length: of each segment the first `kept` bytes, then the rest as a gap. */
function snapped(messages: readonly Uint8Array[], kept: number): Piece[] {
  return messages.flatMap((bytes) => {
    const pieces: Piece[] = []
    for (let at = 0; at < bytes.length; at += SEGMENT) {
      const end = Math.min(at + SEGMENT, bytes.length)
      pieces.push(bytes.subarray(at, Math.min(at + kept, end)))
      if (end - at > kept) pieces.push({ gap: end - at - kept })
    }
    return pieces
  })
}

describe.each([190, 62])('snap length: %d bytes of each segment', (kept) => {
  test.each(['to-server', 'to-client'] as const)('every message %s is seen', (direction) => {
    const messages = only(CONVERSATION, direction)
    const subject = decode(snapped(messages, kept), { direction })
    expect(subject.events).toHaveLength(messages.length)
    expect(subject.codes()).toEqual([])
    expect(subject.bodies.used).toBe(0)
  })

  test('and the same, however the pieces and gaps are cut', () => {
    expectAnyCut(() => new LibvirtSubject(), snapped(only(CONVERSATION, 'to-server'), kept))
  })
})

describe('a gap inside a body', () => {
  const prepare = CONVERSATION.find((turn) => turn.what === 'prepare call')!.bytes

  test('leaves what came before it: the start of the domain, and flags from the end', () => {
    const { events } = decode([prepare.subarray(0, 170), { gap: 330 }, prepare.subarray(500)])
    expect(events).toMatchObject([
      {
        first: { packet: 1 },
        last: { packet: 3 },
        arguments: {
          domain: { name: 'vm1', uuid: UUID, memoryBytes: null, macs: [] },
          cookie: null,
          flags: 0x1b,
        },
      },
    ])
  })

  test('to the end of the message: its packet is the last', () => {
    const { events } = decode([prepare.subarray(0, 190), { gap: prepare.length - 190 }, keepalive('ping')])
    expect(events).toMatchObject([
      { last: { packet: 2 }, arguments: { domain: { name: 'vm1' }, flags: null } },
      { type: 'libvirt.keepalive' },
    ])
  })

  test('never makes half a value', () => {
    const xml = domainXml({ ...MIGRATION.domain, name: 'vm10' })
    const payload = args.prepareTunnel3({ cookie: null, uri: null, flags: 1, bandwidth: 0, xml })
    const bytes = call(PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, 1, payload)
    for (let at = 28; at < bytes.length; at++) {
      const [event] = decode([bytes.subarray(0, at), { gap: bytes.length - at }]).events
      const read = JSON.stringify(event)
      expect(read.replaceAll('vm10', '')).not.toContain('vm1')
      expect([true, false]).toContain(read.includes(`"${MAC}"`))
      expect(read).not.toContain('"memoryBytes":6,')
    }
  })

  test.each([PROCEDURE.DOMAIN_MIGRATE_FINISH3, PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS])(
    'of a finish call (%d): the outcome is its last word',
    (procedure) => {
      const old = { name: 'vm1', cookie: 'x'.repeat(500), uri: null, flags: 0x1b, cancelled: 1 }
      const payload =
        procedure === PROCEDURE.DOMAIN_MIGRATE_FINISH3
          ? args.finish3(old)
          : args.finish3Params({ params: [], cookie: old.cookie, flags: 0x1b, cancelled: 1 })
      const bytes = call(procedure, 1, payload)
      const cut = (captured: number) =>
        decode([
          bytes.subarray(0, 60),
          { gap: bytes.length - 60 - captured },
          bytes.subarray(bytes.length - captured),
        ]).events
      expect(cut(12)).toMatchObject([{ arguments: { cancelled: true, flags: 0x1b } }])
      expect(cut(4)).toMatchObject([{ arguments: { cancelled: true, flags: null } }])
      expect(cut(3)).toMatchObject([{ arguments: { cancelled: null, flags: null } }])
      const middle = bytes.length - 2
      const twice = [bytes.subarray(0, middle - 8), { gap: 8 }, bytes.subarray(middle)]
      expect(decode(twice).events).toMatchObject([{ arguments: { cancelled: null } }])
    },
  )

  test('of an error: code and domain stay', () => {
    const bytes = errorReply(303, 9, { code: 55, domain: 20, message: 'domain is already active' })
    const cut = (kept: number) => decode([bytes.subarray(0, kept), { gap: bytes.length - kept }]).events
    expect(cut(50)).toMatchObject([{ ok: false, error: { code: 55, domain: 20, message: null } }])
    expect(cut(34)).toMatchObject([{ ok: false, error: null }])
  })

  test('of a finish reply: the domain is at its start', () => {
    const bytes = message(
      { procedure: 306, type: 1, serial: 10, status: 0 },
      results.finish(MIGRATION.domain, '<qemu-migration>'.padEnd(900)),
    )
    const { events } = decode([bytes.subarray(0, 62), { gap: bytes.length - 62 }])
    expect(events).toMatchObject([{ result: { domainName: 'vm1', domainUuid: UUID, cookie: null } }])
  })
})

describe('a gap over a header', () => {
  const PREPARE = PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3

  test('is said once, and the next header is found', () => {
    const subject = decode([
      keepalive('ping'),
      { gap: 10 },
      { gap: 18 },
      hex('00 00 00 01 20 00 80 86'),
      { gap: 5 },
      keepalive('pong'),
    ])
    expect(subject.events).toMatchObject([{ ping: true }, { ping: false }])
    expect(subject.diagnostics.list()).toMatchObject([{ code: 'libvirt.gap', severity: 'warning', count: 1 }])
  })

  test('inside the header, and after a body of the right size', () => {
    const bytes = call(PROCEDURE.CONNECT_OPEN, 2, args.open('qemu:///system'))
    const subject = decode([bytes.subarray(0, 20), { gap: bytes.length - 20 }, keepalive('ping')])
    expect(subject.events).toMatchObject([{ type: 'libvirt.keepalive' }])
  })

  test('that also holds the end of a body still raises the message', () => {
    const bytes = call(PROCEDURE.CONNECT_OPEN, 2, args.open('qemu:///system'))
    const subject = decode([bytes.subarray(0, 52), { gap: 4 + 28 }, keepalive('ping')])
    expect(subject.events).toMatchObject([{ arguments: { name: 'qemu:///system' } }, { ping: true }])
    expect(subject.codes()).toEqual(['libvirt.gap'])
  })

  test('of a tunnelled stream is a gap of the inner stream', () => {
    const data = (byte: number) => streamData(PREPARE, 5, new Uint8Array(40).fill(byte))
    const pieces: Piece[] = [
      data(1),
      { gap: 28 },
      new Uint8Array(40).fill(2),
      data(3),
      { gap: 68 },
      streamFinish(PREPARE, 5),
    ]
    const subject = new LibvirtSubject()
    expectAnyCut(() => new LibvirtSubject(), pieces)
    const said = decode(pieces).inner.said
    expect(said).toEqual([Array(40).fill(1), { gap: 68 }, Array(40).fill(3), { gap: 68 }, 'end'])
    expect(subject.bodies.used).toBe(0)
  })

  test('snapped tunnel: start and end of the stream are seen', () => {
    const pieces = snapped([concat(...only(TUNNELLED, 'to-server'))], 190)
    const subject = decode(pieces)
    expect(subject.bodies.used).toBe(0)
    expect(subject.inner.said.at(-1)).toBe('end')
  })
})
