import { BoundedMap } from '../core/bounded-map.ts'
import type { Evidence } from '../core/evidence.ts'
import { KEYSTONE_EXCHANGES_MAX, KEYSTONE_LOOKS_MAX } from '../core/limits.ts'
import type { Connection } from '../events/connection.ts'
import type { HttpRequest, HttpResponse } from '../events/http.ts'
import { type Carried, carried } from './volume.ts'

/** A client reads the version document right before it asks for a token. */
const DISCOVERY_NS = 30e9

/** One login: from the first request of the session to the token. */
export interface Login {
  /** Of its connection. */
  readonly syn: Evidence | null
  readonly synAck: Evidence | null
  readonly client: string
  /** A GET of the version document that led to it; null when the client did not look. */
  readonly discovery: Evidence | null
  readonly request: Evidence
  /** Last byte of the response with the token; null until it came. */
  response: Evidence | null
  /** Tells the token without being it. */
  tokenPrint: string | null
  /** What the login took: the look at the version document, the request, the response. */
  readonly messages: Carried[]
}

interface Discovery {
  readonly first: Evidence
  readonly messages: Carried[]
}

/** Follows who gets a token from Keystone, so that the login of the user who asks for a migration can be told from
 *  those of services and of other users: by the token itself, of which only a fingerprint is kept. */
export class KeystoneLogins {
  readonly #discoveries = new BoundedMap<string, Discovery>(KEYSTONE_EXCHANGES_MAX)
  readonly #waiting = new BoundedMap<string, Login>(KEYSTONE_EXCHANGES_MAX)
  readonly #byToken = new BoundedMap<string, Login>(KEYSTONE_EXCHANGES_MAX)
  readonly #byClient = new BoundedMap<string, Login>(KEYSTONE_EXCHANGES_MAX)

  request(event: HttpRequest): void {
    const { connection, service } = event
    const key = sessionKey(connection)
    if (service.kind === 'keystone.discovery') {
      if (this.#discoveries.get(key) === undefined)
        this.#discoveries.set(key, { first: event.first, messages: carriedBy(event) })
    } else if (service.kind === 'keystone.token') {
      const seen = this.#discoveries.get(key) ?? null
      const recent = seen !== null && event.first.timeNs - seen.first.timeNs <= DISCOVERY_NS
      this.#discoveries.delete(key)
      this.#waiting.set(exchangeKey(event), {
        syn: connection.syn,
        synAck: connection.synAck,
        client: connection.client.address,
        discovery: recent ? seen.first : null,
        request: event.first,
        response: null,
        tokenPrint: null,
        messages: [...(recent ? seen.messages : []), ...carriedBy(event)],
      })
    }
  }

  response(event: HttpResponse): void {
    if (event.service?.kind === 'keystone.discovery') this.#looked(event)
    const login = this.#waiting.get(exchangeKey(event))
    if (login === undefined) return
    login.messages.push(...carriedBy(event))
    this.#waiting.delete(exchangeKey(event))
    if (event.status >= 300) return
    login.response = event.last
    login.tokenPrint = event.tokenPrint
    if (event.tokenPrint !== null) this.#byToken.set(event.tokenPrint, login)
    this.#byClient.set(login.client, login)
  }

  #looked(event: HttpResponse): void {
    const messages = this.#discoveries.get(sessionKey(event.connection))?.messages
    if (messages !== undefined && messages.length < KEYSTONE_LOOKS_MAX) messages.push(...carriedBy(event))
  }

  /** The login that a request's token came from; where the token was not captured, the client's last one. */
  of(request: HttpRequest): { readonly login: Login; readonly certain: boolean } | null {
    if (request.tokenPrint !== null) {
      const login = this.#byToken.get(request.tokenPrint)
      if (login !== undefined) return { login, certain: true }
    }
    const login = this.#byClient.get(request.connection.client.address)
    if (login === undefined) return null
    // A token that is known and is not this one was obtained before the capture.
    if (request.tokenPrint !== null && login.tokenPrint !== null) return null
    return { login, certain: false }
  }
}

function carriedBy(event: HttpRequest | HttpResponse): Carried[] {
  const message = carried(event)
  return message === null ? [] : [message]
}

/** A session is one connection: two clients on one host look and log in at the same time. */
function sessionKey(connection: Connection): string {
  return `${connection.id}`
}

function exchangeKey(event: HttpRequest | HttpResponse): string {
  return `${event.connection.id} ${event.exchange}`
}
