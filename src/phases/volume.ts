import type { AmqpMessage } from '../events/amqp.ts'
import type { Connection, Direction, Totals } from '../events/connection.ts'
import type { HttpRequest, HttpResponse } from '../events/http.ts'
import type { Intervals, Mark } from './interval.ts'

/** Bytes of frames, and of TCP payload in them. */
export interface Volume {
  readonly wireBytes: number
  readonly payloadBytes: number
}

/** A message of OpenStack's services or of the user, and what it took to send it. */
export interface Carried extends Volume {
  /** Packet of its first byte. */
  readonly packet: number
  readonly protocol: 'http' | 'amqp'
  readonly direction: Direction
}

const NONE: Totals = {
  toServer: { wireBytes: 0, payloadBytes: 0 },
  toClient: { wireBytes: 0, payloadBytes: 0 },
}

/** The frames from a message's first byte to its last, in its direction. Null where no books are kept. */
export function carried(event: AmqpMessage | HttpRequest | HttpResponse): Carried | null {
  const { connection, direction, first, last } = event
  const after = connection.totalsAt(last.packet)
  const before = connection.totalsAt(first.packet - 1)
  if (after === null || before === null) return null
  const side = direction === 'to-server' ? 'toServer' : 'toClient'
  return {
    packet: first.packet,
    protocol: event.type === 'amqp.message' ? 'amqp' : 'http',
    direction,
    wireBytes: after[side].wireBytes - before[side].wireBytes,
    payloadBytes: after[side].payloadBytes - before[side].payloadBytes,
  }
}

/** Phases that libvirt's connection carries; `transfer` only when the memory goes through it. */
const PHASES = ['remote_connect', 'prepare', 'transfer', 'finish', 'cleanup'] as const
export type ConversationPhase = (typeof PHASES)[number]

/** Phases that begin with the byte after the end of the one before. */
const BEGINS_AFTER: ReadonlySet<ConversationPhase> = new Set(['prepare', 'cleanup'])

/** What had passed on libvirt's connection at the boundaries of the phases. */
export class ConversationBooks {
  readonly #connection: Connection
  readonly #entries = new Map<Mark, Totals>()
  #marks: Mark[] = []

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Boundaries may have been set: writes down what had passed there, as long as that is remembered. */
  note(intervals: Intervals): void {
    for (const id of PHASES) {
      const { start, end } = intervals.get(id) ?? {}
      const at = start?.at.packet ?? 0
      if (start) this.#write(start, BEGINS_AFTER.has(id) ? at : at - 1)
      if (end) this.#write(end, end.at.packet)
    }
    // A boundary that was replaced by a later one counts no more.
    if (this.#marks.length > 4 * PHASES.length) this.#forget(intervals)
  }

  /** Bytes by phase; those of no phase, and those that came before anything was noted, under null. */
  byPhase(intervals: Intervals, tunnelled: boolean): Map<ConversationPhase | null, Totals> {
    const { toServer, toClient } = this.#connection
    let rest: Totals = { toServer: { ...toServer }, toClient: { ...toClient } }
    const rows = new Map<ConversationPhase | null, Totals>()
    for (const id of PHASES) {
      const { start, end } = intervals.get(id) ?? {}
      if (!start || (id === 'transfer' && !tunnelled)) continue
      const from = id === 'remote_connect' ? NONE : this.#entries.get(start)
      // The last acknowledgement of a connection comes after its last FIN.
      const to = end && id !== 'cleanup' ? this.#entries.get(end) : { toServer, toClient }
      if (from === undefined || to === undefined) continue
      const bytes = minus(to, from)
      rows.set(id, bytes)
      rest = minus(rest, bytes)
    }
    rows.set(null, rest)
    return rows
  }

  #write(mark: Mark, packet: number): void {
    if (this.#entries.has(mark)) return
    const totals = this.#connection.totalsAt(packet)
    if (totals === null) return
    this.#entries.set(mark, totals)
    this.#marks.push(mark)
  }

  #forget(intervals: Intervals): void {
    const current = new Set([...intervals.values()].flatMap(({ start, end }) => [start, end]))
    for (const mark of this.#marks) if (!current.has(mark)) this.#entries.delete(mark)
    this.#marks = this.#marks.filter((mark) => current.has(mark))
  }
}

function minus(a: Totals, b: Totals): Totals {
  return { toServer: less(a.toServer, b.toServer), toClient: less(a.toClient, b.toClient) }
}

function less(a: Volume, b: Volume): Volume {
  return {
    wireBytes: Math.max(0, a.wireBytes - b.wireBytes),
    payloadBytes: Math.max(0, a.payloadBytes - b.payloadBytes),
  }
}
