import { expect, test } from 'vitest'
import { MIGRATION_CONNECTIONS_MAX } from '../../src/core/limits.ts'
import { analyse, dial, ROUTE } from '../pipeline/synthetic.ts'
import { Wire } from '../support/capture.ts'
import { QemuStream } from '../support/qemu-stream.ts'

const STREAM = new QemuStream()
  .header()
  .ramStart([{ name: 'pc.ram', size: 4096 }])
  .bytes()

/** Memory streams from one host to one port of another, all open. */
function streams(count: number): Wire {
  const wire = new Wire()
  for (let port = 0; port < count; port++)
    dial(wire, 'memory', ROUTE, 49152, 10_000 + port)
      .open()
      .send('client', STREAM, 'stream')
  return wire
}

test.each([
  [MIGRATION_CONNECTIONS_MAX, 0],
  [MIGRATION_CONNECTIONS_MAX + 88, 88],
])('of %i connections of one migration, %i are followed by nobody', (count, surplus) => {
  const { migrations, capture } = analyse(streams(count).passed)
  expect(migrations.map(({ transfer }) => transfer.connections)).toEqual([MIGRATION_CONNECTIONS_MAX])
  const told = capture.diagnostics.filter(({ code }) => code === 'phase.connections')
  expect(told.reduce((sum, each) => sum + each.count, 0)).toBe(surplus)
})
