import { describe, expect, it } from 'vitest'
import type { MigrationReport } from '../../src/report/model.ts'
import { type RewrittenPacket, rewrite } from '../support/rewrite.ts'
import { analyseBytes } from './synthetic.ts'

const WHOLE = Number.POSITIVE_INFINITY
const FIXTURES = ['idle', 'postcopy', 'multifd'].map((name) => `fixtures/libvirt-9.0/${name}.pcap.gz`)

const of = (path: string, keep: (packet: RewrittenPacket) => number) => analyseBytes([rewrite(path, keep)])

/** Packets of all boundaries. */
function boundaries({ phases }: MigrationReport): object {
  return phases.map(({ id, start, end }) => [id, start.packet, end.packet])
}

describe.each(FIXTURES)('%s', (path) => {
  const whole = of(path, () => WHOLE).migrations[0]!

  it.each([400, 200, 128, 96])('with a snap length of %i has the same phases and volumes', (snapLength) => {
    const { migrations } = of(path, () => snapLength)
    expect(migrations).toHaveLength(1)
    const cut = migrations[0]!
    expect(boundaries(cut)).toEqual(boundaries(whole))
    expect(cut.outcome).toBe(whole.outcome)
    expect(cut.transfer).toMatchObject({
      wire_bytes: whole.transfer.wire_bytes,
      payload_bytes: whole.transfer.payload_bytes,
      connections: whole.transfer.connections,
      throughput: whole.transfer.throughput,
    })
    // What was not captured is not made up.
    expect(cut.transfer.pages).toBeNull()
    expect(cut.transfer.missing_bytes).toBeGreaterThan(0)
  })

  it('without bulk that a full buffer dropped has the same phases, and says what is missing', () => {
    const [first, last] = [packetOf(whole, 'start') + 200, packetOf(whole, 'end') - 200]
    const dropped = ({ number, tcp }: RewrittenPacket) =>
      tcp?.destinationPort === 49_152 && number > first && number < last && number % 8 < 5
    const { migrations, capture } = of(path, (packet) => (dropped(packet) ? 0 : WHOLE))
    expect(migrations).toHaveLength(1)
    const lossy = migrations[0]!
    expect(lossy.outcome).toBe(whole.outcome)
    expect(lossy.phases.map(({ id, duration_s }) => [id, duration_s])).toEqual(
      whole.phases.map(({ id, duration_s }) => [id, duration_s]),
    )
    expect(lossy.transfer.pages).toBeNull()
    expect(lossy.transfer.missing_bytes).toBeGreaterThan(1_000_000)
    expect(capture.diagnostics.length).toBeGreaterThan(0)
  })
})

function packetOf({ phases }: MigrationReport, edge: 'start' | 'end'): number {
  return phases.find(({ id }) => id === 'transfer')?.[edge].packet ?? 0
}

describe('one direction only', () => {
  const [path] = FIXTURES as [string]

  it('from the source: volumes and pages are known, answers are not', () => {
    const fromSource = ({ tcp }: RewrittenPacket) =>
      tcp === null ||
      tcp.sourcePort > 50_000 ||
      tcp.destinationPort === 16_509 ||
      tcp.destinationPort === 49_152
        ? WHOLE
        : 0
    const { migrations } = of(path, fromSource)
    expect(migrations).toHaveLength(1)
    expect(migrations[0]).toMatchObject({
      outcome: 'incomplete',
      domain: { name: 'vm1' },
      transfer: { pages: { normal: 3952, zero: 12_691 } },
    })
    for (const { start, end, reason } of migrations[0]!.phases)
      if (start.kind === 'missing' || end.kind === 'missing') expect(reason).not.toBeNull()
  })

  it('from the destination: nothing is made up', () => {
    const fromDestination = ({ tcp }: RewrittenPacket) =>
      tcp === null || tcp.sourcePort === 16_509 || tcp.sourcePort === 49_152 ? WHOLE : 0
    const { migrations } = of(path, fromDestination)
    expect(migrations).toHaveLength(1)
    expect(migrations[0]!.transfer).toMatchObject({ wire_bytes_to_destination: null, pages: null })
  })
})
