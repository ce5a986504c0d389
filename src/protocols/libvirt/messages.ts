import { text } from '../../core/bytes.ts'
import type {
  CallArguments,
  CookieFacts,
  DomainFacts,
  FinishArguments,
  FinishResult,
  LibvirtError,
  PrepareArguments,
  PrepareResult,
  SourceSideArguments,
} from '../../events/libvirt.ts'
import type { Body } from './body.ts'
import { readCookie } from './cookie.ts'
import { readDomainXml } from './domain-xml.ts'
import { PROCEDURE } from './procedures.ts'
import { readTypedParameters } from './typed-params.ts'
import { uuidOfBytes } from './values.ts'
import { type Range, XdrCursor } from './xdr.ts'

/** The bodies of the messages that matter. Every reader takes what was captured, from the start of the body
 *  and, for what lies at a fixed distance from its end, from there; the rest is null.
 *  @see libvirt src/remote/remote_protocol.x, remote_domain_migrate_* */

type CallReader = (cursor: XdrCursor, body: Body) => CallArguments | null
type ResultReader = (cursor: XdrCursor) => PrepareResult | FinishResult

const CALLS: ReadonlyMap<number, CallReader> = new Map<number, CallReader>([
  [PROCEDURE.CONNECT_OPEN, (cursor) => ({ kind: 'open', name: cursor.optionalString() })],
  [PROCEDURE.CONNECT_SUPPORTS_FEATURE, readFeature],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE2, readPrepare2],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL, readPrepareTunnel],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3, readPrepare3],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, readPrepareTunnel3],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS, (cursor, body) => readPrepare3Params(cursor, body, false)],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, (cursor, body) => readPrepare3Params(cursor, body, true)],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH2, readFinish2],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3, readFinish3],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS, readFinish3Params],
  [PROCEDURE.DOMAIN_MIGRATE_BEGIN3, (cursor) => readSourceSide(cursor, 'begin', skipXmlIn)],
  [PROCEDURE.DOMAIN_MIGRATE_BEGIN3_PARAMS, (cursor, body) => readSourceSideParams(cursor, 'begin', body, 4)],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM, (cursor) => readSourceSide(cursor, 'perform', skipPerform2)],
  [PROCEDURE.DOMAIN_MIGRATE_PERFORM3, (cursor) => readSourceSide(cursor, 'perform', skipPerform3)],
  [
    PROCEDURE.DOMAIN_MIGRATE_PERFORM3_PARAMS,
    (cursor, body) => readSourceSideParams(cursor, 'perform', body, 4),
  ],
  [PROCEDURE.DOMAIN_MIGRATE_CONFIRM3, (cursor) => readSourceSide(cursor, 'confirm', skipCookie)],
  [
    PROCEDURE.DOMAIN_MIGRATE_CONFIRM3_PARAMS,
    (cursor, body) => readSourceSideParams(cursor, 'confirm', body, 8),
  ],
])

const RESULTS: ReadonlyMap<number, ResultReader> = new Map<number, ResultReader>([
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE2, (cursor) => readPrepareResult(cursor, true)],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL, () => ({ kind: 'prepare', cookie: null, uriOut: null })],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3, (cursor) => readPrepareResult(cursor, true)],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3, (cursor) => readPrepareResult(cursor, false)],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE3_PARAMS, (cursor) => readPrepareResult(cursor, true)],
  [PROCEDURE.DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS, (cursor) => readPrepareResult(cursor, false)],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH2, (cursor) => readFinishResult(cursor, false)],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3, (cursor) => readFinishResult(cursor, true)],
  [PROCEDURE.DOMAIN_MIGRATE_FINISH3_PARAMS, (cursor) => readFinishResult(cursor, true)],
])

/** What was read of a body, and whether it had the form it should. */
export interface Reading<T> {
  readonly value: T
  readonly ok: boolean
}

export function callMatters(procedure: number): boolean {
  return CALLS.has(procedure)
}

export function resultMatters(procedure: number): boolean {
  return RESULTS.has(procedure)
}

/** @param skip bytes before the arguments */
export function readCall(procedure: number, body: Body, skip: number): Reading<CallArguments | null> {
  const cursor = cursorOf(body, skip)
  return { value: CALLS.get(procedure)?.(cursor, body) ?? null, ok: cursor.ok }
}

export function readResult(
  procedure: number,
  body: Body,
  skip: number,
): Reading<PrepareResult | FinishResult | null> {
  const cursor = cursorOf(body, skip)
  return { value: RESULTS.get(procedure)?.(cursor) ?? null, ok: cursor.ok }
}

/** A `remote_error`: the code and the domain come first; the texts after the message repeat it. */
export function readError(body: Body, skip: number): Reading<LibvirtError | null> {
  const cursor = cursorOf(body, skip)
  const code = cursor.i32()
  const domain = cursor.i32()
  const message = cursor.optionalString()
  const value = code === null || domain === null ? null : { code, domain, message }
  return { value, ok: cursor.ok }
}

function cursorOf(body: Body, skip: number): XdrCursor {
  const cursor = new XdrCursor(body.bytes, 0, body.kept, body.size)
  cursor.skip(skip)
  return cursor
}

function readFeature(cursor: XdrCursor): CallArguments | null {
  const feature = cursor.i32()
  return feature === null ? null : { kind: 'feature', feature }
}

function readPrepare3Params(cursor: XdrCursor, body: Body, tunnelled: boolean): PrepareArguments {
  const params = readTypedParameters(cursor)
  const cookie = readCookieField(cursor)
  const flags = cursor.u32() ?? body.tailWord(4)
  return {
    kind: 'prepare',
    tunnelled,
    flags,
    domain: params.domain,
    cookie,
    migrateUri: params.migrateUri,
    bandwidth: params.bandwidth,
    parallelConnections: params.parallelConnections,
    compression: params.compression,
  }
}

function readPrepare3(cursor: XdrCursor): PrepareArguments {
  const cookie = readCookieField(cursor)
  const migrateUri = cursor.optionalString()
  return readPrepareEnd(cursor, false, cookie, migrateUri)
}

function readPrepareTunnel3(cursor: XdrCursor): PrepareArguments {
  return readPrepareEnd(cursor, true, readCookieField(cursor), null)
}

function readPrepare2(cursor: XdrCursor): PrepareArguments {
  return readPrepareEnd(cursor, false, null, cursor.optionalString())
}

function readPrepareTunnel(cursor: XdrCursor): PrepareArguments {
  return readPrepareEnd(cursor, true, null, null)
}

/** What ends the prepare calls before typed parameters: flags, new name, bandwidth, domain. */
function readPrepareEnd(
  cursor: XdrCursor,
  tunnelled: boolean,
  cookie: CookieFacts | null,
  migrateUri: string | null,
): PrepareArguments {
  const flags = cursor.u64()
  cursor.optionalString()
  const bandwidth = cursor.u64()
  const domain = readDomainField(cursor)
  return {
    kind: 'prepare',
    tunnelled,
    flags,
    domain,
    cookie,
    migrateUri,
    bandwidth,
    parallelConnections: null,
    compression: [],
  }
}

function readFinish3Params(cursor: XdrCursor, body: Body): FinishArguments {
  const params = readTypedParameters(cursor)
  const cookie = readCookieField(cursor)
  const flags = cursor.u32() ?? body.tailWord(8)
  const cancelled = cursor.u32() ?? body.tailWord(4)
  return {
    kind: 'finish',
    flags,
    cancelled: cancelled === null ? null : cancelled !== 0,
    domainName: params.destinationName ?? params.domain?.name ?? null,
    cookie,
  }
}

function readFinish3(cursor: XdrCursor, body: Body): FinishArguments {
  const domainName = cursor.string()
  const cookie = readCookieField(cursor)
  cursor.optionalString() // dconnuri
  cursor.optionalString() // uri
  return readFinishEnd(cursor, body, domainName, cookie)
}

function readFinish2(cursor: XdrCursor, body: Body): FinishArguments {
  const domainName = cursor.string()
  const cookie = readCookieField(cursor)
  cursor.string() // uri
  return readFinishEnd(cursor, body, domainName, cookie)
}

/** What ends the finish calls before typed parameters: flags, and whether the source gave up. */
function readFinishEnd(
  cursor: XdrCursor,
  body: Body,
  domainName: string | null,
  cookie: CookieFacts | null,
): FinishArguments {
  const flags = cursor.u64() ?? tailLong(body)
  const cancelled = cursor.u32() ?? body.tailWord(4)
  return {
    kind: 'finish',
    flags,
    cancelled: cancelled === null ? null : cancelled !== 0,
    domainName,
    cookie,
  }
}

function tailLong(body: Body): number | null {
  const high = body.tailWord(12)
  const low = body.tailWord(8)
  return high === null || low === null ? null : high * 2 ** 32 + low
}

/** @param skip passes what lies between the domain and the flags */
function readSourceSide(
  cursor: XdrCursor,
  kind: SourceSideArguments['kind'],
  skip: (cursor: XdrCursor) => void,
): SourceSideArguments {
  const domain = readDomain(cursor)
  skip(cursor)
  return { kind, domainName: domain.name, domainUuid: domain.uuid, flags: cursor.u64() }
}

/** @param fromEnd where the flags stand, in bytes before the end */
function readSourceSideParams(
  cursor: XdrCursor,
  kind: SourceSideArguments['kind'],
  body: Body,
  fromEnd: number,
): SourceSideArguments {
  const domain = readDomain(cursor)
  return { kind, domainName: domain.name, domainUuid: domain.uuid, flags: body.tailWord(fromEnd) }
}

const skipXmlIn = (cursor: XdrCursor): void => {
  cursor.optionalString()
}

const skipCookie = (cursor: XdrCursor): void => {
  cursor.opaque()
}

/** Cookie and URI. */
const skipPerform2 = (cursor: XdrCursor): void => {
  cursor.opaque()
  cursor.string()
}

/** New description, cookie, destination, URI. */
const skipPerform3 = (cursor: XdrCursor): void => {
  cursor.optionalString()
  cursor.opaque()
  cursor.optionalString()
  cursor.optionalString()
}

function readPrepareResult(cursor: XdrCursor, hasUri: boolean): PrepareResult {
  const cookie = readCookieField(cursor)
  return { kind: 'prepare', cookie, uriOut: hasUri ? cursor.optionalString() : null }
}

function readFinishResult(cursor: XdrCursor, hasCookie: boolean): FinishResult {
  const domain = readDomain(cursor)
  const cookie = hasCookie ? readCookieField(cursor) : null
  return { kind: 'finish', domainName: domain.name, domainUuid: domain.uuid, cookie }
}

/** A `remote_nonnull_domain`: name, UUID, and an id that nothing needs. */
function readDomain(cursor: XdrCursor): { name: string | null; uuid: string | null } {
  const name = cursor.string()
  const at = cursor.skip(16)
  const uuid = at === null ? null : uuidOfBytes(cursor.bytes, at)
  cursor.skip(4)
  return { name, uuid }
}

function readCookieField(cursor: XdrCursor): CookieFacts | null {
  const range = cursor.opaque()
  return range === null ? null : readCookie(textOf(cursor, range))
}

function readDomainField(cursor: XdrCursor): DomainFacts | null {
  const range = cursor.opaque()
  return range === null ? null : readDomainXml(textOf(cursor, range))
}

function textOf(cursor: XdrCursor, range: Range): string {
  return text(cursor.bytes, range.start, range.end)
}
