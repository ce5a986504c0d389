import type { Diagnostics } from '../core/diagnostic.ts'
import { MIGRATIONS_MAX } from '../core/limits.ts'
import { type Intervals, intervalOf, type Mark } from './interval.ts'
import type { IntervalId } from './phase.ts'
import type { Signal, SignalName } from './signal.ts'
import { IGNORED, type Region, regionOf, STATES, type State, TRANSITIONS, type Transition } from './table.ts'

/** (state, signal) → transition, or `ignored`. Built once from the table. */
const LOOKUP: ReadonlyMap<string, Transition | 'ignored'> = buildLookup()
const REGION_OF: ReadonlyMap<SignalName, Region> = new Map(
  TRANSITIONS.map((transition) => [transition.signal, regionOf(transition.signal)]),
)

export type Unexpected = (region: Region, state: State, signal: Signal) => void

/** One migration's state: looks up, writes down evidence, moves. It knows nothing of protocols. */
export class PhaseMachine {
  readonly intervals: Intervals = new Map()
  readonly #states: { [R in Region]: State } = {
    control: STATES.control[0],
    transfer: STATES.transfer[0],
    storage: STATES.storage[0],
    request: STATES.request[0],
    nova: STATES.nova[0],
  }
  readonly #unexpected: Unexpected

  constructor(unexpected: Unexpected) {
    this.#unexpected = unexpected
  }

  get control(): State<'control'> {
    return this.#states.control as State<'control'>
  }

  get transfer(): State<'transfer'> {
    return this.#states.transfer as State<'transfer'>
  }

  get storage(): State<'storage'> {
    return this.#states.storage as State<'storage'>
  }

  get request(): State<'request'> {
    return this.#states.request as State<'request'>
  }

  get nova(): State<'nova'> {
    return this.#states.nova as State<'nova'>
  }

  signal(signal: Signal): void {
    const region = REGION_OF.get(signal.name) ?? 'control'
    const state = this.#states[region]
    const transition = LOOKUP.get(key(region, state, signal.name))
    if (transition === 'ignored') return
    if (transition === undefined) {
      this.#unexpected(region, state, signal)
      return
    }
    const kind = signal.inferred === true ? 'inferred' : 'observed'
    for (const action of transition.actions) {
      const at = action.packet === 'first' ? signal.first : signal.last
      // A message that is seen twice keeps its first sighting, an answer its last.
      const known = action.edge === 'marker' && action.packet === 'first'
      if (known && this.intervals.get(action.interval)?.markers.has(action.rule)) continue
      this.#write(action.edge, action.interval, { rule: action.rule, at, kind })
    }
    if (transition.to !== null) this.#states[region] = transition.to
  }

  /** Takes over what another machine knows of a region. */
  takeOver(region: Region, interval: IntervalId, from: PhaseMachine): void {
    this.#states[region] = from.#states[region]
    const known = from.intervals.get(interval)
    if (known !== undefined) this.intervals.set(interval, known)
  }

  #write(edge: 'start' | 'end' | 'marker', id: IntervalId, mark: Mark): void {
    const interval = intervalOf(this.intervals, id)
    if (edge === 'marker') interval.markers.set(mark.rule, mark)
    else if (edge === 'start') interval.start ??= mark
    else if (interval.end === null || mark.at.packet >= interval.end.at.packet) interval.end = mark
  }
}

/** Says in the report what a migration did not expect. */
export function reportUnexpected(diagnostics: Diagnostics): Unexpected {
  return (region, state, signal) =>
    diagnostics.report(
      'phase.unexpected',
      'warning',
      signal.first,
      (packet) => `packet ${packet}: ${signal.name} is not expected while ${region} is "${state}"`,
    )
}

/** Says in the report that there are migrations that are not in it. */
export function reportSurplus(diagnostics: Diagnostics): void {
  diagnostics.report(
    'phase.migrations',
    'warning',
    null,
    () =>
      `more migrations than one report can hold (some ${MIGRATIONS_MAX} that are under way, and those before): the rest are not reported. mig-phases - < FILE reports each as soon as it is over`,
  )
}

/** What the table says about a pair; undefined when it says nothing. */
export function lookup(region: Region, state: State, signal: SignalName): Transition | 'ignored' | undefined {
  return LOOKUP.get(key(region, state, signal))
}

function key(region: Region, state: State, signal: SignalName): string {
  return `${region} ${state} ${signal}`
}

function buildLookup(): Map<string, Transition | 'ignored'> {
  const lookup = new Map<string, Transition | 'ignored'>()
  for (const row of IGNORED)
    for (const from of row.from) lookup.set(key(row.region, from, row.signal), 'ignored')
  for (const row of TRANSITIONS)
    for (const from of row.from) lookup.set(key(row.region, from, row.signal), row)
  return lookup
}
