import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Addresses } from '../../src/redact/addresses.ts'
import { replaceInHeader, replaceInStartLine } from '../../src/redact/http.ts'
import { replaceInJson } from '../../src/redact/json.ts'
import { Keyed } from '../../src/redact/keyed.ts'
import { Pseudonyms } from '../../src/redact/pseudonyms.ts'
import { Uuids } from '../../src/redact/uuids.ts'
import { isTerm } from '../../src/redact/vocabulary.ts'
import { Words } from '../../src/redact/words.ts'
import { replaceInXml } from '../../src/redact/xml.ts'
import { KEY } from './redacted.ts'

const keyed = new Keyed(KEY)
const other = new Keyed(Uint8Array.of(1, 2, 3))
const texts = (): Pseudonyms => new Pseudonyms(KEY)

describe('numbers', () => {
  test.each([2, 3, 10, 100, 1000])('each of %i becomes another one, and none becomes two', (size) => {
    const all = Array.from({ length: size }, (_, value) => keyed.replace('x', value, size))
    expect(new Set(all).size).toBe(size)
    expect(all.filter((to, from) => to === from)).toEqual([])
  })

  test('another key or label gives others', () => {
    const by = (from: Keyed, label: string): number[] =>
      [1, 2, 3, 4].map((value) => from.replace(label, value, 2 ** 40))
    expect(by(other, 'x')).not.toEqual(by(keyed, 'x'))
    expect(by(keyed, 'y')).not.toEqual(by(keyed, 'x'))
  })
})

describe('addresses', () => {
  const addresses = new Addresses(keyed)
  const v4 = (text: string): string => addresses.v4(text.split('.').map(Number)).join('.')
  const octet = fc.integer({ min: 0, max: 255 })

  test('keep the digits of each octet, and stay hosts, private or not', () => {
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (octets) => {
        const replaced = addresses.v4(octets)
        expect(replaced.map((each) => String(each).length)).toEqual(octets.map((each) => String(each).length))
        expect(isPrivate(replaced)).toBe(isPrivate(octets))
        const [first = 0] = octets
        if (first > 0 && first !== 127 && first < 224) expect(replaced).not.toEqual(octets)
        expect((replaced[0] as number) >= 224).toBe(first >= 224)
      }),
    )
  })

  test('never meet', () => {
    const all = Array.from({ length: 4096 }, (_, i) => `10.${i % 16}.${(i >> 4) % 16}.${i >> 8}`)
    expect(new Set(all.map(v4)).size).toBe(all.length)
  })

  test('of one network stay in one', () => {
    const network = (text: string): string => v4(text).replace(/\d+$/, '')
    expect(network('10.77.0.11')).toBe(network('10.77.0.200'))
    expect(network('10.77.0.11')).not.toBe(network('10.78.0.11'))
  })

  test.each(['0.0.0.0', '127.0.0.1', '255.255.255.0', '255.255.255.255', '224.0.0.251'])('%s stays', (text) =>
    expect(v4(text)).toBe(text),
  )

  test('of version 6 keep the digits of each group, and mapped ones those of version 4', () => {
    const groups = [0xfd00, 0x77, 0, 0, 0, 0, 0, 0x11]
    const replaced = addresses.v6(groups)
    expect(replaced.map((group) => group.toString(16).length)).toEqual(
      groups.map((group) => group.toString(16).length),
    )
    expect(replaced.slice(2, 7)).toEqual([0, 0, 0, 0, 0])
    const [a = 0, b = 0, c = 0, d = 0] = v4('10.77.0.11').split('.').map(Number)
    expect(addresses.v6([0, 0, 0, 0, 0, 0xffff, 0x0a4d, 11]).slice(6)).toEqual([a * 256 + b, c * 256 + d])
  })

  test('of the link keep what says group and local, and the prefix of virtual machines', () => {
    fc.assert(
      fc.property(fc.array(octet, { minLength: 6, maxLength: 6 }), (octets) => {
        expect((addresses.mac(octets)[0] as number) & 3).toBe((octets[0] as number) & 3)
      }),
    )
    expect(addresses.mac([0x52, 0x54, 0, 1, 2, 3]).slice(0, 3)).toEqual([0x52, 0x54, 0])
    expect(addresses.mac([255, 255, 255, 255, 255, 255])).toEqual([255, 255, 255, 255, 255, 255])
  })
})

function isPrivate([a = 0, b = 0]: readonly number[]): boolean {
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)
}

test('a UUID keeps version and variant', () => {
  const replaced = new Uuids(keyed).replace('4c4c454400424810b035b1c04f445131')
  expect(replaced).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
  expect(replaced).not.toBe('4c4c454400424810b035b1c04f445131')
  expect(new Uuids(keyed).replace('0'.repeat(32))).toBe('0'.repeat(32))
})

describe('words', () => {
  const words = new Words(keyed, isTerm)

  test('never meet, never stay, and become no word of the vocabulary', () => {
    const all = Array.from({ length: 3000 }, (_, i) => `vm${i}`)
    const replaced = all.map((word) => words.replace(word))
    expect(new Set(replaced).size).toBe(all.length)
    expect(replaced.filter((word, i) => word === all[i] || isTerm(word))).toEqual([])
    expect(replaced.every((word, i) => word.length === all[i]?.length && /^[a-z]{2}\d+$/.test(word))).toBe(
      true,
    )
  })

  test('keep what is a number in hexadecimal one', () => {
    expect(words.replace('0000000a')).toMatch(/^\d{7}[a-f]$/)
  })
})

describe('texts', () => {
  test('the same is replaced by the same wherever it stands', () => {
    const made = texts()
    const name = made.replace('compute-17.example.org', 'name')
    expect(name).not.toMatch(/compute|17|example|org/)
    expect(made.replace('Migration to compute-17.example.org failed', 'prose')).toBe(
      `Migration to ${name} failed`,
    )
    expect(made.replace('qemu+tcp://compute-17.example.org:16509/system', 'uri')).toBe(
      `qemu+tcp://${name}:16509/system`,
    )
    expect(made.replace('tcp:10.77.0.11:49152', 'uri')).toBe(
      `tcp:${made.replace('10.77.0.11', 'text')}:49152`,
    )
  })

  test('a password in an address is filled up', () => {
    expect(texts().replace('http://jane:hunter22@10.0.0.1/x', 'uri')).toMatch(/^http:\/\/[a-z]{4}:x{8}@/)
  })

  test.each([
    ['fd00:77::11', /^fd[0-9a-f]{2}:[0-9a-f]{2}::[0-9a-f]{2}$/],
    ['FD00:0:0::00A1', /^F[CD][0-9A-F]{2}:0:0::00[0-9A-F]{2}$/],
    ['::ffff:10.0.0.1', /^::ffff:10\.\d\.\d\.\d$/],
    ['52-54-00-77-00-50', /^52-54-00(-[0-9a-f]{2}){3}$/],
    ['req-4c4c4544-0042-4810-8035-b1c04f445131', /^req-[0-9a-f]{8}-/],
    ['10.77.0.0/24', /^10\.\d\d\.\d\.0\/24$/],
  ])('%s', (text, form) => {
    const replaced = texts().replace(text, 'text')
    expect(replaced).toMatch(form)
    expect(replaced).not.toBe(text)
  })

  test.each(['2026-11-20 12:15:22', '12:34:56', '2.79', 'v2.1', '0x0000'])('%s stays in prose', (text) =>
    expect(texts().replace(text, 'prose')).toBe(text),
  )

  test('any text keeps its length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), (text) => {
        for (const policy of ['term', 'prose', 'name', 'text', 'uri', 'secret'] as const)
          expect(texts().replace(text, policy).length).toBe(text.length)
        expect(replaceInJson(text, texts()).length).toBe(text.length)
        expect(replaceInXml(text, texts()).length).toBe(text.length)
        expect(replaceInHeader(text, texts()).length).toBe(text.length)
        expect(replaceInStartLine(text, texts()).length).toBe(text.length)
      }),
      { numRuns: 300, seed: 1 },
    )
  })
})

describe('JSON', () => {
  const inner = {
    method: 'pre_live_migration',
    args: { host: 'node-1', memory_mb: 64, 'cost of acme': 4711, password: 'a"b\u00e9' },
  }
  const text = JSON.stringify({
    'oslo.message': JSON.stringify({
      ...inner,
      failure: JSON.stringify({ class: 'RemoteError', message: 'node-1 failed' }),
    }),
  })

  test('keeps its form through all levels', () => {
    const replaced = JSON.parse(replaceInJson(text, texts()))
    const message = JSON.parse(replaced['oslo.message'])
    expect(message.method).toBe('pre_live_migration')
    expect(message.args.memory_mb).toBe(64)
    expect(message.args.password).toMatch(/^x."x+$|^x+"?x+$/)
    expect(JSON.stringify(message)).not.toMatch(/acme|4711|node-1/)
    const failure = JSON.parse(message.failure)
    expect([failure.class, failure.message]).toEqual(['RemoteError', `${message.args.host} failed`])
  })

  test('may break off anywhere', () => {
    for (let size = 0; size < text.length; size++) {
      const replaced = replaceInJson(text.slice(0, size), texts())
      expect(replaced.length).toBe(size)
      expect(replaced).not.toMatch(/acme|4711/)
    }
  })
})

test('XML keeps its form; what it names does not stay', () => {
  const xml = `<domain type='kvm'><name>vm1 &amp; co</name><memory unit='KiB'>65536</memory><metadata><x:flavor xmlns:x="http://acme.example/1">gold</x:flavor></metadata><devices><graphics type='vnc' passwd='hunter22' listen='10.0.0.1'/><disk><source file='/srv/acme.qcow2'/><target dev='vda' bus='virtio'/></disk></devices></domain>`
  for (let size = 0; size <= xml.length; size++) {
    const replaced = replaceInXml(xml.slice(0, size), texts())
    expect(replaced.length).toBe(size)
    expect(replaced).not.toMatch(/acme|gold|hunter22|vm1/)
  }
  const whole = replaceInXml(xml, texts())
  expect(whole).toMatch(
    /^<domain type='kvm'><name>[a-z]{2}\d &amp; [a-z]{2}<\/name><memory unit='KiB'>65536<\/memory>/,
  )
  expect(whole).toContain("<target dev='vda' bus='virtio'/>")
})
