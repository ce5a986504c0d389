import type { TrafficSummary } from '../pipeline/traffic.ts'
import type { CaptureReport } from '../report/model.ts'

/** Ports named in the sentence. */
const PORTS_SHOWN = 8

/** For a capture without a migration: what was in it, what was looked for, and what to try. */
export function notFoundText(capture: CaptureReport, traffic: TrafficSummary): string {
  const packets = `${capture.packets.toLocaleString('en-US')} packets in ${capture.duration_s.toFixed(1)} s`
  return (
    `no migration found. It holds ${packets}, ${connectionsText(traffic)}. ` +
    `Looked for: libvirt RPC that prepares or finishes a migration, a QEMU migration stream, a request to Nova to migrate (each on any port). ${cutText(capture)}` +
    'Capture between the two hosts, from before the migration starts: tcpdump -i IFACE -s 0 -w trace.pcap'
  )
}

/** Most of what passed was not kept. */
const CUT_SHARE = 0.5

function cutText({ captured_bytes, wire_bytes }: CaptureReport): string {
  if (captured_bytes >= wire_bytes * CUT_SHARE) return ''
  const share = ((100 * captured_bytes) / wire_bytes).toFixed(0)
  return `Only ${share} % of the bytes were captured, so that content could not be read: a snap length was set. `
}

function connectionsText(traffic: TrafficSummary): string {
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
