import { text } from '../../core/bytes.ts'
import type { DomainFacts } from '../../events/libvirt.ts'
import { readDomainXml } from './domain-xml.ts'
import type { XdrCursor } from './xdr.ts'

/** virTypedParameterType. */
const PARAM_TYPE = { int: 1, uint: 2, llong: 3, ullong: 4, double: 5, boolean: 6, string: 7 } as const

/** A migration names a few compression methods. */
const COMPRESSION_MAX = 16

export interface MigrateParameters {
  readonly domain: DomainFacts | null
  readonly destinationName: string | null
  readonly migrateUri: string | null
  readonly bandwidth: number | null
  readonly parallelConnections: number | null
  readonly compression: readonly string[]
}

/** The typed parameters of a migration call. Those that no report needs are skipped by their type; after one
 *  of an unknown type nothing more can be told apart, and what was read stays.
 *  @see libvirt include/libvirt/libvirt-domain.h, VIR_MIGRATE_PARAM_* */
export function readTypedParameters(cursor: XdrCursor): MigrateParameters {
  const texts = new Map<string, string>()
  const numbers = new Map<string, number>()
  const compression: string[] = []
  let domain: DomainFacts | null = null
  const count = cursor.u32() ?? 0
  for (let i = 0; i < count && cursor.ok; i++) {
    const field = cursor.string()
    const type = cursor.u32()
    if (field === null || type === null) break
    if (type === PARAM_TYPE.string) {
      if (field === 'destination_xml') domain ??= readDomain(cursor)
      else readText(cursor, field, texts, compression)
    } else {
      const value = readNumber(cursor, type)
      if (value !== null && NUMBERS.has(field)) numbers.set(field, value)
    }
  }
  return {
    domain,
    destinationName: texts.get('destination_name') ?? null,
    migrateUri: texts.get('migrate_uri') ?? null,
    bandwidth: numbers.get('bandwidth') ?? null,
    parallelConnections: numbers.get('parallel.connections') ?? null,
    compression,
  }
}

const TEXTS: ReadonlySet<string> = new Set(['destination_name', 'migrate_uri'])
const NUMBERS: ReadonlySet<string> = new Set(['bandwidth', 'parallel.connections'])

function readText(cursor: XdrCursor, field: string, texts: Map<string, string>, compression: string[]): void {
  const value = cursor.string()
  if (value === null) return
  if (TEXTS.has(field)) texts.set(field, value)
  else if (field === 'compression' && compression.length < COMPRESSION_MAX) compression.push(value)
}

function readDomain(cursor: XdrCursor): DomainFacts | null {
  const range = cursor.opaque()
  return range === null ? null : readDomainXml(text(cursor.bytes, range.start, range.end))
}

/** Null for what is no integer. */
function readNumber(cursor: XdrCursor, type: number): number | null {
  switch (type) {
    case PARAM_TYPE.int:
      return cursor.i32()
    case PARAM_TYPE.uint:
    case PARAM_TYPE.boolean:
      return cursor.u32()
    case PARAM_TYPE.llong:
    case PARAM_TYPE.ullong:
      return cursor.u64()
    case PARAM_TYPE.double:
      cursor.skip(8)
      return null
    default:
      cursor.fail()
      return null
  }
}
