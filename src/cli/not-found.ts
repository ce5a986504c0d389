import type { TrafficSummary } from '../pipeline/traffic.ts'
import type { CaptureReport } from '../report/model.ts'

/** Ports named in the sentence. */
const PORTS_SHOWN = 8

/** For a capture without a migration: what was in it, what was looked for, and what to try. */
export function notFoundText(capture: CaptureReport, traffic: TrafficSummary): string {
  const packets = `${capture.packets.toLocaleString('en-US')} packets in ${capture.duration_s.toFixed(1)} s`
  return (
    `no migration found. It holds ${packets}, ${connectionsText(traffic)}. ` +
    'Looked for: libvirt RPC that prepares or finishes a migration (any port), a QEMU migration stream (any port). ' +
    'Capture between the two hosts, from before the migration starts: tcpdump -i IFACE -s 0 -w trace.pcap'
  )
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
