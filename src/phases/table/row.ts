import type { IntervalId } from '../phase.ts'
import type { SignalName } from '../signal.ts'

/** A migration is followed in several regions at once, because they overlap: the finish call may come before the
 *  memory connection ends, disks are copied before memory, and Nova goes on while libvirt tidies up. */
export const STATES = {
  /** The conversation of the two libvirt daemons. */
  control: [
    'idle',
    'connecting',
    'refused',
    'connected',
    'open-failed',
    'preparing',
    'prepare-failed',
    'prepared',
    'finishing',
    'cancelling',
    'finished',
    'finish-failed',
    'cancelled',
    'broken',
  ],
  /** The guest's memory on its way. */
  transfer: ['none', 'open', 'ended'],
  /** The guest's disks on their way, when they are copied beside the memory. */
  storage: ['none', 'open', 'ended'],
  /** The user and the API of OpenStack. */
  request: ['none', 'authenticating', 'authenticated', 'looked-up', 'requested', 'accepted', 'rejected'],
  /** Nova's services among themselves. */
  nova: [
    'none',
    'checking',
    'checked',
    'check-failed',
    'ordered',
    'preparing',
    'prepared',
    'prepare-failed',
    'rolled-back',
    'settling',
    'settled',
    'post-failed',
  ],
} as const

export type Region = keyof typeof STATES
export type State<R extends Region = Region> = (typeof STATES)[R][number]

/** What a transition writes down. A start is the signal's first packet and stands once set; an end is its last
 *  packet, and a later one replaces it; a marker is the last of its name. */
export interface Action {
  readonly edge: 'start' | 'end' | 'marker'
  readonly interval: IntervalId
  readonly rule: string
  /** Which packet of the signal. */
  readonly packet: 'first' | 'last'
}

export interface Transition {
  readonly region: Region
  readonly from: readonly State[]
  readonly signal: SignalName
  /** Null: the state stays. */
  readonly to: State | null
  readonly actions: readonly Action[]
  readonly note: string
}

export interface Ignored {
  readonly region: Region
  readonly from: readonly State[]
  readonly signal: SignalName
  readonly reason: string
}

export const start = (interval: IntervalId, rule: string): Action => ({
  edge: 'start',
  interval,
  rule,
  packet: 'first',
})
export const startAfter = (interval: IntervalId, rule: string): Action => ({
  edge: 'start',
  interval,
  rule,
  packet: 'last',
})
export const end = (interval: IntervalId, rule: string): Action => ({
  edge: 'end',
  interval,
  rule,
  packet: 'last',
})
export const marker = (interval: IntervalId, rule: string, packet: 'first' | 'last'): Action => ({
  edge: 'marker',
  interval,
  rule,
  packet,
})

/** Rows of one region: states, signal, next state, what is written down, what it means. */
export const rowsOf =
  <R extends Region>(region: R) =>
  (
    from: readonly State<R>[],
    signal: SignalName,
    to: State<R> | null,
    actions: readonly Action[],
    note: string,
  ): Transition => ({ region, from, signal, to, actions, note })

export const ignore = (
  region: Region,
  from: readonly State[],
  signal: SignalName,
  reason: string,
): Ignored => ({
  region,
  from,
  signal,
  reason,
})
