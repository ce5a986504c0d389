import type { Mark } from '../phases/interval.ts'
import type { Boundary } from './model.ts'

/** Where a packet of a merged trace comes from. */
export type Locate = (packet: number) => { readonly packet: number; readonly file: string | null }

export const IN_ONE_CAPTURE: Locate = (packet) => ({ packet, file: null })

const MISSING: Boundary = { packet: null, file: null, time_s: null, kind: 'missing', rule: null }

export function boundary(mark: Mark | null, locate: Locate): Boundary {
  if (mark === null) return MISSING
  return { ...locate(mark.at.packet), time_s: mark.at.timeNs / 1e9, kind: mark.kind, rule: mark.rule }
}
