import type { SignalName } from './signal.ts'
import { LIBVIRT_IGNORED, LIBVIRT_TRANSITIONS } from './table/libvirt.ts'
import { OPENSTACK_IGNORED, OPENSTACK_TRANSITIONS } from './table/openstack.ts'
import type { Ignored, Region, Transition } from './table/row.ts'

export { type Region, STATES, type State, type Transition } from './table/row.ts'

/** Every step of a migration. What is neither here nor in IGNORED is unexpected, and reported. */
export const TRANSITIONS: readonly Transition[] = [...LIBVIRT_TRANSITIONS, ...OPENSTACK_TRANSITIONS]

/** Signals that say nothing in a state, with the reason. */
export const IGNORED: readonly Ignored[] = [...LIBVIRT_IGNORED, ...OPENSTACK_IGNORED]

/** Which region a signal belongs to: that of its rows. */
export function regionOf(signal: SignalName): Region {
  const row = TRANSITIONS.find((transition) => transition.signal === signal)
  return row?.region ?? 'control'
}
