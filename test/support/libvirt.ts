import { MESSAGE_TYPE, PROCEDURE, PROGRAM, STATUS } from '../../src/protocols/libvirt/procedures.ts'

/** Writes what the libvirt decoder reads: an encoder of its own, that shares nothing with the decoder but the
 *  numbers of procedures. For tests and for synthetic captures. */

const encoder = new TextEncoder()

/** Spaced hex to bytes. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '')
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** XDR, chained: `new Xdr().u32(1).string('vm1').done()`. @see RFC 4506 */
export class Xdr {
  readonly #parts: Uint8Array[] = []

  u32(value: number): this {
    const word = new Uint8Array(4)
    new DataView(word.buffer).setUint32(0, value >>> 0)
    return this.raw(word)
  }

  u64(value: number | bigint): this {
    const words = new Uint8Array(8)
    new DataView(words.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)))
    return this.raw(words)
  }

  opaque(bytes: Uint8Array): this {
    this.u32(bytes.length).raw(bytes)
    return this.raw(new Uint8Array((4 - (bytes.length % 4)) % 4))
  }

  string(text: string): this {
    return this.opaque(encoder.encode(text))
  }

  optionalString(text: string | null): this {
    return text === null ? this.u32(0) : this.u32(1).string(text)
  }

  /** A `remote_nonnull_domain`. */
  domain(domain: { name: string; uuid: string; id?: number }): this {
    return this.string(domain.name)
      .raw(hex(domain.uuid.replaceAll('-', '')))
      .u32(domain.id ?? -1)
  }

  /** A cookie, with the trailing NUL that libvirt counts; null is the empty one. */
  cookie(xml: string | null): this {
    return this.opaque(xml === null ? new Uint8Array(0) : encoder.encode(`${xml}\0`))
  }

  /** Typed parameters with their count: text is a string, a number an unsigned int, a bigint an unsigned long
   *  long; `raw` says the rest. */
  params(params: readonly TypedParameter[]): this {
    this.u32(params.length)
    for (const [field, value] of params) {
      this.string(field)
      if (typeof value === 'string') this.u32(7).string(value)
      else if (typeof value === 'number') this.u32(2).u32(value)
      else if (typeof value === 'bigint') this.u32(4).u64(value)
      else this.u32(value.type).raw(value.raw)
    }
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  done(): Uint8Array {
    return concat(...this.#parts)
  }
}

export type TypedParameter = readonly [
  field: string,
  value: string | number | bigint | { readonly type: number; readonly raw: Uint8Array },
]

export interface Header {
  readonly program?: number
  readonly version?: number
  readonly procedure: number
  readonly type: number
  readonly serial: number
  readonly status: number
  /** Only to lie about it: the true length otherwise. */
  readonly length?: number
}

const NOTHING = new Uint8Array(0)

export function message(header: Header, payload: Uint8Array = NOTHING): Uint8Array {
  return new Xdr()
    .u32(header.length ?? 28 + payload.length)
    .u32(header.program ?? PROGRAM.remote)
    .u32(header.version ?? 1)
    .u32(header.procedure)
    .u32(header.type)
    .u32(header.serial)
    .u32(header.status)
    .raw(payload)
    .done()
}

export function call(procedure: number, serial: number, payload?: Uint8Array): Uint8Array {
  return message({ procedure, type: MESSAGE_TYPE.call, serial, status: STATUS.ok }, payload)
}

export function reply(procedure: number, serial: number, payload?: Uint8Array): Uint8Array {
  return message({ procedure, type: MESSAGE_TYPE.reply, serial, status: STATUS.ok }, payload)
}

export function errorReply(procedure: number, serial: number, error: RemoteError): Uint8Array {
  return message({ procedure, type: MESSAGE_TYPE.reply, serial, status: STATUS.error }, remoteError(error))
}

export function streamData(procedure: number, serial: number, payload: Uint8Array): Uint8Array {
  return message({ procedure, type: MESSAGE_TYPE.stream, serial, status: STATUS.continue }, payload)
}

export function streamFinish(procedure: number, serial: number): Uint8Array {
  return message({ procedure, type: MESSAGE_TYPE.stream, serial, status: STATUS.ok })
}

/** A client aborts without an error. */
export function streamAbort(procedure: number, serial: number, error?: RemoteError): Uint8Array {
  const payload = error === undefined ? NOTHING : remoteError(error)
  return message({ procedure, type: MESSAGE_TYPE.stream, serial, status: STATUS.error }, payload)
}

export function keepalive(kind: 'ping' | 'pong'): Uint8Array {
  const procedure = kind === 'ping' ? 1 : 2
  return message({
    program: PROGRAM.keepalive,
    procedure,
    type: MESSAGE_TYPE.message,
    serial: 0,
    status: STATUS.ok,
  })
}

export interface RemoteError {
  readonly code: number
  readonly domain: number
  readonly message: string | null
}

export function remoteError(error: RemoteError): Uint8Array {
  return new Xdr()
    .u32(error.code)
    .u32(error.domain)
    .optionalString(error.message)
    .u32(2) // level: error
    .u32(0) // dom
    .optionalString(error.message) // str1
    .optionalString(null)
    .optionalString(null)
    .u32(-1)
    .u32(-1)
    .u32(0) // net
    .done()
}

export interface DomainDocument {
  readonly name: string
  readonly uuid: string
  readonly memoryKiB: number
  readonly macs: readonly string[]
  /** Put before the end of `<devices>`. */
  readonly moreDevices?: string
}

/** Laid out as libvirt prints it. */
export function domainXml(domain: DomainDocument): string {
  const nic = (mac: string): string =>
    `    <interface type='bridge'>\n      <mac address='${mac}'/>\n      <source bridge='br0'/>\n    </interface>\n`
  return `<domain type='kvm'>
  <name>${domain.name}</name>
  <uuid>${domain.uuid}</uuid>
  <memory unit='KiB'>${domain.memoryKiB}</memory>
  <currentMemory unit='KiB'>${domain.memoryKiB}</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
${domain.macs.map(nic).join('')}${domain.moreDevices ?? ''}  </devices>
</domain>
`
}

export interface CookieDocument {
  readonly name: string
  readonly uuid: string
  readonly hostname: string
  readonly hostUuid: string
  readonly nbdPort?: number
  /** Element names of `<statistics>` to values. */
  readonly statistics?: Readonly<Record<string, number>>
  /** A whole `<domain>`: the persistent part. */
  readonly persistent?: string
}

export function cookieXml(cookie: CookieDocument): string {
  const counters = Object.entries(cookie.statistics ?? {}).map(([n, v]) => `    <${n}>${v}</${n}>\n`)
  const statistics = counters.length > 0 ? `  <statistics>\n${counters.join('')}  </statistics>\n` : ''
  const nbd = cookie.nbdPort === undefined ? '' : `  <nbd port='${cookie.nbdPort}'/>\n`
  return `<qemu-migration>
  <name>${cookie.name}</name>
  <uuid>${cookie.uuid}</uuid>
  <hostname>${cookie.hostname}</hostname>
  <hostuuid>${cookie.hostUuid}</hostuuid>
  <feature name='lockstate'/>
${cookie.persistent ?? ''}${nbd}${statistics}</qemu-migration>
`
}

/** Arguments of the calls, in the order of the wire. @see libvirt src/remote/remote_protocol.x */
export const args = {
  open: (name: string | null): Uint8Array => new Xdr().optionalString(name).u32(0).done(),
  feature: (feature: number): Uint8Array => new Xdr().u32(feature).done(),
  prepare2: (a: OldPrepare): Uint8Array => new Xdr().optionalString(a.uri).raw(prepareEnd(a)).done(),
  prepareTunnel: (a: OldPrepare): Uint8Array => prepareEnd(a),
  prepare3: (a: OldPrepare): Uint8Array =>
    new Xdr().cookie(a.cookie).optionalString(a.uri).raw(prepareEnd(a)).done(),
  prepareTunnel3: (a: OldPrepare): Uint8Array => new Xdr().cookie(a.cookie).raw(prepareEnd(a)).done(),
  /** 303 and 304. */
  prepare3Params: (a: ParamsPrepare): Uint8Array =>
    new Xdr().params(a.params).cookie(a.cookie).u32(a.flags).done(),
  finish2: (a: OldFinish): Uint8Array =>
    new Xdr()
      .string(a.name)
      .cookie(a.cookie)
      .string(a.uri ?? '')
      .u64(a.flags)
      .u32(a.cancelled)
      .done(),
  finish3: (a: OldFinish): Uint8Array =>
    new Xdr()
      .string(a.name)
      .cookie(a.cookie)
      .optionalString(a.dconnuri ?? null)
      .optionalString(a.uri)
      .u64(a.flags)
      .u32(a.cancelled)
      .done(),
  finish3Params: (a: ParamsPrepare & { readonly cancelled: number }): Uint8Array =>
    new Xdr().params(a.params).cookie(a.cookie).u32(a.flags).u32(a.cancelled).done(),
  /** 302; the others that start with a domain differ only after it. */
  begin3Params: (domain: { name: string; uuid: string }, flags = 0): Uint8Array =>
    new Xdr().domain(domain).params([]).u32(flags).done(),

  begin3: (domain: { name: string; uuid: string }, flags: number): Uint8Array =>
    new Xdr().domain(domain).optionalString(null).u64(flags).optionalString('vm2').u64(0).done(),

  perform3: (domain: { name: string; uuid: string }, flags: number): Uint8Array =>
    new Xdr()
      .domain(domain)
      .optionalString(null)
      .string('<qemu-migration/>')
      .optionalString('qemu+tcp://compute2/system')
      .optionalString(null)
      .u64(flags)
      .optionalString(null)
      .u64(0)
      .done(),

  perform3Params: (domain: { name: string; uuid: string }, flags: number): Uint8Array =>
    new Xdr()
      .domain(domain)
      .optionalString('qemu+tcp://compute2/system')
      .params([['destination_name', 'vm2']])
      .string('<qemu-migration/>')
      .u32(flags)
      .done(),

  perform2: (domain: { name: string; uuid: string }, flags: number): Uint8Array =>
    new Xdr()
      .domain(domain)
      .string('cookie')
      .string('tcp:compute2:49152')
      .u64(flags)
      .optionalString(null)
      .u64(0)
      .done(),

  confirm3: (domain: { name: string; uuid: string }, flags: number, cancelled: number): Uint8Array =>
    new Xdr().domain(domain).string('').u64(flags).u32(cancelled).done(),

  confirm3Params: (domain: { name: string; uuid: string }, flags: number, cancelled: number): Uint8Array =>
    new Xdr().domain(domain).params([]).string('').u32(flags).u32(cancelled).done(),
} as const

export interface OldPrepare {
  readonly cookie: string | null
  readonly uri: string | null
  readonly flags: number
  readonly bandwidth: number
  readonly xml: string
}

export interface ParamsPrepare {
  readonly params: readonly TypedParameter[]
  readonly cookie: string | null
  readonly flags: number
}

export interface OldFinish {
  readonly name: string
  readonly cookie: string | null
  readonly dconnuri?: string | null
  readonly uri: string | null
  readonly flags: number
  readonly cancelled: number
}

function prepareEnd(a: OldPrepare): Uint8Array {
  return new Xdr().u64(a.flags).optionalString(null).u64(a.bandwidth).string(a.xml).done()
}

/** Results of the replies. */
export const results = {
  prepare: (cookie: string | null, uriOut: string | null): Uint8Array =>
    new Xdr().cookie(cookie).optionalString(uriOut).done(),
  prepareTunnel: (cookie: string | null): Uint8Array => new Xdr().cookie(cookie).done(),
  finish2: (domain: { name: string; uuid: string }): Uint8Array => new Xdr().domain(domain).done(),
  finish: (domain: { name: string; uuid: string }, cookie: string | null): Uint8Array =>
    new Xdr().domain(domain).cookie(cookie).done(),
} as const

/** One message of a conversation, in the order of the wire. */
export interface Turn {
  readonly direction: 'to-server' | 'to-client'
  readonly what: string
  readonly bytes: Uint8Array
}

export interface Migration {
  readonly domain: DomainDocument
  readonly source: { readonly hostname: string; readonly hostUuid: string }
  readonly destination: { readonly hostname: string; readonly hostUuid: string }
  readonly flags: number
  readonly params?: readonly TypedParameter[]
  readonly uriOut: string | null
  /** Of the finish call's cookie. */
  readonly sourceStatistics?: Readonly<Record<string, number>>
  /** Of the finish reply's cookie. */
  readonly destinationStatistics?: Readonly<Record<string, number>>
  /** Chunks of a tunnelled stream; null for a migration with a socket of its own. */
  readonly tunnel?: readonly Uint8Array[] | null
  readonly cancelled?: boolean
  /** Without it: 1.3.5 and later. */
  readonly release?: '1.2.2'
}

/** The peer-to-peer conversation. @see protocols.md C.4 and K */
export function peerToPeer(migration: Migration): Turn[] {
  const turns: Turn[] = []
  const up = (what: string, bytes: Uint8Array) => turns.push({ direction: 'to-server', what, bytes })
  const down = (what: string, bytes: Uint8Array) => turns.push({ direction: 'to-client', what, bytes })
  let serial = 0
  const ask = (what: string, procedure: number, payload?: Uint8Array, answer?: Uint8Array) => {
    up(`${what} call`, call(procedure, serial, payload))
    down(`${what} reply`, reply(procedure, serial, answer))
    serial++
  }
  const feature = (number: number) =>
    ask(
      `feature ${number}`,
      PROCEDURE.CONNECT_SUPPORTS_FEATURE,
      args.feature(number),
      new Xdr().u32(1).done(),
    )
  ask('auth', PROCEDURE.AUTH_LIST, undefined, new Xdr().u32(1).u32(0).done())
  feature(10)
  ask('open', PROCEDURE.CONNECT_OPEN, args.open('qemu:///system'))
  feature(14)
  if (migration.release !== '1.2.2') {
    feature(15)
    ask('register', PROCEDURE.CONNECT_REGISTER_CLOSE_CALLBACK)
  }
  for (const number of [4, 6, 13]) feature(number)
  serial = prepareTurns(migration, serial, up, down)
  serial = finishTurns(migration, serial, up, down)
  if (migration.release !== '1.2.2') ask('unregister', PROCEDURE.CONNECT_UNREGISTER_CLOSE_CALLBACK)
  ask('close', PROCEDURE.CONNECT_CLOSE)
  return turns
}

type Say = (what: string, bytes: Uint8Array) => void

function prepareTurns(migration: Migration, serial: number, up: Say, down: Say): number {
  const { domain, source, destination } = migration
  const tunnel = migration.tunnel ?? null
  const procedure =
    tunnel === null
      ? PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS
      : PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS
  const cookieIn = cookieXml({ ...domain, ...source })
  const cookieOut = cookieXml({ ...domain, ...destination })
  const params: TypedParameter[] = [['destination_xml', domainXml(domain)], ...(migration.params ?? [])]
  const payload = args.prepare3Params({ params, cookie: cookieIn, flags: migration.flags })
  const answer =
    tunnel === null ? results.prepare(cookieOut, migration.uriOut) : results.prepareTunnel(cookieOut)
  up('prepare call', call(procedure, serial, payload))
  down('prepare reply', reply(procedure, serial, answer))
  if (tunnel !== null) {
    for (const chunk of tunnel) up('stream data', streamData(procedure, serial, chunk))
    up('stream finish', streamFinish(procedure, serial))
    down('stream finish', streamFinish(procedure, serial))
  }
  return serial + 1
}

function finishTurns(migration: Migration, serial: number, up: Say, down: Say): number {
  const { domain, source, destination } = migration
  const procedure = PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS
  const oldUri: TypedParameter[] =
    migration.release === '1.2.2' && migration.uriOut !== null ? [['migrate_uri', migration.uriOut]] : []
  const params: TypedParameter[] = [
    ['destination_xml', domainXml(domain)],
    ...oldUri,
    ['destination_name', domain.name],
  ]
  const persistent = domainXml(domain)
  const own = { ...domain, persistent, statistics: migration.sourceStatistics ?? {} }
  const cookie = cookieXml({ ...own, ...source })
  const cancelled = migration.cancelled === true ? 1 : 0
  up(
    'finish call',
    call(procedure, serial, args.finish3Params({ params, cookie, flags: migration.flags, cancelled })),
  )
  if (migration.cancelled === true) {
    down(
      'finish reply',
      errorReply(procedure, serial, { code: 93, domain: 10, message: 'migration successfully aborted' }),
    )
    return serial + 1
  }
  const statistics = migration.destinationStatistics ?? {}
  const answer = results.finish(domain, cookieXml({ ...domain, ...destination, statistics }))
  down('finish reply', reply(procedure, serial, answer))
  return serial + 1
}

/** Put into XML as any writer of XML does. */
export function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
