import { LATER_ANNOUNCEMENTS } from '../../fixtures/build/guest.ts'
import { ZedScene } from '../../fixtures/build/zed.ts'
import type { MetricId } from '../../src/stats/metrics.ts'
import { capture, type Passed, pcap } from './capture.ts'
import { type Anchor, retimed, timeMap } from './retime.ts'

/** What a migration of a study shall take, seconds. */
export type Durations = Readonly<Partial<Record<MetricId, number>>>

const S = 1e9

/** A migration by OpenStack Zed whose phases, totals and downtime are those that are asked for, packet by packet. Where the phases
 *  are longer than the totals, the finish call comes before the memory connection ends, and Nova's last step while libvirt
 *  still tidies up. */
export class StudyScene {
  readonly #passed: readonly Passed[]
  readonly #stoppedBeforeCallNs: number

  constructor() {
    const scene = new ZedScene('req-a0000000-0000-4000-8000-0000000000aa').request().init()
    const guest = scene.guest({ backlogNs: 0 })
    guest.connect().prepareCall().prepareReply().openMemory().copyMemory(0, 0.5).copyMemory(0.5, 1)
    guest.stopAndCopy().closeMemory().finishCall().announce().finishReply()
    guest.announce(LATER_ANNOUNCEMENTS).close()
    scene.settle()
    this.#passed = scene.wire.passed
    this.#stoppedBeforeCallNs = guest.stoppedBeforeCallMs * 1e6
  }

  /** The capture. */
  bytes(durations: Durations): Uint8Array {
    const at = instants(durations)
    const rpc = timeMap(this.#anchors(at, RPC))
    const memory = timeMap(this.#anchors(at, MEMORY))
    const nova = timeMap(this.#anchors(at, NOVA))
    const [first, syn, ack] = [
      this.#time('rarp', 'first'),
      this.#time('rpc syn-ack', 'first'),
      this.#time('rpc syn-ack', 'first', 1),
    ]
    // Half a round trip is what the tap is away from the source.
    const way = (rpc(ack) - rpc(syn)) / 2
    const runs =
      (at.get('finish call') ?? 0) + (durations.downtime ?? 0) * S - this.#stoppedBeforeCallNs - way
    return pcap(
      capture(
        retimed(this.#passed, (packet) => {
          if (packet.note === 'rarp') return runs + packet.timeNs - first
          const port = portOf(packet)
          return (port === 16_509 ? rpc : port === 49_152 ? memory : nova)(packet.timeNs)
        }),
      ),
    )
  }

  #anchors(at: ReadonlyMap<string, number>, marks: readonly Mark[]): Anchor[] {
    return marks.map(([message, edge]) => ({ fromNs: this.#time(message, edge), toNs: at.get(message) ?? 0 }))
  }

  /** Of a message's first or last packet. @param later packets after that one */
  #time(message: string, edge: 'first' | 'last', later = 0): number {
    const is = ({ note }: Passed): boolean => note === message
    const index = edge === 'first' ? this.#passed.findIndex(is) : this.#passed.findLastIndex(is)
    const packet = this.#passed[index + later]
    if (packet === undefined) throw new Error(`no message "${message}"`)
    return packet.timeNs
  }
}

type Mark = readonly [message: string, edge: 'first' | 'last']

const RPC: readonly Mark[] = [
  ['rpc syn', 'first'],
  ['open reply', 'last'],
  ['prepare reply', 'last'],
  ['finish call', 'first'],
  ['finish reply', 'last'],
  ['rpc fin', 'last'],
]
const MEMORY: readonly Mark[] = [
  ['memory syn', 'first'],
  ['memory fin', 'last'],
]
const NOVA: readonly Mark[] = [
  ['discovery request', 'first'],
  ['token response', 'last'],
  ['get server request', 'first'],
  ['pre_live_migration reply', 'last'],
  ['post_live_migration_at_destination call', 'first'],
  ['post_live_migration_at_destination reply', 'last'],
]

/** When each boundary is, nanoseconds after the first. */
function instants(durations: Durations): Map<string, number> {
  const of = (id: MetricId): number => (durations[id] ?? 0) * S
  const parts: MetricId[] = ['remote_connect', 'prepare', 'transfer', 'finish', 'cleanup']
  const inLibvirt = of('libvirt_migration_time') - parts.reduce((sum, id) => sum + of(id), 0)
  const outer: MetricId[] = ['auth', 'init', 'libvirt_migration_time', 'post_migration']
  const outside = of('total_migration_time') - outer.reduce((sum, id) => sum + of(id), 0)
  const beforeMemory = Math.max(0, inLibvirt / 2)
  const pause = Math.max(0, outside / 3)
  const at = new Map<string, number>()
  let now = 0
  const mark = (message: string, afterNs: number): void => {
    now += afterNs
    at.set(message, now)
  }
  mark('discovery request', 0)
  mark('token response', of('auth'))
  mark('get server request', pause)
  mark('pre_live_migration reply', of('init'))
  mark('rpc syn', pause)
  mark('open reply', of('remote_connect'))
  mark('prepare reply', of('prepare'))
  mark('memory syn', beforeMemory)
  mark('memory fin', of('transfer'))
  mark('finish call', inLibvirt - beforeMemory)
  mark('finish reply', of('finish'))
  mark('rpc fin', of('cleanup'))
  mark('post_live_migration_at_destination call', outside - 2 * pause)
  mark('post_live_migration_at_destination reply', of('post_migration'))
  return at
}

/** The server's. */
function portOf({ segment }: Passed): number {
  return segment === null
    ? 0
    : Math.min(segment.from.port, segment.to.port) === 16_509
      ? 16_509
      : memoryPort(segment)
}

function memoryPort({ from, to }: NonNullable<Passed['segment']>): number {
  return from.port === 49_152 || to.port === 49_152 ? 49_152 : 0
}
