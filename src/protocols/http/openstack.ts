import { asArray, asObject, member, nameMember, stringMember } from '../../core/json.ts'
import { HTTP_PATH_MAX, SERVICE_TEXT_MAX } from '../../core/limits.ts'
import { REDACTED, withoutSecrets, withoutTokens } from '../../core/redact.ts'
import type { HttpService, KeystoneToken, NovaMigrations, ServerFacts } from '../../events/http.ts'

/** What method and path say; the body fills in the rest. */
export type Route =
  | { readonly kind: 'keystone.token'; readonly version: 2 | 3; readonly root: string }
  | { readonly kind: 'keystone.discovery'; readonly root: string }
  | { readonly kind: 'nova.server'; readonly serverId: string }
  | { readonly kind: 'nova.action'; readonly serverId: string }
  | {
      readonly kind: 'nova.migrations'
      readonly verb: NovaMigrations['verb'] | 'action'
      readonly serverId: string | null
      readonly migrationId: string | null
    }
  | {
      readonly kind: 'neutron.binding'
      readonly verb: 'create' | 'activate' | 'delete' | 'update'
      readonly portId: string
      readonly host: string | null
    }
  | { readonly kind: 'other' }

const OTHER: Route = { kind: 'other' }

const VERSION = /^v\d+(\.\d+)?$/

/** Where Keystone lives behind a shared web server. @see devstack lib/keystone, lib/apache */
const KEYSTONE_ROOTS: ReadonlySet<string> = new Set(['identity', 'identity_admin', 'keystone'])

/** What a request asks for, by method and target; paths may have any prefix before the version. */
export function routeOf(method: string, target: string): Route {
  const segments = segmentsOf(target)
  const index = segments.findIndex((segment) => VERSION.test(segment))
  const root = segments
    .slice(0, index < 0 ? undefined : index)
    .map((segment) => `/${segment}`)
    .join('')
  if (index < 0) {
    const isRoot = segments.length === 0 || (segments.length === 1 && KEYSTONE_ROOTS.has(segments[0] ?? ''))
    return method === 'GET' && isRoot ? { kind: 'keystone.discovery', root } : OTHER
  }
  const version = segments[index] ?? ''
  const rest = segments.slice(index + 1)
  return (
    keystoneRoute(method, version, root, rest) ??
    novaRoute(method, rest) ??
    neutronRoute(method, rest) ??
    OTHER
  )
}

/** Whether the request's body tells something that the path does not. */
export function requestBodyMatters(route: Route): boolean {
  switch (route.kind) {
    case 'keystone.token':
    case 'nova.action':
      return true
    case 'nova.migrations':
      return route.verb === 'action'
    case 'neutron.binding':
      return route.verb === 'create' || route.verb === 'update'
    default:
      return false
  }
}

/** Whether the response's body is read; when the request is not known, it may be any. */
export function responseBodyMatters(route: Route | null, status: number): boolean {
  if (status >= 400 || route === null) return true
  return route.kind === 'keystone.token' || route.kind === 'nova.server'
}

/** @param body the value of the JSON body, as far as it is known */
export function serviceOf(route: Route, body: unknown): HttpService {
  switch (route.kind) {
    case 'keystone.token':
      return route.version === 3 ? tokenRequestV3(route.root, body) : tokenRequestV2(route.root, body)
    case 'nova.action':
      return action(route.serverId, body)
    case 'nova.migrations': {
      const forced = route.verb === 'action' && member(body, 'force_complete') !== undefined
      const verb = forced ? 'force-complete' : route.verb === 'action' ? 'other' : route.verb
      return { kind: route.kind, verb, serverId: route.serverId, migrationId: route.migrationId }
    }
    case 'neutron.binding': {
      if (route.verb === 'update') {
        const host = nameMember(body, 'port', 'binding:host_id')
        return host === null ? { kind: 'other' } : { ...route, host }
      }
      return { ...route, host: route.host ?? nameMember(body, 'binding', 'host') }
    }
    default:
      return route
  }
}

/** The token in a login by token: what the request presents. Not to be kept. */
export function tokenInRequest(body: unknown): string | null {
  return stringMember(body, 'auth', 'identity', 'token', 'id') ?? stringMember(body, 'auth', 'token', 'id')
}

/** The token in a response of v2.0; v3 has it in a header. Not to be kept. */
export function tokenInResponse(body: unknown): string | null {
  return stringMember(body, 'access', 'token', 'id')
}

/** To whom a token response gives the token. */
export function tokenUser(body: unknown): string | null {
  return (
    nameMember(body, 'token', 'user', 'name') ??
    nameMember(body, 'access', 'user', 'name') ??
    nameMember(body, 'access', 'user', 'username')
  )
}

export function serverFacts(body: unknown): ServerFacts | null {
  const server = asObject(member(body, 'server'))
  if (server === null) return null
  return {
    id: nameMember(server, 'id'),
    status: nameMember(server, 'status'),
    host: nameMember(server, 'OS-EXT-SRV-ATTR:host'),
    taskState: nameMember(server, 'OS-EXT-STS:task_state'),
  }
}

/** The message in an error body. Each project has a form of its own: `{"badRequest": {"message": …}}`,
 *  `{"error": {…}}`, `{"NeutronError": {…}}` or a text there, `{"errors": [{"detail": …}]}`, `{"message": …}`. */
export function errorMessage(body: unknown): string | null {
  const found =
    messageOf(body) ??
    messageOf(asArray(member(body, 'errors'))[0]) ??
    Object.values(asObject(body) ?? {}).reduce<string | null>(
      (message, value) => message ?? messageOf(value) ?? stringMember({ value }, 'value'),
      null,
    )
  return found === null ? null : withoutSecrets(found, SERVICE_TEXT_MAX)
}

const TOKEN_IN_PATH = /(\/tokens\/)[^/?]+/g
const SECRET_PARAMETER = /([?&][^=&]{0,64}(?:token|password|secret|signature|sig)[^=&]{0,64}=)[^&]*/gi
const CREDENTIALS = /^(\w+:\/\/)[^/?]*@/

/** The target as an event may carry it: v2.0 names tokens in the path, some consoles in the query. */
export function publicPath(target: string): string {
  const clean = withoutTokens(target)
    .replace(CREDENTIALS, '$1')
    .replace(TOKEN_IN_PATH, `$1${REDACTED}`)
    .replace(SECRET_PARAMETER, `$1${REDACTED}`)
  return clean.slice(0, HTTP_PATH_MAX)
}

function segmentsOf(target: string): string[] {
  const path = target.replace(/^\w+:\/\/[^/?]*/, '').replace(/[?#].*$/s, '')
  // Old clients of Neutron ask for ".json".
  return path
    .replace(/\.json$/, '')
    .split('/')
    .filter((segment) => segment !== '')
}

function keystoneRoute(method: string, version: string, root: string, rest: readonly string[]): Route | null {
  const generation = version === 'v3' ? 3 : version === 'v2.0' ? 2 : null
  if (generation === null) return null
  if (method === 'GET' && rest.length === 0) return { kind: 'keystone.discovery', root }
  const tokens = generation === 3 ? 'auth/tokens' : 'tokens'
  const isLogin = method === 'POST' && rest.join('/') === tokens
  return isLogin ? { kind: 'keystone.token', version: generation, root } : null
}

/** With or without the project's id between version and collection. */
function novaRoute(method: string, rest: readonly string[]): Route | null {
  const [collection, id, sub, number, last] =
    rest[0] === 'servers' || rest[0] === 'os-migrations' ? rest : rest.slice(1)
  if (collection === 'os-migrations' && method === 'GET' && id === undefined)
    return { kind: 'nova.migrations', verb: 'list', serverId: null, migrationId: null }
  if (collection !== 'servers' || id === undefined || id === 'detail') return null
  if (sub === undefined) return method === 'GET' ? { kind: 'nova.server', serverId: id } : null
  if (sub === 'action' && number === undefined && method === 'POST')
    return { kind: 'nova.action', serverId: id }
  const verb = sub === 'migrations' ? migrationsVerb(method, number, last) : null
  return verb === null ? null : { kind: 'nova.migrations', verb, serverId: id, migrationId: number ?? null }
}

function migrationsVerb(
  method: string,
  number: string | undefined,
  last: string | undefined,
): (NovaMigrations['verb'] | 'action') | null {
  if (last === 'action' && method === 'POST') return 'action'
  if (last !== undefined) return null
  if (method === 'GET') return number === undefined ? 'list' : 'show'
  return method === 'DELETE' && number !== undefined ? 'abort' : null
}

function neutronRoute(method: string, rest: readonly string[]): Route | null {
  const [collection, portId, bindings, host, last] = rest
  if (collection !== 'ports' || portId === undefined) return null
  const base = { kind: 'neutron.binding', portId } as const
  if (bindings === undefined) return method === 'PUT' ? { ...base, verb: 'update', host: null } : null
  if (bindings !== 'bindings') return null
  if (method === 'POST' && host === undefined) return { ...base, verb: 'create', host: null }
  if (host === undefined) return null
  if (method === 'PUT' && last === 'activate') return { ...base, verb: 'activate', host: decoded(host) }
  return method === 'DELETE' && last === undefined ? { ...base, verb: 'delete', host: decoded(host) } : null
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function tokenRequestV3(root: string, body: unknown): KeystoneToken {
  const identity = asObject(member(body, 'auth', 'identity'))
  const user = asObject(member(identity, 'password', 'user'))
  const by =
    identity === null
      ? null
      : user !== null
        ? 'password'
        : member(identity, 'token') !== undefined
          ? 'token'
          : 'other'
  const userName = nameMember(user, 'name') ?? nameMember(user, 'id')
  return { kind: 'keystone.token', version: 3, root, userName, by }
}

function tokenRequestV2(root: string, body: unknown): KeystoneToken {
  const auth = asObject(member(body, 'auth'))
  const credentials = asObject(member(auth, 'passwordCredentials'))
  const by =
    auth === null
      ? null
      : credentials !== null
        ? 'password'
        : member(auth, 'token') !== undefined
          ? 'token'
          : 'other'
  const userName = nameMember(credentials, 'username') ?? nameMember(credentials, 'userId')
  return { kind: 'keystone.token', version: 2, root, userName, by }
}

const ACTION_MAX = 64

/** The body has one member, named like the action. */
function action(serverId: string, body: unknown): HttpService {
  const name = Object.keys(asObject(body) ?? {})[0]?.slice(0, ACTION_MAX) ?? null
  const details = name === null ? undefined : member(body, name)
  const block = member(details, 'block_migration')
  return {
    kind: 'nova.action',
    serverId,
    action: name,
    host: nameMember(details, 'host'),
    blockMigration: block === 'auto' || typeof block === 'boolean' ? block : null,
  }
}

function messageOf(value: unknown): string | null {
  return stringMember(value, 'message') ?? stringMember(value, 'detail')
}
