import { describe, expect, it, test } from 'vitest'
import { renderExplanation } from '../../src/report/explain.ts'
import { changed, REPORTS, reportOf } from './reports.ts'

const IDLE = 'libvirt-9.0/idle.expected.json'
const BLOCK = 'libvirt-9.0/block-migration.expected.json'

describe.each(REPORTS)('%s', (name) => {
  const report = reportOf(name)
  const text = renderExplanation(report, null)
  const running = text.replace(/\s+/g, ' ')

  it('names the packet of each boundary, or why there is none', () => {
    for (const { phases } of report.migrations) {
      for (const { start, end, reason } of phases) {
        for (const { packet, time_s } of [start, end])
          expect(running).toContain(
            packet === null ? `missing because ${reason}` : `packet ${packet} at ${time_s!.toFixed(6)} s`,
          )
      }
    }
  })

  it('says every rule in words', () => {
    expect(text).not.toMatch(/: –(;|$)/m)
  })

  it('gives filters that hold all packets of a phase', () => {
    for (const { phases } of report.migrations) {
      for (const { start, end, markers } of phases) {
        const packets = [start, ...markers, end].flatMap(({ packet }) => packet ?? [])
        const sorted = [...new Set(packets)].sort((a, b) => a - b)
        expect(text).toContain(sorted.map((packet) => `frame.number == ${packet}`).join(' || '))
      }
    }
  })
})

test('a phase: its boundaries, what else was considered, and the filters', () => {
  expect(
    renderExplanation(reportOf(IDLE), 'prepare'),
  ).toBe(`vm1  compute1 (10.77.0.11) → compute2 (10.77.0.12)  completed

Preparation (prepare)  312.5 ms
  start  packet 139 at 1.019400 s, observed
         libvirt.connect_open.reply: the last packet of the reply to CONNECT_OPEN; the connection is
         established; the source may prepare
  end    packet 195 at 1.331869 s, observed
         libvirt.prepare.reply: the last packet of the reply to the prepare call; the destination is
         ready
  also considered, and kept as inner instants:
    packet 152 at 1.022275 s
         libvirt.prepare.call: the first packet of the prepare call; the destination is asked to
         receive the guest
  Wireshark:
    frame.number == 139 || frame.number == 152 || frame.number == 195
    frame.number >= 139 && frame.number <= 195 && ip.addr == 10.77.0.11 && ip.addr == 10.77.0.12
`)
})

test('the downtime: how each end was found, its bounds, and the other ways of knowing', () => {
  const text = renderExplanation(reportOf(IDLE), 'downtime')
  expect(text).toContain('Downtime  42.4 ms (40.4 ms … 50.2 ms), by the packets')
  expect(text).toContain('stop   at 1.443465 s, between 1.435965 and 1.444965 s, from packet 12835')
  expect(text).toContain('libvirt.cookie.stopped: ')
  expect(text).toContain('resume at 1.485832 s, between 1.485332 and 1.486132 s, from packet 12842')
  expect(text).toContain('what the hypervisor reports: 42.0 ms')
  expect(text).toContain('frame.number == 12835 || frame.number == 12842')
})

test('an end of the downtime that nothing tells has a reason', () => {
  const text = renderExplanation(reportOf('libvirt-9.0/abort.expected.json'), 'downtime')
  expect(text).toContain('stop   missing\n         because the migration was not completed')
})

test('an inferred boundary is called so', () => {
  expect(renderExplanation(reportOf('libvirt-9.0/tls.expected.json'), 'finish')).toContain(
    ', inferred: it stands for',
  )
})

test('the storage copy is explained like a phase', () => {
  const { storage } = reportOf(BLOCK).migrations[0]!
  const text = renderExplanation(reportOf(BLOCK), 'storage')
  expect(text).toContain(`packet ${storage!.start.packet} at`)
  expect(text).toMatch(/the first disk is\s+opened at the destination/)
})

test('the order of a client is explained, with a filter for what it said to the source', () => {
  const text = renderExplanation(reportOf('libvirt-9.0/p2p.client.expected.json'), 'order')
  expect(text).toContain("libvirt.perform.call: the first packet of the client's perform call to the source")
})

test('a phase that the migration does not have is said to be none of it', () => {
  expect(renderExplanation(reportOf(IDLE), 'auth')).toContain('This migration has no auth.')
})

test('IPv6 hosts are filtered by their field', () => {
  expect(renderExplanation(reportOf('libvirt-9.0/ipv6.expected.json'), 'transfer')).toMatch(
    /ipv6\.addr == \S+ && ipv6\.addr == /,
  )
})

test('merged captures: packets are counted by file, and each has its filter', () => {
  const report = changed(IDLE, ({ phases }) => ({
    phases: phases.map((phase) => ({
      ...phase,
      start: { ...phase.start, file: 'a.pcap' },
      end: { ...phase.end, file: 'b.pcap' },
    })),
  }))
  const text = renderExplanation(report, 'finish')
  expect(text).toContain('packet 12835 of a.pcap at')
  expect(text).toMatch(/Wireshark, a\.pcap:\n {4}frame\.number == 12835\n/)
  expect(text).toMatch(/Wireshark, b\.pcap:\n {4}frame\.number == 12843\n/)
})

test('text off the wire cannot move the cursor', () => {
  const report = changed(IDLE, ({ domain }) => ({ domain: { ...domain, name: 'vm\u001b[2J\u202e' } }))
  expect(renderExplanation(report, null)).toMatch(/^vm\\x1b\[2J\\u202e {2}/)
})
