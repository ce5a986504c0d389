import type { ConnectionEvent } from './base.ts'

/** `POST …/auth/tokens` (v3) or `POST …/tokens` (v2.0): somebody, user or service, logs in. */
export interface KeystoneToken {
  readonly kind: 'keystone.token'
  readonly version: 2 | 3
  /** The path before the version: '' or such as `/identity`. */
  readonly root: string
  /** Name or, where none is given, id; null when the request does not say (login by token). */
  readonly userName: string | null
  /** Null when the body was not captured. */
  readonly by: 'password' | 'token' | 'other' | null
}

/** GET of a version document: `/`, `/v3`, `/v2.0`, `/identity` … The path does not tell whose: it is Keystone's at the
 *  server (and root) where tokens are asked for. */
export interface KeystoneDiscovery {
  readonly kind: 'keystone.discovery'
  readonly root: string
}

/** `GET …/servers/{id}`. */
export interface NovaServer {
  readonly kind: 'nova.server'
  /** As in the path: mostly a UUID, but clients also try names. */
  readonly serverId: string
}

/** `POST …/servers/{id}/action`. */
export interface NovaAction {
  readonly kind: 'nova.action'
  readonly serverId: string
  /** Such as `os-migrateLive`; null when the body was not captured. */
  readonly action: string | null
  /** The destination that was asked for; null: Nova chooses. */
  readonly host: string | null
  readonly blockMigration: boolean | 'auto' | null
}

/** Reading, aborting or forcing migrations: `…/servers/{id}/migrations[/{n}[/action]]`, `…/os-migrations`. */
export interface NovaMigrations {
  readonly kind: 'nova.migrations'
  readonly verb: 'list' | 'show' | 'abort' | 'force-complete' | 'other'
  /** Null for `os-migrations`. */
  readonly serverId: string | null
  readonly migrationId: string | null
}

/** A port of Neutron is bound to a host: `POST …/ports/{id}/bindings`, `PUT …/bindings/{host}/activate`,
 *  `DELETE …/bindings/{host}`, and, in older releases, `PUT …/ports/{id}` with `binding:host_id` (update). */
export interface NeutronBinding {
  readonly kind: 'neutron.binding'
  readonly verb: 'create' | 'activate' | 'delete' | 'update'
  readonly portId: string
  readonly host: string | null
}

/** Any other request: placement, images, what is not OpenStack at all. */
export interface OtherService {
  readonly kind: 'other'
}

export type HttpService =
  | KeystoneToken
  | KeystoneDiscovery
  | NovaServer
  | NovaAction
  | NovaMigrations
  | NeutronBinding
  | OtherService

/** A request, raised once, at the last byte of its body. */
export interface HttpRequest extends ConnectionEvent<'http.request'> {
  /** Numbers the requests of a connection, from 0; the response has the same. Numbers may be missing. */
  readonly exchange: number
  readonly method: string
  /** Path and query; what looks like a secret in them is replaced by `***`. Bounded. */
  readonly path: string
  /** Fingerprint of the token that the request presents; compare with `HttpResponse.tokenPrint`. It means nothing
   *  outside of this run, and the token cannot be had from it. */
  readonly tokenPrint: string | null
  /** `X-OpenStack-Request-Id`: services pass on the request that made them ask. */
  readonly requestId: string | null
  readonly service: HttpService
  /** False when it is not known where the message ends (a gap in the head, the capture ends first): `last` is then
   *  where reading broke off. Bytes that were not captured do no harm in a body whose length is known. */
  readonly complete: boolean
}

/** What the reply to `GET …/servers/{id}` says. A field is null when the reply does not have it or says null. */
export interface ServerFacts {
  readonly id: string | null
  /** `ACTIVE`, `MIGRATING`, `ERROR` … */
  readonly status: string | null
  /** `OS-EXT-SRV-ATTR:host`, shown to administrators only. */
  readonly host: string | null
  /** `OS-EXT-STS:task_state`. */
  readonly taskState: string | null
}

/** A response, raised once, at its last byte; interim ones (100 Continue) are not reported. */
export interface HttpResponse extends ConnectionEvent<'http.response'> {
  /** The request's number. A response whose request was not captured has a number of its own. */
  readonly exchange: number
  readonly status: number
  /** `X-OpenStack-Request-Id`, else `X-Compute-Request-Id`. */
  readonly requestId: string | null
  /** What it answers; null when the request was not captured or is not over yet. */
  readonly service: HttpService | null
  /** Whom a token was given to; in token responses. */
  readonly userName: string | null
  /** Fingerprint of the token in `X-Subject-Token` or `access.token.id`. */
  readonly tokenPrint: string | null
  readonly server: ServerFacts | null
  /** The message in the body of an error (status 400 and up), bounded. */
  readonly error: string | null
  /** As in `HttpRequest`. */
  readonly complete: boolean
}

export type HttpEvent = HttpRequest | HttpResponse
