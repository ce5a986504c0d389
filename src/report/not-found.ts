import type { CaptureReport } from './model.ts'
import type { TrafficFacts } from './traffic-facts.ts'

/** Ports named in the sentence. */
const PORTS_SHOWN = 8

/** What to try when a capture holds no migration. */
export const CAPTURE_BETWEEN_HOSTS =
  'Capture between the two hosts, from before the migration starts: tcpdump -i IFACE -s 0 -w trace.pcap'

/** For a capture without a migration: what was in it, what was looked for, and what to try. */
export function notFoundText(capture: CaptureReport, traffic: TrafficFacts): string {
  return `no migration found. ${lookedForText(capture, traffic)}${cutText(capture)} ${CAPTURE_BETWEEN_HOSTS}`
}

/** What was in it, and what was looked for: whole sentences. */
export function lookedForText(capture: CaptureReport, traffic: TrafficFacts): string {
  const packets = `${capture.packets.toLocaleString('en-US')} packet${capture.packets === 1 ? '' : 's'} in ${capture.duration_s.toFixed(1)} s`
  return (
    `It holds ${packets}, ${connectionsText(traffic)}. ` +
    `Looked for: libvirt RPC that prepares or finishes a migration, a QEMU migration stream, a request to Nova to migrate (each on any port).`
  )
}

/** Most of what passed was not kept. */
const CUT_SHARE = 0.5

function cutText({ captured_bytes, wire_bytes }: CaptureReport): string {
  if (captured_bytes >= wire_bytes * CUT_SHARE) return ''
  const share = ((100 * captured_bytes) / wire_bytes).toFixed(0)
  return ` Only ${share} % of the bytes were captured, so that content could not be read: a snap length was set.`
}

function connectionsText(traffic: TrafficFacts): string {
  if (traffic.connections === 0) return 'no TCP connection'
  const ports = [...traffic.serverPorts].sort((a, b) => b[1] - a[1])
  const shown = ports
    .slice(0, PORTS_SHOWN)
    .map(([port, count]) => (count > 1 ? `${port} (${count})` : `${port}`))
  const more = ports.length > PORTS_SHOWN ? ', …' : ''
  const libvirt = traffic.protocols.get('libvirt')
  const spoken = libvirt === undefined ? '' : `, ${libvirt} of them libvirt RPC without a migration`
  const count = traffic.connections
  return `${count} TCP connection${count > 1 ? 's' : ''} to port${ports.length > 1 ? 's' : ''} ${shown.join(', ')}${more}${spoken}`
}
