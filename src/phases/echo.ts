import { ECHO_CONVERSATIONS_MAX, ECHO_MACS_MAX } from '../core/limits.ts'
import type { IcmpEcho } from '../events/icmp.ts'
import { streamDowntime } from './downtime.ts'
import { type EchoDowntime, type EchoFigures, measureEcho, type SwitchOver } from './echo-figures.ts'
import { EchoRing } from './echo-ring.ts'
import type { Migration } from './migration.ts'

/** What is looked at before the transfer begins and after the guest runs; a guest may take some seconds to answer. */
const AROUND_NS = 10e9
/** How often it is looked whether a migration is over. */
const LOOK_EVERY_NS = 1e9

interface Conversation {
  readonly client: string
  readonly target: string
  /** Of the target, as far as frames show it: the guest's own, or a router's. */
  readonly macs: string[]
  readonly ring: EchoRing
  answered: boolean
  latestNs: number
}

/** Follows who pings whom, and measures for each migration's guest what was lost when it moved. */
export class EchoTracker {
  readonly #conversations = new Map<string, Conversation>()
  /** Migrations that are not measured yet. */
  readonly #waiting = new Set<Migration>()
  #lookedNs = Number.NEGATIVE_INFINITY

  /** A migration to be measured as soon as it is over. */
  follow(migration: Migration): void {
    this.#waiting.add(migration)
  }

  /** It turned out to be a part of another one. */
  forget(migration: Migration): void {
    this.#waiting.delete(migration)
  }

  /** Whether no request that still comes counts for a migration that is over. */
  isThrough(migration: Migration, nowNs: number): boolean {
    if (!this.#waiting.has(migration) || this.#conversations.size === 0) return true
    return nowNs > (windowOf(migration)?.toNs ?? Number.NEGATIVE_INFINITY)
  }

  /** A migration is over: it is measured now, and followed no more. */
  finish(migration: Migration): void {
    if (this.#waiting.delete(migration)) this.#measure(migration)
  }

  echo(event: IcmpEcho): void {
    const { timeNs } = event.first
    if (timeNs - this.#lookedNs >= LOOK_EVERY_NS) this.#look(timeNs)
    const isRequest = event.kind === 'request'
    const client = isRequest ? event.source : event.destination
    const target = isRequest ? event.destination : event.source
    const conversation = this.#find(client, target, event.identifier)
    const mac = isRequest ? event.destinationMac : event.sourceMac
    const { macs, ring } = conversation
    if (mac !== null && macs.length < ECHO_MACS_MAX && !macs.includes(mac)) macs.push(mac)
    conversation.latestNs = timeNs
    if (isRequest) ring.request(event.sequence, timeNs)
    else {
      ring.reply(event.sequence, timeNs)
      conversation.answered = true
    }
  }

  /** The capture is over: what waits is measured. */
  end(): void {
    for (const migration of this.#waiting) this.#measure(migration)
    this.#waiting.clear()
  }

  #look(nowNs: number): void {
    this.#lookedNs = nowNs
    for (const migration of this.#waiting) {
      const window = isOver(migration) ? windowOf(migration) : null
      if (window === null || nowNs <= window.toNs) continue
      this.#measure(migration)
      this.#waiting.delete(migration)
    }
  }

  #measure(migration: Migration): void {
    const window = windowOf(migration)
    if (window === null) return
    const guests = this.#addressesOf(migration)
    for (const address of guests) migration.addresses.add(address)
    for (const { client, target, ring } of this.#conversations.values()) {
      if (!guests.has(target) || client === target) continue
      const figures = measureEcho(ring.between(window.fromNs, window.toNs), window.span, ring.begin)
      if (figures === null) continue
      migration.echo = better(migration.echo, { ...figures, target, source: 'capture', file: null })
    }
  }

  /** The targets that answer with a MAC of the guest. A client elsewhere sees a router's MAC, but the same address. */
  #addressesOf(migration: Migration): Set<string> {
    const macs = new Set([...(migration.domain?.macs ?? []), ...migration.announcedMacs])
    const addresses = new Set<string>()
    for (const conversation of this.#conversations.values())
      if (conversation.macs.some((mac) => macs.has(mac))) addresses.add(conversation.target)
    return addresses
  }

  #find(client: string, target: string, identifier: number): Conversation {
    const key = `${client} ${target} ${identifier}`
    let conversation = this.#conversations.get(key)
    if (conversation !== undefined) return conversation
    if (this.#conversations.size >= ECHO_CONVERSATIONS_MAX) this.#evict()
    conversation = { client, target, macs: [], ring: new EchoRing(), answered: false, latestNs: 0 }
    this.#conversations.set(key, conversation)
    return conversation
  }

  /** Those that nobody answered go first (a scan), then those that were silent longest; a quarter at once, so that a flood
   *  of them costs little each. */
  #evict(): void {
    const byWorth = [...this.#conversations].sort(([, a], [, b]) => compareWorth(a, b))
    for (const [key] of byWorth.slice(0, ECHO_CONVERSATIONS_MAX / 4)) this.#conversations.delete(key)
  }
}

function compareWorth(a: Conversation, b: Conversation): number {
  return a.answered === b.answered ? a.latestNs - b.latestNs : a.answered ? 1 : -1
}

/** Of two clients' figures those that see what was lost; then those of the client that asks more often, then the first. */
export function better(a: EchoDowntime | null, b: EchoDowntime): EchoDowntime {
  if (a === null || worth(b) > worth(a)) return b
  const isFiner = (b.intervalNs ?? Number.POSITIVE_INFINITY) < (a.intervalNs ?? Number.POSITIVE_INFINITY)
  return worth(b) === worth(a) && isFiner ? b : a
}

function worth({ vantage }: EchoFigures): number {
  return { client: 3, source: 2, destination: 1, unknown: 0 }[vantage]
}

/** States in which nothing more happens to the guest. */
const OVER: ReadonlySet<string> = new Set(['finished', 'finish-failed', 'cancelled', 'broken'])

function isOver({ machine, rpc }: Migration): boolean {
  return OVER.has(machine.control) || (rpc === null && machine.transfer === 'ended')
}

/** The stretch around a migration's switch-over that its clients' requests are looked at in; null for one that came to
 *  nothing before its transfer, or has no end. */
export function windowOf(
  migration: Migration,
): { readonly fromNs: number; readonly toNs: number; readonly span: SwitchOver } | null {
  const { intervals } = migration.machine
  const start = (intervals.get('transfer')?.start ?? intervals.get('prepare')?.end)?.at.timeNs
  const finish = intervals.get('finish')
  const end = intervals.get('transfer')?.end?.at.timeNs ?? finish?.start?.at.timeNs
  if (start === undefined || end === undefined) return null
  const { stop, resume } = streamDowntime(migration)
  const finished = Math.max(end, finish?.end?.at.timeNs ?? end)
  const span = {
    stopLowerNs: stop?.lowerNs ?? start,
    stopUpperNs: stop?.upperNs ?? end,
    resumeLowerNs: resume?.lowerNs ?? end,
    resumeUpperNs: resume?.upperNs ?? finished,
  }
  return { fromNs: start - AROUND_NS, toNs: Math.max(finished, span.resumeUpperNs) + AROUND_NS, span }
}
