import type { Rule } from './doctor-model.ts'
import { formatCount } from './format.ts'
import type { MigrationReport, PhaseReport } from './model.ts'

/** What can be wrong with a capture for the migrations that were found in it. One function for each finding. */

/** Migrations named in one sentence. */
const NAMES_SHOWN = 5

/** How findings name migrations. */
function namesOf(migrations: readonly MigrationReport[]): string {
  const names = migrations
    .slice(0, NAMES_SHOWN)
    .map(({ domain, index }) => domain.name ?? domain.uuid ?? `an unnamed guest (number ${index + 1})`)
  const more = migrations.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`
}

const phaseOf = ({ phases }: MigrationReport, id: PhaseReport['id']): PhaseReport | undefined =>
  phases.find((phase) => phase.id === id)

export const hasLibvirt = ({ traffic }: MigrationReport): boolean =>
  traffic.some(({ protocol }) => protocol.startsWith('libvirt'))

/** It ended before libvirt of the two hosts had to do with each other, or with memory. */
const isOverBefore = ({ outcome, failure }: MigrationReport, phases: readonly (string | null)[]): boolean =>
  outcome === 'failed' && phases.includes(failure?.phase ?? null)

/** The link between the hosts. @see protocols.md H.4 */
const BETWEEN =
  'Capture on the link of the source host (or of the destination host), with a filter that names hosts and no ports: tcpdump -i eth0 -s 0 -w trace.pcap host SOURCE and host DESTINATION'

export const noHandshake: Rule = ({ migrations, traffic }) => {
  const late = migrations.filter((migration) => {
    const connect = phaseOf(migration, 'remote_connect')
    const transfer = phaseOf(migration, 'transfer')
    return (
      (hasLibvirt(migration) && connect?.start.rule !== 'tcp.syn') ||
      (migration.transfer.connections > 0 && transfer?.start.rule !== 'tcp.syn')
    )
  })
  const sums = [...traffic.sums.values()]
  const all = sums.reduce((sum, { connections }) => sum + connections, 0)
  const without = sums.reduce((sum, { withoutSyn }) => sum + withoutSyn, 0)
  if (late.length === 0 && (migrations.length > 0 || without === 0 || without < all)) return null
  const whose = late.length === 0 ? '' : ` The migration of ${namesOf(late)} has no start.`
  return {
    severity: 'problem',
    sentence: `The capture starts in the middle of connections: ${formatCount(without)} of ${formatCount(all)} with data have no TCP handshake.${whose}`,
    remedy:
      'Start the capture, wait until tcpdump says "listening on", and only then start the migration; do not filter out TCP flags.',
  }
}

export const endsEarly: Rule = ({ migrations }) => {
  const open = migrations.filter(isUnfinished)
  if (open.length === 0) return null
  const labels = new Set(open.flatMap(({ phases }) => endless(phases)))
  return {
    severity: 'problem',
    sentence: `The capture ends before the migration of ${namesOf(open)} does. Without an end: ${[...labels].join(', ')}.`,
    remedy:
      'Let the capture run until virsh (or Nova) says how the migration ended, and some ten seconds more: libvirt takes seconds to clean up.',
  }
}

/** The phases behind the last one whose end was seen. */
function endless(phases: readonly PhaseReport[]): string[] {
  const last = phases.findLastIndex(({ end }) => end.kind !== 'missing')
  return phases.slice(last + 1).map(({ label }) => label.toLowerCase())
}

/** Half of a conversation does not tell either how it ended, but that is a finding of its own. */
function isUnfinished(migration: MigrationReport): boolean {
  const { outcome, traffic } = migration
  const answered = traffic.some(
    ({ protocol, direction }) => protocol.startsWith('libvirt') && direction === 'to_client',
  )
  if (outcome === 'incomplete') return !hasLibvirt(migration) || answered
  const cleanup = phaseOf(migration, 'cleanup')
  return outcome === 'completed' && cleanup?.end.kind === 'missing' && cleanup.start.kind !== 'missing'
}

/** What is there of it was seen where somebody orders migrations: at a controller, or a client of libvirt. */
const isOrderOnly = ({ kind, order, transfer }: MigrationReport): boolean =>
  transfer.connections === 0 && (kind === 'openstack' || order !== null)

export const noLibvirt: Rule = ({ migrations }) => {
  const without = migrations.filter(
    (migration) => !hasLibvirt(migration) && !isOverBefore(migration, ['auth', 'init', null]),
  )
  if (without.length === 0) return null
  return {
    severity: 'problem',
    sentence: `The capture does not hold the libvirt connection of the migration of ${namesOf(without)}: no remote connect, preparation, finish or cleanup can be measured.`,
    remedy: without.every(isOrderOnly)
      ? `What is here is what a controller sees, or a client that gives the order. ${BETWEEN}. Give both to mig-phases --merge.`
      : `${BETWEEN}. When a client manages the migration (virsh migrate without --p2p), libvirt's connection is the client's: capture there too and give both to mig-phases --merge. A QEMU that is driven without libvirt has none.`,
  }
}

export const noMemory: Rule = ({ migrations }) => {
  const without = migrations.filter(
    (migration) =>
      migration.transfer.connections === 0 &&
      !migration.mode.tunnelled &&
      migration.mode.memory !== 'none' &&
      !isOverBefore(migration, ['auth', 'init', 'remote_connect', 'prepare', null]),
  )
  if (without.length === 0) return null
  return {
    severity: 'problem',
    sentence: `The capture does not hold the memory connection of the migration of ${namesOf(without)}: no transfer, data, pages or rounds can be measured.`,
    remedy: `${without.every(hasLibvirt) ? BETWEEN : 'What carries the libvirt connection (see there) carries the memory too, as a rule'}. The memory goes to a port of its own (49152 and up by default) and, with migrateuri or a migration network, to another address or interface. RDMA cannot be captured like that.`,
  }
}

const encryptedText = (connections: number): string =>
  `${connections === 1 ? '1 TCP connection is' : `${formatCount(connections)} TCP connections are`} encrypted (TLS)`

export const tls: Rule = ({ migrations, traffic }) => {
  const encrypted = migrations.filter(({ mode }) => mode.tls)
  const connections = traffic.protocols.get('tls') ?? 0
  if (encrypted.length === 0 && (migrations.length > 0 || connections === 0)) return null
  const sentence =
    encrypted.length === 0
      ? `${encryptedText(connections)}, without the record lengths of a libvirt migration.`
      : `The migration of ${namesOf(encrypted)} is encrypted (TLS). Known all the same: connections, volumes, the phases by the lengths of records (marked as inferred), and the guest's first announcement. Not known: its name and flags, pages, rounds, what libvirt reports.`
  return {
    severity: 'note',
    sentence,
    remedy:
      "For the rest, measure without TLS on a network that is safe otherwise (libvirt's qemu+tcp, migrate_tls off in qemu.conf); for the downtime, ping the guest meanwhile.",
  }
}

export const tunnelled: Rule = ({ migrations }) => {
  const inside = migrations.filter(({ mode }) => mode.tunnelled)
  if (inside.length === 0) return null
  return {
    severity: 'note',
    sentence: `The memory of ${namesOf(inside)} goes inside of libvirt's own connection (TUNNELLED): transfer is from the first to the last of its bytes there, and volumes are shares of that connection.`,
    remedy:
      'Nothing is wrong with the capture. virsh migrate without --tunnelled (Nova: live_migration_tunnelled = false) gives the memory a connection of its own, with a SYN and a FIN.',
  }
}

export const openstackGaps: Rule = ({ migrations, traffic }) => {
  const reasons = new Map<string, string>()
  for (const { kind, outcome, phases } of migrations) {
    if (kind !== 'openstack' || outcome !== 'completed') continue
    for (const { id, label, reason } of phases)
      if ((id === 'auth' || id === 'init' || id === 'post_migration') && reason !== null)
        reasons.set(label.toLowerCase(), reason)
  }
  if (reasons.size === 0) return null
  const parts = [...reasons].map(([label, reason]) => `${label} (${reason})`)
  const encrypted = traffic.protocols.get('tls') ?? 0
  const hidden =
    encrypted === 0
      ? ''
      : ` ${encryptedText(encrypted)}: what is missing may be in there, and cannot be read.`
  return {
    severity: 'note',
    sentence: `Not measured in full of OpenStack's part: ${parts.join('; ')}.${hidden}`,
    remedy:
      "Start before the user's command; capture at the source compute and at the controller (there Keystone, Nova's API and RabbitMQ are seen) and give both to mig-phases --merge.",
  }
}

/** Those whose guest runs meanwhile, so that somebody could ping it. */
const pingable = (migrations: readonly MigrationReport[]): MigrationReport[] =>
  migrations.filter(
    ({ mode, outcome }) => mode.memory !== 'none' && mode.paused !== true && outcome === 'completed',
  )

export const noEcho: Rule = ({ migrations, traffic }) => {
  const silent = pingable(migrations).filter(({ downtime }) => downtime.icmp === null)
  if (silent.length === 0) return null
  const noone = traffic.echoRequests === 0
  const seen = noone
    ? 'no echo request (ping) to a guest is in the capture'
    : `of ${formatCount(traffic.echoRequests)} echo requests (ping) none is known to go to the guest around the switch-over`
  return {
    severity: 'note',
    sentence: `The downtime of ${namesOf(silent)} as its clients have it is not known: ${seen}.`,
    remedy: noone
      ? 'Run ping -D -i 0.01 GUEST on a client from before the migration until after it; capture there too (--merge), or keep what it prints for mig-phases --ping.'
      : "If the guest was pinged: it is known by its MAC address, which libvirt's prepare call and the guest's announcement tell, and the switch-over by the hosts' connections. Capture these in full (tcpdump -s 0), and read all captures of the run together (--merge); or give what ping -D printed: --ping ping.txt.",
  }
}

export const vantage: Rule = ({ migrations }) => {
  const blind = pingable(migrations).filter(
    ({ downtime }) => downtime.icmp !== null && downtime.icmp.lost === null,
  )
  const [first] = blind
  const { icmp } = first?.downtime ?? {}
  if (icmp == null) return null
  const where =
    icmp.vantage === 'unknown'
      ? 'its answers from before the switch-over and from after it are not both there: it did not answer, or they took another way'
      : `the requests were seen at the ${icmp.vantage}'s link, which the guest ${icmp.vantage === 'source' ? 'leaves' : 'comes to'} in between: that link does not show which were lost`
  return {
    severity: 'note',
    sentence: `${icmp.target} was pinged during the migration of ${namesOf(blind)}, but ${where}.`,
    remedy:
      'Capture at the client that pings as well, and read both: mig-phases --merge HOSTS.pcap CLIENT.pcap; or give what ping -D printed there: --ping ping.txt.',
  }
}
