import { PEAK_BIN_NS, sumRates } from '../core/rate.ts'
import type { Connection } from '../events/connection.ts'
import type { ThroughputReport } from './model.ts'

/** Payload towards the server over time, of all these connections together. Null when nothing passed.
 *  @param fromNs start of the first bin @param untilNs bins that begin later are left out @param binsMax with more, they are wider */
export function describeThroughput(
  connections: readonly Connection[],
  fromNs: number,
  untilNs: number,
  binsMax: number,
): ThroughputReport | null {
  const series = connections.map(({ toServer }) => toServer.rates).filter((rates) => rates !== null)
  if (series.length === 0) return null
  const { startNs, widthNs, bytes } = sumRates(series, fromNs, PEAK_BIN_NS, binsMax)
  const width = widthNs / 1e9
  const rates = bytes.map((size) => (size * 8) / width)
  return {
    start_s: startNs / 1e9,
    bin_s: width,
    to_destination_bps: rates.slice(0, Math.max(1, Math.ceil((untilNs - startNs) / widthNs))),
  }
}

/** The best bin. */
export function peakOf(throughput: ThroughputReport | null): number | null {
  if (throughput === null) return null
  return throughput.to_destination_bps.reduce((peak, bps) => Math.max(peak, bps), 0)
}
