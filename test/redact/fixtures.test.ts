import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { AddressTable } from '../../src/net/address.ts'
import { readIpv4, readIpv6 } from '../../src/net/ip.ts'
import { ETHERTYPE, readLink } from '../../src/net/link.ts'
import type { Analysis } from '../../src/pipeline/analyzer.ts'
import { isTerm } from '../../src/redact/vocabulary.ts'
import { analyse, differences, eachPacket, type Redacted, redact, streamsOf } from './redacted.ts'

const captures = readdirSync('fixtures', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name))
  .sort()

/** What says who someone is, by where it stands in the contents of an original. */
const TELLING: readonly RegExp[] = [
  /\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi,
  /(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/gi,
  /(?<![0-9a-f:])([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?![0-9a-f:])/gi,
  /(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])/g,
  /X-(?:Auth|Subject)-Token: ([^\s]{8,})/gi,
  /auth_token[\\"]*\s*:\s*[\\"]+([A-Za-z0-9_.-]{8,})/gi,
  /password[\\"]*\s*:\s*[\\"]+([^"\\]{4,})/gi,
  /passwd='([^']{4,})'/gi,
  /(fake-(?:password|token)-of-[\w-]+)/g,
  /<(?:name|hostname|title|description)>([^<]{2,})</g,
  /<nova:[a-z]+[^>]*>([^<]{2,})</g,
  /"(?:host|hostname|node|dest|name|display_name|user_name|project_name|source_compute|dest_compute|hypervisor_hostname|host_id|bridge)\\*": \\*"([^"\\]{2,})/g,
  /<source (?:file|dev|network|bridge)='([^']+)'/g,
  /Host: ([^\s:]+)/g,
]

/** Names that are a word of the protocols too: it stands where such words stand. */
const isOnlyWords = (text: string): boolean =>
  (text.match(/[A-Za-z0-9]+/g) ?? []).every((word) => isTerm(word))
/** Addresses that are the same everywhere. */
const isCommon = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d|^(?:0\.|127\.|2[2-5]\d\.)/.test(text) ||
  /^(?:00:){5}00$|^(?:ff:){5}ff$|^0+$|^(?:0|-)+$/.test(text)

/** Names as short as that come about by chance among numbers, and are looked for in messages only. */
const SHORT = 5

/** Bytes of a large capture in which each packet is compared; its report is compared as a whole. */
const LOOKED_AT = 4 * 1024 * 1024

it.each(captures)(
  '%s',
  (name) => {
    const file = readFileSync(join('fixtures', name))
    const original = Uint8Array.from(name.endsWith('.gz') ? gunzipSync(file) : file)
    const redacted = redact(original)
    expectSameReport(original, redacted)
    expectSamePackets(original, redacted.bytes)
    expectNothingLeft(original, redacted)
  },
  60_000,
)

/** Numbers, boundaries, outcomes and diagnostics are the same; texts may be others. */
function expectSameReport(original: Uint8Array, redacted: Redacted): void {
  const [before, after] = [analyse(original), analyse(redacted.bytes)]
  expect(differences(before.migrations, after.migrations)).toEqual([])
  const facts = ({ captures }: Analysis): unknown[] =>
    captures.map((capture) => ({ ...capture, format: null, bytes: null }))
  expect(differences(facts(before), facts(after))).toEqual([])
  expect(redacted.copy.blanked.undecidedPackets).toBe(0)
}

/** Order, times and lengths. */
function expectSamePackets(original: Uint8Array, redacted: Uint8Array): void {
  const facts = (capture: Uint8Array): Float64Array => {
    const list: number[] = []
    eachPacket(capture, ({ timeNs, start, end, originalLength }) =>
      list.push(timeNs, end - start, originalLength),
    )
    return Float64Array.from(list)
  }
  const before = facts(original.subarray(0, LOOKED_AT))
  // A copy has larger records, but not so much larger.
  const after = facts(redacted.subarray(0, 4 * LOOKED_AT)).subarray(0, before.length)
  expect(after.findIndex((value, i) => value !== before[i])).toBe(-1)
  expect(after.length).toBe(before.length)
}

/** No name, address or secret of the original is in the file, or in a stream that is put together. */
function expectNothingLeft(original: Uint8Array, redacted: Redacted): void {
  const streams = streamsOf(redacted.bytes)
  const file = Buffer.from(redacted.bytes.buffer)
  const isThere = (text: Buffer): boolean =>
    streams.includes(text) || (text.length >= SHORT && file.includes(text))
  expect(tellingIn(original).filter((text) => isThere(Buffer.from(text, 'latin1')))).toEqual([])
  const raw = redacted.replacements.filter(({ kind, from }) =>
    isThere(rawOf(kind, from) ?? Buffer.from('no such bytes')),
  )
  expect(raw).toEqual([])
  const before = addressesOf(original)
  const after = addressesOf(redacted.bytes)
  expect(after.size).toBe(before.size)
  expect([...after].filter((address) => before.has(address) && !isShared(address))).toEqual([])
}

function tellingIn(capture: Uint8Array): string[] {
  const text = streamsOf(capture).toString('latin1')
  const found = TELLING.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string))
  return [...new Set(found)].filter((each) => each.length > 2 && !isOnlyWords(each) && !isCommon(each))
}

/** An address in bytes, where these are too many to come about by chance. */
function rawOf(kind: string, text: string): Buffer | null {
  if (kind === 'mac' || kind === 'uuid') return Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex')
  if (kind !== 'ipv6') return null
  return Buffer.from(
    text
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  )
}

function addressesOf(capture: Uint8Array): Set<string> {
  const link = { etherType: 0, offset: 0 }
  const ip = {
    version: 4 as 4 | 6,
    start: 0,
    protocol: 0,
    source: 0,
    destination: 0,
    offset: 0,
    wireEnd: 0,
    fragment: false,
    fragmentAt: 0,
  }
  const table = new AddressTable()
  const addresses = new Set<string>()
  eachPacket(capture, (packet) => {
    if (!readLink(packet, link)) return
    const isIp =
      (link.etherType === ETHERTYPE.ipv4 && readIpv4(packet, link.offset, table, ip)) ||
      (link.etherType === ETHERTYPE.ipv6 && readIpv6(packet, link.offset, table, ip))
    if (isIp) addresses.add(table.text(ip.source)).add(table.text(ip.destination))
  })
  return addresses
}

/** Loopback, and groups of multicast that are the same everywhere. */
function isShared(address: string): boolean {
  return /^(?:127\.|0\.|224\.0\.0\.|255\.|::1?$|ff02::(?:1|2|16|fb|1:2|1:3)$)/.test(address)
}
