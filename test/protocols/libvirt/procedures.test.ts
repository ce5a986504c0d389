import { expect, test } from 'vitest'
import { migrateFlagNames } from '../../../src/events/migrate-flags.ts'
import { isTunnelPrepare, procedureName } from '../../../src/protocols/libvirt/procedures.ts'

test('flags have names, lowest first; a bit without one is its value', () => {
  expect(migrateFlagNames(0)).toEqual([])
  expect(migrateFlagNames(0x1b)).toEqual(['LIVE', 'PEER2PEER', 'PERSIST_DEST', 'UNDEFINE_SOURCE'])
  expect(migrateFlagNames(2 ** 40 + 0x100000 + 0x200000)).toEqual(['ZEROCOPY', '0x200000', '0x10000000000'])
})

test('procedures have names', () => {
  expect(procedureName(303)).toBe('DOMAIN_MIGRATE_PREPARE3_PARAMS')
  expect(procedureName(9999)).toBeNull()
})

test('three calls open a tunnel', () => {
  expect([148, 215, 304, 214, 303, 208].filter(isTunnelPrepare)).toEqual([148, 215, 304])
})
