import { PACKET_COMMENTS_MAX } from '../core/limits.ts'
import { formatDuration, printable } from './format.ts'
import type { Boundary, InstantReport, MigrationReport } from './model.ts'

/** Characters of a guest's name in a comment: libvirt allows 255 bytes, and names this long need no more to be told apart. */
const NAME_MAX = 64

/** Comments by packet number. */
export type Marks = ReadonlyMap<number, readonly string[]>

/** What the packets that prove a report stand for: of every migration each boundary, each marker between, and both ends of the
 *  downtime. Each comment begins with `mig-phases: `, so that a filter finds it; where there are several migrations, the number
 *  and the name of the guest follow. Packets of other captures, of which a report of merged ones tells, are none of these. */
export function marksOf(migrations: readonly MigrationReport[]): Marks {
  const marks = new Map<number, string[]>()
  for (const migration of migrations) {
    const prefix = migrations.length > 1 ? `mig-phases: ${whichOf(migration)}: ` : 'mig-phases: '
    for (const [packet, text] of texts(migration)) {
      if (packet === null) continue
      const comments = marks.get(packet) ?? []
      if (comments.length < PACKET_COMMENTS_MAX) comments.push(prefix + text)
      marks.set(packet, comments)
    }
  }
  return marks
}

/** The same with the packet's number first, for a file in which packets have other numbers. */
export function withNumbers(marks: Marks): Marks {
  return new Map([...marks].map(([packet, comments]) => [packet, [numberText(packet), ...comments]]))
}

function numberText(packet: number): string {
  return `mig-phases: packet ${packet} of the capture`
}

function whichOf({ index, domain }: MigrationReport): string {
  const name = domain.name ?? domain.uuid
  return `migration ${index + 1}${name === null ? '' : ` (${printable(name.slice(0, NAME_MAX))})`}`
}

type Text = readonly [packet: number | null, text: string]

function* texts(migration: MigrationReport): Generator<Text> {
  const { order, storage, openstack, transfer } = migration
  if (order !== null) yield* ends('order to the source', order)
  for (const phase of migration.phases) {
    yield* ends(phase.id, phase)
    for (const { packet, id } of phase.markers) yield [packet, id]
  }
  if (storage !== null) yield* ends('storage copy', storage)
  for (const { id, start, end, duration_s } of transfer.post_copy?.parts ?? []) {
    if (start !== null) yield [start.packet, `${id} starts${lasting(duration_s)}`]
    if (end !== null) yield [end.packet, `${id} ends`]
  }
  for (const { packet, id } of openstack?.markers ?? []) yield [packet, id]
  yield* downtime(migration)
}

interface Span {
  readonly start: Boundary
  readonly end: Boundary
  readonly duration_s: number | null
}

function* ends(name: string, { start, end, duration_s }: Span): Generator<Text> {
  yield [start.packet, `${name} starts (${ruleOf(start)})${lasting(duration_s)}`]
  yield [end.packet, `${name} ends (${ruleOf(end)})`]
}

function ruleOf({ rule, kind }: Boundary): string {
  return kind === 'inferred' ? `${rule}, inferred` : `${rule}`
}

function lasting(duration_s: number | null): string {
  return duration_s === null ? '' : `, lasts ${formatDuration(duration_s)}`
}

/** The packet proves the instant and may lie beside it. */
function* downtime({ downtime }: MigrationReport): Generator<Text> {
  const { start, end, duration_s } = downtime.stream
  const length = duration_s === null ? '' : `, downtime ${formatDuration(duration_s)}`
  if (start !== null) yield [start.packet, `guest stopped at ${instant(start)} (${start.rule})`]
  if (end !== null) yield [end.packet, `guest runs (${end.rule})${length}`]
}

function instant({ time_s }: InstantReport): string {
  return `${time_s.toFixed(6)} s`
}
