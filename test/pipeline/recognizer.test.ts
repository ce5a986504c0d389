import { describe, expect, test } from 'vitest'
import { type Protocol, Recognizer } from '../../src/pipeline/recognizer.ts'
import { ByteRecorder, type Delivered, Tap } from '../net/tap.ts'
import { damage, type Passed, type ScriptOptions, Wire } from '../support/capture.ts'
import { call, concat, hex, keepalive, reply } from '../support/libvirt.ts'
import { memoryStream } from './synthetic.ts'

const ENDS: ScriptOptions = { name: 'c', client: '10.0.0.1:50000', server: '10.0.0.2:4711' }
const CALL = call(66, 0, hex('00000001'))
const REPLY = reply(66, 0, hex('00000001 00000000'))

interface Found {
  readonly protocol: Protocol
  readonly direction: string
  readonly midStream: boolean
  readonly recorder: ByteRecorder
}

/** What a recogniser makes of the packets of one connection. */
class Subject {
  readonly found: Found[] = []
  serverPort = 0

  constructor(passed: readonly Passed[]) {
    const tap = new Tap((connection) => {
      new Recognizer(connection, (protocol, _connection, midStream) => {
        const [toServer, toClient] = [new ByteRecorder(), new ByteRecorder()]
        this.found.push({
          protocol,
          direction: 'to-server',
          midStream: midStream.toServer,
          recorder: toServer,
        })
        this.found.push({
          protocol,
          direction: 'to-client',
          midStream: midStream.toClient,
          recorder: toClient,
        })
        return { toServer, toClient }
      })
    })
    tap.pass(passed).end()
    this.serverPort = tap.connections[0]?.server.port ?? 0
  }

  /** Protocols found, one a direction. */
  get protocols(): string[] {
    return this.found.map(({ protocol, direction }) => `${protocol} ${direction}`).toSorted()
  }

  delivered(direction: string): readonly Delivered[] {
    return this.found.find((each) => each.direction === direction)?.recorder.delivered ?? []
  }

  bytes(direction: string): Uint8Array {
    return Uint8Array.from(this.delivered(direction), ([value]) => value ?? 0xee)
  }
}

const both = (protocol: string) => [`${protocol} to-client`, `${protocol} to-server`]

function wireOf(
  options: Partial<ScriptOptions>,
  talk: (script: ReturnType<Wire['connection']>) => void,
): Passed[] {
  const wire = new Wire()
  const script = wire.connection({ ...ENDS, ...options }).open()
  talk(script)
  script.close('client')
  return wire.passed
}

const TLS_HELLO = hex('16 03 01 00 05 01 00 00 01 00 03 03')
const NBD_SERVER = hex('4e 42 44 4d 41 47 49 43 49 48 41 56 45 4f 50 54 00 03')
const MULTIFD = hex('11 22 33 44 00 00 00 01 00 00 00 00')

describe('a protocol is recognised on any port, by the first bytes of either direction', () => {
  test.each([
    ['libvirt', 'client', CALL],
    ['libvirt', 'server', REPLY],
    ['qemu-migration', 'client', memoryStream().subarray(0, 6000)],
    ['nbd', 'server', NBD_SERVER],
    ['multifd', 'client', MULTIFD],
  ] as const)('%s by the %s', (protocol, from, bytes) => {
    for (const mss of [1, 3, 1448]) {
      const subject = new Subject(
        wireOf({ mss }, (script) =>
          script.send(from, bytes.subarray(0, 2000), '').send(from, bytes.subarray(2000), ''),
        ),
      )
      expect(subject.protocols, `segments of ${mss}`).toEqual(both(protocol))
      expect(subject.found.map((each) => each.midStream)).toEqual([false, false])
      expect(subject.bytes(from === 'client' ? 'to-server' : 'to-client')).toEqual(bytes)
    }
  })

  test('every cut of the first bytes gives the decoder all of them, each by its packet', () => {
    const bytes = concat(CALL, keepalive('ping'))
    for (let cut = 1; cut < bytes.length; cut++) {
      const passed = wireOf({}, (script) =>
        script.send('client', bytes.subarray(0, cut), '').send('client', bytes.subarray(cut), ''),
      )
      const subject = new Subject(passed)
      expect(subject.bytes('to-server'), `cut at ${cut}`).toEqual(bytes)
      expect(subject.delivered('to-server').map(([, packet]) => packet)).toEqual(
        Array.from(bytes, (_, i) => (i < cut ? 4 : 6)),
      )
    }
  })

  test('what the other direction said before is not lost', () => {
    const passed = wireOf({ mss: 5 }, (script) => {
      script
        .send('client', CALL.subarray(0, 20), '')
        .send('server', REPLY, '')
        .send('client', CALL.subarray(20), '')
    })
    const subject = new Subject(passed)
    expect(subject.protocols).toEqual(both('libvirt'))
    expect(subject.bytes('to-server')).toEqual(CALL)
    expect(subject.bytes('to-client')).toEqual(REPLY)
  })

  test('early and repeated segments do not confuse it', () => {
    const passed = wireOf({ mss: 6 }, (script) => script.send('client', CALL, ''))
    for (let index = 3; index < 8; index++) {
      for (const kind of ['delay', 'retransmit', 'duplicate', 'overlap'] as const)
        expect(new Subject(damage(passed, kind, index, 2)).bytes('to-server')).toEqual(CALL)
    }
  })
})

describe('a connection is left alone', () => {
  test.each([
    ['SMTP', '220 mail.example ESMTP\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['QEMU with another version', 'QEVM\0\0\0\x09'],
  ])('%s', (_name, text) => {
    const subject = new Subject(
      wireOf({}, (script) => script.send('client', new TextEncoder().encode(text), '')),
    )
    expect(subject.found).toEqual([])
  })

  test('when it says nothing', () => {
    expect(new Subject(wireOf({}, () => {})).found).toEqual([])
  })
})

test('TLS is recognised by its client', () => {
  const subject = new Subject(
    wireOf({}, (script) => script.send('client', concat(TLS_HELLO, new Uint8Array(90)), '')),
  )
  expect(subject.protocols).toEqual(both('tls'))
})

describe('a connection whose start was not captured', () => {
  const late = (
    talk: (script: ReturnType<Wire['connection']>) => void,
    options: Partial<ScriptOptions> = {},
  ) => new Subject(wireOf(options, talk).slice(3))

  test.each([
    ['call', 'client', CALL],
    ['reply', 'server', REPLY],
  ] as const)('is libvirt from the first segment that begins with a message: a %s', (_name, from, bytes) => {
    const other = from === 'client' ? 'server' : 'client'
    const subject = late((script) =>
      script.send(from, hex('01 02 03 04 05'), '').send(from, bytes, '').send(other, keepalive('pong'), ''),
    )
    expect(subject.protocols).toEqual(both('libvirt'))
    expect(subject.found.every((each) => each.midStream)).toBe(true)
    expect(subject.bytes(from === 'client' ? 'to-server' : 'to-client')).toEqual(bytes)
    expect(subject.serverPort).toBe(4711)
  })

  test('has its client told by what is said, not by the ports', () => {
    const ends = { client: '10.0.0.1:4711', server: '10.0.0.2:50000' }
    expect(late((script) => script.send('client', CALL, ''), ends).serverPort).toBe(50000)
    expect(late((script) => script.send('server', REPLY, ''), ends).serverPort).toBe(50000)
  })

  test('is a migration when RAM records follow each other', () => {
    const inside = memoryStream().subarray(5000)
    const subject = late((script) => script.send('client', inside, ''), { mss: 32_000 })
    expect(subject.protocols).toEqual(both('qemu-migration'))
    expect(subject.found.every((each) => each.midStream)).toBe(true)
  })

  test('is nothing when it is noise', () => {
    const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 31 + (i >>> 3)) & 0xff)
    expect(late((script) => script.send('client', noise, '')).found).toEqual([])
  })
})

test('a stream whose first bytes the capture lost is searched as one whose start is not known', () => {
  const wire = new Wire()
  const script = wire
    .connection({ ...ENDS, mss: 10 })
    .open()
    .send('client', CALL, '')
    .send('client', CALL, '')
  script.reset('client')
  const subject = new Subject(damage(wire.passed, 'lose', 3))
  // Segments of 10 bytes hold no whole header, so nothing is found; nothing wrong is found either.
  expect(subject.found).toEqual([])
  const whole = new Wire()
  const again = whole.connection(ENDS).open().send('client', CALL, '').send('client', keepalive('ping'), '')
  again.reset('client')
  const found = new Subject(damage(whole.passed, 'lose', 3))
  expect(found.protocols).toEqual(both('libvirt'))
  expect(found.found.find((each) => each.direction === 'to-server')?.midStream).toBe(true)
  expect(found.bytes('to-server')).toEqual(keepalive('ping'))
})
