// Prints, for captures that have a `.reference.json` beside them (phase boundaries found with another tool), where
// this program's boundaries, outcomes and volumes differ. Usage: npm run compare -- DIRECTORY [--all]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import Table from 'cli-table3'
import { analyzeFile } from '../../dist/files/index.js'

/** Durations may differ by less. */
const TOLERANCE_S = 1e-6

const [directory, ...options] = process.argv.slice(2)
if (directory === undefined) {
  process.stderr.write('usage: npm run compare -- DIRECTORY [--all]\n')
  process.exit(2)
}
const showAll = options.includes('--all')
const table = new Table({
  head: ['Capture', 'Migration', 'What', 'Here', 'Reference'],
  style: { head: [], border: [], compact: true },
})
let compared = 0
let differing = 0

for (const name of readdirSync(directory, { recursive: true }).sort()) {
  if (!String(name).endsWith('.reference.json')) continue
  const reference = JSON.parse(readFileSync(join(directory, name), 'utf8'))
  const base = join(directory, String(name).replace(/\.reference\.json$/, ''))
  const path = ['.pcap.gz', '.pcapng.gz', '.pcap', '.pcapng'].map((end) => base + end).find(existsSync)
  if (path === undefined) continue
  compared++
  const differences = compareCapture(await analyzeFile(path), reference)
  if (differences.length > 0) differing++
  for (const difference of differences) table.push([relative(directory, base), ...difference])
  if (differences.length === 0 && showAll) table.push([relative(directory, base), '', 'same', '', ''])
}

if (table.length > 0) process.stdout.write(`${table.toString()}\n`)
process.stdout.write(`${compared} captures compared, ${differing} differ\n`)
process.exitCode = differing > 0 ? 1 : 0

function compareCapture(analysis, reference) {
  const rows = []
  const row = (migration, what, here, there) => rows.push([migration, what, String(here), String(there)])
  const { captures, migrations } = analysis
  const [capture] = captures
  const same = (what, here, there) => here !== there && row('', what, here, there)
  same('packets', capture.packets, reference.capture.packets)
  same('wire_bytes', capture.wire_bytes, reference.capture.wire_bytes)
  same('captured_bytes', capture.captured_bytes, reference.capture.captured_bytes)
  same('start_epoch_ns', capture.start_epoch_ns, reference.capture.start_epoch_ns)
  same('migrations', migrations.length, reference.migrations.length)
  for (const [index, there] of reference.migrations.entries()) {
    const here = migrations[index]
    if (here !== undefined) compareMigration(here, there, (...cells) => row(index, ...cells))
  }
  return rows
}

function compareMigration(here, there, row) {
  if (here.outcome !== there.outcome) row('outcome', here.outcome, there.outcome)
  if ((here.failure?.code ?? null) !== (there.failure?.code ?? null))
    row('failure.code', here.failure?.code ?? null, there.failure?.code)
  for (const field of ['name', 'uuid', 'memory_bytes']) {
    if (known(there.domain[field]) && here.domain[field] !== there.domain[field])
      row(`domain.${field}`, here.domain[field], there.domain[field])
  }
  for (const end of ['source', 'destination']) {
    for (const field of ['hostname', 'address'])
      if (known(there[end][field]) && here[end][field] !== there[end][field])
        row(`${end}.${field}`, here[end][field], there[end][field])
  }
  for (const phase of there.phases)
    comparePhase(
      here.phases.find(({ id }) => id === phase.id),
      phase,
      row,
    )
  for (const field of ['libvirt_migration_time_s', 'total_migration_time_s', 'unattributed_s'])
    compareSeconds(field, here[field], there[field], row)
  compareVolume(here, there, row)
}

/** What the reference could not tell is no difference. */
function known(value) {
  return value !== null && value !== undefined
}

function comparePhase(here, there, row) {
  if (here === undefined) {
    row(there.id, 'absent', 'present')
    return
  }
  for (const edge of ['start', 'end']) {
    const packet = there[edge]?.packet ?? null
    if (here[edge].packet !== packet) row(`${there.id}.${edge}`, here[edge].packet, packet)
  }
  compareSeconds(`${there.id}.duration_s`, here.duration_s, there.duration_s, row)
}

function compareSeconds(what, here, there, row) {
  if (here === null && (there ?? null) === null) return
  if (here === null || (there ?? null) === null || Math.abs(here - there) >= TOLERANCE_S)
    row(what, here, there)
}

function compareVolume(here, there, row) {
  const { transfer } = there
  // A tunnelled stream's share of its connection is counted in another way there.
  if (!known(transfer?.wire_bytes_both_directions) || transfer.connections === 0 || here.mode.tunnelled)
    return
  if (here.transfer.wire_bytes !== transfer.wire_bytes_both_directions)
    row('wire_bytes', here.transfer.wire_bytes, transfer.wire_bytes_both_directions)
  if (here.transfer.payload_bytes !== transfer.payload_bytes_unique_both_directions)
    row('payload_bytes', here.transfer.payload_bytes, transfer.payload_bytes_unique_both_directions)
  if (here.transfer.retransmitted_bytes !== transfer.repeated_payload_bytes)
    row('retransmitted', here.transfer.retransmitted_bytes, transfer.repeated_payload_bytes)
  const { hypervisor } = there
  const { pages } = here.transfer
  if (pages === null || !known(hypervisor?.memory_normal) || here.mode.post_copy) return
  if (pages.normal !== hypervisor.memory_normal) row('pages.normal', pages.normal, hypervisor.memory_normal)
  if (pages.zero !== hypervisor.memory_constant) row('pages.zero', pages.zero, hypervisor.memory_constant)
}
