export const MEMORY_MAX_MIB: number
export const STATUSES: readonly number[]

export interface Measured {
  readonly status: number | null
  readonly signal: string | null
  readonly seconds: number
  readonly cpuSeconds: number | null
  readonly peakMiB: number | null
  readonly faults: readonly string[]
}

export function measure(capture: string, timeoutMs: number): Promise<Measured>
