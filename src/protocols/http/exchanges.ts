import type { Evidence } from '../../core/evidence.ts'
import { HTTP_WAITING_MAX } from '../../core/limits.ts'
import type { HttpService } from '../../events/http.ts'
import type { Route } from './openstack.ts'

/** A request and its response, as far as they were seen. */
export interface Exchange {
  readonly number: number
  /** Null when the request was not captured. */
  method: string | null
  route: Route | null
  /** Set when the request is over. */
  service: HttpService | null
  /** First packet of the side that was seen first. */
  readonly packet: number
}

/** Pairs the requests of one connection with its responses: made once per connection, shared by the decoders of both
 *  directions. Responses come in the order of requests; what a capture lost is told by packet numbers, for no
 *  response starts before its request. */
export class Exchanges {
  /** The connection no longer speaks HTTP: a protocol switch or a tunnel. */
  opaque = false
  #next = 0
  /** Requests without a response, in order. */
  #waiting: Exchange[] = []
  /** Responses without a request, in order. */
  #orphans: Exchange[] = []

  /** The head of a request is over. */
  request(method: string, route: Route, first: Evidence): Exchange {
    // A response that was decoded first, because a segment of the request was late.
    const index = this.#orphans.findIndex((orphan) => orphan.packet > first.packet)
    const orphan = index < 0 ? undefined : this.#orphans.splice(index, 1)[0]
    if (orphan !== undefined) {
      orphan.method = method
      orphan.route = route
      return orphan
    }
    return this.#remember(this.#waiting, method, route, first)
  }

  /** The head of a response is over: which request it answers.
   *  @param afterGap responses may have been lost before this one */
  response(first: Evidence, afterGap: boolean): Exchange {
    // Nobody pipelines: after a gap, the latest request that came before is meant.
    if (afterGap)
      while ((this.#waiting[1]?.packet ?? Number.POSITIVE_INFINITY) < first.packet) this.#waiting.shift()
    const oldest = this.#waiting[0]
    if (oldest === undefined || oldest.packet > first.packet)
      return this.#remember(this.#orphans, null, null, first)
    this.#waiting.shift()
    return oldest
  }

  #remember(list: Exchange[], method: string | null, route: Route | null, first: Evidence): Exchange {
    const exchange: Exchange = { number: this.#next++, method, route, service: null, packet: first.packet }
    list.push(exchange)
    if (list.length > HTTP_WAITING_MAX) list.shift()
    return exchange
  }
}
