import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MigrationReport, Report } from '../src/report/model.ts'

const FIXTURES = 'fixtures'
const reports = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.expected.json'))
  .sort()

/** Figures that are told in several ways must add up, in every report that is expected. */
describe.each(reports)('%s', (name) => {
  const report = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Report

  it('divides what the transfer took by protocol and direction', () => {
    for (const { transfer, traffic, mode } of report.migrations) {
      if (transfer.wire_bytes === null || mode.tunnelled) continue
      const rows = traffic.filter((row) => row.phase === 'transfer')
      expect(sum(rows.map((row) => row.wire_bytes))).toBe(transfer.wire_bytes)
      expect(sum(rows.map((row) => row.payload_bytes))).toBe(transfer.payload_bytes)
    }
  })

  it('spreads the payload over time', () => {
    for (const { transfer, traffic, mode } of report.migrations) {
      if (transfer.throughput === null || mode.tunnelled) continue
      const { bin_s, to_destination_bps } = transfer.throughput
      const sent = traffic.filter(({ phase, direction }) => phase === 'transfer' && direction === 'to_server')
      const bytes = sum(to_destination_bps) * (bin_s / 8)
      expect(bytes).toBeCloseTo(sum(sent.map((row) => row.payload_bytes)), 3)
    }
  })

  it("gives all of libvirt's connection to phases", () => {
    for (const migration of report.migrations) {
      const rows = migration.traffic.filter((row) => row.protocol.startsWith('libvirt'))
      const between = rows.filter((row) => row.phase === null)
      // Keepalives and late acknowledgements, where both ends of all phases were seen.
      if (complete(migration)) expect(sum(between.map((row) => row.wire_bytes))).toBeLessThan(2000)
    }
  })

  it('has the pages of all rounds', () => {
    for (const { transfer } of report.migrations) {
      const { rounds, pages, post_copy } = transfer
      if (rounds === null || pages === null || (post_copy !== null && post_copy.pages_after_switch === null))
        continue
      const after = post_copy?.pages_after_switch ?? { normal: 0, zero: 0 }
      expect(sum(rounds.map((round) => round.normal_pages)) + after.normal).toBe(pages.normal)
      expect(sum(rounds.map((round) => round.zero_pages)) + after.zero).toBe(pages.zero)
    }
  })

  it('counts the pages that the hypervisor counted', () => {
    for (const { hypervisor, transfer } of report.migrations) {
      for (const { what, difference } of hypervisor?.comparison ?? []) {
        if (!what.endsWith('_pages') || transfer.pages === null) continue
        // QEMU's counter of normal pages is short with additional channels: see fixtures/README.md.
        expect(difference).toBeOneOf(transfer.connections > 1 ? [0, -6, -11] : [0])
      }
    }
  })
})

function complete({ phases }: MigrationReport): boolean {
  return phases.every(({ start, end }) => start.kind !== 'missing' && end.kind !== 'missing')
}

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0)
}
