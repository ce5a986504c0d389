import { describe, expect, test } from 'vitest'
import { guest, IPV4, migrate, ROUTE } from '../pipeline/synthetic.ts'
import { deliver, opening, oslo, request } from '../support/amqp.ts'
import { capture, damage, type Passed, pcap, Wire } from '../support/capture.ts'
import { httpRequest, httpResponse, loginV3, tokenV3 } from '../support/http.ts'
import { concat } from '../support/libvirt.ts'
import { MultifdStream } from '../support/multifd.ts'
import { NbdClient, NbdServer } from '../support/nbd.ts'
import { QemuStream } from '../support/qemu-stream.ts'
import { echo, geneve, onEthernet, udp, vxlan } from '../support/tunnel.ts'
import { redact, streamsOf } from './redacted.ts'

const ETHERTYPE_IPV4 = 0x0800
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Bytes that look like nothing, and never repeat within eight. */
function noise(size: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed * 2654435761 + 1
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** Whether eight bytes in a row of `planted` are in `place`. */
function survives(planted: Uint8Array, place: Buffer): boolean {
  for (let at = 0; at + 8 <= planted.length; at += 4)
    if (place.includes(Buffer.from(planted.subarray(at, at + 8)))) return true
  return false
}

function placesOf(passed: readonly Passed[]): Buffer[] {
  const { bytes } = redact(pcap(capture(passed)))
  return [Buffer.from(bytes), streamsOf(bytes)]
}

function conversation(from: 'client' | 'server', ...parts: readonly Uint8Array[]): Passed[] {
  const wire = new Wire()
  const script = wire.connection({ name: 'x', client: '10.0.0.1:50000', server: '10.0.0.2:7777' }).open()
  for (const part of parts) script.send(from, part, 'x')
  script.close('client')
  return wire.passed
}

function datagram(protocol: number, payload: Uint8Array): Passed[] {
  const frame = onEthernet({ source: '10.0.0.1', destination: '10.0.0.2', protocol }, payload)
  return new Wire().packet(ETHERTYPE_IPV4, frame.subarray(14), 'x').passed
}

const CONTENTS = noise(4096, 1)

const stream = (write: (made: QemuStream) => QemuStream): Uint8Array =>
  write(new QemuStream({ footers: true }).header().ramStart([{ name: 'pc.ram', size: 64 * 4096 }])).bytes()

const UNREAD: Readonly<Record<string, Passed[]>> = {
  'a page of a guest': conversation(
    'client',
    stream((made) =>
      made.ram('part', (ram) => ram.page('pc.ram', 0, CONTENTS).page('pc.ram', 4096, CONTENTS)),
    ),
  ),
  'a page as differences': conversation(
    'client',
    stream((made) => made.ram('part', (ram) => ram.xbzrle('pc.ram', 0, CONTENTS.subarray(0, 900)))),
  ),
  'a compressed page': conversation(
    'client',
    stream((made) => made.ram('part', (ram) => ram.compressed('pc.ram', 0, CONTENTS.subarray(0, 900)))),
  ),
  'the state of a device': conversation(
    'client',
    stream((made) => made.ram('end').full('timer', CONTENTS).eof()),
  ),
  'what follows a stream': conversation(
    'client',
    concat(
      stream((made) => made.ram('end').eof()),
      CONTENTS,
    ),
  ),
  'a stream that makes no sense': conversation(
    'client',
    concat(text('QEVM'), Uint8Array.of(0, 0, 0, 3), CONTENTS),
  ),
  'pages of a parallel migration': conversation(
    'client',
    new MultifdStream()
      .initial(0)
      .packet({ normal: [0], contents: CONTENTS })
      .bytes(),
  ),
  'a channel that makes no sense': conversation(
    'client',
    concat(new MultifdStream().initial(0).bytes(), CONTENTS),
  ),
  'a written block': conversationOfNbd(),
  'an unknown protocol': conversation('client', CONTENTS),
  'the content of a TLS record': conversation(
    'client',
    concat(
      Uint8Array.of(22, 3, 1, 2, 0, 1),
      CONTENTS.subarray(0, 511),
      Uint8Array.of(23, 3, 3, 4, 0),
      CONTENTS.subarray(0, 1024),
    ),
  ),
  'HTTP that nobody reads': conversation(
    'client',
    concat(text('POST /other HTTP/1.1\r\nContent-Length: 4096\r\n\r\n'), CONTENTS),
  ),
  'a datagram': datagram(17, udp(514, CONTENTS.subarray(0, 900))),
  'an echo request': datagram(1, echo(1, CONTENTS.subarray(0, 900))),
  'another protocol of IP': datagram(132, CONTENTS.subarray(0, 900)),
  'a datagram in a tunnel': datagram(
    17,
    vxlan(
      7,
      onEthernet(
        { source: '192.168.0.1', destination: '192.168.0.2', protocol: 17 },
        udp(53, CONTENTS.subarray(0, 900)),
      ),
    ),
  ),
  'a datagram in another tunnel': datagram(
    17,
    geneve(
      7,
      onEthernet(
        { source: '192.168.0.1', destination: '192.168.0.2', protocol: 17 },
        udp(53, CONTENTS.subarray(0, 900)),
      ),
    ),
  ),
  'another ethertype': new Wire().packet(0x88cc, CONTENTS.subarray(0, 900), 'LLDP').passed,
}

function conversationOfNbd(): Passed[] {
  const wire = new Wire()
  const script = wire.connection({ name: 'nbd', client: '10.0.0.1:50000', server: '10.0.0.2:49153' }).open()
  script.send('server', new NbdServer().greeting().bytes(), 'greeting')
  script.send('client', new NbdClient().flags().go('drive-of-acme').bytes(), 'options')
  script.send(
    'client',
    new NbdClient().request('write', { length: 4096, payload: CONTENTS }).bytes(),
    'write',
  )
  script.close('client')
  return wire.passed
}

describe('what is not understood, and what a guest holds, never passes', () => {
  test.each(Object.entries(UNREAD))('%s', (_, passed) => {
    const original = Buffer.from(pcap(capture(passed)))
    expect(survives(CONTENTS, original)).toBe(true)
    for (const place of placesOf(passed)) expect(survives(CONTENTS, place)).toBe(false)
  })

  test('the name of a disk', () => {
    for (const place of placesOf(conversationOfNbd())) expect(place.includes('acme')).toBe(false)
  })
})

const SECRETS = ['hunter2-of-lions', 'fake-token-0123456789abcdef', 'jane.doe', 'acme-prod-7']
const [PASSWORD = '', TOKEN = '', USER = '', HOST = ''] = SECRETS
const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')

/** Everything that may hold a secret, on one wire. */
function secretive(): Passed[] {
  const wire = new Wire()
  const http = wire.connection({ name: 'http', client: '10.0.0.1:40000', server: '10.0.0.2:5000' }).open()
  http.send('client', loginV3({ user: USER, password: PASSWORD }), 'login')
  http.send('server', tokenV3(USER, TOKEN, 'req-11111111-1111-4111-8111-111111111111'), 'token')
  const headers = {
    Host: `${HOST}:8774`,
    'X-Auth-Token': TOKEN,
    Authorization: `Basic ${BASIC}`,
    Cookie: `session=${TOKEN}`,
  }
  http.send(
    'client',
    httpRequest('GET', `/v2.1/servers/${HOST}?name=${USER}&password=${PASSWORD}`, { headers }),
    'get',
  )
  http.send(
    'server',
    httpResponse(404, {
      body: JSON.stringify({ itemNotFound: { message: `Instance ${HOST} of ${USER} could not be found.` } }),
    }),
    'answer',
  )
  http.close('client')
  const amqp = wire.connection({ name: 'amqp', client: '10.0.0.1:40001', server: '10.0.0.3:5672' }).open()
  for (const { from, bytes } of opening(USER, PASSWORD)) amqp.send(from, bytes, 'opening')
  const body = oslo(
    request({
      method: 'pre_live_migration',
      msgId: 'a'.repeat(32),
      args: { host: HOST, password: PASSWORD, note: `for ${USER} at ${HOST}`, _context_auth_token: TOKEN },
    }),
  )
  amqp.send('server', deliver({ exchange: 'nova', routingKey: `compute.${HOST}`, body }), 'message')
  amqp.close('client')
  migrate(
    wire,
    { ...ROUTE, hosts: IPV4 },
    { ...guest(HOST), source: { hostname: HOST, hostUuid: '11111111-1111-4111-8111-000000000011' } },
    stream((made) => made.ram('end').eof()),
  )
  return wire.passed
}

describe('secrets and names', () => {
  const passed = secretive()
  const wanted = [
    ...SECRETS,
    'jane',
    'doe',
    'acme',
    BASIC,
    'compute2',
    '10.0.0.1',
    '4c4c4544-0042-4810',
    '52:54:00:77:00:50',
  ]

  test('are in the original', () => {
    const streams = streamsOf(pcap(capture(passed)))
    for (const secret of wanted)
      if (secret !== '10.0.0.1') expect([secret, streams.includes(secret)]).toEqual([secret, true])
  })

  test('do not survive', () => {
    for (const place of placesOf(passed))
      expect(wanted.filter((secret) => place.includes(secret))).toEqual([])
  })

  test.each([7, 61, 333])('nor do they in segments of %i bytes', (mss) => {
    for (const place of placesOf(resegmented(passed, mss)))
      expect(wanted.filter((secret) => place.includes(secret))).toEqual([])
  })

  test.each(['lose', 'duplicate', 'retransmit', 'delay', 'overlap'] as const)(
    'nor when a segment is damaged: %s',
    (kind) => {
      const small = resegmented(passed, 211)
      for (let index = 3; index < small.length; index += Math.ceil(small.length / 12)) {
        const { bytes } = redact(pcap(capture(damage(small, kind, index))))
        const place = Buffer.from(bytes)
        expect([kind, index, wanted.filter((secret) => place.includes(secret))]).toEqual([kind, index, []])
      }
    },
  )
})

/** The same, with segments of at most so many bytes. */
function resegmented(passed: readonly Passed[], mss: number): Passed[] {
  const small: Passed[] = []
  for (const packet of passed) {
    const { segment } = packet
    if (segment === null || segment.payload.length <= mss) small.push(packet)
    else
      for (let at = 0; at < segment.payload.length; at += mss)
        small.push({
          ...packet,
          segment: {
            ...segment,
            sequence: (segment.sequence + at) >>> 0,
            payload: segment.payload.subarray(at, at + mss),
          },
        })
  }
  return small.map((packet, i) => ({ ...packet, timeNs: i * 50_000 }))
}
