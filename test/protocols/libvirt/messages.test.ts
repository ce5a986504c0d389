import { describe, expect, test } from 'vitest'
import type { LibvirtCall, LibvirtReply } from '../../../src/events/libvirt.ts'
import { PROCEDURE } from '../../../src/protocols/libvirt/procedures.ts'
import { TEXT_SIZE_MAX } from '../../../src/protocols/libvirt/xdr.ts'
import {
  args,
  call,
  cookieXml,
  domainXml,
  reply,
  results,
  type TypedParameter,
  Xdr,
} from '../../support/libvirt.ts'
import { MAC, MIGRATION, UUID } from './sample.ts'
import { decode } from './subject.ts'

const DOMAIN = { name: 'vm1', uuid: UUID }
const XML = domainXml(MIGRATION.domain)
const COOKIE = cookieXml({ ...MIGRATION.domain, ...MIGRATION.source })
const DOMAIN_FACTS = { name: 'vm1', uuid: UUID, memoryBytes: 65536 * 1024, macs: [MAC] }
const COOKIE_FACTS = {
  name: 'vm1',
  uuid: UUID,
  hostname: 'compute1',
  hostUuid: MIGRATION.source.hostUuid,
  nbdPort: null,
  statistics: null,
}

/** Arguments of one call; a diagnostic fails the test. */
function argumentsOf(procedure: number, payload: Uint8Array): LibvirtCall['arguments'] {
  const subject = decode([call(procedure, 1, payload)])
  expect(subject.codes()).toEqual([])
  return (subject.events[0] as LibvirtCall).arguments
}

function resultOf(procedure: number, payload: Uint8Array): LibvirtReply['result'] {
  const subject = decode([reply(procedure, 1, payload)])
  expect(subject.codes()).toEqual([])
  return (subject.events[0] as LibvirtReply).result
}

describe('prepare calls', () => {
  const old = { cookie: COOKIE, uri: 'tcp:h:1', flags: 2 ** 33 + 0x1b, bandwidth: 12, xml: XML }
  const common = {
    kind: 'prepare',
    flags: 2 ** 33 + 0x1b,
    domain: DOMAIN_FACTS,
    bandwidth: 12,
    parallelConnections: null,
    compression: [],
  }

  test.each([
    ['PREPARE3', 214, args.prepare3(old), false, 'tcp:h:1', COOKIE_FACTS],
    ['PREPARE_TUNNEL3', 215, args.prepareTunnel3(old), true, null, COOKIE_FACTS],
    ['PREPARE2', 108, args.prepare2(old), false, 'tcp:h:1', null],
    ['PREPARE_TUNNEL', 148, args.prepareTunnel(old), true, null, null],
  ])('%s', (_name, procedure, payload, tunnelled, migrateUri, cookie) => {
    expect(argumentsOf(procedure, payload)).toEqual({ ...common, tunnelled, migrateUri, cookie })
  })

  test.each([
    ['PREPARE3_PARAMS', 303, false],
    ['PREPARE_TUNNEL3_PARAMS', 304, true],
  ])('%s', (_name, procedure, tunnelled) => {
    const params: TypedParameter[] = [['destination_xml', XML], ...(MIGRATION.params ?? [])]
    const payload = args.prepare3Params({ params, cookie: COOKIE, flags: 0x2001b })
    expect(argumentsOf(procedure, payload)).toEqual({
      kind: 'prepare',
      tunnelled,
      flags: 0x2001b,
      domain: DOMAIN_FACTS,
      cookie: COOKIE_FACTS,
      migrateUri: 'tcp:10.77.0.12:33333',
      bandwidth: 100,
      parallelConnections: 4,
      compression: ['xbzrle', 'zstd'],
    })
  })
})

describe('typed parameters', () => {
  const read = (params: readonly TypedParameter[]) =>
    decode([call(303, 1, args.prepare3Params({ params, cookie: COOKIE, flags: 0x1b }))])

  test('those of no interest are skipped by their type', () => {
    const subject = read([
      ['disks_port', { type: 1, raw: new Xdr().u32(-1).done() }],
      ['auto_converge.initial', 20],
      ['bandwidth.postcopy', { type: 3, raw: new Xdr().u64(-1).done() }],
      ['x.ratio', { type: 5, raw: new Xdr().u64(0).done() }],
      ['x.flag', { type: 6, raw: new Xdr().u32(1).done() }],
      ['migrate_disks', 'vda'],
      ['migrate_disks', 'vdb'],
      ['migrate_uri', 'tcp:h'],
    ])
    expect(subject.events).toMatchObject([{ arguments: { migrateUri: 'tcp:h', flags: 0x1b } }])
    expect(subject.codes()).toEqual([])
  })

  test('one of unknown type stops the reading, and what was read stays', () => {
    const subject = read([
      ['migrate_uri', 'tcp:h'],
      ['new', { type: 8, raw: new Xdr().u64(0).done() }],
      ['bandwidth', 5n],
    ])
    expect(subject.events).toMatchObject([
      // The flags lie at a known distance from the end.
      { arguments: { migrateUri: 'tcp:h', bandwidth: null, cookie: null, flags: 0x1b } },
    ])
    expect(subject.codes()).toEqual(['libvirt.body'])
  })

  test('a count without parameters ends with the bytes', () => {
    const payload = new Xdr().u32(0xffffffff).done()
    expect(decode([call(303, 1, payload)]).codes()).toEqual(['libvirt.body'])
  })

  test('repeated compression methods are bounded', () => {
    const many = Array.from({ length: 100 }, (): TypedParameter => ['compression', 'mt'])
    const [event] = read(many).events as LibvirtCall[]
    expect(event?.arguments).toMatchObject({ compression: Array(16).fill('mt') })
  })
})

describe('finish calls', () => {
  test.each([
    ['FINISH3', 217, args.finish3],
    ['FINISH2', 109, args.finish2],
  ])('%s', (_name, procedure, write) => {
    const old = { name: 'vm1', cookie: COOKIE, dconnuri: 'qemu+tcp://b/system', uri: 'tcp:b', flags: 0x1b }
    for (const cancelled of [0, 1]) {
      expect(argumentsOf(procedure, write({ ...old, cancelled }))).toEqual({
        kind: 'finish',
        flags: 0x1b,
        cancelled: cancelled === 1,
        domainName: 'vm1',
        cookie: COOKIE_FACTS,
      })
    }
  })

  test('FINISH3_PARAMS', () => {
    const base = { cookie: COOKIE, flags: 0x1b, cancelled: 1 }
    const params: TypedParameter[] = [['destination_xml', XML]]
    expect(argumentsOf(306, args.finish3Params({ ...base, params }))).toEqual({
      kind: 'finish',
      flags: 0x1b,
      cancelled: true,
      domainName: 'vm1',
      cookie: COOKIE_FACTS,
    })
    const renamed: TypedParameter[] = [...params, ['destination_name', 'vm2']]
    expect(argumentsOf(306, args.finish3Params({ ...base, params: renamed }))).toMatchObject({
      domainName: 'vm2',
    })
  })
})

test.each([
  [213, 'begin', args.begin3(DOMAIN, 0x201b)],
  [302, 'begin', args.begin3Params(DOMAIN, 0x201b)],
  [62, 'perform', args.perform2(DOMAIN, 0x201b)],
  [216, 'perform', args.perform3(DOMAIN, 0x201b)],
  [305, 'perform', args.perform3Params(DOMAIN, 0x201b)],
  [218, 'confirm', args.confirm3(DOMAIN, 0x201b, 1)],
  [307, 'confirm', args.confirm3Params(DOMAIN, 0x201b, 1)],
])('procedure %d goes to the source: %s of a domain, with all flags', (procedure, kind, body) => {
  expect(argumentsOf(procedure, body)).toEqual({
    kind,
    domainName: 'vm1',
    domainUuid: UUID,
    flags: 0x201b,
  })
})

test('open without a URI', () => {
  expect(argumentsOf(PROCEDURE.CONNECT_OPEN, args.open(null))).toEqual({ kind: 'open', name: null })
})

describe('replies', () => {
  test.each([
    [108, results.prepare(COOKIE, 'tcp:h:1'), COOKIE_FACTS, 'tcp:h:1'],
    [214, results.prepare(COOKIE, 'tcp:h:1'), COOKIE_FACTS, 'tcp:h:1'],
    [303, results.prepare(COOKIE, null), COOKIE_FACTS, null],
    [215, results.prepareTunnel(COOKIE), COOKIE_FACTS, null],
    [304, results.prepareTunnel(null), null, null],
    [148, new Uint8Array(0), null, null],
  ])('of prepare (%d)', (procedure, payload, cookie, uriOut) => {
    expect(resultOf(procedure, payload)).toEqual({ kind: 'prepare', cookie, uriOut })
  })

  test.each([
    [109, results.finish2(DOMAIN), null],
    [217, results.finish(DOMAIN, COOKIE), COOKIE_FACTS],
    [306, results.finish(DOMAIN, COOKIE), COOKIE_FACTS],
  ])('of finish (%d)', (procedure, payload, cookie) => {
    expect(resultOf(procedure, payload)).toEqual({
      kind: 'finish',
      domainName: 'vm1',
      domainUuid: UUID,
      cookie,
    })
  })
})

test('texts of the wire are bounded, at a whole character', () => {
  const open = argumentsOf(PROCEDURE.CONNECT_OPEN, args.open(`x${'é'.repeat(TEXT_SIZE_MAX)}`))
  expect(open).toEqual({ kind: 'open', name: `x${'é'.repeat(TEXT_SIZE_MAX / 2 - 1)}` })
})
