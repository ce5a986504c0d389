import { JUMBO_FRAME_MAX } from '../capture/summary.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Examined, Rule } from './doctor-model.ts'
import { formatBytes, formatCount } from './format.ts'
import type { MigrationReport } from './model.ts'
import { CAPTURE_BETWEEN_HOSTS, lookedForText } from './not-found.ts'
import type { ConnectionSums } from './traffic-facts.ts'

/** What can be wrong with a capture whatever it holds: the file, the capturing machine, the interface. One function for
 *  each finding. */

const MEMORY = 'the memory stream'
const STORAGE = 'the storage copy (NBD)'
const HTTP = 'HTTP requests and responses'
const AMQP = 'AMQP messages'
const TLS = 'TLS records'

/** What connections speak, in the words of findings. Those of the memory are told together. */
const SPOKEN: Readonly<Record<string, string>> = {
  libvirt: 'libvirt',
  'qemu-migration': MEMORY,
  'resumed-stream': MEMORY,
  'urgent-channel': MEMORY,
  multifd: MEMORY,
  nbd: STORAGE,
  http: HTTP,
  amqp: AMQP,
  tls: TLS,
}

/** What has to be read for the migrations of a capture, of what connections speak. */
function neededFor(migrations: Examined['migrations']): string[] {
  return [
    'libvirt',
    MEMORY,
    STORAGE,
    ...(migrations.some(({ kind }) => kind === 'openstack') ? [HTTP, AMQP] : []),
    ...(migrations.some(({ mode }) => mode.tls) ? [TLS] : []),
  ]
}

/** A larger buffer for the two tools, in their units (KiB and MiB). */
const BUFFER =
  'Give the capture a larger buffer (tcpdump -B 65536, dumpcap -B 64), a filter (host SOURCE and host DESTINATION) and a fast disk.'

const share = (part: number, whole: number): string => {
  const percent = (100 * part) / whole
  return percent > 0 && percent < 0.1 ? 'less than 0.1 %' : `${percent.toFixed(1)} %`
}

const plural = (count: number, what: string): string =>
  `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`

const were = (count: number): string => (count === 1 ? 'was' : 'were')

/** Measurement frames carry more frames than the file has packets. */
const ofPackets = (count: number, packets: number): string =>
  count > packets
    ? `${formatCount(count)} frames`
    : `${formatCount(count)} of ${plural(packets, 'packet')} (${share(count, packets)})`

/** Sums by the words of `SPOKEN`, for those that have any. */
function bySpoken({ traffic }: Examined, sum: (of: ConnectionSums) => number): Map<string, number> {
  const found = new Map<string, number>()
  for (const [protocol, of] of traffic.sums) {
    const name = SPOKEN[protocol] ?? 'other connections'
    if (sum(of) > 0) found.set(name, (found.get(name) ?? 0) + sum(of))
  }
  return found
}

function diagnosed({ capture }: Examined, codes: readonly string[]): Diagnostic[] {
  return capture.diagnostics.filter(({ code }) => codes.includes(code))
}

const timesOf = (diagnostics: readonly Diagnostic[]): number =>
  diagnostics.reduce((sum, { count }) => sum + count, 0)

/** Behind these, packets are missing or cannot be believed. */
const DAMAGE = [
  'file.damaged',
  'capture.record-length',
  'capture.block-length',
  'capture.interface',
  'capture.measurement-cut',
]
/** All packets that the file holds were read all the same. */
const BLEMISHES = ['capture.cut-short', 'capture.section-version']

export const damaged: Rule = (examined) => {
  const worst = diagnosed(examined, DAMAGE)
  const all = [...worst, ...diagnosed(examined, BLEMISHES)]
  if (all.length === 0) return null
  const parts = all.map(({ message, count }) =>
    count > 1 ? `${message} (${formatCount(count)} times)` : message,
  )
  return {
    severity: worst.length > 0 ? 'problem' : 'note',
    sentence: `The file is not whole: ${parts.join('; ')}.`,
    remedy:
      'Copy it again and compare checksums with the original; end tcpdump with Ctrl-C or SIGTERM, and give it -U where the file is read while it is written.',
  }
}

export const noMigration: Rule = ({ capture, migrations, traffic }) => {
  if (migrations.length > 0) return null
  const echoes = traffic.echoRequests
  const merge = `its ${plural(echoes, 'echo request')} can tell the downtime as a client has it: mig-phases --merge HOSTS.pcap THIS.pcap`
  // A capture of nothing but pings was taken on purpose.
  const remedy =
    echoes === 0
      ? `${CAPTURE_BETWEEN_HOSTS}.`
      : traffic.connections === 0
        ? `Together with a capture between the two hosts, ${merge}.`
        : `${CAPTURE_BETWEEN_HOSTS}. Together with that capture, ${merge}.`
  return {
    severity: 'problem',
    sentence: `No migration found. ${lookedForText(capture, traffic)}`,
    remedy,
  }
}

export const snapLength: Rule = (examined) => {
  const { capture, frames } = examined
  const cutPayload = [...examined.traffic.sums.values()].reduce((sum, { cutBytes }) => sum + cutBytes, 0)
  if (frames.cutPackets === 0 && cutPayload === 0) return null
  const unread = unreadBecauseCut(examined)
  const blind = examined.migrations.length === 0
  const effect =
    unread.length > 0
      ? `Not read in full because of that: ${unread.join(', ')}.`
      : blind
        ? 'What a migration would be known by may have been cut off.'
        : 'Nothing that is measured was cut off.'
  // Frames inside of measurement frames are cut without being packets of the file.
  const cut =
    frames.cutPackets === 0
      ? `${formatBytes(cutPayload)} of TCP payload were cut off before the frames were recorded.`
      : `${formatCount(frames.cutPackets)} of ${plural(capture.packets, 'packet')} ${were(frames.cutPackets)} cut to ${formatCount(frames.cutTo)} bytes or less: ${share(capture.captured_bytes, capture.wire_bytes)} of the bytes were kept.`
  return {
    severity: unread.length > 0 || blind ? 'problem' : 'note',
    sentence: `${cut} ${effect}`,
    remedy:
      capture.format === 'dpmi'
        ? 'Keep whole frames: give the filter at the measurement point a caplen as long as the longest.'
        : 'Keep whole packets: tcpdump -s 0, or dumpcap without -s.',
  }
}

/** What could not be read because packets were cut. Contents of pages and disks may be missing without harm. */
function unreadBecauseCut(examined: Examined): string[] {
  const { migrations } = examined
  const cut = bySpoken(examined, ({ cutBytes }) => cutBytes)
  const unread: string[] = []
  const tunnelled = migrations.some(({ mode }) => mode.tunnelled)
  const calls = unreadOfCalls(migrations)
  if (cut.has('libvirt') && !tunnelled && calls.length > 0)
    unread.push(`libvirt's calls (${calls.join(', ')})`)
  const uncounted = migrations.some(
    ({ transfer, mode }) =>
      transfer.pages === null && !mode.tls && (transfer.connections > 0 || mode.tunnelled),
  )
  if (uncounted && cut.has(tunnelled ? 'libvirt' : MEMORY))
    unread.push('the memory stream (pages, rounds, when the guest was stopped)')
  const disks = migrations.flatMap(({ storage }) => storage?.disks ?? [])
  if (cut.has(STORAGE) && disks.some(({ complete }) => !complete))
    unread.push('the storage copy (what was written)')
  const needed = neededFor(migrations)
  return [...unread, ...[HTTP, AMQP].filter((name) => cut.has(name) && needed.includes(name))]
}

/** What libvirt's calls would have told, as far as it did not come through. */
function unreadOfCalls(migrations: Examined['migrations']): string[] {
  const named: readonly [what: string, isMissing: (migration: MigrationReport) => boolean][] = [
    ['guest', ({ domain }) => domain.name === null],
    ['MAC addresses', ({ domain }) => domain.macs.length === 0],
    ['flags', ({ mode }) => mode.flags === null],
    ['statistics', ({ hypervisor, outcome }) => hypervisor === null && outcome === 'completed'],
  ]
  return named.filter(([, isMissing]) => migrations.some(isMissing)).map(([what]) => what)
}

const UNDECODED = ['net.link', 'net.ip', 'net.tcp', 'net.fragment', 'net.tunnel']
/** Of more packets than this share, something about the capture as a whole is wrong. */
const UNDECODED_SHARE = 0.01

export const undecoded: Rule = (examined) => {
  const diagnostics = diagnosed(examined, UNDECODED)
  const [first] = diagnostics
  if (first === undefined) return null
  const { packets } = examined.capture
  const count = timesOf(diagnostics)
  return {
    severity: count > packets * UNDECODED_SHARE ? 'problem' : 'note',
    sentence: `${ofPackets(count, packets)} could not be decoded; the first kind: ${first.message}.`,
    remedy:
      'Capture on an Ethernet interface (tcpdump -i eth0) with tcpdump -s 0; what Wireshark shows of that packet tells what it is.',
  }
}

export const dropped: Rule = (examined) => {
  const { dropped_packets, packets } = examined.capture
  const dropped = dropped_packets ?? 0
  const frames = timesOf(diagnosed(examined, ['capture.measurement-lost']))
  if (dropped === 0 && frames === 0) return null
  const parts = [
    dropped === 0
      ? null
      : `The capturing machine says that it dropped ${plural(dropped, 'packet')} (${share(dropped, dropped + packets)} of what it saw).`,
    frames === 0
      ? null
      : `${plural(frames, 'measurement frame')} did not arrive from the measurement point, with all the packets in ${frames === 1 ? 'it' : 'them'}.`,
  ]
  return {
    severity: 'problem',
    sentence: parts.filter((part) => part !== null).join(' '),
    remedy: BUFFER,
  }
}

export const missingBytes: Rule = (examined) => {
  const lost = bySpoken(examined, ({ lostBytes }) => lostBytes)
  if (lost.size === 0) return null
  const parts = [...lost].map(([name, bytes]) => `${formatBytes(bytes)} of ${name}`)
  const dropped = examined.capture.dropped_packets
  const known = (dropped ?? 0) > 0
  const said = known
    ? 'which the dropped packets explain'
    : dropped === null
      ? 'although nothing in the file says that packets were dropped'
      : 'although the file says that no packet was dropped'
  return {
    severity: neededFor(examined.migrations).some((name) => lost.has(name)) ? 'problem' : 'note',
    sentence: `Bytes passed inside TCP connections (they were acknowledged) whose packets are not in the capture, ${said}: ${parts.join(', ')}.`,
    remedy: known
      ? BUFFER
      : `Look at what tcpdump said last ("packets dropped by kernel"). ${BUFFER} A mirror port must be as fast as both directions together; of a bond or of several paths capture all links (tcpdump -i bond0).`,
  }
}

/** Connections that must have two directions for a migration to be measured. */
const ESSENTIAL = ['libvirt', 'qemu-migration', 'resumed-stream', 'multifd']

export const oneWay: Rule = ({ traffic }) => {
  const sums = [...traffic.sums]
  const all = sums.reduce((sum, [, { connections }]) => sum + connections, 0)
  const halves = sums.reduce((sum, [, { oneWay }]) => sum + oneWay, 0)
  const essential = sums.filter(([protocol, { oneWay }]) => oneWay > 0 && ESSENTIAL.includes(protocol))
  if (halves === 0 || (halves < all && essential.length === 0)) return null
  const names = new Set(essential.map(([protocol]) => SPOKEN[protocol] ?? protocol))
  const which = names.size === 0 ? '' : `, ${[...names].join(' and ')} among them`
  return {
    severity: 'problem',
    sentence: `Of ${formatCount(halves)} of ${plural(all, 'TCP connection')} with data only one direction was captured${which}: calls without answers, or answers without calls.`,
    remedy:
      'Mirror both directions of the port, or capture on the host itself; leave "src", "dst" and -Q in|out out of the tcpdump command; where the two directions take different links, capture both (tcpdump -i bond0, or mig-phases --merge A.pcap B.pcap).',
  }
}

export const clock: Rule = (examined) => {
  const steps = diagnosed(examined, ['capture.clock-step', 'capture.no-time'])
  if (steps.length === 0) return null
  const parts = steps.map(({ message, packet }) => `${message} (first at packet ${formatCount(packet)})`)
  return {
    severity: 'problem',
    sentence: `Time stamps cannot be relied on: ${parts.join('; ')}.`,
    remedy:
      'Let the clock settle before a run (chronyc tracking) and have it slewed, not set, meanwhile; keep captures of different runs in files of their own; put together captures of one run by time (mergecap, or mig-phases --merge), not one behind the other.',
  }
}

export const timeOrder: Rule = (examined) => {
  const [first] = diagnosed(examined, ['capture.time-backwards'])
  if (first === undefined) return null
  const [beyond] = diagnosed(examined, ['capture.order'])
  const back = `Time stamps go back at ${ofPackets(first.count, examined.capture.packets)}: ${first.message}`
  return {
    severity: beyond === undefined ? 'note' : 'problem',
    sentence: beyond === undefined ? `${back}.` : `${back}; ${beyond.message}.`,
    remedy: `${examined.capture.format === 'dpmi' ? "Nothing needs to be done, if the measurement point's interfaces share a clock" : 'Capture on one interface instead of -i any or several -i, or sort the file: reordercap IN OUT'}. Durations are uncertain by as much as the clocks of two interfaces differ.`,
  }
}

/** Coarser stamps than those that tools write by default. */
const USUAL_STAMP_NS = 1000

export const stamps: Rule = ({ frames: { stampNs } }) => {
  if (stampNs === null || stampNs < USUAL_STAMP_NS) return null
  const usual = stampNs === USUAL_STAMP_NS
  return {
    severity: usual ? 'note' : 'problem',
    sentence: usual
      ? 'Time stamps have microseconds: packets within one cannot be told apart in time.'
      : `Time stamps go in steps of ${formatCount(stampNs / 1e6)} ms.`,
    remedy: 'tcpdump --time-stamp-precision=nano writes nanoseconds where the interface has them.',
  }
}

export const longFrames: Rule = ({ capture, frames: { longFrames, longestFrame } }) => {
  if (longFrames === 0) return null
  const joined = longestFrame > JUMBO_FRAME_MAX
  const what = joined
    ? 'more than Ethernet carries: the interface joins or cuts packets (GRO, TSO), and the capture saw super-frames. Volumes are right; counts and times of packets are not those of the wire.'
    : 'more than the usual 1514: jumbo frames, or super-frames of an interface that joins or cuts packets (GRO, TSO). Volumes are right; if they are super-frames, counts and times of packets are not those of the wire.'
  return {
    severity: 'note',
    sentence: `Longer than 1,522 bytes: ${ofPackets(longFrames, capture.packets)}, up to ${formatCount(longestFrame)} bytes, ${what}`,
    remedy: `${joined ? '' : 'If the MTU (ip link show IFACE) is 1500: '}ethtool -K IFACE gro off tso off gso off lro off before the capture, or capture on a mirror port.`,
  }
}

export const copies: Rule = (examined) => {
  const [copied] = diagnosed(examined, ['net.duplicate'])
  if (copied === undefined) return null
  return {
    severity: 'note',
    sentence: `Copies of other packets in the capture: ${ofPackets(copied.count, examined.capture.packets)}. Each was counted once, but they take room and may hide which interface saw a packet first.`,
    remedy:
      'Capture on one interface instead of -i any; on a switch, mirror one port (both directions) and not both ends of the path.',
  }
}
