import { describe, expect, test } from 'vitest'
import { readCookie } from '../../../src/protocols/libvirt/cookie.ts'
import { readDomainXml } from '../../../src/protocols/libvirt/domain-xml.ts'
import { cookieXml, domainXml } from '../../support/libvirt.ts'
import { MAC, MIGRATION, UUID } from './sample.ts'

const OTHER = '99999999-9999-4999-8999-999999999999'

describe('domain', () => {
  test('only its own elements count, not those nested elsewhere', () => {
    const xml = `<?xml version='1.0'?>
<domain type='kvm' id='7'>
  <metadata>
    <nova:instance><nova:name>n</nova:name><name>wrong</name><uuid>${OTHER}</uuid></nova:instance>
  </metadata>
  <name>instance-00000001</name>
  <uuid>${UUID.toUpperCase()}</uuid>
  <maxMemory unit='GiB'>64</maxMemory>
  <memory unit='KiB'>131072</memory>
  <currentMemory unit='KiB'>65536</currentMemory>
  <sysinfo type='smbios'><system><entry name='uuid'>${OTHER}</entry></system></sysinfo>
  <devices>
    <disk><source><name>no</name></source><mac address='52:54:00:00:00:99'/></disk>
    <interface type='bridge'><mac address='FA:16:3E:00:00:01'/><target dev='tap0'/></interface>
    <interface type='network'><source network='n'/><mac address="fa-16-3e-00-00-02"></mac></interface>
    <hostdev><memory unit='GiB'>9</memory></hostdev>
    <memory model='dimm'><target><size unit='KiB'>1</size></target></memory>
  </devices>
  <name>second</name>
</domain>`
    expect(readDomainXml(xml)).toEqual({
      name: 'instance-00000001',
      uuid: UUID,
      memoryBytes: 128 * 1024 * 1024,
      macs: ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02'],
    })
  })

  test.each([
    ["unit='KiB'", 65536, 65536 * 1024],
    ['', 65536, 65536 * 1024], // before libvirt 0.9.11
    ["unit='b'", 65536, 65536],
    ["unit='bytes'", 65536, 65536],
    ["unit='KB'", 65536, 65_536_000],
    ["unit='MiB'", 64, 64 * 1024 ** 2],
    ["unit='M'", 64, 64 * 1024 ** 2],
    ["unit='GB'", 2, 2e9],
    ["unit='TiB'", 1, 1024 ** 4],
    ["unit='furlong'", 1, null],
  ])('memory with %s', (unit, value, bytes) => {
    expect(readDomainXml(`<domain><memory ${unit}>${value}</memory></domain>`)?.memoryBytes).toBe(bytes)
  })

  test('memory that is no number is unknown', () => {
    expect(readDomainXml('<domain><memory>lots</memory><memory>-1</memory></domain>')?.memoryBytes).toBeNull()
  })

  test('cut anywhere: each fact is whole or unknown', () => {
    const xml = domainXml(MIGRATION.domain)
    const whole = { name: 'vm1', uuid: UUID, memoryBytes: 65536 * 1024, macs: [MAC] }
    expect(readDomainXml(xml)).toEqual(whole)
    for (let end = 0; end < xml.length; end++) {
      const part = readDomainXml(xml.slice(0, end)) ?? { name: null, uuid: null, memoryBytes: null, macs: [] }
      expect([null, whole.name]).toContain(part.name)
      expect([null, whole.uuid]).toContain(part.uuid)
      expect([null, whole.memoryBytes]).toContain(part.memoryBytes)
      expect([[], whole.macs]).toContainEqual(part.macs)
    }
  })

  test('something else is no domain', () => {
    expect(readDomainXml('')).toBeNull()
    expect(readDomainXml('<network><name>n</name></network>')).toBeNull()
    expect(readDomainXml('<domain')).toBeNull()
  })

  test('interfaces are bounded', () => {
    const macs = Array.from({ length: 1000 }, (_, i) => `52:54:00:00:${hex2(i >> 8)}:${hex2(i & 0xff)}`)
    expect(readDomainXml(domainXml({ ...MIGRATION.domain, macs }))?.macs).toEqual(macs.slice(0, 256))
  })
})

describe('cookie', () => {
  const identity = { ...MIGRATION.domain, ...MIGRATION.source }

  test('its own name is not that of the domain in its persistent part', () => {
    const persistent = domainXml({ ...MIGRATION.domain, name: 'other', uuid: OTHER })
    const xml = cookieXml({ ...identity, persistent })
    expect(readCookie(xml)).toMatchObject({ name: 'vm1', uuid: UUID, hostname: 'compute1' })
    const first = xml
      .replace('<name>vm1</name>', '')
      .replace('<qemu-migration>', `<qemu-migration>${persistent}`)
    expect(readCookie(first)?.name).toBeNull()
  })

  test('statistics: unknown ones are left out, missing ones are null, negative ones stand', () => {
    const statistics = {
      started: 1795175111267,
      delta: -3,
      memory_normal: 3952,
      compression_cache: 1,
      novel: 2,
    }
    const read = readCookie(cookieXml({ ...identity, statistics }))?.statistics
    expect(read).toMatchObject({ started: 1795175111267, delta: -3, memoryNormal: 3952, downtime: null })
    expect(Object.keys(read ?? {})).toHaveLength(21)
  })

  test('statistics that are no numbers are null', () => {
    const xml = '<qemu-migration><statistics><downtime>soon</downtime><sent/></statistics></qemu-migration>'
    expect(readCookie(xml)?.statistics).toMatchObject({ downtime: null, sent: null })
  })

  test.each([
    ["<nbd port='49153'/>", 49153],
    ["<nbd port='49153'><disk target='vda' capacity='16777216'/></nbd>", 49153],
    ['<nbd/>', null],
    ["<nbd port='0'/>", null],
    ["<nbd port='70000'/>", null],
  ])('%s', (nbd, port) => {
    expect(readCookie(`<qemu-migration>${nbd}</qemu-migration>`)?.nbdPort).toBe(port)
  })

  test('a host name with entities, and a trailing NUL', () => {
    const xml = '<qemu-migration><hostname>a&amp;b</hostname></qemu-migration>\0'
    expect(readCookie(xml)?.hostname).toBe('a&b')
  })

  test('something else is no cookie', () => {
    expect(readCookie('')).toBeNull()
    expect(readCookie('{"version":1}')).toBeNull()
    expect(readCookie('<qemu-migr')).toBeNull()
  })
})

function hex2(value: number): string {
  return value.toString(16).padStart(2, '0')
}
