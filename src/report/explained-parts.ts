import { PHASES, type PhaseId } from '../phases/phase.ts'

/** What can be explained by itself. */
export type ExplainedPart = PhaseId | 'order' | 'storage' | 'downtime'

export const EXPLAINED_PARTS: readonly ExplainedPart[] = [
  ...PHASES.map(({ id }) => id),
  'order',
  'storage',
  'downtime',
]
