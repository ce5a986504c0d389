import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MigrationReport } from '../../src/report/model.ts'
import { damage, ETHERTYPE, LINK, type Link, type Passed, rarp, Wire } from '../support/capture.ts'
import { call, errorReply, keepalive, peerToPeer } from '../support/libvirt.ts'
import { QemuStream } from '../support/qemu-stream.ts'
import {
  analyse,
  boundaries,
  converse,
  dial,
  guest,
  IPV6,
  memoryStream,
  migrate,
  PAGES,
  ROUTE,
  type Told,
  UUID,
  WHOLE,
} from './synthetic.ts'

const PASSED = migrate(new Wire()).passed

function only(analysis: Told): MigrationReport {
  expect(analysis.migrations).toHaveLength(1)
  return analysis.migrations[0] as MigrationReport
}

const first = (passed: readonly Passed[], note: string): number =>
  passed.findIndex((packet) => packet.note === note) + 1
const last = (passed: readonly Passed[], note: string): number =>
  passed.findLastIndex((packet) => packet.note === note) + 1
const codes = (analysis: Told): string[] => analysis.capture.diagnostics.map((each) => each.code)
const reasons = (migration: MigrationReport): (string | null)[] =>
  migration.phases.map((phase) => phase.reason)

describe('a migration over unusual ports', () => {
  test('is found, told and measured', () => {
    const analysis = analyse(PASSED)
    const migration = only(analysis)
    expect(boundaries(migration, PASSED)).toEqual(WHOLE)
    expect(codes(analysis)).toEqual([])
    expect(migration).toMatchObject({
      outcome: 'completed',
      failure: null,
      domain: { name: 'vm1', uuid: UUID, memory_bytes: 256 * 1024, macs: ['52:54:00:77:00:50'] },
      source: { hostname: 'compute1', address: '10.77.0.11' },
      destination: { hostname: 'compute2', address: '10.77.0.12' },
      start_epoch_ns: '1795175111123456789',
      transfer: {
        payload_bytes: memoryStream().length,
        retransmitted_bytes: 0,
        missing_bytes: 0,
        connections: 1,
        pages: { normal: PAGES.normal, zero: PAGES.zero },
      },
    })
    expect(reasons(migration)).toEqual([null, null, null, null, null])
  })

  test('begins and ends its phases with the first and last byte of the messages', () => {
    const passed = migrate(new Wire(), { ...ROUTE, mss: 100 }).passed
    const migration = only(analyse(passed))
    expect(migration.phases.map(({ id, start, end }) => [id, start.packet, end.packet])).toEqual([
      ['remote_connect', 1, last(passed, 'open reply')],
      ['prepare', last(passed, 'open reply'), last(passed, 'prepare reply')],
      ['transfer', first(passed, 'memory syn'), last(passed, 'memory fin')],
      ['finish', first(passed, 'finish call'), last(passed, 'finish reply')],
      ['cleanup', last(passed, 'finish reply'), last(passed, 'rpc fin')],
    ])
    for (const { start, end } of migration.phases) {
      expect(start.time_s).toBe((passed[(start.packet ?? 0) - 1]?.timeNs ?? 0) / 1e9)
      expect(end.time_s).toBe((passed[(end.packet ?? 0) - 1]?.timeNs ?? 0) / 1e9)
    }
  })

  test.each(Object.entries<Link>(LINK))('is the same over link %s, IPv4 and IPv6', (_name, link) => {
    expect(boundaries(only(analyse(PASSED, { link })), PASSED)).toEqual(WHOLE)
    const six = migrate(new Wire(), { ...ROUTE, hosts: IPV6 }).passed
    const migration = only(analyse(six, { link }))
    expect(boundaries(migration, six)).toEqual(WHOLE)
    expect(migration.destination.address).toBe('fd00:77::12')
  })

  test('is the same byte by byte', () => {
    const stream = new QemuStream().header().configuration('pc-i440fx-7.2').eof().bytes()
    const passed = migrate(new Wire(100), { ...ROUTE, mss: 1 }, guest(), stream).passed
    const migration = only(analyse(passed))
    expect(boundaries(migration, passed)).toEqual(WHOLE)
    expect(migration.transfer.payload_bytes).toBe(stream.length)
  })

  test.each([28, 100, 60_000])('is the same in segments of %i bytes', (mss) => {
    const passed = migrate(new Wire(100), { ...ROUTE, mss }).passed
    const migration = only(analyse(passed))
    expect(boundaries(migration, passed)).toEqual(WHOLE)
    expect(migration.transfer.pages).toMatchObject(PAGES)
  })

  test('is the same where sequence numbers wrap', () => {
    for (const back of [0, 1, 5000, 60_000]) {
      const passed = migrate(new Wire(), { ...ROUTE, clientIsn: 0xffffffff - back }).passed
      const migration = only(analyse(passed))
      expect(boundaries(migration, passed)).toEqual(WHOLE)
      expect(migration.transfer.pages).toMatchObject(PAGES)
    }
  })

  test('keeps its phases when only the headers were captured', () => {
    const migration = only(analyse(PASSED, { snapLength: 128 }))
    expect(boundaries(migration, PASSED)).toEqual(WHOLE)
    expect(migration.transfer.payload_bytes).toBe(memoryStream().length)
    expect(migration.transfer.missing_bytes).toBeGreaterThan(0.9 * memoryStream().length)
  })

  test('knows its guest by the RARP that announces it', () => {
    const wire = migrate(new Wire())
    wire.packet(ETHERTYPE.rarp, rarp('52:54:00:77:00:50'), 'rarp')
    expect(boundaries(only(analyse(wire.passed)), wire.passed)).toEqual(WHOLE)
  })
})

describe('what the network does to packets', () => {
  const kind = fc.constantFrom('duplicate', 'retransmit', 'overlap', 'delay' as const)
  const harm = fc.record({ kind, at: fc.nat(9999), later: fc.integer({ min: 1, max: 40 }) })
  type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never

  /** Packets pass each other within a message; the answer to it cannot come before. */
  function inflict(passed: Passed[], { kind, at, later }: Harm): Passed[] {
    const index = at % passed.length
    const note = passed[index]?.note
    let room = later
    if (kind === 'delay') {
      const other = passed.findIndex((packet, i) => i > index && packet.note !== note)
      room = Math.min(later, other - index - 1)
      if (room < 1) return passed
    }
    return damage(passed, kind, index, room)
  }

  test.each([100, 1448])('does not move a boundary to another message (segments of %i bytes)', (mss) => {
    const whole = migrate(new Wire(), { ...ROUTE, mss }).passed
    fc.assert(
      fc.property(fc.array(harm, { minLength: 1, maxLength: 12 }), (harms) => {
        const passed = harms.reduce(inflict, whole)
        const analysis = analyse(passed)
        const migration = only(analysis)
        expect(boundaries(migration, passed)).toEqual(WHOLE)
        expect(migration.outcome).toBe('completed')
        expect(migration.transfer).toMatchObject({
          payload_bytes: memoryStream().length,
          missing_bytes: 0,
          pages: PAGES,
        })
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  test('and what the capture loses, leaves every boundary that it finds at its message', () => {
    const whole = migrate(new Wire(), { ...ROUTE, mss: 500 }).passed
    const lost = fc.array(fc.nat(whole.length - 1), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lost, (indexes) => {
        const passed = whole.filter((_, index) => !indexes.includes(index))
        for (const migration of analyse(passed).migrations) {
          boundaries(migration, passed).forEach(([id, start, end], i) => {
            const [, wholeStart, wholeEnd] = WHOLE[i] ?? ['', null, null]
            const reason = migration.phases[i]?.reason
            if (start !== null) expect([id, start]).toEqual([id, wholeStart])
            if (end !== null) expect([id, end]).toEqual([id, wholeEnd])
            if (start === null || end === null) expect(reason).toEqual(expect.any(String))
          })
        }
      }),
      { seed: 2, numRuns: 150 },
    )
  })

  test('and what the capture loses of the memory stream alone, changes no boundary', () => {
    for (let index = first(PASSED, 'stream'); index < last(PASSED, 'stream') - 1; index += 5) {
      const passed = damage(damage(PASSED, 'lose', index), 'lose', index)
      const migration = only(analyse(passed))
      expect(boundaries(migration, passed)).toEqual(WHOLE)
      expect(migration.transfer.missing_bytes).toBe(2 * 1448)
      expect(migration.outcome).toBe('completed')
    }
  })
})

describe('a capture that starts late', () => {
  const from = (note: string, which: 'first' | 'after' = 'after') => {
    const index = which === 'first' ? first(PASSED, note) - 1 : last(PASSED, note)
    const passed = PASSED.slice(index)
    return { passed, migration: only(analyse(passed)) }
  }

  test('after the SYN: remote connect has no start, and says why', () => {
    const { passed, migration } = from('rpc syn-ack')
    expect(boundaries(migration, passed)).toEqual([['remote_connect', null, 'open reply'], ...WHOLE.slice(1)])
    expect(migration.phases[0]?.reason).toBe('the libvirt connection was open before the capture began')
    expect(migration.libvirt_migration_time_s).toBeNull()
  })

  test('after OPEN: prepare has no start either', () => {
    const { passed, migration } = from('open reply')
    expect(boundaries(migration, passed)).toEqual([
      ['remote_connect', null, null],
      ['prepare', null, 'prepare reply'],
      ...WHOLE.slice(2),
    ])
    expect(migration.phases[1]?.reason).toBe('the reply to CONNECT_OPEN is not in the capture')
  })

  test('after prepare: the migration socket is found by its contents', () => {
    const { passed, migration } = from('prepare reply')
    expect(boundaries(migration, passed).slice(2)).toEqual(WHOLE.slice(2))
    expect(migration.domain).toMatchObject({ name: 'vm1', uuid: UUID })
    expect(migration.phases[1]?.duration_s).toBeNull()
  })

  test('inside the transfer: it has an end and no start', () => {
    const { passed, migration } = from('memory syn-ack')
    expect(boundaries(migration, passed).slice(2)).toEqual([
      ['transfer', null, 'memory fin'],
      ...WHOLE.slice(3),
    ])
    expect(migration.phases[2]?.reason).toBe('the migration socket was open before the capture began')
  })

  test('after the transfer: finish and cleanup are left', () => {
    const { passed, migration } = from('finish call', 'first')
    expect(boundaries(migration, passed)).toEqual([
      ['remote_connect', null, null],
      ['prepare', null, null],
      ['transfer', null, null],
      ...WHOLE.slice(3),
    ])
    expect(migration.outcome).toBe('completed')
    for (const phase of migration.phases.slice(0, 3)) expect(phase.reason).toEqual(expect.any(String))
  })
})

describe('a capture that ends early', () => {
  const ENDS = new Map([
    ['prepare call', 1],
    ['prepare reply', 2],
    ['stream', 2],
    ['memory fin', 3],
    ['finish call', 3],
  ])

  test.each([...ENDS])('with the %s is incomplete, with reasons', (note, known) => {
    const passed = PASSED.slice(0, last(PASSED, note))
    const migration = only(analyse(passed))
    expect(migration.outcome).toBe('incomplete')
    expect(migration.failure).toBeNull()
    expect(boundaries(migration, passed).slice(0, known)).toEqual(WHOLE.slice(0, known))
    for (const phase of migration.phases.slice(known)) {
      expect(phase.end.packet).toBeNull()
      expect(phase.reason).toEqual(expect.any(String))
    }
  })

  test('with the finish reply is completed, with an open cleanup', () => {
    const passed = PASSED.slice(0, last(PASSED, 'finish reply'))
    const migration = only(analyse(passed))
    expect(migration.outcome).toBe('completed')
    expect(migration.phases[4]?.reason).toBe('the libvirt connection is still open')
  })

  test('anywhere keeps every boundary that was seen', () => {
    for (let size = 1; size <= PASSED.length; size += 3) {
      const passed = PASSED.slice(0, size)
      for (const migration of analyse(passed).migrations)
        boundaries(migration, passed).forEach(([id, start, end], i) => {
          const [, wholeStart, wholeEnd] = WHOLE[i] ?? ['', null, null]
          expect([id, start]).toEqual([id, first(passed, wholeStart ?? '') > 0 ? wholeStart : null])
          const over = last(passed, wholeEnd ?? '') === last(PASSED, wholeEnd ?? '')
          if (over) expect([id, end]).toEqual([id, wholeEnd])
        })
    }
  })
})

describe('several migrations', () => {
  test('one after another over one libvirt connection are told apart', () => {
    const wire = new Wire()
    const rpc = dial(wire, 'rpc', ROUTE, ROUTE.rpcPort, 50_000).open()
    const names = ['vm1', 'vm2', 'vm3']
    names.forEach((name, i) => {
      const turns = peerToPeer(guest(name, 40_000 + i)).map((turn) => ({
        ...turn,
        what: `${i} ${turn.what}`,
      }))
      const prepare = turns.findIndex((turn) => turn.what.endsWith('prepare call'))
      const close = turns.findIndex((turn) => turn.what.endsWith('unregister call'))
      converse(rpc, turns.slice(i === 0 ? 0 : prepare, prepare + 2))
      dial(wire, `${i} memory`, ROUTE, 40_000 + i, 51_000 + i)
        .open()
        .send('client', memoryStream(i), `${i} stream`)
        .close('client')
      converse(rpc, turns.slice(prepare + 2, i === 2 ? turns.length : close))
    })
    rpc.close('server')
    const { migrations } = analyse(wire.passed)
    expect(migrations.map((migration) => migration.domain.name)).toEqual(names)
    expect(migrations.map((migration) => migration.outcome)).toEqual(names.map(() => 'completed'))
    migrations.forEach((migration, i) => {
      const [, , transfer, finish] = boundaries(migration, wire.passed)
      expect(transfer).toEqual(['transfer', `${i} memory syn`, `${i} memory fin`])
      expect(finish).toEqual(['finish', `${i} finish call`, `${i} finish reply`])
      expect(migration.phases[1]?.end.packet).toBe(last(wire.passed, `${i} prepare reply`))
      expect(migration.transfer.connections).toBe(1)
    })
  })

  test('at once between the same hosts are told apart', () => {
    const wire = new Wire()
    const guests = [0, 1, 2].map((i) => {
      const turns = peerToPeer(guest(`vm${i}`, 40_000 + i)).map((turn) => ({
        ...turn,
        what: `${i} ${turn.what}`,
      }))
      const rpc = dial(wire, `${i} rpc`, ROUTE, 16509, 50_000 + i)
      const memory = dial(wire, `${i} memory`, ROUTE, 40_000 + i, 51_000 + i)
      return {
        turns,
        rpc,
        memory,
        prepared: turns.findIndex((turn) => turn.what.endsWith('prepare reply')) + 1,
      }
    })
    for (const { rpc } of guests) rpc.open()
    for (let turn = 0; turn < (guests[0]?.prepared ?? 0); turn++)
      for (const { rpc, turns } of guests) converse(rpc, turns.slice(turn, turn + 1))
    for (const { memory } of guests.toReversed()) memory.open()
    guests.forEach(({ memory }, i) => {
      memory.send('client', memoryStream(i), `${i} stream`)
    })
    for (const { memory } of guests) memory.close('client')
    for (const { rpc, turns, prepared } of guests.toReversed()) converse(rpc, turns.slice(prepared))
    for (const { rpc } of guests) rpc.close('server')
    const { migrations } = analyse(wire.passed)
    expect(migrations.map((migration) => migration.domain.name)).toEqual(['vm0', 'vm1', 'vm2'])
    migrations.forEach((migration, i) => {
      expect(boundaries(migration, wire.passed)).toEqual(
        WHOLE.map(([id, start, end]) => [id, `${i} ${start}`, `${i} ${end}`]),
      )
      expect(migration.index).toBe(i)
    })
  })
})

describe('a migration that fails', () => {
  test('because nobody listens at libvirt’s port', () => {
    const wire = new Wire()
    dial(wire, 'rpc', ROUTE, 16509, 50_000).refused()
    const migration = only(analyse(wire.passed))
    expect(migration).toMatchObject({ outcome: 'failed', failure: { phase: 'remote_connect', code: null } })
    expect(migration.phases[0]).toMatchObject({ start: { packet: 1 }, end: { packet: null } })
    expect(migration.phases[0]?.reason).toBe('connection refused (RST)')
  })

  test('because the destination cannot prepare', () => {
    const wire = new Wire()
    const rpc = dial(wire, 'rpc', ROUTE, ROUTE.rpcPort, 50_000).open()
    const turns = peerToPeer(guest())
    const prepare = turns.findIndex((turn) => turn.what === 'prepare call')
    converse(rpc, turns.slice(0, prepare + 1))
    const error = { code: 55, domain: 10, message: "domain 'vm1' is already active" }
    rpc.send('server', errorReply(303, 9, error), 'prepare error')
    converse(rpc, turns.slice(-4))
    rpc.close('client')
    const migration = only(analyse(wire.passed))
    expect(migration).toMatchObject({
      outcome: 'failed',
      failure: { phase: 'prepare', code: 55, message: error.message },
      libvirt_migration_time_s: null,
    })
    expect(boundaries(migration, wire.passed)).toEqual([
      WHOLE[0],
      ['prepare', 'open reply', 'prepare error'],
      ['transfer', null, null],
      ['finish', null, null],
      ['cleanup', null, null],
    ])
    expect(migration.libvirt_connection_time_s).toBeGreaterThan(0)
  })

  test.each(['rst', 'fin'] as const)('because the libvirt connection breaks with %s', (how) => {
    const wire = new Wire()
    const rpc = dial(wire, 'rpc', ROUTE, ROUTE.rpcPort, 50_000).open()
    const turns = peerToPeer(guest())
    converse(rpc, turns.slice(0, turns.findIndex((turn) => turn.what === 'prepare reply') + 1))
    dial(wire, 'memory', ROUTE, ROUTE.memoryPort, 50_001).open().send('client', memoryStream(), 'stream')
    if (how === 'rst') rpc.reset('server')
    else rpc.close('server')
    const migration = only(analyse(wire.passed))
    expect(migration).toMatchObject({ outcome: 'failed', failure: { phase: 'transfer', code: null } })
    expect(boundaries(migration, wire.passed).slice(0, 2)).toEqual(WHOLE.slice(0, 2))
  })

  test('because it was cancelled: aborted', () => {
    const wire = migrate(new Wire(), ROUTE, { ...guest(), cancelled: true })
    const migration = only(analyse(wire.passed))
    expect(migration).toMatchObject({ outcome: 'aborted', failure: { code: 93 } })
    expect(boundaries(migration, wire.passed)).toEqual(WHOLE)
  })

  test.each([
    [35, 'failed'],
    [29, 'incomplete'],
  ] as const)('because the other daemon is silent: %i s are %s', (seconds, outcome) => {
    const wire = new Wire()
    const rpc = dial(wire, 'rpc', ROUTE, ROUTE.rpcPort, 50_000).open()
    const turns = peerToPeer(guest())
    converse(rpc, turns.slice(0, turns.findIndex((turn) => turn.what === 'prepare reply') + 1))
    const memory = dial(wire, 'memory', ROUTE, ROUTE.memoryPort, 50_001).open()
    memory.send('client', memoryStream(), 'stream')
    wire.wait(seconds * 1e9)
    memory.probe('client')
    const migration = only(analyse(wire.passed))
    expect(migration.outcome).toBe(outcome)
    if (outcome === 'failed') expect(migration.failure).toMatchObject({ phase: 'transfer', code: null })
  })
})

test('keepalives fill a long silence, and are no messages of the migration', () => {
  const wire = new Wire()
  const rpc = dial(wire, 'rpc', ROUTE, ROUTE.rpcPort, 50_000).open()
  const turns = peerToPeer(guest())
  const prepared = turns.findIndex((turn) => turn.what === 'prepare reply') + 1
  converse(rpc, turns.slice(0, prepared))
  const memory = dial(wire, 'memory', ROUTE, ROUTE.memoryPort, 50_001).open()
  memory.send('client', memoryStream(), 'stream')
  for (let i = 0; i < 12; i++) {
    wire.wait(5e9)
    rpc.send('server', keepalive('ping'), 'ping').send('client', keepalive('pong'), 'pong')
  }
  const soFar = only(analyse(wire.passed))
  expect(soFar.outcome).toBe('incomplete')
  memory.close('client')
  converse(rpc, turns.slice(prepared))
  rpc.close('server')
  const analysis = analyse(wire.passed)
  const migration = only(analysis)
  expect(boundaries(migration, wire.passed)).toEqual(WHOLE)
  expect(migration.total_migration_time_s).toBeGreaterThan(60)
  expect(codes(analysis)).toEqual([])
})

test('a libvirt connection that prepares nothing is no migration', () => {
  const wire = new Wire()
  const rpc = dial(wire, 'rpc', ROUTE, 16509, 50_000).open()
  converse(rpc, peerToPeer(guest()).slice(0, 6))
  rpc.send('client', call(2, 3), 'close').close('client')
  const analysis = analyse(wire.passed)
  expect(analysis.migrations).toEqual([])
  expect(analysis.traffic.protocols.get('libvirt')).toBe(1)
})

describe('a capture of one direction', () => {
  const half = (port: 'from' | 'to'): MigrationReport => {
    const { address } = PASSED.find(({ note }) => note === 'rpc syn')!.segment![port]
    const passed = PASSED.filter(({ segment }) => segment?.from.address === address)
    return only(analyse(passed))
  }

  test('to the destination: one migration, whose answers are unknown', () => {
    const migration = half('from')
    expect(migration.outcome).toBe('incomplete')
    expect(migration.phases.map(({ start, end }) => [start.kind, end.kind])).toEqual([
      ['observed', 'missing'],
      ['missing', 'missing'],
      ['observed', 'observed'],
      ['observed', 'missing'],
      ['missing', 'missing'],
    ])
    expect(new Set(reasons(migration).filter((reason) => reason !== null)).size).toBe(1)
  })

  test('to the source: the answers tell the outcome; what went the other way is unknown, not zero', () => {
    const migration = half('to')
    expect(migration.outcome).toBe('completed')
    expect(migration.phases.map(({ start, end }) => [start.kind, end.kind])).toEqual([
      ['missing', 'observed'],
      ['observed', 'observed'],
      ['missing', 'observed'],
      ['missing', 'observed'],
      ['observed', 'observed'],
    ])
    expect(migration.transfer.wire_bytes_to_destination).toBeNull()
  })
})

test('half of a conversation that is not about a migration is no attempt to migrate', () => {
  const { passed } = migrate(new Wire(), { ...ROUTE, rpcPort: 16509 })
  const said = new Set(['rpc syn', 'auth call', 'open call', 'feature 14 call'])
  expect(analyse(passed.filter(({ note }) => said.has(note ?? ''))).migrations).toEqual([])
  // A SYN that nobody answers is one.
  expect(analyse(passed.slice(0, 1)).migrations).toHaveLength(1)
})
