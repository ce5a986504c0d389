import { concat } from './libvirt.ts'

/** Writes what the HTTP decoder reads, with the requests and responses of a live migration through OpenStack. For
 *  tests and for synthetic captures. */

const encoder = new TextEncoder()

export interface HttpParts {
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or a value that is sent as JSON. */
  readonly body?: string | object
  readonly version?: '1.0' | '1.1'
  /** Sends the body in chunks of these sizes (the last one takes the rest) instead of with its length. */
  readonly chunks?: readonly number[]
  readonly trailers?: Readonly<Record<string, string>>
  /** Neither length nor chunks: the body ends with the connection. */
  readonly untilClose?: boolean
}

export function httpRequest(method: string, target: string, parts: HttpParts = {}): Uint8Array {
  return message(`${method} ${target} HTTP/${parts.version ?? '1.1'}`, parts, method !== 'GET')
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  300: 'Multiple Choices',
  400: 'Bad Request',
  404: 'Not Found',
  500: 'Internal Server Error',
}

export function httpResponse(status: number, parts: HttpParts = {}): Uint8Array {
  const line = `HTTP/${parts.version ?? '1.1'} ${status} ${REASONS[status] ?? 'Other'}`
  return message(line, parts, status >= 200 && status !== 204)
}

function message(startLine: string, parts: HttpParts, withLength: boolean): Uint8Array {
  const body =
    parts.body === undefined ? '' : typeof parts.body === 'string' ? parts.body : JSON.stringify(parts.body)
  const bytes = encoder.encode(body)
  const framing: Record<string, string> = {}
  if (parts.chunks !== undefined) framing['Transfer-Encoding'] = 'chunked'
  else if ((withLength || bytes.length > 0) && !parts.untilClose)
    framing['Content-Length'] = `${bytes.length}`
  const headers = Object.entries({ ...parts.headers, ...framing }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const head = encoder.encode(`${startLine}\r\n${headers.join('')}\r\n`)
  return concat(head, parts.chunks === undefined ? bytes : chunked(bytes, parts.chunks, parts.trailers ?? {}))
}

function chunked(
  bytes: Uint8Array,
  sizes: readonly number[],
  trailers: Readonly<Record<string, string>>,
): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (const size of [...sizes, bytes.length]) {
    const chunk = bytes.subarray(at, at + size)
    if (chunk.length === 0) continue
    at += chunk.length
    parts.push(encoder.encode(`${chunk.length.toString(16)};name="value"\r\n`), chunk, encoder.encode('\r\n'))
  }
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`)
  return concat(...parts, encoder.encode(`0\r\n${lines.join('')}\r\n`))
}

export interface Login {
  readonly user: string
  readonly password: string
}

const LOGIN_HEADERS = { Host: 'controller:5000', 'Content-Type': 'application/json' }

/** `POST /v3/auth/tokens` with a password. */
export function loginV3(login: Login, root = '', headers: HttpParts['headers'] = LOGIN_HEADERS): Uint8Array {
  const user = { password: login.password, name: login.user, domain: { name: 'Default' } }
  const identity = { methods: ['password'], password: { user } }
  const scope = { project: { name: 'admin', domain: { name: 'Default' } } }
  return httpRequest('POST', `${root}/v3/auth/tokens`, { headers, body: { auth: { identity, scope } } })
}

export function tokenV3(user: string, token: string, requestId: string, parts: HttpParts = {}): Uint8Array {
  const headers = { 'X-Subject-Token': token, Vary: 'X-Auth-Token', 'x-openstack-request-id': requestId }
  const body = { token: { methods: ['password'], user: { id: '93e3182d', name: user }, catalog: [] } }
  return httpResponse(201, { ...parts, headers, body })
}

export function loginV2(login: Login): Uint8Array {
  const passwordCredentials = { username: login.user, password: login.password }
  const body = { auth: { passwordCredentials, tenantName: 'admin' } }
  return httpRequest('POST', '/v2.0/tokens', { headers: LOGIN_HEADERS, body })
}

export function tokenV2(user: string, token: string): Uint8Array {
  const access = {
    token: { id: token, expires: '2015-01-01T00:00:00Z' },
    user: { username: user, name: user },
  }
  return httpResponse(200, { body: { access } })
}

/** A request with a token. */
export function authorised(
  method: string,
  target: string,
  token: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array {
  const all = { Host: 'controller:8774', 'X-Auth-Token': token, ...headers }
  return httpRequest(method, target, body === undefined ? { headers: all } : { headers: all, body })
}

export interface ServerDetails {
  readonly id: string
  readonly status: string
  readonly host: string
  readonly taskState: string | null
}

export function serverReply(server: ServerDetails, parts: HttpParts = {}): Uint8Array {
  const details = {
    id: server.id,
    name: 'guest',
    status: server.status,
    'OS-EXT-SRV-ATTR:host': server.host,
    'OS-EXT-STS:task_state': server.taskState,
    addresses: {},
  }
  return httpResponse(200, { ...parts, body: { server: details } })
}

export function liveMigrate(host: string | null): object {
  return { 'os-migrateLive': { host, block_migration: 'auto' } }
}
